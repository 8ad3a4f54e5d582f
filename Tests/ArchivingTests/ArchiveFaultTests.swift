import Archive
import CallLogs
import Foundation
import Generation
import PostgreSQL
import Runs
import Store
import TestSupport
import Testing

@Suite("Nothing is deleted before its archive is safe")
struct ArchiveFaultTests {
  private static let calls = (0..<6).map { "17149896\($0)0.\($0 + 1)" }

  /// Six calls, one a day from 2024-05-06 on.
  private func filled() throws -> (TestDatabase, Runner, ArchivePlace) {
    let (database, runner) = try wazo()
    for (day, call) in ArchiveFaultTests.calls.enumerated() {
      try database.insert(CELRow.call(call, at: Double(day) * 86_400, recording: "/tmp/\(day).wav"))
    }
    try runner.backfill()
    return (database, runner, try ArchivePlace())
  }

  @Test("a connection that breaks at any point is made up for: every row is archived once and gone", arguments: Point.allCases)
  func lostConnection(point: Point) throws {
    let (database, runner, place) = try filled()
    let before = try database.rowsOfAll()
    let once = Once(point) { throw PointOrders.lost(at: point) }
    var faulty = runner
    faulty.settings.atPoint = once.reached
    try faulty.purge(place, rows: 4)
    try place.expectClean("\(point)")
    #expect(try place.rows()[.callLogs] == 6 && place.rows()[.cel] == 66, "\(point)")
    #expect(try database.rowsOfAll().rows.isEmpty)
    #expect(try database.count("call_logd_archive WHERE state <> 'published'") == 0)
    if point == .beforeRestore || point == .afterRestore || point == .beforeCommit {
      faulty.settings.atPoint = Once(point) { throw PointOrders.lost(at: point) }.reached
    }
    try faulty.restore(place)
    expectSame(try database.rowsOfAll(), before, "\(point)")
  }

  @Test(
    "the same with the CELs in a database of their own",
    arguments: Point.allCases.filter(\.isOfArchives) + [.beforeCommit, .afterCommit])
  func twoDatabases(point: Point) throws {
    let (cels, logs, place) = (try TestDatabase(.wazo), try TestDatabase(.empty), try ArchivePlace())
    for (day, call) in ArchiveFaultTests.calls.enumerated() { try cels.insert(CELRow.call(call, at: Double(day) * 86_400)) }
    var runner = Runner(logs, cels: cels)
    try runner.backfill()
    let (beforeLogs, beforeCELs) = (try logs.contentsWithIDs(), try cels.rows("to_jsonb(c)::text FROM cel c ORDER BY id"))
    let once = Once(point) { throw PointOrders.lost(at: point) }
    runner.settings.atPoint = once.reached
    try runner.purge(place, rows: 25)
    try place.expectClean("\(point)")
    #expect(try place.rows()[.callLogs] == 6 && place.rows()[.cel] == 60, "\(point)")
    #expect(try cels.count("cel") == 0 && logs.count("call_logd_call_log") == 0)
    try runner.restore(place)
    expectSame(try logs.contentsWithIDs(), beforeLogs, "\(point)")
    #expect(try cels.rows("to_jsonb(c)::text FROM cel c ORDER BY id") == beforeCELs)
  }

