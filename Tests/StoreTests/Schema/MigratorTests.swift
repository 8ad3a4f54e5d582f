import Foundation
import PostgreSQL
import PrivateServer
import Store
import Synchronization
import TestSupport
import Testing

@Suite("The schema")
struct MigratorTests {
  private func connect(_ database: TestDatabase) throws -> Connection {
    try Connection(ConnectionParameters(uri: database.uri, applicationName: "tests", options: ["lock_timeout": "5s"]), log: quiet)
  }

  private let names = [
    "m001_call_logs", "m002_coverage", "m003_list_index", "m004_gaps", "m005_workers", "m006_archive", "m007_audio",
    "m008_recording_path", "m009_presence", "m010_purged_part", "m011_awaited", "m012_export_request",
    "m013_follower", "m014_remade", "m015_counts",
  ]

  /// Everything in the catalog that the migrations make.
  private func shape(_ database: TestDatabase) throws -> [String] {
    try database.rows(
      "table_name || '.' || column_name || ' ' || data_type || coalesce(character_maximum_length::text, '') || is_nullable || coalesce(column_default, '') FROM information_schema.columns WHERE table_name LIKE 'call_logd%' ORDER BY 1"
    ) + database.rows("indexdef FROM pg_indexes WHERE tablename LIKE 'call_logd%' ORDER BY 1")
      + database.rows(
        "conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid::regclass::text LIKE 'call_logd%' ORDER BY 1"
      )
  }

  @Test("is made once; a second time does nothing and says so")
  func idempotent() throws {
    let database = try TestDatabase(.empty)
    var reported: [String] = []
    let first = try Migrator(try connect(database)).migrate(program: "test 1") { reported.append($0) }
    #expect(first.done == names && first.putOff.isEmpty && reported == names)
    let shape = try shape(database)
    let second = try Migrator(try connect(database)).migrate(program: "test 2")
    #expect(second.done.isEmpty && second.putOff.isEmpty)
    #expect(try self.shape(database) == shape)
    #expect(try database.rows("DISTINCT program FROM call_logd_migration") == ["test 1"])
  }

  @Test("printed and run with psql is the same")
  func script() throws {
    let (one, other) = (try TestDatabase(.empty), try TestDatabase(.empty))
    _ = try Migrator(try connect(one)).migrate(program: "test")
    try PrivateServer.shared.psql(Migrator.script(of: try Migrator(try connect(other)).steps()), database: other.name)
    #expect(try shape(one) == shape(other))
    #expect(try Migrator(try connect(other)).steps().allSatisfy(\.isApplied))
    #expect(!Migrator.script(of: try Migrator(try connect(other)).steps()).contains("CREATE INDEX"))
  }

  @Test("is made once when two migrate at the same time")
  func atOnce() throws {
    for _ in 0..<3 {
      let database = try TestDatabase(.empty)
      let uri = database.uri
      let outcomes = Mutex<[String]>([])
      let threads = (0..<3).map { _ in
        Thread {
          let outcome: String
          do {
            let connection = try Connection(ConnectionParameters(uri: uri, options: ["lock_timeout": "5s"]), log: quiet)
            let result = try Migrator(connection).migrate(program: "test")
            outcome = "\(result.done.count) \(result.putOff.count)"
          } catch { outcome = "\(error)" }
          outcomes.withLock { $0.append(outcome) }
        }
      }
      for thread in threads { thread.start() }
      while outcomes.withLock({ $0.count }) < threads.count { Thread.sleep(forTimeInterval: 0.02) }
      #expect(outcomes.withLock { $0.sorted() } == ["0 0", "0 0", "\(names.count) 0"])
      #expect(try database.value("count(*) FROM pg_index WHERE NOT indisvalid") == "0")
    }
  }

  @Test("leaves Wazo's tables and rows as they are and adds ours")
  func onWazo() throws {
    let database = try TestDatabase(.empty)
    _ = try Migrator(try connect(database)).migrate(program: "test")
    try database.run(
      """
      DROP TABLE call_logd_migration, call_logd_reach, call_logd_link, call_logd_gap, call_logd_run, call_logd_claim, call_logd_open, call_logd_checkpoint, call_logd_archive, call_logd_restored, call_logd_audio, call_logd_seen, call_logd_purged, call_logd_former, call_logd_late, call_logd_awaited, call_logd_export_request, call_logd_export_recording, call_logd_follower, call_logd_remade, call_logd_count, call_logd_count_change;
      DROP SEQUENCE call_logd_claim_owner_seq;
      DROP FUNCTION call_logd_sum, call_logd_count_note, call_logd_count_clear;
      DROP INDEX call_logd_call_log__idx__tenant_uuid_date, call_logd_recording__idx__path;
      INSERT INTO call_logd_tenant VALUES ('11111111-1111-4111-8111-111111111111');
      INSERT INTO call_logd_call_log (date, tenant_uuid, direction) VALUES (now(), '11111111-1111-4111-8111-111111111111', 'internal');
      """)
    let rows = try database.rows("xmin, to_jsonb(l)::text FROM call_logd_call_log l")
    #expect(try Migrator(try connect(database)).migrate(program: "test").done == names)
    #expect(try database.rows("xmin, to_jsonb(l)::text FROM call_logd_call_log l") == rows)
    #expect(
      try database.value("indisvalid FROM pg_index WHERE indexrelid = 'call_logd_call_log__idx__tenant_uuid_date'::regclass")
        == "true")
  }

  @Test("puts its index off while a long transaction stands in the way, and makes it next time")
  func putOff() throws {
    let database = try TestDatabase(.empty)
    let connection = try Connection(ConnectionParameters(uri: database.uri, options: ["lock_timeout": "200ms"]), log: quiet)
    let other = try connect(database)
    _ = try Migrator(connection).migrate(program: "test")
    try database.run(
      "DELETE FROM call_logd_migration WHERE name = 'm003_list_index'; DROP INDEX call_logd_call_log__idx__tenant_uuid_date")
    try other.script(
      "BEGIN; INSERT INTO call_logd_config (retention_cdr_days_from_file, retention_export_days_from_file, retention_recording_days_from_file) VALUES (true, true, true); LOCK TABLE call_logd_call_log IN ROW EXCLUSIVE MODE",
      purpose: "Standing in the way")
    let first = try Migrator(connection).migrate(program: "test")
    #expect(first.done.isEmpty && first.putOff == ["m003_list_index"])
    try other.script("ROLLBACK", purpose: "Making way")
    #expect(try Migrator(connection).migrate(program: "test").done == ["m003_list_index"])
    #expect(try database.value("count(*) FROM pg_index WHERE NOT indisvalid") == "0")
  }

  @Test("of an older Wazo that lacks a column, or of a later version of this program, is refused with what to do")
  func otherVersions() throws {
    let database = try TestDatabase(.empty)
    let connection = try connect(database)
    _ = try Migrator(connection).migrate(program: "test")
    try CallLogTables.checkColumns(on: connection)
    try database.run("ALTER TABLE call_logd_call_log DROP blocked, DROP reached_voicemail")
    let older = #expect(throws: StoreError.self) { try CallLogTables.checkColumns(on: connection) }
    #expect(older?.kind == .configuration && older?.description.contains("blocked, reached_voicemail") == true)
    try database.run("INSERT INTO call_logd_migration (name, program) VALUES ('m999_future', 'later')")
    let later = #expect(throws: StoreError.self) { try Migrator(connection).migrate(program: "test") }
    #expect(later?.kind == .configuration && later?.description.contains("m999_future") == true)
  }
}
