import API
import Listing
import ServiceSupport
import TestSupport
import Testing
import Values

@testable import Service

@Suite("The search page", .fewAtOnce, .timeLimit(.minutes(5)))
struct PageListTests {
  private func withPage(
    _ count: Int, _ random: Seeded, accesses: [String] = ["call-logd.#"],
    _ body: (PageOfTest, TestDatabase, [String: String]) async throws -> Void
  ) async throws {
    var random = random
    try await withService { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: accesses)
      try CallLogsOfTest.store(count, in: database, &random)
      try await body(try await PageOfTest.signedIn(service, token: token), database, ["X-Auth-Token": token])
    }
  }

  /// A field of the form, or an operator, beside the API's parameter for the same.
  private static let choices: [(page: (field: String, text: String), api: String)] = [
    (("q", "ann"), "search=ann"), (("q", "50%"), "search=50%25"), (("q", "number:101"), "number=101"),
    (("q", "number:*01"), "number=_01"), (("q", "number:10*"), "number=10_"),
    (("direction", "inbound"), "call_direction=inbound"),
    (("q", "dir:out"), "call_direction=outbound"), (("status", "blocked"), "call_status=blocked"),
    (("q", "is:answered"), "call_status=answered"), (("q", "is:missed"), "call_status=unknown"),
    (("q", "is:voicemail"), "call_status=voicemail"), (("from", "2024-01-01T00:10"), "from=2024-01-01T00:10:00Z"),
    (("until", "2024-01-01T00:30:00"), "until=2024-01-01T00:30:00Z"), (("q", "has:recording"), "recorded=true"),
    (("q", "conversation:1.3"), "conversation_id=1.3"), (("q", "tag:sales"), "tags=sales"),
    (("q", "user:\(uuid(5))"), "user_uuid=\(uuid(5))"),
  ]

  @Test("Fields and operators select the call logs that the API selects, over all pages and in the CSV")
  func filters() async throws {
    var random = Seeded()
    let seed = random
    try await withPage(180, random) { page, _, headers in
      var seen = 0
      for _ in 0..<40 {
        let chosen = (0..<random.below(3)).map { _ in random.pick(PageListTests.choices) }
        var fields: [String: String] = ["zone": "UTC"]
        var names: Set<Substring> = []
        var parts: [String] = []
        for (field, api) in chosen where names.insert(api.prefix { $0 != "=" }).inserted {
          guard field.field == "q" || fields[field.field] == nil else { continue }
          fields[field.field] = [fields[field.field], field.text].compactMap(\.self).joined(separator: " ")
          parts.append(api)
        }
        let query = fields.map { "\($0)=\(PageFilter.encoded($1))" }.joined(separator: "&")
        var next: String? = "/?" + query
        var rows: [Int64] = []
        while let path = next {
          let answer = try await page.get(path)
          #expect(answer.status == 200, "\(seed) \(path)")
          rows += answer.rows
          next = answer.link("next")
        }
        parts.append("recurse=true")
        let api = try await page.service.ask("GET", "/cdr?\(parts.joined(separator: "&"))", headers)
        #expect(rows == api.ids, "\(seed) \(query)")
        seen += rows.count
        let csv = try await page.get("/calls.csv?" + query)
        let asked = try await page.service.ask("GET", "/cdr?format=csv&\(parts.joined(separator: "&"))", headers)
        // Cells with a semicolon stand in quotes, for spreadsheets that begin a cell there.
        func plain(_ answer: Answer) -> String { answer.text.replacing("\"", with: "") }
        #expect(csv.status == 200 && plain(csv) == plain(asked), "\(seed) \(query)")
      }
      #expect(seen > 500)
    }
  }

  @Test("from: and to: select callers and callees")
  func sides() async throws {
    let random = Seeded()
    try await withPage(120, random) { page, database, _ in
      for (box, condition) in [
        ("from:101", "source_exten = '101'"), ("to:*01", "destination_exten LIKE '%01'"),
        ("from:10* to:201", "source_exten LIKE '10%' AND destination_exten = '201'"),
      ] {
        let rows = try database.admin.query(
          "SELECT id FROM call_logd_call_log WHERE blocked IS NOT TRUE AND \(condition) ORDER BY date DESC, id DESC LIMIT 50",
          purpose: "Listing")
        let ids = rows.compactMap { $0.int64(0) }
        let found = try await page.get("/?q=\(PageFilter.encoded(box))").rows
        #expect(!ids.isEmpty && found == ids, "\(box)")
      }
    }
  }

  @Test("What means nothing is said, and then no call is shown")
  func problems() async throws {
    let random = Seeded()
    try await withPage(5, random) { page, _, _ in
      for (query, word) in [
        ("q=is:happy", "is:happy"), ("q=foo:bar", "foo:bar"), ("q=from:x%20y:", "y:"), ("q=tag:", "tag:"),
        ("q=from:1%20from:2", "from:2"),
        ("q=%22open", "open"), ("from=yesterday", "yesterday"), ("from=2024-02-30T00:00", "2024-02-30"), ("direction=up", "up"),
        ("direction=inbound&q=dir:out", "dir:out"), ("status=answered&q=is:missed", "answered"), ("zone=Mars/Base", "Mars/Base"),
        ("after=here", "here"), ("q=user:ann", "user:ann"), ("q=conversation:1", "conversation:1"), ("q=%FF", "\u{FFFD}"),
      ] where word != "\u{FFFD}" {
        let answer = try await page.get("/?" + query)
        #expect(answer.status == 400 && answer.rows.isEmpty, "\(query): \(answer.status)")
        let alert = answer.text.components(separatedBy: "role=\"alert\"").dropFirst().first ?? ""
        #expect(alert.contains(word), "\(query)")
        #expect(try await page.get("/calls.csv?" + query).status == 400, "\(query)")
      }
    }
  }

  @Test("Users without rights on the tenant see the calls in which they took part, without tags")
  func own() async throws {
    var random = Seeded()
    try await withService { service, database, tokens in
      // So many that some are of the tenant and not blocked.
      try CallLogsOfTest.store(120, in: database, &random)
      try database.run(
        """
        INSERT INTO call_logd_call_log_participant (uuid, call_log_id, user_uuid, line_id, role, tags, answered)
        SELECT gen_random_uuid(), id, '\(uuid(5))', 1, 'source', '{secrettag}', true FROM call_logd_call_log WHERE id % 3 = 0
        """)
      let token = try tokens.create(
        name: "own", tenants: .some(own: uuid(0), others: []), user: uuid(5), accesses: ["call-logd.users.me.cdr.read"])
      let page = try await PageOfTest.signedIn(service, token: token)
      let list = try await page.get("/")
      let api = try await service.ask(as: token, "/users/me/cdr")
      #expect(!api.ids.isEmpty && list.rows == api.ids && !list.text.contains("secrettag"))
      for id in 1...30 {
        let call = try await page.get("/calls/\(id)")
        let condition = "id = \(id) AND id % 3 = 0 AND tenant_uuid = '\(uuid(0))'"
        let isTheirs =
          try database.admin.query("SELECT FROM call_logd_call_log WHERE \(condition)", purpose: "Looking").count == 1
        #expect(call.status == (isTheirs ? 200 : 404) && !call.text.contains("secrettag"), "\(id)")
      }
    }
  }

  @Test("The guide's CSV has the guide's columns, in the page's time zone, the earliest call first")
  func guide() async throws {
    let random = Seeded()
    try await withPage(1, random) { page, database, _ in
      try database.run(
        """
        DELETE FROM call_logd_recording; DELETE FROM call_logd_call_log;
        INSERT INTO call_logd_call_log (id, date, date_answer, date_end, tenant_uuid, source_name, source_exten, destination_exten, user_field)
        VALUES (2, '2024-07-01 10:00Z', NULL, NULL, '\(uuid(0))', 'Bob', '1002', '1001', NULL),
          (1, '2024-01-02 00:00Z', '2024-01-02 00:00:01Z', '2024-01-02 00:00:02.6Z', '\(uuid(0))', 'Alice', '1001', '1002', 'userfield');
        """)
      let csv = try await page.get("/calls.csv?columns=guide&zone=Europe/Paris")
      #expect(
        csv.text == """
          Call Date,Caller,Called,Period,user Field\r
          2024-01-02T01:00:00,Alice (1001),1002,2,userfield\r
          2024-07-01T12:00:00,Bob (1002),1001,0,\r

          """)
      #expect(csv.headers["content-disposition"]?.contains("attachment") == true)
      #expect(try await page.get("/calls.csv?columns=others").status == 400)
      let list = try await page.get("/?zone=Europe/Paris&from=2024-07-01T12:00")
      #expect(list.rows == [2] && list.text.contains(">12:00:00</time>") && list.text.contains("Monday, 1 July 2024"))
      #expect(try await page.get("/?zone=Europe/Paris&until=2024-07-01T12:00").rows == [1])
    }
  }
}
