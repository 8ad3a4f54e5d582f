import Authentication
import Foundation
import ServiceSupport
import Store
import TestSupport
import Testing
import Values
import WazoAuth

@testable import Service

/// What each tenant has carries a word of its own in every text, so that a byte of another tenant
/// shows in any answer.
@Suite("Tenants see nothing of others", .fewAtOnce, .timeLimit(.minutes(5)))
struct IsolationTests {
  private static let count = 8
  private static let callsOfEach = 3

  private static func word(_ tenant: Int) -> String { "secret\(tenant)x" }
  private static func callLog(_ tenant: Int, _ number: Int) -> Int { tenant * 10 + number + 1 }
  private static func recording(_ tenant: Int, _ number: Int) -> UUIDValue { uuid(5000 + tenant * 10 + number) }
  private static func user(_ tenant: Int) -> UUIDValue { uuid(300 + tenant) }
  private static func export(_ tenant: Int) -> UUIDValue { uuid(700 + tenant) }

  private static func fill(_ database: TestDatabase) throws {
    var sql = ""
    for tenant in 0..<count {
      let word = word(tenant)
      sql += "INSERT INTO call_logd_tenant VALUES ('\(uuid(tenant))');"
      sql += """
        INSERT INTO call_logd_export (uuid, tenant_uuid, user_uuid, requested_at, status, path)
        VALUES ('\(export(tenant))', '\(uuid(tenant))', '\(user(tenant))', '2024-05-01Z', 'finished', '/nowhere/\(word)');
        """
      for number in 0..<callsOfEach {
        let id = callLog(tenant, number)
        sql += """
          INSERT INTO call_logd_call_log (id, date, date_answer, date_end, tenant_uuid, source_name, source_exten, destination_name,
            destination_exten, requested_name, user_field, direction, conversation_id, blocked)
          VALUES (\(id), timestamptz '2024-01-01Z' + interval '\(id) minutes', '2024-01-02Z', '2024-01-02Z', '\(uuid(tenant))',
            '\(word) ann', '10\(tenant)', '\(word) bob', '\(word)', '\(word)', '\(word)', 'internal', '1.\(id)', \(number == 2));
          INSERT INTO call_logd_call_log_participant (uuid, call_log_id, user_uuid, line_id, role, tags, answered)
          VALUES ('\(uuid(9000 + id))', \(id), '\(user(tenant))', 1, 'source', '{\(word)}', true);
          INSERT INTO call_logd_recording (uuid, start_time, end_time, path, call_log_id)
          VALUES ('\(recording(tenant, number))', '2024-01-01Z', '2024-01-01Z', '/nowhere/\(word)', \(id));
          INSERT INTO call_logd_call_log_destination (call_log_id, destination_details_key, destination_details_value)
          VALUES (\(id), 'type', 'user'), (\(id), 'user_name', '\(word)');
          INSERT INTO cel (eventtype, eventtime, channame, uniqueid, linkedid, cid_name, exten, extra) VALUES
            ('CHAN_START', '2024-01-01Z', 'PJSIP/\(word)-1', '1.\(id)', '1.\(id)', '\(word)', '\(word)', '{"a":"\(word)"}'),
            ('LINKEDID_END', '2024-01-01Z', 'PJSIP/\(word)-1', '1.\(id)', '1.\(id)', '\(word)', '\(word)', NULL);

          """
      }
    }
    try database.run(sql)
  }

