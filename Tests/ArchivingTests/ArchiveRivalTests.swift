import Archive
import Foundation
import PostgreSQL
import Runs
import Store
import TestSupport
import Testing
import Values

@Suite("Two runs and one archive folder")
struct ArchiveRivalTests {
  private static let calls = (0..<6).map { "17149896\($0)0.\($0 + 1)" }

  private func filled() throws -> (TestDatabase, Runner) {
    let (database, runner) = try wazo()
    for (day, call) in Self.calls.enumerated() { try database.insert(CELRow.call(call, at: Double(day) * 86_400)) }
    try runner.backfill()
    return (database, runner)
  }

  @Test(
    "of two databases never write at a time: the second ends with 75, and touches no file of the first",
    arguments: [Point.afterIntent, .afterFile, .beforeVerify, .afterVerify, .afterPurge, .afterCommit])
  func twoDatabases(point: Point) throws {
    let (place, other) = (try ArchivePlace(), try ArchivePlace())
    let ((first, runner), (second, rival)) = (try filled(), try filled())
    var disturbed = runner
    // Points are passed on this very thread.
    nonisolated(unsafe) let late = rival
    let once = Once(point) {
      let failure = try failure { try late.archiving(other).archive(late.options(place)) }
      #expect(failure.exitReason == .busy && failure.message.contains("archive_dir"), "\(failure.message)")
    }
    disturbed.settings.atPoint = once.reached
    try disturbed.purge(place, rows: 25)
    #expect(once.wasReached)
    try place.expectClean("\(point)")
    #expect(try first.rowsOfAll().rows.isEmpty && place.rows()[.callLogs] == 6 && place.rows()[.cel] == 60)
    // One after the other they may not either: a restore could not tell whose rows are whose.
    #expect(try second.count("call_logd_call_log") == 6)
    let refused = try failure { try rival.archiving(other).archive(rival.options(place)) }
    #expect(refused.exitReason == .configuration && refused.message.contains(first.name), "\(refused.message)")
    #expect(try second.count("call_logd_call_log") == 6 && place.rows()[.callLogs] == 6)
  }

  @Test(
    "a run that lost its lock to another removes and deletes nothing that is not safe, and the next one ends what it began",
    arguments: [Point.afterIntent, .afterFile, .afterVerify, .beforePurge, .afterPurge])
  func lostLock(point: Point) throws {
    let (database, runner) = try filled()
    let place = try ArchivePlace()
    // Points are passed on this very thread.
    nonisolated(unsafe) let thief = try database.connect()
    var disturbed = runner
    disturbed.settings.retryFor = 0.5
    let once = Once(point) {
      // The session with the lock ends, and somebody else is quicker than the run that had it.
      _ = try thief.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'wazo-call-logs'",
        purpose: "Ending sessions")
      while try !ArchiveRecord.lock(on: thief) { usleep(1000) }
    }
    disturbed.settings.atPoint = once.reached
    #expect(try failure { try disturbed.purge(place, rows: 25) }.exitReason == .busy)
    // Whatever stands there, it is for the one who has the lock: nothing was undone without it.
    #expect(try database.count("call_logd_archive WHERE state <> 'published'") == 1)
    try ArchiveRecord.unlock(on: thief)
    try runner.purge(place, rows: 25)
    try place.expectClean("\(point)")
    #expect(try database.rowsOfAll().rows.isEmpty && place.rows()[.callLogs] == 6 && place.rows()[.cel] == 60)
  }

  @Test("files that are gone before the rows are deleted: the part is written again")
  func filesGone() throws {
    let (database, runner) = try filled()
    let place = try ArchivePlace()
    var disturbed = runner
    disturbed.settings.atPoint =
      Once(.afterVerify) {
        for file in try place.files() { try FileManager.default.removeItem(atPath: file) }
      }.reached
    try disturbed.purge(place)
    try place.expectClean()
    #expect(try database.rowsOfAll().rows.isEmpty && place.rows()[.callLogs] == 6 && place.rows()[.cel] == 60)
  }

  @Test("a restore that is repeated after an interruption brings back what has gone again since")
  func resumed() throws {
    let (database, runner) = try filled()
    let place = try ArchivePlace()
    let before = try database.rowsOfAll()
    try runner.purge(place, rows: 2)
    var disturbed = runner
    let passings = Passings()
    disturbed.settings.atPoint = { point in
      if point == .beforeRestore, passings.count(point) == 3 { throw JobError(.interrupted, "interrupted by a test") }
    }
    #expect(throws: JobError.self) { try disturbed.restore(place) }
    #expect(try database.count("call_logd_call_log") + database.count("cel") > 0)
    try runner.purge(place, rows: 2)
    #expect(try database.rowsOfAll().rows.isEmpty)
    try runner.restore(place)
    expectSame(try database.rowsOfAll(), before)
  }

  @Test("ids that belong to other calls now are told: those rows are in the archive only")
  func taken() throws {
    let (database, runner) = try filled()
    let place = try ArchivePlace()
    try runner.purge(place, kinds: [.callLogs])
    try database.run(
      """
      INSERT INTO call_logd_call_log (id, date, tenant_uuid, conversation_id, source_line_identity, destination_line_identity, direction)
      SELECT 3, timestamptz '2024-05-07Z', uuid, 'another', 'a', 'b', 'internal' FROM call_logd_tenant LIMIT 1
      """)
    let recorder = LogRecorder()
    var told = runner
    told.log = recorder.logger
    #expect(try told.restore(place, kinds: [.callLogs]).map(\.restored) == [5])
    #expect(recorder.warnings.contains { $0.contains("belong to other calls now stay in the archive: 1") })
  }
}
