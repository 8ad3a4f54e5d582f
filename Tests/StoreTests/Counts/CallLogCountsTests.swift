import PostgreSQL
import Store
import TestSupport
import Testing

@Suite("Counts by tenant and hour")
struct CallLogCountsTests {
  /// Three tenants and some call logs, counted or not.
  private static func database(isCounted: Bool = true) throws -> TestDatabase {
    let database = try TestDatabase(.empty)
    try Migrator(database.admin).migrate(program: "test")
    try database.run(
      """
      INSERT INTO call_logd_tenant SELECT ('11111111-1111-4111-8111-11111111111' || n)::uuid FROM generate_series(0, 2) n;
      \(insertion(200));
      """)
    if isCounted { try CallLogCounts.make(on: database.admin) }
    return database
  }

  /// Call logs of some hours, of each direction and status.
  private static func insertion(_ count: Int) -> String {
    """
    INSERT INTO call_logd_call_log (date, tenant_uuid, direction, blocked, reached_voicemail, date_answer)
    SELECT '2026-03-29 00:59:59.9Z'::timestamptz + (random() * 40)::int * interval '17 min',
      ('11111111-1111-4111-8111-11111111111' || (random() * 2)::int)::uuid, (ARRAY['inbound', 'internal', 'outbound', NULL])[(random() * 3)::int + 1],
      (ARRAY[true, false, NULL])[(random() * 2)::int + 1], random() < 0.3, CASE WHEN random() < 0.5 THEN now() END
    FROM generate_series(1, \(count))
    """
  }

  private static func statement(_ random: inout Seeded) -> String {
    switch random.below(12) {
    case 0..<5: insertion(random.below(30))
    case 5:
      """
      DELETE FROM call_logd_call_log
      WHERE id IN (SELECT id FROM call_logd_call_log ORDER BY random() LIMIT 20 FOR UPDATE SKIP LOCKED)
      """
    case 6..<8:
      """
      UPDATE call_logd_call_log SET blocked = random() < 0.2, date = date + interval '40 min' * (random() - 0.5), direction = 'internal'
      WHERE id IN (SELECT id FROM call_logd_call_log ORDER BY random() LIMIT 15 FOR UPDATE SKIP LOCKED)
      """
    case 8: "SAVEPOINT a; \(insertion(10)); ROLLBACK TO a; \(insertion(3))"
    case 9:
      """
      UPDATE call_logd_call_log SET user_field = 'x'
      WHERE id IN (SELECT id FROM call_logd_call_log LIMIT 9 FOR UPDATE SKIP LOCKED)
      """
    case 10: "DELETE FROM call_logd_call_log WHERE false"
    default: random.oneIn(6) ? "TRUNCATE call_logd_call_log CASCADE" : insertion(1)
    }
  }

