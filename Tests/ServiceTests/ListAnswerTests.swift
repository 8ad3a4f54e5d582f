import API
import Listing
import ServiceSupport
import Store
import TestSupport
import Testing
import Values

@testable import Service

/// Call logs of three tenants, of which the first is the token's.
struct CallLogsOfTest {
  static let tenants = (0..<3).map { uuid($0) }

  static func store(_ count: Int, in database: TestDatabase, _ random: inout Seeded) throws {
    var sql = tenants.map { "INSERT INTO call_logd_tenant VALUES ('\($0)') ON CONFLICT DO NOTHING;" }.joined()
    func text(_ values: [String]) -> String { random.oneIn(5) ? "NULL" : "'\(random.pick(values))'" }
    for id in 1...max(1, count) {
      let minute = random.below(40)
      sql += """
        INSERT INTO call_logd_call_log (id, date, date_answer, date_end, tenant_uuid, source_name, source_exten, destination_name,
          destination_exten, requested_exten, direction, conversation_id, blocked)
        VALUES (\(id), timestamptz '2024-01-01Z' + interval '\(minute) minutes',
          \(random.oneIn(3) ? "NULL" : "timestamptz '2024-01-01 00:\(10 + minute)Z'"),
          timestamptz '2024-01-01 01:00Z', '\(random.pick(tenants))', \(text(["Ann", "50% off", "École", "a\"b"])),
          \(text(["101", "102"])), \(text(["Bob", "c;d", "ann"])), \(text(["201", "101"])), \(text(["900", "201"])),
          '\(random.pick(["internal", "inbound", "outbound"]))', '1.\(random.below(count))', \(random.oneIn(4)));

        """
      for number in 0..<random.pick([0, 0, 1, 3]) {
        sql += """
          INSERT INTO call_logd_recording (uuid, start_time, end_time, path, call_log_id)
          VALUES ('\(uuid(id * 10 + number))', '2024-01-01Z', '2024-01-01Z', \(random.oneIn(3) ? "NULL" : "'/a'"), \(id));
          """
      }
    }
    try database.run(sql)
  }

  static func query(_ random: inout Seeded) -> String {
    let choices = [
      "search=ann", "search=%25", "search=10", "number=_01", "number=101", "call_direction=internal", "call_direction=outbound",
      "from=2024-01-01T00:10:00Z", "until=2024-01-01T00:30:00Z", "from_id=17", "call_status=blocked", "call_status=answered",
      "recorded=true", "recorded=false", "distinct=peer_exten", "conversation_id=1.3",
    ]
    var parts = (0..<random.below(3)).map { _ in random.pick(choices) }
    var names: Set<Substring> = []
    parts = parts.filter { names.insert($0.prefix { $0 != "=" }).inserted }
    if random.oneIn(2) { parts.append("recurse=\(random.pick(["true", "false"]))") }
    if random.oneIn(2) {
      parts.append("order=\(random.pick(["start", "id", "source_name", "destination_extension", "duration"]))")
    }
    if random.oneIn(2) { parts.append("direction=\(random.pick(["asc", "desc"]))") }
    return parts.joined(separator: "&")
  }
}

@Suite("Lists over HTTP", .fewAtOnce, .timeLimit(.minutes(5)))
struct ListAnswerTests {
  private static func items(_ answer: Answer) -> [JSONValue] {
    if case .list(let items)? = answer.json?["items"] { items } else { [] }
  }

  private func withCallLogs(
    _ count: Int, _ random: Seeded, _ body: (ServiceUnderTest, TestDatabase, [String: String]) async throws -> Void
  ) async throws {
    var random = random
    try await withService { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      try CallLogsOfTest.store(count, in: database, &random)
      try await body(service, database, ["X-Auth-Token": token])
    }
  }

