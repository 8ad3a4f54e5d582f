import Archive
import Foundation
import Store
import TestSupport
import Testing

/// A database may lose its last commits: in a crash where commits are not durable, by a failover to
/// a standby that was behind, or by being restored from a backup. Then the rows of another database
/// show what happened to a part.
@Suite("What the record of archives has lost")
struct ArchiveRecordTests {
  /// Six calls, one a day, with the CELs in one database and the call logs in another, and one part
  /// of an archive whose run was cut off as far as its files show.
  private struct Cut {
    let (cels, logs): (TestDatabase, TestDatabase)
    let place: ArchivePlace
    let before: [String]
    var runner: Runner
    let recorder = LogRecorder()
    let stem: String

    /// - Parameter deletes: whether the rows are gone
    init(deletes: Bool, isPublished: Bool = false) throws {
      (cels, logs, place) = (try TestDatabase(.wazo), try TestDatabase(.empty), try ArchivePlace())
      for day in 0..<6 { try cels.insert(CELRow.call("17149896\(day)0.\(day + 1)", at: Double(day) * 86_400)) }
      runner = Runner(logs, cels: cels)
      try runner.backfill()
      before = try cels.rows("to_jsonb(c)::text FROM cel c ORDER BY id")
      try runner.archiving(place).archive(runner.options(place, deletes: deletes, kinds: [.cel]))
      let folder = place.folder + "/cel/2024/2024-05"
      stem = folder + "/cel-2024-05-0001"
      if !isPublished {
        try FileManager.default.moveItem(
          atPath: stem + ".manifest.json", toPath: folder + "/.cel-2024-05-0001.manifest.json.tmp")
      }
      runner.log = recorder.logger
    }

    func lose(_ what: String = "UPDATE call_logd_archive SET state = 'intended', ids = NULL, manifest = NULL, counts = '{}'")
      throws
    {
      try logs.run(what)
    }

    func cel() throws -> [String] { try cels.rows("to_jsonb(c)::text FROM cel c ORDER BY id") }
    func warned(_ words: String) -> Int { recorder.warnings.count { $0.contains(words) && $0.contains(stem) } }
    func record() throws -> [String] { try logs.rows("state || ' ' || deletes || ' ' || ids::text FROM call_logd_archive") }
  }

  @Test(
    "that a part was to be written: it is completed, as its rows are not in the table; restore brings them back",
    arguments: [true, false])
  func completed(isRestored: Bool) throws {
    let cut = try Cut(deletes: true)
    try cut.lose()
    if !isRestored {
      try cut.runner.purge(cut.place, kinds: [.cel])
      #expect(try cut.record() == ["published true {[1,61)}"])
      try cut.place.expectClean()
    }
    try cut.runner.restore(cut.place, kinds: [.cel])
    #expect(cut.warned("is completed") == 1, "\(cut.recorder.warnings)")
    #expect(try cut.cel() == cut.before)
    try cut.place.expectClean()
  }

  @Test("and its rows are in the table: its files are removed")
  func undone() throws {
    let cut = try Cut(deletes: false)
    try cut.lose()
    try cut.runner.purge(cut.place, kinds: [.cel], .before(0))
    #expect(try cut.place.files().isEmpty && cut.record().isEmpty && cut.cel() == cut.before)
  }

  @Test("and one of its rows is not in the table: it is completed")
  func partly() throws {
    let cut = try Cut(deletes: false)
    try cut.lose()
    try cut.cels.run("DELETE FROM cel WHERE id = 7")
    try cut.runner.purge(cut.place, kinds: [.cel], .before(0))
    #expect(cut.warned("1 of its 60 rows") == 1, "\(cut.recorder.warnings)")
    #expect(try cut.record() == ["published true {[1,61)}"])
    try cut.runner.restore(cut.place)
    // The call of the row that comes back has others in the table: it is made anew, with the same
    // call log.
    try cut.runner.backfill()
    #expect(try cut.cel() == cut.before)
  }

