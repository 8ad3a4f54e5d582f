import Archive
import Foundation
import PostgreSQL
import Store
import TestSupport
import Testing

@testable import Archiving
@testable import Runs

@Suite("Whose an archive is")
struct ArchiveOwnerTests {
  private static let calls = (0..<3).map { "17149896\($0)0.\($0 + 1)" }

  private func filled() throws -> (TestDatabase, Runner) {
    let (database, runner) = try wazo()
    for (day, call) in Self.calls.enumerated() { try database.insert(CELRow.call(call, at: Double(day) * 86_400)) }
    try runner.backfill()
    return (database, runner)
  }

  /// Changes every manifest in a folder.
  private func change(_ place: ArchivePlace, _ body: (String) -> String) throws {
    let names = FileManager.default.enumerator(atPath: place.folder)?.compactMap { $0 as? String } ?? []
    for name in names where name.hasSuffix(".manifest.json") {
      let path = place.folder + "/" + name
      try body(try String(contentsOfFile: path, encoding: .utf8)).write(toFile: path, atomically: false, encoding: .utf8)
    }
  }

  /// As earlier versions wrote them.
  private static func withoutOrigin(_ json: String) -> String {
    json.replacing(/\ \ "origin" : \{[^}]*\},\n/, with: "")
  }

  @Test("archive and purge, and their dry run, write nothing into the folder of another database, whatever that is called")
  func refused() throws {
    let ((first, runner), (second, rival)) = (try filled(), try filled())
    let (place, other) = (try ArchivePlace(), try ArchivePlace())
    try runner.purge(place, rows: 20)
    // Of one name, on another server.
    try change(place) {
      $0.replacing("\"database\" : \"\(first.name)\"", with: "\"database\" : \"\(second.name)\"")
        .replacing(/"system" : "[0-9]+"/, with: "\"system\" : \"4711\"")
    }
    let (files, before) = (try place.files(), try second.rowsOfAll())
    for deletes in [true, false] {
      let options = rival.options(place, deletes: deletes)
      for failure in [
        try failure { try rival.archiving(other).archive(options) }, try failure { try rival.archiving(other).dryPurge(options) },
      ] {
        #expect(failure.exitReason == .configuration, "\(failure.message)")
        for words in [second.name, "archive_dir", place.folder, "3 of the database"] {
          #expect(failure.message.contains(words), "\(words) in: \(failure.message)")
        }
      }
    }
    #expect(try place.files() == files && second.count("call_logd_archive") == 0)
    expectSame(try second.rowsOfAll(), before)
    // Without an archive there is nothing to mix up.
    try rival.archiving(other).archive(rival.options(nil))
  }

  @Test("a database that was dropped and made anew under its name has its folder still")
  func madeAnew() throws {
    let ((first, runner), (second, rival)) = (try filled(), try filled())
    let (place, other) = (try ArchivePlace(), try ArchivePlace())
    try runner.purge(place, rows: 20)
    try change(place) { $0.replacing("\"database\" : \"\(first.name)\"", with: "\"database\" : \"\(second.name)\"") }
    try rival.archiving(other).archive(rival.options(place, deletes: false))
    #expect(try rival.restore(place).map(\.restored) == [0, 0])
  }

  @Test(
    "restore takes parts of another database where none of one's own are on record, and warns; else only when that is asked for")
  func restored() throws {
    let (first, runner) = try filled()
    let place = try ArchivePlace()
    let before = try first.rowsOfAll()
    try runner.purge(place)
    // Rebuilt from the archive.
    let empty = try TestDatabase(.wazo)
    let recorder = LogRecorder()
    var rebuilt = Runner(empty)
    rebuilt.log = recorder.logger
    try rebuilt.restore(place)
    #expect(recorder.warnings.count { $0.contains("2 of the parts were archived from the database \(first.name)") } == 1)
    #expect(try empty.rowsOfAll().rows.count == before.rows.count)
    // With an archive of its own.
    let (second, rival) = try filled()
    let own = try ArchivePlace()
    try rival.purge(own)
    let context = try RunContext(rival.settings, changes: false, interruption: Interruption(), log: quiet)
    defer { context.databases.close() }
    var options = RestoreJob.Options(folder: place.folder, kinds: [.callLogs, .cel])
    for failure in [
      try failure { try rival.restore(place) }, try failure { try RestoreJob(context, options).dryRun() },
    ] {
      #expect(failure.exitReason == .configuration && failure.message.contains("--from-other-database"), "\(failure.message)")
      #expect(failure.message.contains(first.name))
    }
    #expect(try second.rowsOfAll().rows.isEmpty)
    options.takesOtherDatabases = true
    #expect(try RestoreJob(context, options).dryRun().map(\.restored) == [3, 30])
    #expect(try rival.restore(place) { $0.takesOtherDatabases = true }.map(\.restored) == [3, 30])
    #expect(try rival.restore(own).map(\.existing) == [3, 30])
  }

  @Test("each table's parts are compared with the database that has the table: no run warns of its own")
  func perTable() throws {
    let (cels, logs, place) = (try TestDatabase(.wazo), try TestDatabase(.empty), try ArchivePlace())
    try cels.insert(CELRow.call("1714989600.1"))
    let recorder = LogRecorder()
    var runner = Runner(logs, cels: cels)
    try runner.backfill()
    runner.log = recorder.logger
    try runner.purge(place)
    try runner.restore(place)
    try runner.purge(place)
    #expect(recorder.warnings.isEmpty, "\(recorder.warnings)")
    let manifests = try place.manifests()
    #expect(manifests.map(\.database) == [logs.name, cels.name])
    #expect(manifests.map { $0.origin?.table } == ["call_logd_call_log", "public.cel"])
    let oid = "(SELECT oid::int8 FROM pg_database WHERE datname = current_database())"
    #expect(try "\(manifests[0].origin?.databaseOid ?? 0)" == logs.value(oid))
    #expect(try "\(manifests[1].origin?.databaseOid ?? 0)" == cels.value(oid))
    #expect(try "\(manifests[1].origin?.tableOid ?? 0)" == cels.value("'cel'::regclass::oid::int8"))
    #expect(try manifests[1].origin?.system == cels.value("system_identifier FROM pg_control_system()"))
  }

  @Test("parts of a database that this one was before are its own")
  func former() throws {
    let ((first, runner), (second, heir)) = (try filled(), try filled())
    let (place, own) = (try ArchivePlace(), try ArchivePlace())
    try runner.purge(place)
    try heir.purge(own)
    #expect(try failure { try heir.restore(place) }.exitReason == .configuration)
    let oid = try first.value("oid::int8 FROM pg_database WHERE datname = current_database()")
    // Another piece of work makes the table.
    try second.run(
      """
      CREATE TABLE IF NOT EXISTS call_logd_former (system bigint, database bigint);
      INSERT INTO call_logd_former (system, database) SELECT system_identifier, \(oid) FROM pg_control_system()
      """)
    #expect(try ArchiveOwner.former(on: second.admin).map { String($0.database) } == [oid])
    #expect(try ArchiveOwner.former(on: first.admin).isEmpty)
    #expect(try heir.restore(place).map(\.restored) == [3, 30])
    let copies = try ArchivePlace()
    try heir.archiving(copies).archive(heir.options(place))
    try place.expectClean()
  }

  @Test("parts of earlier versions are one's own by the record, else by the database's name")
  func earlier() throws {
    let ((first, runner), (second, rival)) = (try filled(), try filled())
    let (place, own) = (try ArchivePlace(), try ArchivePlace())
    try runner.purge(place, rows: 20)
    try change(place, Self.withoutOrigin)
    #expect(try place.manifests().allSatisfy { $0.origin == nil })
    try runner.restore(place)
    // Renamed since.
    try change(place) { $0.replacing("\"\(first.name)\"", with: "\"renamed\"") }
    try runner.restore(place)
    // Of the name, and not on record.
    try rival.archiving(own).archive(rival.options(own, deletes: false, kinds: [.cel], .before(.max), rows: 20))
    #expect(try failure { try rival.restore(place) }.exitReason == .configuration)
    try change(place) { $0.replacing("\"renamed\"", with: "\"\(second.name)\"") }
    #expect(try rival.restore(place).map(\.existing) == [3, 30])
  }

  @Test("a run warns once of copies that were moved away, and archives their rows again; damaged ones are an error")
  func moved() throws {
    let (database, runner) = try filled()
    let place = try ArchivePlace()
    let before = try database.rowsOfAll()
    try runner.archiving(place).archive(runner.options(place, deletes: false))
    try FileManager.default.moveItem(atPath: place.folder + "/cel", toPath: place.root + "/tape")
    let recorder = LogRecorder()
    var told = runner
    told.log = recorder.logger
    let planned = try told.dryPurge(told.options(place, deletes: false))
    #expect(planned.map(\.found) == [3, 0] && planned.map(\.parts) == [0, 1])
    let done = try told.archiving(place).archive(told.options(place, deletes: false))
    #expect(done.map(\.found) == [3, 0] && done.map(\.parts) == [0, 1])
    #expect(recorder.warnings.count == 1 && recorder.warnings[0].contains("cel-2024-05-0001"), "\(recorder.warnings)")
    // There is another copy of the rows now.
    let again = try told.purge(place)
    #expect(
      again.map(\.found) == [3, 30] && again.map(\.parts) == [0, 0] && recorder.warnings.count == 1, "\(recorder.warnings)")
    try place.expectClean()
    try runner.restore(place)
    expectSame(try database.rowsOfAll(), before)
    let file = try #require(try place.files().first)
    try Data("x".utf8).write(to: URL(fileURLWithPath: file))
    #expect(try failure { try runner.purge(place) }.exitReason == .badInput)
    expectSame(try database.rowsOfAll(), before)
  }

  @Test("a run warns once of a folder on a file system without locks")
  func noLocks() throws {
    let place = try ArchivePlace()
    let recorder = LogRecorder()
    let locks = FolderLocks(recorder.logger) { _, _ in
      errno = ENOLCK
      return -1
    }
    _ = try locks.open(place.root)
    _ = try locks.open(place.root + "/.")
    #expect(recorder.warnings.count == 1 && recorder.warnings[0].contains("has no locks"), "\(recorder.warnings)")
    // Another run may be writing there.
    let others = FolderLocks(recorder.logger) { _, _ in
      errno = ENOLCK
      return -1
    }
    try others.ifFree(place.root) { _ in Issue.record("it counts as free") }
  }

  @Test("a folder that is empty or not there has no archive: restore ends with 65")
  func nothing() throws {
    let (_, runner) = try filled()
    let place = try ArchivePlace()
    for _ in 0..<2 {
      let failure = try failure { try runner.restore(place) }
      #expect(failure.exitReason == .badInput && failure.message.contains("no part of an archive in \(place.folder)"))
      try FileManager.default.createDirectory(atPath: place.folder, withIntermediateDirectories: true)
    }
  }
}
