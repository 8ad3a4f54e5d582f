import API
import Listing
import ServiceSupport
import Store
import TestSupport
import Testing
import Values

@testable import Service

@Suite("Statistics over HTTP", .fewAtOnce, .timeLimit(.minutes(5)))
struct StatsAnswerTests {
  private static func items(_ answer: Answer, _ key: String = "items") -> [JSONValue] {
    if case .list(let items)? = answer.json?[key] { items } else { [] }
  }

  private static func number(_ value: JSONValue?, _ key: String) -> Int64? {
    if case .integer(let number)? = value?[key] { number } else { nil }
  }

  @Test("The sums of any filter are the counts of its list, and so are the sums of their periods and hours")
  func sums() async throws {
    var random = Seeded()
    try await withService { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      try CallLogsOfTest.store(60, in: database, &random)
      var seen: Int64 = 0
      for _ in 0..<40 {
        let query = CallLogsOfTest.query(&random).split(separator: "&").filter {
          !$0.hasPrefix("order=") && !$0.hasPrefix("direction=")
        }
        .joined(separator: "&")
        let list = try await service.ask(as: token, "/cdr?\(query)")
        let stats = try await service.ask(
          as: token,
          "/cdr/stats?\(query)&by=\(random.pick(["year", "month", "week"]))&timezone=\(random.pick(["UTC", "Asia/Tokyo"]))")
        #expect(stats.status == 200, "\(random) \(query) \(stats.text)")
        let total = StatsAnswerTests.number(stats.json?["total"], "calls")
        #expect(total == list.number("filtered"), "\(random) \(query)")
        for key in ["items", "hours"] {
          let sum = StatsAnswerTests.items(stats, key).reduce(0) { $0 + (StatsAnswerTests.number($1, "calls") ?? 0) }
          #expect(sum == total, "\(random) \(query) \(key)")
        }
        for status in ["answered", "unknown", "voicemail", "blocked"] where !query.contains("call_status") {
          let own = try await service.ask(as: token, "/cdr?\(query)&limit=0&call_status=\(status)")
          let expected = status == "blocked" ? 0 : own.number("filtered")
          #expect(StatsAnswerTests.number(stats.json?["total"], status) == expected, "\(random) \(query) \(status)")
        }
        seen += total ?? 0
      }
      #expect(seen > 50, "\(random)")
    }
  }

  @Test("Times have the zone's clocks, and only the parts that are asked for are there")
  func form() async throws {
    try await withService { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.cdr.stats.read"])
      try database.run(
        """
        INSERT INTO call_logd_tenant VALUES ('\(uuid(0))');
        INSERT INTO call_logd_call_log (date, date_answer, date_end, tenant_uuid, source_name, source_exten)
        VALUES ('2024-10-27 00:30Z', '2024-10-27 00:30:01Z', '2024-10-27 00:30:03.5Z', '\(uuid(0))', 'Ann', '101'),
          ('2024-10-27 01:30Z', NULL, NULL, '\(uuid(0))', 'Ann', '101');
        """)
      let range = "from=2024-10-27T02:00&until=2024-10-27T03:00&timezone=Europe/Paris"
      let stats = try await service.ask(as: token, "/cdr/stats?\(range)")
      let hour = """
        {"start":"2024-10-27T02:00:00+02:00","end":"2024-10-27T02:00:00+01:00","calls":1,"answered":1,"unknown":0,"voicemail":0,\
        "blocked":0,"talk_seconds":2.5}
        """
      #expect(stats.text.contains(hour), "\(stats.text)")
      #expect(StatsAnswerTests.items(stats).count == 2 && StatsAnswerTests.items(stats, "hours").count == 168)
      #expect(stats.text.contains("\"answered_share\":0.5,\"talk_seconds\":2.5,\"average_talk_seconds\":2.5"))
      #expect(stats.text.contains("{\"weekday\":7,\"hour\":2,\"calls\":2,"))
      #expect(stats.text.contains("\"callers\":[{\"number\":\"101\",\"name\":\"Ann\",\"calls\":2,\"answered\":1}]"))
      let top = try await service.ask(as: token, "/cdr/stats?\(range)&parts=top&top=1")
      #expect(top.json?["items"] == nil && StatsAnswerTests.items(top, "callees").count == 1)
      let calls = try await service.ask(as: token, "/cdr/stats?\(range)&parts=calls")
      #expect(!calls.text.contains("talk_seconds") && calls.json?["callers"] == nil)
      let many = try await service.ask(as: token, "/cdr/stats?from=2000-01-01T00:00&until=2024-01-01T00:00&by=hour")
      #expect(many.status == 400 && many.errorID == "invalid-data" && many.text.contains("longer"))
      #expect(try await service.ask(as: token, "/cdr").status == 401)
    }
  }

  @Test("Users get the statistics of the calls in which they took part")
  func own() async throws {
    var random = Seeded()
    try await withService { service, database, tokens in
      try CallLogsOfTest.store(90, in: database, &random)
      try database.run(
        """
        INSERT INTO call_logd_call_log_participant (uuid, call_log_id, user_uuid, line_id, role, answered)
        SELECT gen_random_uuid(), id, '\(uuid(5))', 1, 'destination', true FROM call_logd_call_log WHERE id % 3 = 0
        """)
      let token = try tokens.create(
        name: "own", tenants: .some(own: uuid(0), others: []), user: uuid(5), accesses: ["call-logd.users.me.cdr.read"])
      let list = try await service.ask(as: token, "/users/me/cdr")
      let stats = try await service.ask(as: token, "/users/me/cdr/stats?recurse=true")
      #expect(list.number("filtered") ?? 0 > 0)
      #expect(StatsAnswerTests.number(stats.json?["total"], "calls") == list.number("filtered"))
      #expect(try await service.ask(as: token, "/cdr/stats").status == 401)
      let page = try await PageOfTest.signedIn(service, token: token)
      #expect(try await page.get("/charts").text.contains("<strong>\(list.number("filtered") ?? 0)</strong>"))
    }
  }

  @Test("Statistics that take too long are refused with advice, and the page says so, too")
  func tooLong() async throws {
    try await withService(settings: { $0.timeouts.count = .milliseconds(150) }) { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      let page = try await PageOfTest.signedIn(service, token: token)
      // Reading waits for the lock; the time limit of statements ends it.
      try database.run("BEGIN; LOCK TABLE call_logd_call_log IN ACCESS EXCLUSIVE MODE")
      let answer = try await service.ask(as: token, "/cdr/stats")
      #expect(answer.status == 503 && answer.errorID == "query-timeout" && answer.headers["retry-after"] != nil, "\(answer.text)")
      let charts = try await page.get("/charts")
      #expect(charts.status == 503 && charts.text.contains("id=\"charts-content\"") && charts.text.contains("took too long"))
      try database.run("ROLLBACK")
      #expect(try await service.ask(as: token, "/cdr/stats").status == 200)
    }
  }
}