  /// A random request, with the tenant whose things its path names.
  private static func request(_ random: inout Seeded) -> (method: String, path: String) {
    let tenant = random.below(count)
    let number = random.below(callsOfEach)
    let filters = [
      "", "limit=0", "recurse=true", "recurse=true&limit=0", "search=secret", "search=\(word(tenant))", "search=%25",
      "user_uuid=\(user(tenant))&recurse=true", "tags=\(word(tenant))&recurse=true", "from_id=1&recurse=true",
      "call_status=blocked&recurse=true",
      "distinct=peer_exten&recurse=true", "conversation_id=1.\(callLog(tenant, number))", "format=csv&recurse=true&limit=0",
      "format=csv",
      "number=10\(tenant)&recurse=true", "recorded=true&recurse=true", "order=tenant_uuid&recurse=true&limit=4&offset=2",
      "search=x-\(callLog(tenant, number))-\(recording(tenant, number))",
    ]
    let id = callLog(tenant, number)
    let media = "/cdr/\(id)/recordings/\(recording(tenant, number))/media"
    return random.pick([
      ("GET", "/cdr?" + random.pick(filters)), ("GET", "/cdr?" + random.pick(filters)), ("GET", "/cdr/\(id)"),
      ("GET", "/cdr/stats?" + random.pick(filters)), ("GET", "/users/me/cdr/stats?" + random.pick(filters)),
      ("GET", "/users/me/cdr?" + random.pick(filters)), ("GET", "/users/\(user(tenant))/cdr?" + random.pick(filters)),
      ("GET", media + "?"), ("GET", "/users/me" + media + "?"), ("GET", "/exports/\(export(tenant))"),
      ("GET", "/cdr/\(id)/events"), ("GET", "/users/me/cdr/\(id)/events"),
      ("GET", "/exports/\(export(tenant))/download?"), ("GET", "/retention"), ("GET", "/status"), ("GET", "/config"),
    ])
  }

  @Test("Whatever a token names in path, header and query, no byte of a tenant that it may not see is in an answer")
  func property() async throws {
    var random = Seeded()
    let database = try TestDatabase(.wazo)
    try Migrator(database.admin).migrate(program: "tests")
    try IsolationTests.fill(database)
    // Calls of two tenants with one conversation, as two Asterisk servers without a name give them.
    try database.run("UPDATE call_logd_call_log SET conversation_id = '1.1' WHERE id % 10 = 3 AND id % 20 > 10")
    var state = WazoAuthOfTests.State()
    for number in 0..<IsolationTests.count {
      state.parents[uuid(number)] = uuid(number == 0 || random.oneIn(4) ? number : random.below(number))
    }
    let accesses = [
      "#", "call-logd.#", "call-logd.cdr.#", "call-logd.users.me.#", "auth.tenants.read", "call-logd.exports.#",
      "!call-logd.cdr.*.read",
    ]
    for number in 0..<12 {
      let tenant = random.below(IsolationTests.count)
      state.tokens["token-\(number)"] = .init(
        tenant: uuid(tenant),
        user: random.oneIn(2) ? IsolationTests.user(random.oneIn(3) ? random.below(IsolationTests.count) : tenant) : nil,
        owner: uuid(400 + number),  // Some see all that their tenants have, so that there is something to see.
        accesses: number < 4 ? ["#"] : accesses.filter { _ in random.oneIn(2) })
    }
    let tree = state
    try await withWazoAuth(state, cacheSeconds: random.oneIn(2) ? 0 : 30) { _, authenticator in
      let service = try await ServiceUnderTest.start(database.uri, authenticator)
      var seen = 0
      for _ in 0..<600 {
        let token = "token-\(random.below(13))"
        var (method, path) = IsolationTests.request(&random)
        var headers = ["X-Auth-Token": token]
        if random.oneIn(3) {
          headers["Wazo-Tenant"] = random.pick([uuid(random.below(IsolationTests.count)).description, "", "garbage"])
        }
        if random.oneIn(3), path.contains("?") {
          path += "&tenant=" + random.pick([uuid(random.below(IsolationTests.count)).description, "", "%00"])
        }
        if random.oneIn(6), path.contains("?") { path += "&token=token-\(random.below(13))" }
        if random.oneIn(6) { headers["Accept"] = "text/csv; charset=utf-8" }
        let asked = path.contains("&token=") ? String(path[path.range(of: "&token=")!.upperBound...].prefix { $0 != "&" }) : token
        let answer = try await service.ask(method, path, headers)
        // Whichever of the two tokens counts, neither gives more than its own.
        let tokens = [token, asked].compactMap { tree.tokens[$0] }
        for tenant in 0..<IsolationTests.count where answer.text.contains(IsolationTests.word(tenant)) {
          // What a request says itself may come back in an error.
          if path.contains(IsolationTests.word(tenant)), answer.status != 200 { continue }
          seen += 1
          #expect(
            tokens.contains { tree.isBelow(uuid(tenant), $0.tenant) },
            "\(method) \(path) \(headers) shows tenant \(tenant); \(random)")
        }
      }
      await service.stop()
      #expect(seen > 20, "\(random)")
    }
  }
}
