import API
import Authentication
import Foundation
import Listing
import ServiceSupport
import Store
import TestSupport
import Testing
import Values

@testable import Service

@Suite("What the search page counts, names and suggests", .fewAtOnce, .timeLimit(.minutes(5)))
struct PageSearchTests {
  private func withPage(
    _ accesses: [String] = ["call-logd.#"], tenants: TokenTenants = .all, user: UUIDValue? = nil,
    _ body: (PageOfTest, TestDatabase, [String: String]) async throws -> Void
  ) async throws {
    try await withService { service, database, tokens in
      let token = try tokens.create(name: "t", tenants: tenants.some, user: user, accesses: accesses)
      try database.addTenants(3)
      try await body(try await PageOfTest.signedIn(service, token: token), database, ["X-Auth-Token": token])
    }
  }

  /// The tenants of a token.
  private enum TokenTenants {
    case all, one(Int)

    var some: TokenEntry.Tenants { if case .one(let number) = self { .some(own: uuid(number), others: []) } else { .all } }
  }

  private func names(_ answer: Answer) -> [String] {
    guard case .list(let items)? = answer.json else { return [] }
    return items.compactMap { if case .string(let term)? = $0["term"] { term } else { nil } }
  }

  // MARK: Counting

  @Test("The number of calls and of answered ones is what the list has, on one page or counted in a request of its own")
  func counts() async throws {
    var random = Seeded()
    let seed = random
    try await withService { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      try CallLogsOfTest.store(150, in: database, &random)
      let page = try await PageOfTest.signedIn(service, token: token)
      for query in ["", "q=from:101", "q=is:answered", "q=is:blocked", "direction=inbound", "q=nobody", "q=is:missed%20ann"] {
        var ids: [Int64] = []
        var next: String? = "/?" + query
        var answered = 0
        while let path = next {
          let list = try await page.get(path)
          ids += list.rows
          answered += list.text.components(separatedBy: "badge answered").count - 1
          next = list.link("next")
        }
        let share = ids.isEmpty ? 0 : (answered * 200 + ids.count) / (ids.count * 2)
        let text =
          ids.isEmpty ? "0 calls" : "\(ids.count == 1 ? "1 call" : "\(ids.count) calls"), \(answered) answered (\(share)%)"
        let counted = try await page.get("/count?" + query)
        #expect(
          counted.status == 200 && PageSearchTests.counts(counted) == text, "\(seed) \(query): \(PageSearchTests.counts(counted))"
        )
        let first = try await page.get("/?" + query)
        // A list of several pages is not counted before it is shown.
        #expect(PageSearchTests.counts(first) == (ids.count <= 50 ? text : ""), "\(seed) \(query)")
      }
      #expect(try await page.get("/count?q=is:x").status == 400)
      let french = try await page.get("/count?q=from:101", ["Accept-Language": "fr"])
      #expect(PageSearchTests.counts(french).contains("répondus (") && PageSearchTests.counts(french).contains("\u{A0}%)"))
    }
  }

  /// What stands for the numbers of calls, without tags.
  private static func counts(_ answer: Answer) -> String {
    guard let start = answer.text.range(of: "id=\"counts\"")?.upperBound,
      let begin = answer.text[start...].firstIndex(of: ">"),
      let strong = answer.text[begin...].range(of: "<strong id=\"count\">")?.upperBound
    else { return "" }
    let part = answer.text[strong...].prefix { $0 != "\n" }
    let last = part.contains("<span id=\"answered\">") ? "</span>" : "</strong>"
    let cut = part.range(of: last)?.lowerBound ?? part.endIndex
    return String(part[..<cut]).replacing(/<[^>]*>/, with: "")
  }

  @Test("Digits stand in groups, and what was not counted to its end says so")
  func numbers() {
    for (number, text) in [(0, "0"), (7, "7"), (999, "999"), (1000, "1,000"), (12_345, "12,345"), (1_234_567, "1,234,567")] {
      #expect(ListText.english.number(number) == text)
      #expect(ListText.french.number(number) == text.replacing(",", with: "\u{202F}"))
    }
    let many = CallLogTally(calls: 10_000, answered: 7123, isMore: true)
    #expect(ListText.english.answered(many) == "of the newest 10,000, 7,123 answered (71%)")
    let markup = CountPage.counts(many, .english).text
    #expect(markup.contains(">more than 10,000 calls<"))
    #expect(CountPage.counts(nil, .english).text.contains(ListText.english.notCounted))
    #expect(
      CountPage.counts(CallLogTally(calls: 1284, answered: 912, isMore: false), .english).text.contains("912 answered (71%)"))
    #expect(ListText.french.answered(CallLogTally(calls: 3, answered: 1, isMore: false)) == "1 répondu (33\u{A0}%)")
  }

  @Test("What is counted are the first call logs of the query, as many as were asked for")
  func tally() throws {
    var random = Seeded()
    let database = try TestDatabase(.empty)
    try Migrator(database.admin).migrate(program: "tests")
    try CallLogsOfTest.store(120, in: database, &random)
    for _ in 0..<60 {
      let most = random.below(130)
      var query = CallLogQuery(tenants: random.oneIn(3) ? .all : VisibleTenants(uuid(random.below(3))))
      if random.oneIn(3) { query.selection.statuses = [random.pick([.answered, .blocked, .unknown])] }
      if random.oneIn(3) { query.selection.number = random.pick(["101", "20_"]) }
      let ids = try CallLogTables.ids(of: query, on: database.admin)
      let list = ids.prefix(most).map(String.init).joined(separator: ",")
      let answered = try database.value(
        """
        count(*) FROM call_logd_call_log WHERE id = ANY('{\(list)}') AND blocked IS NOT TRUE AND date_answer IS NOT NULL
        """)
      let tally = try CallLogTables.tally(of: query, most: most, on: database.admin)
      #expect(tally.calls == min(most, ids.count) && tally.isMore == (ids.count > most), "\(random)")
      #expect(String(tally.answered) == answered, "\(random)")
    }
    // Counts by hour know all.
    try CallLogCounts.make(on: database.admin)
    for statuses in [nil, [.answered], [.unknown, .answered], [.blocked]] as [Set<CallLogView.Status>?] {
      var query = CallLogQuery(tenants: random.oneIn(3) ? .all : VisibleTenants(uuid(random.below(3))))
      query.selection.statuses = statuses
      let whole = try CallLogTables.tally(of: query, most: 1, on: database.admin)
      #expect(whole.calls == (try CallLogTables.ids(of: query, on: database.admin).count) && !whole.isMore, "\(random)")
      query.selection.statuses = statuses?.intersection([.answered]) ?? [.answered]
      #expect(whole.answered == (try CallLogTables.ids(of: query, on: database.admin).count), "\(random)")
    }
  }

  // MARK: Users by name

  /// Three users of a tenant, and one of another, each with calls as caller and as callee.
  private static func addUsers(_ database: TestDatabase) throws {
    var sql = ""
    for (id, tenant, user, name) in [
      (1, 1, 11, "Ann Lee"), (2, 1, 12, "Anna O'Neil"), (3, 1, 13, "50% Bob"), (4, 2, 21, "Ann Secret"), (5, 1, 11, "Ann Lee"),
    ] {
      let isCaller = id < 5
      let name = name.replacing("'", with: "''")
      sql += """
        INSERT INTO call_logd_call_log (id, date, date_answer, date_end, tenant_uuid, source_name, destination_name, direction)
        VALUES (\(id), '2024-01-0\(id)Z', '2024-01-0\(id)Z', '2024-01-0\(id)Z', '\(uuid(tenant))', '\(isCaller ? name : "Outside")',
          '\(isCaller ? "Reception" : name)', 'internal');
        INSERT INTO call_logd_call_log_participant (uuid, call_log_id, user_uuid, line_id, role, tags, answered)
        VALUES (gen_random_uuid(), \(id), '\(uuid(user))', 1, '\(isCaller ? "source" : "destination")', '{sales \(tenant),Sup\(id)}', true);

        """
    }
    // Another call of the first user, without any name.
    sql += """
      INSERT INTO call_logd_call_log (id, date, date_end, tenant_uuid) VALUES (6, '2024-01-06Z', '2024-01-06Z', '\(uuid(1))');
      INSERT INTO call_logd_call_log_participant (uuid, call_log_id, user_uuid, line_id, role, answered)
      VALUES (gen_random_uuid(), 6, '\(uuid(11))', 1, 'source', true);
      """
    try database.run(sql)
  }

  @Test("user: finds the calls of users by their name, of any of several, and says where there is none")
  func users() async throws {
    try await withPage(tenants: .one(1)) { page, database, _ in
      try PageSearchTests.addUsers(database)
      for (box, ids) in [
        ("user:\"Ann Lee\"", [6, 5, 1]), ("user:ann", [6, 5, 2, 1]), ("user:\"ann lee\" user:bob", [6, 5, 3, 1]),
        ("user:50%", [3]), ("user:\"anna o'neil\"", [2]), ("user:\(uuid(12))", [2]), ("user:\(uuid(21))", []),
        ("user:lee before:2024-01-06", [5, 1]), ("user:lee after:2024-01-05 before:2024-01-06T00:00", [5]),
      ] as [(String, [Int64])] {
        let answer = try await page.get("/?zone=UTC&q=\(PageFilter.encoded(box))")
        #expect(answer.status == 200 && answer.rows == ids, "\(box): \(answer.rows)")
      }
      for box in ["user:secret", "user:_nn", "user:%", "user:nobody", "user:reception", "after:yesterday", "before:2024-02-30"] {
        let answer = try await page.get("/?zone=UTC&q=\(PageFilter.encoded(box))")
        let isBob = box == "user:%"
        #expect(answer.status == (isBob ? 200 : 400) && answer.rows == (isBob ? [3] : []), "\(box)")
        #expect(isBob || answer.text.contains("role=\"alert\""), "\(box)")
      }
      let csv = try await page.get("/calls.csv?columns=guide&zone=UTC&q=user:lee")
      #expect(csv.text.components(separatedBy: "\r\n").count == 5)
    }
  }

  @Test("user: knows the names of Wazo's table of users, where the database has it, of the reader's tenants alone")
  func directory() async throws {
    try await withPage(tenants: .one(1)) { page, database, _ in
      try PageSearchTests.addUsers(database)
      try database.run(
        """
        CREATE TABLE userfeatures (id serial, uuid varchar(38), firstname varchar(128), lastname varchar(128), tenant_uuid varchar(36));
        INSERT INTO userfeatures (uuid, firstname, lastname, tenant_uuid) VALUES
          ('\(uuid(12))', 'Zoé', 'Martin', '\(uuid(1))'), ('\(uuid(13))', 'Zoé', NULL, '\(uuid(2))');
        """)
      #expect(try await page.get("/?q=\(PageFilter.encoded("user:\"zoé martin\""))").rows == [2])
      #expect(try await page.get("/?q=user:zo").rows == [2])
      #expect(names(try await page.get("/suggestions?term=user:mar")) == ["user:\"Zoé Martin\""])
      // A table of another form is none.
      try database.run("ALTER TABLE userfeatures DROP COLUMN lastname")
      #expect(try await page.get("/?q=user:zo").status == 400)
      #expect(try await page.get("/?q=user:ann").rows == [6, 5, 2, 1])
    }
  }

  // MARK: Suggestions

  @Test("Suggestions are operators, their values, and tags and users that the reader may see")
  func suggestions() async throws {
    try await withPage(tenants: .one(1)) { page, database, _ in
      try PageSearchTests.addUsers(database)
      for (term, expected) in [
        ("f", ["from:"]), ("is:", ["is:answered", "is:missed", "is:voicemail", "is:blocked"]), ("is:an", ["is:answered"]),
        ("dir:", ["dir:in", "dir:out", "dir:internal"]), ("has:", ["has:recording"]), ("zz", []), ("from:1", []),
        ("tag:sal", ["tag:\"sales 1\""]), ("tag:\"sales", ["tag:\"sales 1\""]),
        ("tag:sup", ["tag:Sup1", "tag:Sup2", "tag:Sup3", "tag:Sup5"]),
        ("tag:%", []), ("user:ann", ["user:\"Ann Lee\"", "user:\"Anna O'Neil\""]), ("user:le", ["user:\"Ann Lee\""]),
        ("user:sec", []), ("a b", []),
      ] {
        let answer = try await page.get("/suggestions?term=\(PageFilter.encoded(term))")
        #expect(answer.status == 200 && names(answer) == expected, "\(term): \(names(answer))")
        #expect(answer.headers["cache-control"] == "no-store")
      }
      #expect(names(try await page.get("/suggestions?term=")).count == ListText.english.operators.count)
      let french = try await page.get("/suggestions?term=is:m", ["Accept-Language": "fr"])
      #expect(french.text.contains("Manqué"))
      #expect(try await PageOfTest(service: page.service).get("/suggestions?term=is:").status == 401)
      // Whatever is suggested finds something.
      for term in ["user:ann", "tag:s"] {
        for name in names(try await page.get("/suggestions?term=\(term)")) {
          #expect(try await !page.get("/?q=\(PageFilter.encoded(name))").rows.isEmpty, "\(name)")
        }
      }
    }
  }

  @Test("A user who sees their own calls alone gets names of those, and no tags")
  func own() async throws {
    try await withPage(["call-logd.users.me.cdr.read"], tenants: .one(1), user: uuid(12)) { page, database, _ in
      try PageSearchTests.addUsers(database)
      #expect(names(try await page.get("/suggestions?term=tag:s")).isEmpty)
      #expect(names(try await page.get("/suggestions?term=user:ann")) == ["user:\"Anna O'Neil\""])
      #expect(try await page.get("/?q=user:ann").rows == [2])
      #expect(try await page.get("/?q=user:lee").status == 400)
      #expect(PageSearchTests.counts(try await page.get("/count")) == "1 call, 1 answered (100%)")
    }
  }

  // MARK: CSV

  @Test(
    "A name that a spreadsheet would run gets a quote in the page's CSV; telephone numbers and the API's CSV stay as recorded")
  func formulas() async throws {
    try await withPage { page, database, headers in
      let names = ["=1+1", "+33145678901", "@SUM(A1)", "-2", "\tx", "＝1", "Ann Lee", "+1;=2", "=HYPERLINK(\"http://a\",\"b\")"]
      for (number, name) in names.enumerated() {
        let quoted = name.replacing("'", with: "''")
        try database.run(
          """
          INSERT INTO call_logd_call_log (id, date, tenant_uuid, source_name, source_exten, destination_name, destination_exten, user_field)
          VALUES (\(number + 1), '2024-01-0\(number + 1)Z', '\(uuid(1))', '\(quoted)', '+33145678901', '\(quoted)', '\(quoted)', '\(quoted)')
          """)
      }
      let api = try await page.service.ask("GET", "/cdr?format=csv&recurse=true", headers)
      let csv = try await page.get("/calls.csv")
      let guide = try await page.get("/calls.csv?columns=guide&zone=UTC")
      // A cell begins after a comma or a line break, with or without a quotation mark.
      let risky = /(?:^|,|\n|;)"?(?:[=@\t-]|\+(?![0-9]+[,\n ])|＝)/
      func risk(_ answer: Answer) -> Substring? {
        answer.text.replacing("\r\n", with: "\n").firstMatch(of: risky)?.output
      }
      #expect(risk(api) != nil && risk(csv) == nil && risk(guide) == nil, "\(csv.text) \(guide.text)")
      for text in [csv.text, guide.text] {
        #expect(text.contains("'=1+1") && text.contains("+33145678901") && !text.contains("'+33"))
      }
      // Nothing else differs.
      func plain(_ text: String) -> String { text.replacing("'", with: "").replacing("\"", with: "") }
      #expect(plain(csv.text) == plain(api.text))
    }
  }
}
