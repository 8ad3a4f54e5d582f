import Listing
import ServiceSupport
import Store
import TestSupport
import Testing
import Values

@testable import Service

@Suite("The charts of the page", .fewAtOnce, .timeLimit(.minutes(5)))
struct ChartPageTests {
  private func withPage(_ count: Int, _ random: Seeded, _ body: (PageOfTest, TestDatabase) async throws -> Void) async throws {
    var random = random
    try await withService { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      if count > 0 { try CallLogsOfTest.store(count, in: database, &random) }
      try await body(try await PageOfTest.signedIn(service, token: token), database)
    }
  }

  /// Links of charts to lists, with the number of calls that their text begins with.
  private func links(_ text: String, _ form: Regex<(Substring, Substring, Substring)>) -> [(address: String, calls: Int)] {
    text.matches(of: form).map { match in
      ("/" + match.1.dropFirst(2).replacing("&amp;", with: "&"), Int(match.2) ?? -1)
    }
  }

  @Test("A bar, a cell and a number lead to the lists with as many calls as they show")
  func leadsThere() async throws {
    let random = Seeded()
    let seed = random
    try await withPage(40, random) { page, _ in
      var seen = (0, 0, 0)
      for zone in ["UTC", "Asia/Kolkata", "America/New_York"] {
        for query in [
          "from=2023-12-31T20:07&until=2024-01-02T00:00", "from=2023-12-28T00:00&until=2024-01-03T00:00&q=is:answered+is:blocked",
          "q=ann&direction=inbound&until=2024-02-01T00:00",
        ] {
          let answer = try await page.get("/charts?\(query)&zone=\(zone)")
          #expect(answer.status == 200, "\(seed) \(answer.text)")
          // The first: bars and cells. The second: numbers with most calls.
          let cells = links(answer.text, #/<a href="(\.\/\?[^"]+)" aria-label="[^"]*:\s(\d+)\scalls?/#)
          let top = links(
            answer.text, #/<th scope="row"><a href="(\.\/\?[^"]+)">.*?</a></th><td class="bar">.*?</td><td>(\d+)</td>/#)
          for (address, calls) in cells + top where calls > 0 {
            let list = try await page.get(address)
            #expect(list.status == 200 && list.rows.count == calls, "\(seed) \(query) \(zone) \(address)")
          }
          seen.0 += cells.count { $0.calls > 0 }
          seen.1 += top.count
          seen.2 += answer.text.contains("class=\"map\" width=\"100%\" height=\"200\" role=\"group\"") ? 1 : 0
        }
      }
      #expect(seen.0 > 10 && seen.1 > 10 && seen.2 > 0, "\(seed)")
    }
  }

  @Test("An hour that clocks show twice is no link: the form cannot name it")
  func twice() async throws {
    try await withPage(0, Seeded()) { page, database in
      try database.run(
        """
        INSERT INTO call_logd_tenant VALUES ('\(uuid(0))');
        INSERT INTO call_logd_call_log (date, tenant_uuid) SELECT '2024-10-27 00:10Z'::timestamptz + n * interval '1 hour', '\(uuid(0))'
        FROM generate_series(0, 2) n;
        """)
      let day = "from=2024-10-27T00:00&until=2024-10-28T00:00&zone=Europe/Paris"
      let answer = try await page.get("/charts?\(day)&by=hour")
      let bars = answer.text.components(separatedBy: "class=\"bars\"")[1].components(separatedBy: "</svg>")[0]
      // 25 hours, of which two are the same.
      #expect(bars.matches(of: #/<title>/#).count == 25 && bars.matches(of: #/<a href/#).count == 23)
    }
  }

  @Test("The list leads to the charts of its filter, parts come one by one, and what means nothing is said")
  func parts() async throws {
    try await withPage(20, Seeded()) { page, _ in
      let list = try await page.get("/?q=ann&zone=UTC&after=0_5")
      #expect(list.text.contains("<a href=\"./charts?q=ann&amp;zone=UTC\">Charts</a>"))
      #expect(!(try await page.get("/?q=is:happy").text).contains("./charts?"))
      let calls = try await page.get("/charts?part=calls")
      #expect(calls.text.contains("class=\"bars\"") && !calls.text.contains("class=\"leaders\""))
      let top = try await page.get("/charts?part=top")
      #expect(!top.text.contains("class=\"bars\"") && top.text.contains("class=\"leaders\""))
      for query in ["by=minute", "part=none", "q=is:happy", "from=x"] {
        #expect(try await page.get("/charts?" + query).status == 400, "\(query)")
      }
      let many = try await page.get("/charts?by=hour&from=2000-01-01T00:00")
      #expect(many.status == 400 && many.text.contains("too many bars"))
      #expect(try await page.get("/charts?q=nobodyhasthisname").text.contains("no calls to draw"))
      #expect(try await page.get("/charts", ["Accept-Language": "fr"]).text.contains("Principaux appelants"))
      #expect(try await PageOfTest(service: page.service).get("/charts").status == 401)
    }
  }

  @Test("Names and numbers stay text, and a number that the search box would read otherwise is no link")
  func hostile() async throws {
    try await withPage(0, Seeded()) { page, database in
      let name = "<img src=x onerror=alert(1)>"
      try database.run(
        """
        INSERT INTO call_logd_tenant VALUES ('\(uuid(0))');
        INSERT INTO call_logd_call_log (date, tenant_uuid, source_name, source_exten, destination_exten)
        VALUES ('2024-01-01Z', '\(uuid(0))', '\(name)', '*98', '1" onclick="x'), ('2024-01-01Z', '\(uuid(0))', NULL, '1*8', '+33');
        """)
      let text = try await page.get("/charts?q=from:1*8+\(PageFilter.encoded("\"a b\""))").text
      #expect(!text.contains("<img"))
      let all = try await page.get("/charts").text
      #expect(!all.contains("<img") && !all.contains("onclick=\"") && all.contains(Markup.escaped(name)))
      #expect(!all.contains("from:%2A98") && all.contains("q=from:1%2A8") && all.contains("q=to:%2B33"))
    }
  }

  @Test("Lines of a grid have round numbers, and none is above the last by more than a step", arguments: 0..<1)
  func ticks(_: Int) {
    var random = Seeded()
    for most in [0, 1, 2, 3, 4, 5, 9, 10, 11, 40, 41, 999_999, Int64(random.below(1_000_000_000))] as [Int64] {
      let ticks = ChartScale.ticks(most)
      let step = ticks[1]
      #expect((2...5).contains(ticks.count) && ticks[ticks.count - 1] >= most && ticks[ticks.count - 1] - step <= most, "\(most)")
      let digits = String(step)
      #expect(["1", "2", "5"].contains(String(digits.prefix(1))) && digits.dropFirst().allSatisfy { $0 == "0" }, "\(step)")
    }
    let words = ChartText.english
    #expect(words.number(1_234_567) == "1,234,567" && words.number(999) == "999" && words.number(1000) == "1,000")
    #expect(words.percent(0.9999) == "99\u{A0}%" && words.percent(0.0001) == "1\u{A0}%" && words.percent(1) == "100\u{A0}%")
    #expect(words.percent(nil) == "–" && words.time(microseconds: 3_725_000_000) == "1\u{A0}h 2\u{A0}min")
    #expect(words.time(microseconds: 59_000_000) == "59\u{A0}s" && words.time(microseconds: 4_400_000_000_000) == "1,222\u{A0}h")
  }
}