  @Test("Any query gives the page and the counts that the tables have")
  func pages() async throws {
    var random = Seeded()
    try await withCallLogs(60, random) { service, database, headers in
      var seen = 0
      for _ in 0..<80 {
        var text = CallLogsOfTest.query(&random)
        if random.oneIn(2) { text += "&limit=\(random.pick([0, 1, 5, 60, 1000, 1001, 5000]))" }
        if random.oneIn(2) { text += "&offset=\(random.pick([0, 1, 30, 59, 60, 61, 9999]))" }
        let parameters = try ListParameters(QueryString(text), scope: .everybody, zone: .utc)
        let query = parameters.query(tenants: parameters.isRecursive ? .all : VisibleTenants(uuid(0)))
        let answer = try await service.ask("GET", "/cdr?\(text)", headers)
        let ids = try CallLogTables.ids(of: query, on: database.admin).map { Int64($0) }
        seen += ids.count
        #expect(answer.status == 200 && answer.ids == ids, "\(random) \(text): \(answer.status)")
        #expect(
          answer.number("filtered") == Int64(try CallLogTables.filteredCount(query, on: database.admin)), "\(random) \(text)")
        #expect(answer.number("total") == Int64(try CallLogTables.totalCount(query, on: database.admin)), "\(random) \(text)")
      }
      #expect(seen > 100)
    }
  }

  @Test("A stream is all pages together, in JSON and in CSV")
  func streams() async throws {
    var random = Seeded()
    try await withCallLogs(60, random) { service, _, headers in
      for _ in 0..<8 {
        let text = CallLogsOfTest.query(&random) + "&recurse=true"
        let query = text.split(separator: "&").filter { $0 != "recurse=false" }.joined(separator: "&")
        let unique = query.replacing("recurse=true&recurse=true", with: "recurse=true")
        let whole = try await service.ask("GET", "/cdr?\(unique)&limit=0", headers)
        var pages: [JSONValue] = []
        for page in 0..<10 {
          let answer = try await service.ask("GET", "/cdr?\(unique)&limit=7&offset=\(page * 7)", headers)
          pages += ListAnswerTests.items(answer)
          #expect(
            answer.number("total") == whole.number("total") && answer.number("filtered") == whole.number("filtered"),
            "\(random) \(unique)")
        }
        #expect(ListAnswerTests.items(whole) == pages, "\(random) \(unique)")
        let streamed = try await service.ask("GET", "/cdr?\(unique)&format=csv&limit=0", headers)
        let paged = try await service.ask("GET", "/cdr?\(unique)&format=csv&limit=1000", headers)
        #expect(streamed.status == 200 && streamed.body == paged.body, "\(random) \(unique)")
        #expect(streamed.headers["content-disposition"] == paged.headers["content-disposition"])
      }
    }
  }

  @Test("HEAD has the status and the headers of GET, and no body")
  func head() async throws {
    var random = Seeded()
    try await withCallLogs(20, random) { service, _, headers in
      let paths = [
        "/cdr", "/cdr?limit=0", "/cdr?format=csv", "/cdr?format=csv&limit=0", "/cdr/1", "/cdr/99999", "/cdr?limit=x", "/status",
        "/config", "/retention", "/nowhere", "/api/api.yml", "/users/me/cdr", "/exports/\(uuid(7))",
      ]
      for path in paths {
        for named in [headers, [:], ["X-Auth-Token": "unknown"]] {
          let get = try await service.ask("GET", path, named)
          let head = try await service.ask("HEAD", path, named)
          #expect(head.status == get.status && head.body.isEmpty, "\(path)")
          // How a connection carries the body of an answer is no header of the answer.
          let fields = { (answer: Answer) in
            var fields = answer.headers
            for name in ["date", "connection", "transfer-encoding"] { fields[name] = nil }
            // The time of an error has more digits or fewer.
            // The length of a stream is known to nobody.
            if answer.status >= 400 || path.contains("limit=0") { fields["content-length"] = nil }
            return fields
          }
          #expect(fields(head) == fields(get), "\(path)")
        }
      }
      _ = random.next()
    }
  }
}