  @Test("a bit that flips between writing and verifying: 65, every row is still there, no file is left", arguments: 0..<3)
  func flippedBit(round: Int) throws {
    let (database, runner, place) = try filled()
    let before = try database.rowsOfAll()
    let seeded = Seeded()
    var faulty = runner
    faulty.settings.atPoint =
      Once(.beforeVerify) {
        var random = seeded
        let file = try #require(try place.files().randomElement(using: &random))
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        bytes[Int.random(in: bytes.indices, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        try bytes.write(to: URL(fileURLWithPath: file))
      }.reached
    let failure = try failure { try faulty.purge(place) }
    #expect(failure.exitReason == .badInput && failure.message.contains(".csv.zst"), "\(failure.message)")
    expectSame(try database.rowsOfAll(), before)
    #expect(try place.files().isEmpty)
    try runner.purge(place)
    try place.expectClean()
    #expect(try database.rowsOfAll().rows.isEmpty)
  }

  @Test("the archive's folder goes away in mid-run: 74, not one row of the part is deleted")
  func folderGone() throws {
    let (database, runner, place) = try filled()
    let before = try database.rowsOfAll()
    var faulty = runner
    faulty.settings.atPoint =
      Once(.afterFile) {
        try FileManager.default.moveItem(atPath: place.folder, toPath: place.root + "/elsewhere")
      }.reached
    let gone = try failure { try faulty.purge(place) }
    #expect(gone.exitReason == .inputOutput && gone.message.contains(place.folder), "\(gone.message)")
    expectSame(try database.rowsOfAll(), before)
    // Nothing is decided about the part until the folder is back.
    #expect(try failure { try runner.purge(place) }.exitReason == .inputOutput)
    expectSame(try database.rowsOfAll(), before)
    try FileManager.default.moveItem(atPath: place.root + "/elsewhere", toPath: place.folder)
    try runner.purge(place)
    try place.expectClean()
    #expect(try database.rowsOfAll().rows.isEmpty)
  }

  @Test("a folder that cannot be made: 74", arguments: ["/proc/archives", "/dev/null/archives"])
  func noFolder(folder: String) throws {
    let (database, runner, place) = try filled()
    let before = try database.rowsOfAll()
    var options = runner.options(place)
    options.folder = folder
    #expect(try failure { try runner.archiving(place).archive(options) }.exitReason == .inputOutput)
    expectSame(try database.rowsOfAll(), before)
  }

  @Test(
    "the archive's folder is, or becomes, read-only, also for root: 74, not one row is deleted, what has a name has no manifest; all is well when it can be written again",
    .enabled(if: Mounts.areAllowed, "needs root that may mount"),
    arguments: [nil, Point.afterIntent, .afterFile, .beforeVerify, .afterVerify, .beforeManifest])
  func readOnly(point: Point?) throws {
    let (database, runner, place) = try filled()
    let before = try database.rowsOfAll()
    try FileManager.default.createDirectory(atPath: place.folder, withIntermediateDirectories: true)
    try #require(Mounts.bash("mount -t tmpfs tmpfs '\(place.folder)'"))
    defer { _ = Mounts.bash("umount '\(place.folder)'") }
    let folder = place.folder
    @Sendable func remount(_ how: String) throws {
      #expect(Mounts.bash("mount -o remount,\(how) '\(folder)'"), "\(how)")
    }
    var faulty = runner
    if let point { faulty.settings.atPoint = Once(point) { try remount("ro") }.reached } else { try remount("ro") }
    let refused = try failure { try faulty.purge(place, kinds: [.callLogs]) }
    #expect(refused.exitReason == .inputOutput && refused.message.contains(place.folder), "\(refused.message)")
    #expect(try place.manifests().isEmpty)
    if point == .beforeVerify || point == .afterVerify || point == .beforeManifest {
      // The rows are deleted, all of the part is on the disk but for the manifest's name.
      #expect(try database.count("call_logd_call_log") == 0 && place.files().count == 4)
    } else {
      expectSame(try database.rowsOfAll(), before)
      #expect(try failure { try runner.purge(place, kinds: [.callLogs]) }.exitReason == .inputOutput)
      expectSame(try database.rowsOfAll(), before)
    }
    try remount("rw")
    try runner.purge(place, kinds: [.callLogs])
    try place.expectClean()
    #expect(try place.rows()[.callLogs] == 6 && database.count("call_logd_call_log") == 0)
    try runner.restore(place, kinds: [.callLogs])
    expectSame(try database.rowsOfAll(), before)
  }

  /// What others do while a part is written, and where it shows.
  enum Change: String, CaseIterable, Sendable {
    case update, delete, insertChild, deleteChild, updateChild, insertBeside, remake
    var sql: String {
      let log = "(SELECT id FROM call_logd_call_log WHERE conversation_id = '\(ArchiveFaultTests.calls[2])')"
      return switch self {
      case .update: "UPDATE call_logd_call_log SET user_field = 'late' WHERE id = \(log)"
      case .delete: "DELETE FROM call_logd_call_log WHERE id = \(log)"
      case .insertChild:
        "INSERT INTO call_logd_recording (call_log_id, start_time, end_time, path) VALUES (\(log), now(), now(), 'late')"
      case .deleteChild: "DELETE FROM call_logd_recording WHERE call_log_id = \(log)"
      case .updateChild: "UPDATE call_logd_recording SET path = NULL WHERE call_log_id = \(log)"
      case .insertBeside:
        "INSERT INTO call_logd_call_log (date, tenant_uuid, conversation_id) SELECT date, tenant_uuid, 'beside' FROM call_logd_call_log WHERE id = \(log)"
      case .remake:
        "WITH gone AS (DELETE FROM call_logd_call_log WHERE id = \(log) RETURNING *) INSERT INTO call_logd_call_log (id, date, tenant_uuid, conversation_id) SELECT id + 1000, date, tenant_uuid, 'remade' FROM gone"
      }
    }
  }

  @Test(
    "a call log that others change while a part is written is archived as its last writer left it; the rest once",
    arguments: Change.allCases,
    [Point.afterFile, .beforeVerify, .afterVerify, .beforePurge])
  func changed(change: Change, point: Point) throws {
    let (database, runner, place) = try filled()
    let uri = database.uri
    var faulty = runner
    faulty.settings.atPoint =
      Once(point) {
        let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)
        defer { connection.close() }
        try connection.script(change.sql, purpose: "A test's change")
      }.reached
    let original = try TestDatabase(.wazo)
    let twin = Runner(original)
    for (day, call) in ArchiveFaultTests.calls.enumerated() {
      try original.insert(CELRow.call(call, at: Double(day) * 86_400, recording: "/tmp/\(day).wav"))
    }
    try twin.backfill()
    try original.run(change.sql)
    let expected = try original.count("call_logd_call_log")
    try faulty.purge(place, kinds: [.callLogs])
    // What was inserted beside may have to wait for the next run.
    try runner.purge(place, kinds: [.callLogs])
    try place.expectClean()
    #expect(try database.count("call_logd_call_log") == 0)
    #expect(try place.rows()[.callLogs] == expected)
    try runner.restore(place, kinds: [.callLogs])
    let strip = "to_jsonb(l) - 'id' FROM call_logd_call_log l ORDER BY 1"
    #expect(try database.rows(strip) == original.rows(strip))
    let recordings = "to_jsonb(r) - 'call_log_id' - 'uuid' - 'start_time' - 'end_time' FROM call_logd_recording r ORDER BY 1"
    #expect(try database.rows(recordings) == original.rows(recordings))
  }

  @Test("CELs that a deletion of call logs uncovers while a part is written stay: their call logs can be made again")
  func uncovered() throws {
    let (database, runner, place) = try filled()
    var faulty = runner
    let settings = runner.settings
    faulty.settings.atPoint =
      Once(.afterVerify) {
        let context = try RunContext(settings, interruption: Interruption(), log: quiet)
        defer { context.databases.close() }
        _ = try DeleteJob(context).run(.all)
      }.reached
    let summary = try faulty.purge(place, kinds: [.cel])
    #expect(summary[0].deleted == 0 && summary[0].kept.uncovered == 66)
    #expect(try database.count("cel") == 66 && place.files().isEmpty)
    try runner.backfill()
    #expect(try database.count("call_logd_call_log") == 6)
  }

  @Test("a CEL that comes late to a call stays in the table; its call log stands")
  func lateCEL() throws {
    let (database, runner, place) = try filled()
    let uri = database.uri
    var faulty = runner
    faulty.settings.atPoint =
      Once(.afterVerify) {
        let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)
        defer { connection.close() }
        try connection.script(
          "INSERT INTO cel (eventtype, eventtime, uniqueid, linkedid) VALUES ('HANGUP', '2024-05-06 10:00:20Z', '\(ArchiveFaultTests.calls[0])', '\(ArchiveFaultTests.calls[0])')",
          purpose: "A late CEL")
      }.reached
    try faulty.purge(place, kinds: [.cel])
    #expect(try database.count("cel") == 1)
    let logs = try database.contentsWithIDs()
    try runner.generate()
    expectSame(try database.contentsWithIDs(), logs)
  }