  @Test("nothing, but a row of a part whose deletion was about to be committed is gone by other hands: its files are kept")
  func otherHands() throws {
    let cut = try Cut(deletes: false)
    try cut.lose("UPDATE call_logd_archive SET state = 'written'")
    try cut.cels.run("DELETE FROM cel WHERE id = 7")
    try cut.runner.purge(cut.place, kinds: [.cel], .before(0))
    #expect(
      cut.recorder.warnings.contains { $0.contains("were deleted by somebody else; its files stay") }, "\(cut.recorder.warnings)")
    #expect(try cut.logs.rows("state FROM call_logd_archive") == ["published"])
    try cut.place.expectClean()
    try cut.runner.restore(cut.place, kinds: [.cel])
    try cut.runner.generate()
    #expect(try cut.cel() == cut.before)
  }

  @Test("nothing, but the deletion of a part is committed just before its undoing: its files are kept")
  func deletedMeanwhile() throws {
    let cut = try Cut(deletes: false)
    try cut.lose("UPDATE call_logd_archive SET state = 'written', deletes = true")
    var runner = cut.runner
    var times = 0
    runner.prepare = { context in
      context.databases.side.trace = { purpose, _ in
        guard purpose.hasPrefix("Undoing a part") else { return }
        times += 1
        if times == 1 { try? cut.cels.run("DELETE FROM cel") }
      }
    }
    try runner.purge(cut.place, kinds: [.cel], .before(0))
    #expect(try times > 0 && cut.cel().isEmpty)
    #expect(try cut.record() == ["published true {[1,61)}"])
    try cut.place.expectClean()
    try cut.runner.restore(cut.place, kinds: [.cel])
    #expect(try cut.cel() == cut.before)
  }

  @Test("and it has its manifest: nothing is removed, and it counts as what it is", arguments: [true, false])
  func published(deletes: Bool) throws {
    let cut = try Cut(deletes: deletes, isPublished: true)
    try cut.lose()
    try cut.runner.purge(cut.place, kinds: [.cel], .before(0))
    #expect(cut.warned("went back in time") == 1, "\(cut.recorder.warnings)")
    #expect(try cut.record() == ["published \(deletes) {[1,61)}"])
    try cut.place.expectClean()
    // A copy is not written again.
    let files = try cut.place.files()
    try cut.runner.purge(cut.place, kinds: [.cel])
    #expect(try cut.place.files() == files && cut.cel().isEmpty)
    try cut.runner.restore(cut.place, kinds: [.cel])
    #expect(try cut.cel() == cut.before)
  }

  @Test("and its files are damaged: nothing is removed, the run ends with 65 and names them", arguments: [true, false])
  func damaged(isOnRecord: Bool) throws {
    let cut = try Cut(deletes: true)
    try cut.lose(
      isOnRecord
        ? "UPDATE call_logd_archive SET state = 'intended', ids = NULL, manifest = NULL" : "DELETE FROM call_logd_archive")
    let file = URL(fileURLWithPath: cut.stem + ".cel.csv.zst")
    let good = try Data(contentsOf: file)
    try good.dropLast(5).write(to: file)
    for _ in 0..<2 {
      let purging = try failure { try cut.runner.purge(cut.place, kinds: [.cel]) }
      let restoring = try failure { try cut.runner.restore(cut.place, kinds: [.cel]) }
      for failure in [purging, restoring] {
        #expect(failure.exitReason == .badInput && failure.message.contains(file.lastPathComponent), "\(failure.message)")
      }
      #expect(try cut.place.files() == [file.path])
    }
    try good.write(to: file)
    try cut.runner.restore(cut.place, kinds: [.cel])
    #expect(try cut.cel() == cut.before)
  }

  @Test("everything of a part: it is found in the folder, recorded and completed", arguments: [true, false])
  func found(isRestored: Bool) throws {
    let cut = try Cut(deletes: true)
    try cut.lose("DELETE FROM call_logd_archive")
    if isRestored {
      try cut.runner.restore(cut.place, kinds: [.cel])
      #expect(try cut.cel() == cut.before)
    } else {
      try cut.runner.archiving(cut.place).archive(cut.runner.options(cut.place, deletes: false))
      #expect(try cut.record().contains("published true {[1,61)}"))
    }
    #expect(cut.warned("is completed") == 1, "\(cut.recorder.warnings)")
    try cut.place.expectClean()
  }

  @Test("everything of a part whose rows are in the table: it is left alone and named")
  func left() throws {
    let cut = try Cut(deletes: false)
    try cut.lose("DELETE FROM call_logd_archive")
    let files = try cut.place.files()
    try cut.runner.purge(cut.place, kinds: [.cel], .before(0))
    #expect(cut.recorder.warnings.count { $0.contains("not on record") && $0.contains("cel-2024-05-0001.manifest.json") } == 1)
    #expect(try cut.place.files() == files && cut.record().isEmpty)
    try cut.runner.purge(cut.place, kinds: [.cel])
    #expect(try cut.place.files().count == 2 && cut.cel().isEmpty)
    try cut.runner.restore(cut.place, kinds: [.cel])
    #expect(try cut.cel() == cut.before)
  }

  @Test(
    "a part that is not on record is for another process while that has the folder, and is none of ours if it names another database"
  )
  func notOurs() throws {
    let cut = try Cut(deletes: true)
    try cut.lose("DELETE FROM call_logd_archive")
    do {
      let other = try ArchiveFolder(cut.place.folder)
      guard case .held = try other.root.lock() else { throw CancellationError() }
      #expect(try failure { try cut.runner.restore(cut.place, kinds: [.cel]) }.message.contains("no part of an archive"))
      #expect(try cut.cel().isEmpty)
    }
    let manifest = cut.place.folder + "/cel/2024/2024-05/.cel-2024-05-0001.manifest.json.tmp"
    let json = try String(contentsOfFile: manifest, encoding: .utf8)
    try json.replacing(/"database_oid" : \d+/, with: "\"database_oid\" : 1").write(
      toFile: manifest, atomically: false, encoding: .utf8)
    try cut.runner.purge(cut.place, kinds: [.cel])
    #expect(try cut.record().isEmpty && cut.recorder.warnings.isEmpty)
    try json.write(toFile: manifest, atomically: false, encoding: .utf8)
    try cut.runner.restore(cut.place, kinds: [.cel])
    #expect(try cut.cel() == cut.before)
  }

  @Test(
    "in one database, where rows go in the very commit that records it, damaged files of an intent are removed, whole ones only with their rows in the table"
  )
  func oneDatabase() throws {
    let (database, runner) = try wazo(CELRow.call("1714989600.1"))
    try runner.backfill()
    let before = try database.rowsOfAll()
    let place = try ArchivePlace()
    let folder = place.folder + "/call-logs/2024/2024-05"
    func cut(_ number: Int, deletes: Bool) throws {
      try runner.archiving(place).archive(runner.options(place, deletes: deletes, kinds: [.callLogs]))
      let name = "call-logs-2024-05-000\(number).manifest.json"
      try FileManager.default.moveItem(atPath: "\(folder)/\(name)", toPath: "\(folder)/.\(name).tmp")
      try database.run("UPDATE call_logd_archive SET state = 'intended', ids = NULL, manifest = NULL")
    }
    try cut(1, deletes: false)
    let file = try #require(try place.files().first)
    try Data(contentsOf: URL(fileURLWithPath: file)).dropLast().write(to: URL(fileURLWithPath: file))
    try runner.purge(place, kinds: [.callLogs], .before(0))
    #expect(try place.files().isEmpty && database.count("call_logd_archive") == 0)
    try cut(1, deletes: true)
    try runner.restore(place, kinds: [.callLogs])
    expectSame(try database.rowsOfAll(), before)
    try place.expectClean()
  }
}
