import Archive
import CallLogs
import Foundation
import Store
import TestSupport
import Testing

/// Databases, checkpoint files and archives of version 0.1.0, which knew neither which rows it had
/// seen nor whose archives are.
@Suite("What version 0.1.0 left behind")
struct UpgradeTests {
  private let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
    "Fixtures/version-0.1.0"
  ).path

  private func shell(_ command: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command]
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(command)")
  }

  /// The database and the folders as they were.
  /// - Parameter isInPlace: whether it is the very database still, and not one that was moved
  private func left(isInPlace: Bool) throws -> (TestDatabase, Runner, ArchivePlace, LogRecorder) {
    let database = try TestDatabase(.empty)
    try shell("zstd -dcq '\(fixture)/database.sql.zst' | psql -XqAt -v ON_ERROR_STOP=1 -d '\(database.uri)'")
    let place = try ArchivePlace()
    try shell("cp -r '\(fixture)/archive' '\(place.folder)'")
    try database.run("UPDATE call_logd_archive SET folder = '\(place.folder)'")
    if isInPlace {
      try database.run(
        """
        UPDATE call_logd_checkpoint SET cel_system = (SELECT system_identifier FROM pg_control_system()), cel_table = 'cel'::regclass::oid::int8,
          cel_database = (SELECT oid::int8 FROM pg_database WHERE datname = current_database());
        UPDATE call_logd_archive SET system = p.cel_system, database = p.cel_database FROM call_logd_checkpoint p;
        """)
      let name = try database.value(
        "'generate-' || cel_system || '-' || cel_database || '-' || cel_table || '.json' FROM call_logd_checkpoint")
      try shell("cp '\(fixture)/checkpoints/generate.json' '\(place.root)/\(name)'")
    }
    let recorder = LogRecorder()
    var runner = Runner(database).archiving(place)
    runner.log = recorder.logger
    return (database, runner, place, recorder)
  }

  private func callLogs(_ database: TestDatabase) throws -> [String] {
    try database.admin.query(
      "SELECT concat_ws('|', conversation_id, date, date_end, date_answer, source_name, destination_name) FROM call_logd_call_log ORDER BY conversation_id COLLATE \"C\"",
      purpose: "Reading call logs"
    ).compactMap { $0.string(0) }
  }

  @Test("is read, upgraded, verified and restored: every call log and every CEL is there again")
  func inPlace() throws {
    let (database, runner, place, recorder) = try left(isInPlace: true)
    let before = try callLogs(database)
    #expect(before.count == 17)
    #expect(try runner.generate().chunks == 0)
    #expect(recorder.warnings == [])
    #expect(try callLogs(database) == before)
    #expect(
      try database.value("count(*) FROM cel c WHERE NOT EXISTS (SELECT FROM call_logd_seen s WHERE s.ids @> c.id::int8)") == "0")
    try place.expectClean()
    // CELs alone: the purged calls are known by the ids that these point to.
    #expect(try runner.restore(place, kinds: [.cel]).map(\.restored) == [111])
    try runner.backfill()
    #expect(try callLogs(database) == before)
    #expect(try runner.restore(place).map(\.restored) == [7, 0])
    try runner.backfill()
    #expect(try callLogs(database).count == 24 && database.count("cel") == 383)
    let whole = try String(contentsOfFile: fixture + "/call-logs.txt", encoding: .utf8).split(separator: "\n").map {
      String($0.split(separator: "\t", omittingEmptySubsequences: false)[0])
    }
    #expect(try database.conversations() == whole.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    // Made anew they are the same.
    let restored = try database.contents()
    try runner.regenerate(.ids(from: nil, to: nil))
    #expect(try database.contents().difference(from: restored) == "")
    // What had been archived and has not changed is not written again.
    let files = try place.files()
    try database.run("UPDATE call_logd_restored SET kept_to = now() - interval '1 s'")
    #expect(try runner.purge(place, .before((1_737_331_200 - 946_684_800) * 1_000_000)).map(\.deleted) == [7, 111])
    #expect(try database.count("call_logd_call_log") == 17 && place.files().count >= files.count)
  }

  @Test("moved to another server it asks first, and is adopted with its archives")
  func moved() throws {
    let (database, runner, place, _) = try left(isInPlace: false)
    let before = try callLogs(database)
    #expect(try failure { try runner.generate() }.message.contains("--adopt"))
    #expect(try database.value("to_regclass('call_logd_seen') IS NULL") == "true", "the schema is as it was")
    #expect(try runner.generate(start: .adopting).chunks == 0)
    #expect(try callLogs(database) == before)
    #expect(try runner.restore(place).map(\.restored) == [7, 111])
    try runner.backfill()
    #expect(try callLogs(database).count == 24)
  }
}
