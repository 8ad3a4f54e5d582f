import CallLogs
import Store
import TestSupport
import Testing

@Suite("A large table without statistics")
struct PlanTests {
  private static let calls = 2500

  /// Many calls, one a minute, loaded in bulk and not analyzed.
  private func loaded() throws -> (TestDatabase, Runner) {
    let (database, runner) = try wazo(CELRow.call("1714989600.1"), chunkSize: 5000)
    try runner.generate()
    try database.run(
      """
      ALTER TABLE cel SET (autovacuum_enabled = off);
      ALTER TABLE call_logd_call_log SET (autovacuum_enabled = off);
      ALTER TABLE call_logd_call_log_participant SET (autovacuum_enabled = off);
      ALTER TABLE call_logd_call_log_destination SET (autovacuum_enabled = off)
      """)
    try add(1...Self.calls - 1, to: database)
    try runner.backfill()
    #expect(try database.value("count(*) FROM call_logd_call_log") == "\(Self.calls)")
    // Of calls whose CELs are long gone.
    try database.run(
      """
      INSERT INTO call_logd_call_log (date, tenant_uuid, conversation_id, source_line_identity, destination_line_identity, direction)
      SELECT timestamptz '2020-01-01Z' + n * interval '1 minute', tenant_uuid, 'old ' || n, 'a', 'b', 'internal'
      FROM generate_series(1, \(20 * Self.calls)) n, (SELECT tenant_uuid FROM call_logd_call_log LIMIT 1) t
      """)
    return (database, runner)
  }

  /// Copies of the first call.
  private func add(_ numbers: ClosedRange<Int>, to database: TestDatabase) throws {
    try database.run(
      """
      INSERT INTO cel SELECT (jsonb_populate_record(c, jsonb_build_object(
          'id', nextval('cel_id_seq'), 'eventtime', eventtime + n * interval '1 minute', 'call_log_id', NULL,
          'uniqueid', replace(uniqueid, '1714989600.1', 1714989600 + 60 * n || '.' || n),
          'linkedid', 1714989600 + 60 * n || '.' || n))).*
      FROM generate_series(\(numbers.lowerBound), \(numbers.upperBound)) n, cel c WHERE linkedid = '1714989600.1' ORDER BY n, c.id
      """)
  }

  @Test("is read by its indexes, whatever is done with a small part of it")
  func indexes() throws {
    let (database, runner) = try loaded()
    var before = try read(database)
    func expectIndexes(_ what: String) throws {
      let after = try read(database)
      for (table, rows) in after {
        let read = rows - before[table, default: 0]
        let all = ["cel": 10, "call_logd_call_log": 20][table, default: 1] * Self.calls
        #expect(read < all, "\(what): \(read) rows of \(table) by sequential scans")
      }
      before = after
    }

    try add(9001...9010, to: database)
    before = try read(database)
    #expect(try runner.generate().counters.callLogsWritten == 10)
    try expectIndexes("a nightly run")

    try database.insert([CELRow("HANGUP", 5, uniqueid: "1714989600.1", linkedid: "1714989600.1")])
    #expect(try runner.generate().counters.callLogsWritten == 1)
    try expectIndexes("a late CEL")

    try runner.regenerate(.ids(from: 11_000, to: 11_100))
    try expectIndexes("a range of ids")
    try runner.regenerate(conversation: "1714989600.1")
    try expectIndexes("a conversation")

    let start: Int64 = (1_714_989_600 - 946_684_800) * 1_000_000
    let (from, to) = (start + 100 * 60_000_000, start + 110 * 60_000_000)
    #expect(try runner.delete(.dates(from: from, to: to)) == 10)
    try expectIndexes("a deletion")
    try runner.generate(.dates(from: from, to: to))
    #expect(try database.value("count(*) FROM call_logd_call_log") == "\(21 * Self.calls + 10)")
    try expectIndexes("a range of dates")
  }

  /// Rows that sequential scans read so far.
  private func read(_ database: TestDatabase) throws -> [String: Int] {
    // What sessions counted is there when they have ended.
    while try database.value(
      "count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
      != "0"
    {}
    return try Dictionary(
      uniqueKeysWithValues: database.rows("relname || ' ' || seq_tup_read FROM pg_stat_user_tables").map { row in
        let parts = row.split(separator: " ")
        return (String(parts[0]), Int(parts[1]) ?? 0)
      })
  }
}
