import CallLogs
import PostgreSQL
import Store
import TestSupport
import Testing
import Values

@testable import Listing

@Suite("How the server finds a page")
struct PlanTests {
  /// 30,000 call logs of one tenant and 30,000 of 29 others, over a year.
  private static func database() throws -> TestDatabase {
    let database = try TestDatabase(.empty)
    try Migrator(database.admin).migrate(program: "tests")
    try database.run(
      """
      INSERT INTO call_logd_tenant SELECT ('00000000-0000-0011-0000-0000000000' || lpad(to_hex(n), 2, '0'))::uuid FROM generate_series(0, 29) n;
      INSERT INTO call_logd_call_log (date, date_answer, date_end, tenant_uuid, source_name, source_exten, destination_exten)
      SELECT '2000-01-01Z'::timestamptz + n * interval '9 min', '2000-01-01Z', '2000-01-01Z',
        ('00000000-0000-0011-0000-0000000000' || lpad(to_hex(CASE WHEN n % 2 = 0 THEN 0 ELSE n % 29 + 1 END), 2, '0'))::uuid, 'Ann', '101', '102'
      FROM generate_series(1, 60000) n;
      ANALYZE;
      """)
    return database
  }

  private static func plan(_ query: CallLogQuery, _ database: TestDatabase) throws -> String {
    let page = try #require(query.page)
    let rows = try database.admin.query("EXPLAIN ANALYZE \(page.sql)", page.parameters, purpose: "Testing")
    return rows.compactMap { $0.string(0) }.joined(separator: "\n")
  }

  /// The greatest number of rows that one step of a plan gave, of all its repetitions.
  private static func most(_ plan: String) -> Int {
    plan.matches(of: #/actual time=\S+ rows=(\d+)\S* loops=(\d+)/#).map { (Int($0.1) ?? 0) * (Int($0.2) ?? 0) }.max() ?? .max
  }

  @Test("the newest of one tenant, and those far from the newest in time, are read by index alone")
  func oneTenant() throws {
    let database = try PlanTests.database()
    var query = CallLogQuery(tenants: VisibleTenants(UUIDValue(high: 0x11, low: 0)), limit: 50)
    for to in [nil, 86_400_000_000 * 30] as [Timestamp?] {
      query.selection.to = to
      let plan = try PlanTests.plan(query, database)
      #expect(!plan.contains("Seq Scan") && plan.contains("call_logd_call_log__idx__tenant_uuid_date"), "\(plan)")
      #expect(PlanTests.most(plan) <= 200, "\(plan)")
    }
  }

  @Test("the newest of many tenants are the newest of each, not a sort of all")
  func manyTenants() throws {
    let database = try PlanTests.database()
    let tenants = try #require(VisibleTenants((0..<20).map { UUIDValue(high: 0x11, low: $0) }))
    for (tenants, count) in [(tenants, 20), (.all, 30)] {
      let plan = try PlanTests.plan(CallLogQuery(tenants: tenants, limit: 50), database)
      #expect(!plan.contains("Seq Scan on call_logd_call_log") && PlanTests.most(plan) <= count * 60, "\(plan)")
    }
  }

  @Test("the newest calls of a user are found by the user, not by walking through those of the tenant")
  func participant() throws {
    let database = try PlanTests.database()
    let user = UUIDValue(high: 1, low: 1)
    // Many calls of long ago: whoever walks from the newest on walks far.
    try database.run(
      """
      INSERT INTO call_logd_call_log_participant (call_log_id, user_uuid, role)
      SELECT id, '\(user)', 'source' FROM call_logd_call_log WHERE id <= 4000;
      INSERT INTO call_logd_call_log_participant (call_log_id, user_uuid, role)
      SELECT id, ('00000000-0000-0000-0000-' || lpad(to_hex(id), 12, '0'))::uuid, 'source' FROM call_logd_call_log;
      ANALYZE;
      """)
    for isOwn in [true, false] {
      var query = CallLogQuery(tenants: VisibleTenants(UUIDValue(high: 0x11, low: 0)), limit: 50)
      if isOwn { query.selection.participant = user } else { query.selection.users = [user] }
      let plan = try PlanTests.plan(query, database)
      #expect(!plan.contains("Seq Scan") && PlanTests.most(plan) <= 4000, "\(plan)")
      #expect(try CallLogTables.ids(of: query, on: database.admin).count == 50)
    }
  }
}
