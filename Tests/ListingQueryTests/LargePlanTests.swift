import CallLogs
import PostgreSQL
import Store
import TestSupport
import Testing
import Values

@testable import Listing

@Suite("How the server finds pages among 200,000 call logs")
struct LargePlanTests {
  private static let tenant = UUIDValue(high: 0x11, low: 0)
  private static let user = UUIDValue(high: 1, low: 7)

  /// 120,000 call logs of one tenant and 80,000 of 19 others, over a year; each has a caller who is
  /// one of 200 users. Searches have their indexes.
  private static func database() throws -> TestDatabase {
    let database = try TestDatabase(.empty)
    try Migrator(database.admin).migrate(program: "tests")
    try database.run(
      """
      INSERT INTO call_logd_tenant SELECT ('00000000-0000-0011-0000-0000000000' || lpad(to_hex(n), 2, '0'))::uuid FROM generate_series(0, 19) n;
      INSERT INTO call_logd_call_log (id, date, date_answer, date_end, tenant_uuid, source_name, source_exten, destination_exten, direction, blocked)
      SELECT n, '2000-01-01Z'::timestamptz + n * interval '157 s', CASE WHEN n % 3 > 0 THEN '2000-01-01Z'::timestamptz END, '2000-01-01Z',
        ('00000000-0000-0011-0000-0000000000' || lpad(to_hex(CASE WHEN n % 5 < 3 THEN 0 ELSE n % 19 + 1 END), 2, '0'))::uuid,
        CASE n % 2000 WHEN 0 THEN 'Zoltan Rare' WHEN 1 THEN 'Ann Frequent' ELSE 'Somebody ' || n % 100 END, (1000 + n % 200)::text,
        (5000000 + n)::text, CASE n % 2 WHEN 0 THEN 'inbound' ELSE 'outbound' END, n % 1999 = 0
      FROM generate_series(1, 200000) n;
      INSERT INTO call_logd_call_log_participant (call_log_id, user_uuid, role, tags)
      SELECT n, ('00000000-0000-0001-0000-' || lpad(to_hex(n % 200), 12, '0'))::uuid, 'source',
        CASE WHEN n % 1000 = 7 THEN '{rare}' WHEN n % 4 = 0 THEN '{sales}' ELSE '{}' END::varchar[] FROM generate_series(1, 200000) n;
      """)
    _ = try Migrator(database.admin).makeSearchIndexes()
    try CallLogCounts.make(on: database.admin)
    try database.run("VACUUM ANALYZE call_logd_call_log")
    try database.run("VACUUM ANALYZE call_logd_call_log_participant")
    return database
  }

  private static func selections() throws -> [(String, CallLogSelection)] {
    func one(_ name: String, _ change: (inout CallLogSelection) throws -> Void) rethrows -> (String, CallLogSelection) {
      var selection = CallLogSelection()
      try change(&selection)
      return (name, selection)
    }
    let middle: Timestamp = 180 * 86_400_000_000
    return [
      ("all", CallLogSelection()), one("a week") { ($0.from, $0.to) = (middle, middle + 7 * 86_400_000_000) },
      one("direction") { $0.direction = .inbound }, one("answered") { $0.statuses = [.answered] },
      one("blocked") { $0.statuses = [.blocked] }, one("rare word") { $0.search = .text("zoltan") },
      one("frequent word") { $0.search = .text("somebody") }, one("no word") { $0.search = .text("nobody") },
      one("number") { $0.number = "5000123" }, one("end of a number") { $0.number = "_0123" },
      one("caller") { $0.caller = "1007" },
      one("no number") { $0.callee = "777777" }, one("frequent tag") { $0.tags = ["sales"] },
      one("rare tag") { $0.tags = ["rare"] },
      one("no tag") { $0.tags = ["nothing"] }, one("user") { $0.users = [user] }, one("participant") { $0.participant = user },
      one("a place") { $0.before = CallLogSelection.Place(start: middle, id: 90_000) },
      one("a rare word behind a place") {
        $0.search = .text("zoltan")
        $0.before = CallLogSelection.Place(start: middle, id: 90_000)
      },
    ]
  }

  @Test("a word that most call logs have finds all of those of a few days, the newest and the oldest")
  func frequentWord() throws {
    let database = try LargePlanTests.database()
    let step: Int64 = 157_000_000
    for (from, to) in [(199_500 * step, Int64?.none), (0, 400 * step)] {
      var selection = CallLogSelection()
      (selection.search, selection.from, selection.to) = (.text("somebody"), from, to)
      let query = CallLogQuery(tenants: VisibleTenants(LargePlanTests.tenant), selection, limit: 5000)
      let fitting = try database.value(
        """
        count(*) FROM call_logd_call_log WHERE tenant_uuid = '00000000-0000-0011-0000-000000000000' AND blocked IS NOT TRUE
          AND source_name ILIKE '%somebody%' AND date >= '2000-01-01Z'::timestamptz + \(from / 1_000_000) * interval '1 s'
          AND date < '2000-01-01Z'::timestamptz + \((to ?? 999_999 * step) / 1_000_000) * interval '1 s'
        """)
      #expect(try String(CallLogTables.filteredCount(query, on: database.admin)) == fitting && fitting != "0")
      #expect(try String(CallLogTables.ids(of: query, on: database.admin).count) == fitting)
    }
  }

  @Test("no page of the main filters reads a whole table, or sorts more than 5000 call logs")
  func pages() throws {
    let database = try LargePlanTests.database()
    let log = LogRecorder()
    let connection = try Connection(ConnectionParameters(uri: database.uri, applicationName: "tests"), log: log.logger)
    // The server tells the plan of each statement that it has run.
    try connection.script(
      """
      LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_analyze = on; SET auto_explain.log_timing = off;
      SET auto_explain.log_level = 'notice'; SET jit = off
      """, purpose: "Testing")
    let tenants = [VisibleTenants(LargePlanTests.tenant), .all]
    for (name, selection) in try LargePlanTests.selections() {
      for tenants in tenants {
        for isAscending in [false, true] where selection.before == nil || !isAscending {
          let before = log.lines.count
          let query = CallLogQuery(
            tenants: tenants, selection, order: CallLogOrder(by: .start, isAscending: isAscending), limit: 50)
          _ = try CallLogTables.page(of: query, on: connection)
          let plans = log.lines.dropFirst(before).map(\.text).filter { $0.contains("Query Text") }
          #expect(!plans.isEmpty)
          for plan in plans {
            let isWhole = ["call_log ", "call_log_participant "].contains { plan.contains("Seq Scan on call_logd_\($0)") }
            #expect(!isWhole, "\(name): \(plan)")
            #expect(LargePlanTests.mostSorted(plan) <= 5000, "\(name): \(plan)")
          }
        }
      }
    }
  }

  /// The most rows that a sort of a plan took in at once.
  private static func mostSorted(_ plan: String) -> Int {
    let steps = plan.split(separator: "-> ")
    var most = 0
    for (step, input) in zip(steps, steps.dropFirst()) where step.contains(/Sort +\(cost/) && !step.contains("Incremental") {
      most = max(most, input.firstMatch(of: /actual rows=(\d+)/).flatMap { Int($0.1) } ?? 0)
    }
    return most
  }
}
