import Archive
import Foundation
import PostgreSQL
import TestSupport
import Testing

@Suite("What is due is looked up by index")
struct ArchivePlanTests {
  private static let rows = 3000

  /// Call logs of three tenants, one a minute, on tables that nobody has analysed.
  private func filled() throws -> (TestDatabase, Runner) {
    let (database, runner) = try wazo()
    try runner.backfill()
    try database.run(
      """
      INSERT INTO call_logd_tenant SELECT ('10000000-0000-4000-8000-00000000000' || n)::uuid FROM generate_series(1, 3) n;
      INSERT INTO call_logd_call_log (date, tenant_uuid)
      SELECT timestamptz '2024-05-06Z' + n * interval '1 minute', ('10000000-0000-4000-8000-00000000000' || n % 3 + 1)::uuid
      FROM generate_series(1, \(ArchivePlanTests.rows)) n;
      INSERT INTO call_logd_recording (start_time, end_time, path, call_log_id)
      SELECT now(), now(), '/r/' || id, id FROM call_logd_call_log WHERE id % 3 = 0
      """)
    return (database, runner)
  }

  /// Rows that were read of a table so far.
  private func reads(_ database: TestDatabase, _ table: String) throws -> Int {
    // Sessions tell what they did at their end.
    for _ in 0..<200 {
      try database.run("SELECT pg_stat_clear_snapshot()")
      if try database.count(
        "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'")
        == 0
      {
        break
      }
      Thread.sleep(forTimeInterval: 0.05)
    }
    return Int(
      try database.value("seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = '\(table)'")) ?? -1
  }

  @Test("a purge of a hundred parts reads each call log a few times, not once for every part")
  func parts() throws {
    let (database, runner) = try filled()
    let place = try ArchivePlace()
    let before = try reads(database, "call_logd_call_log")
    let summary = try runner.purge(place, kinds: [.callLogs], rows: 30)
    #expect(summary[0].parts == ArchivePlanTests.rows / 30 && summary[0].deleted == ArchivePlanTests.rows)
    let count = try reads(database, "call_logd_call_log") - before
    #expect(count >= ArchivePlanTests.rows && count < 20 * ArchivePlanTests.rows, "\(count) rows read")
  }

  @Test("what is due is read once by large parts, too, on tables whose statistics say that a tenant's rows lie scattered")
  func largeParts() throws {
    let (database, runner) = try filled()
    try database.run(
      """
      INSERT INTO call_logd_call_log (date, tenant_uuid, user_field)
      SELECT timestamptz '2024-05-09Z' + n * interval '1 second', ('10000000-0000-4000-8000-00000000000' || n % 3 + 1)::uuid, repeat('x', 200)
      FROM generate_series(1, 30000) n
      """)
    try database.run("ANALYZE call_logd_call_log")
    let before = try reads(database, "call_logd_call_log")
    let summary = try runner.dryPurge(runner.options(nil, kinds: [.callLogs], rows: 3300))
    #expect(summary[0].parts == 10 && summary[0].deleted == 33_000)
    let count = try reads(database, "call_logd_call_log") - before
    // Each by the part that it is in, again by some that come before it, and once to be counted.
    #expect(count < 3 * 33_000, "\(count) rows read")
  }

  @Test("a hundred copies are compared and purged the same way")
  func copies() throws {
    let (database, runner) = try filled()
    let place = try ArchivePlace()
    try runner.archiving(place).archive(runner.options(place, deletes: false, kinds: [.callLogs], rows: 30))
    let before = try reads(database, "call_logd_call_log")
    let summary = try runner.purge(place, kinds: [.callLogs], rows: 30)
    #expect(summary[0].found == ArchivePlanTests.rows && summary[0].deleted == ArchivePlanTests.rows)
    let count = try reads(database, "call_logd_call_log") - before
    #expect(count >= ArchivePlanTests.rows && count < 20 * ArchivePlanTests.rows, "\(count) rows read")
  }

  @Test("audio files are forgotten and looked up without reading all recordings for each")
  func recordings() throws {
    let (database, runner) = try filled()
    let audio = try AudioPlace()
    let before = try reads(database, "call_logd_recording")
    let summary = try runner.purge(audio) {
      ($0.kinds, $0.forgetsRecordings, $0.rows, $0.recordingsFolder) = ([], true, 20, "/proc/self")
    }
    #expect(summary.recordings?.recordings == 1000 && summary.audio?.refused == 1000)
    let count = try reads(database, "call_logd_recording") - before
    #expect(count >= 1000 && count < 20 * 1000, "\(count) rows read")
  }
}