  @Test("a part whose commit may still be under way is not undone: its row's lock is waited for")
  func commitUnderWay() throws {
    let (database, runner, place) = try filled()
    try runner.purge(place, kinds: [.cel])
    let name = "call-logs-2024-05-0001.call-logs.csv.zst"
    let folder = place.folder + "/call-logs/2024/2024-05"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data("written".utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
    try database.run(
      """
      INSERT INTO call_logd_archive (kind, month, part, folder, files, system, database, run_id, deletes)
      SELECT 'call-logs', '2024-05', 1, folder, '{\(name)}', system, database, 1, true FROM call_logd_archive LIMIT 1
      """)
    let other = try database.connect()
    try other.script("BEGIN; UPDATE call_logd_archive SET state = 'done' WHERE state = 'intended'", purpose: "A commit under way")
    var hasty = runner
    hasty.settings.databases.lockTimeout = 100
    hasty.settings.retryFor = 0.5
    #expect(try failure { try hasty.purge(place) }.exitReason == .busy)
    #expect(FileManager.default.fileExists(atPath: folder + "/" + name))
    try other.script("ROLLBACK", purpose: "The commit came to nothing")
    try runner.purge(place)
    try place.expectClean()
    #expect(try database.rowsOfAll().rows.isEmpty && place.rows()[.callLogs] == 6)
  }

  @Test("a commit that comes about while it is waited for is brought to its end by the very run that waited")
  func commitComesAbout() throws {
    let (database, runner, place) = try filled()
    try runner.purge(place, kinds: [.callLogs])
    // As right before the answer to COMMIT: the row says intended, and a session that was lost is
    // about to say done.
    let manifest = place.folder + "/call-logs/2024/2024-05/call-logs-2024-05-0001.manifest.json"
    let told = try Data(contentsOf: URL(fileURLWithPath: manifest))
    try FileManager.default.removeItem(atPath: manifest)
    try database.run("UPDATE call_logd_archive SET state = 'intended'")
    // From here on the other thread has them alone.
    nonisolated(unsafe) let (other, watch) = (try database.connect(), try database.connect())
    try other.script("BEGIN; UPDATE call_logd_archive SET state = 'done'", purpose: "A commit under way")
    let committing = Repeating {
      // When somebody waits for it.
      guard (try? watch.query("SELECT FROM pg_locks WHERE NOT granted", purpose: "Looking"))?.count ?? 0 > 0 else {
        return 0.01
      }
      try? other.script("COMMIT", purpose: "A commit under way")
      return nil
    }
    try runner.purge(place, kinds: [.callLogs])
    committing.stop()
    #expect(try Data(contentsOf: URL(fileURLWithPath: manifest)) == told)
    #expect(try database.value("state FROM call_logd_archive") == "published")
    try place.expectClean()
  }

  @Test("one at a time: while another archive, purge or restore runs it ends with 75")
  func lock() throws {
    let (database, runner, place) = try filled()
    #expect(try ArchiveRecord.lock(on: database.admin))
    #expect(try failure { try runner.purge(place) }.exitReason == .busy)
    #expect(try failure { try runner.restore(place) }.exitReason == .busy)
    try ArchiveRecord.unlock(on: database.admin)
    try runner.purge(place)
  }

  @Test("a database that went back in time, or a copy of it elsewhere, wipes no archive")
  func backInTime() throws {
    let (database, runner, place) = try filled()
    try runner.purge(place, kinds: [.callLogs])
    let files = try place.files()
    // As if restored from a backup that was made while the part was being written.
    try database.run("UPDATE call_logd_archive SET state = 'intended', manifest = NULL")
    let recorder = LogRecorder()
    var told = runner
    told.log = recorder.logger
    try told.purge(place, kinds: [.callLogs])
    #expect(recorder.warnings.contains { $0.contains("went back in time") })
    #expect(try place.files() == files)
    // The rows are in the archive and not in the table, and now that is on record again.
    #expect(try database.value("state || deletes || ids::text FROM call_logd_archive") == "publishedtrue{[1,7)}")
    try place.expectClean()
    // The same in a copy of the database on another server, where the manifest is not there yet.
    try FileManager.default.removeItem(atPath: place.folder + "/call-logs/2024/2024-05/call-logs-2024-05-0001.manifest.json")
    try database.run("UPDATE call_logd_archive SET state = 'intended', manifest = NULL, system = 1, database = 1")
    try told.purge(place, kinds: [.callLogs])
    #expect(recorder.warnings.contains { $0.contains("a copy") })
    #expect(try place.files() == files)
  }
}