  @Test("are right at every moment, whatever several sessions write, roll back, empty and add up", arguments: 0..<2)
  func property(round: Int) throws {
    let database = try CallLogCountsTests.database()
    let uri = database.uri
    let failures = atOnce(
      (0..<4).map { _ in
        let seed = Seeded()
        return {
          var random = seed
          let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)
          for _ in 0..<120 { try CallLogCountsTests.step(on: connection, &random) }
        }
      })
    #expect(failures.isEmpty, "\(failures)")
    try CallLogCounts.fold(on: database.admin)
    #expect(try database.value("count(*) FROM call_logd_count_change") == "0")
    let difference = try CallLogCounts.compare(on: database.admin)
    #expect(difference?.wrong == 0 && difference?.callLogs == difference?.counted)
  }

  /// A session writes, adds up or compares.
  private static func step(on connection: Connection, _ random: inout Seeded) throws {
    switch random.below(10) {
    case 0: try CallLogCounts.fold(on: connection)
    case 1: #expect(try CallLogCounts.compare(on: connection)?.wrong == 0, "\(random)")
    default:
      var sql = "BEGIN; "
      for _ in 0...random.below(3) { sql += statement(&random) + "; " }
      // Sessions may end up in a deadlock of their own: one of them rolls back.
      try? connection.script(sql + (random.oneIn(4) ? "ROLLBACK" : "COMMIT"), purpose: "Writing")
      if connection.inTransaction { try connection.script("ROLLBACK", purpose: "Giving up") }
    }
  }

  @Test("are kept by rows that go with their tenant, and by roles that see no counts")
  func others() throws {
    let database = try CallLogCountsTests.database()
    let role = "writer_\(database.name)"
    try database.run(
      """
      CREATE ROLE \(role); GRANT SELECT, INSERT ON call_logd_call_log TO \(role);
      GRANT USAGE ON SEQUENCE call_logd_call_log_id_seq TO \(role)
      """)
    defer { try? database.run("RESET ROLE; DROP OWNED BY \(role); DROP ROLE \(role)") }
    // A table of the writer's own with the name of ours.
    try database.run(
      """
      SET ROLE \(role); CREATE TEMP TABLE call_logd_count_change AS SELECT 1 AS one; SET search_path = pg_temp, public;
      \(CallLogCountsTests.insertion(20)); RESET ROLE; DROP TABLE pg_temp.call_logd_count_change; RESET search_path;
      """)
    #expect(try CallLogCounts.compare(on: database.admin)?.wrong == 0)
    try database.run("DELETE FROM call_logd_tenant WHERE uuid = '11111111-1111-4111-8111-111111111111'")
    let difference = try CallLogCounts.compare(on: database.admin)
    #expect(difference?.wrong == 0 && difference?.callLogs ?? 0 > 0)
  }

  @Test("are none without their triggers, and are made again, also where they went wrong")
  func triggers() throws {
    let database = try CallLogCountsTests.database(isCounted: false)
    #expect(try CallLogCounts.areKept(on: database.admin) == false)
    #expect(try CallLogCounts.compare(on: database.admin) == nil)
    try CallLogCounts.make(on: database.admin)
    #expect(try CallLogCounts.areKept(on: database.admin))
    try database.run(
      "ALTER TABLE call_logd_call_log DISABLE TRIGGER call_logd_count_inserted; \(CallLogCountsTests.insertion(5))")
    #expect(try CallLogCounts.areKept(on: database.admin) == false)
    try database.run("ALTER TABLE call_logd_call_log ENABLE TRIGGER call_logd_count_inserted")
    let wrong = try CallLogCounts.compare(on: database.admin)
    #expect(wrong?.wrong ?? 0 > 0 && wrong?.callLogs == (wrong?.counted ?? 0) + 5)
    try CallLogCounts.make(on: database.admin)
    #expect(try CallLogCounts.compare(on: database.admin)?.wrong == 0)
    try CallLogCounts.drop(on: database.admin)
    try database.run(CallLogCountsTests.insertion(5))
    #expect(try database.value("count(*) FROM call_logd_count_change") == "0")
  }

  @Test("are added up by one session at a time, and nobody waits for it")
  func oneAtATime() throws {
    let database = try CallLogCountsTests.database()
    try database.run(CallLogCountsTests.insertion(50))
    let other = try database.connect()
    try other.transaction(purpose: "Adding up elsewhere") {
      _ = try other.query("SELECT pg_advisory_xact_lock(x'63616C74'::int, 0)", purpose: "Taking the lock")
      #expect(try CallLogCounts.fold(on: database.admin) == false)
    }
    #expect(try CallLogCounts.fold(on: database.admin))
    #expect(try CallLogCounts.compare(on: database.admin)?.wrong == 0)
  }

  @Test("of hours whose call logs went are not kept")
  func emptyHours() throws {
    let database = try CallLogCountsTests.database()
    try database.run("DELETE FROM call_logd_call_log WHERE date < '2026-03-29 05:00Z'")
    try CallLogCounts.fold(on: database.admin)
    #expect(try database.value("count(*) FROM call_logd_count WHERE hour < '2026-03-29 05:00Z'") == "0")
    #expect(try CallLogCounts.compare(on: database.admin)?.wrong == 0)
  }
}
