import Foundation
import Testing

@Suite("Ids at the ends of what a bigint holds")
struct EdgeIDTests {
  private let least = Int.min
  private let greatest = Int.max

  /// Calls at the least id, around 0 and at the last but one id, and one whose LINKEDID_END has the
  /// very last.
  private func database() throws -> TestDatabase {
    let database = try TestDatabase(.bare)
    var file = CELFile()
    for call in 1...4 { file.addCall("177244560\(call).1") }
    try database.load(file)
    try database.psql(
      """
      ALTER TABLE cel ALTER id TYPE bigint; ALTER SEQUENCE cel_id_seq AS bigint;
      UPDATE cel SET id = CASE WHEN id <= 12 THEN '\(least)'::int8 + (id - 1) WHEN id <= 24 THEN id - 19
        WHEN id <= 36 THEN '\(greatest)'::int8 - 1 - (36 - id) WHEN id = 48 THEN '\(greatest)'::int8 ELSE id END;
      SELECT setval('cel_id_seq', '\(greatest)'::int8);
      """)
    return database
  }

  @Test("stop no verb: the very last id is left out, named and counted, and all else is done")
  func everyVerb() throws {
    let database = try database()
    let archive = try Scratch()
    let run = try database.run("generate", "--format", "json")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.contains("warning: CEL \(greatest) of public.cel is left out"))
    #expect(try run.json()["call_logs_written"] as? Int == 3)
    #expect(try run.json()["flaw_last_id"] as? Int == 1)
    let callLogs = try database.callLogs()
    func expectDone(_ arguments: String..., location: SourceLocation = #_sourceLocation) throws {
      let outcome = try database.start(arguments).finish()
      #expect(outcome.status == 0, "\(arguments): \(outcome.errors)", sourceLocation: location)
    }
    let status = try database.run("status", "--format", "json").json()
    #expect(status["greatest_id"] as? Int == greatest - 1 && status["least_id"] as? Int == least)
    #expect((status["uncovered"] as? [Any])?.isEmpty == true)
    #expect(status["newest_covered_id"] as? Int == greatest - 1)
    try expectDone("status")
    #expect(try database.run("explain", "1772445604.1").text.contains("greatest possible id: CEL \(greatest)"))
    for call in 1...4 { try expectDone("explain", "177244560\(call).1") }
    for arguments in [
      ["regenerate"], ["regenerate", "--to-id", "\(greatest)"], ["regenerate", "--from-id", "\(least)", "--to-id", "-1"],
    ] {
      #expect(try database.start(arguments).finish().status == 0)
      #expect(try database.callLogs() == callLogs)
    }
    try expectDone("delete", "--from", "2026-01-01", "--dry-run")
    try expectDone("delete", "--from", "2026-01-01")
    #expect(try database.count("call_logd_call_log") == 0)
    let uncovered = try database.run("status", "--format", "json").json()
    #expect(uncovered["uncovered_cels"] as? Int == 47)
    try expectDone("generate")
    try expectDone("backfill")
    #expect(try database.callLogs() == callLogs)
    try expectDone("delete", "-A")
    try expectDone("status")
    try expectDone("generate", "-c", "5")
    try expectDone("generate", "-d", "1000")
    try expectDone("backfill", "--from", "2026-01-01", "--chunk-size", "7")
    #expect(try database.callLogs() == callLogs)
    try expectDone("archive", "--before", "2026-04-01", "--archive-dir", archive.path)
    try expectDone("purge", "--before", "2026-04-01", "--archive-dir", archive.path)
    // What is left is the call that has not ended.
    #expect(try database.count("cel") == 12 && database.count("cel WHERE linkedid <> '1772445604.1'") == 0)
    try expectDone("generate")
    try expectDone("status")
    try expectDone("restore", "--archive-dir", archive.path)
    try expectDone("backfill")
    #expect(try database.count("call_logd_call_log") == 3)
  }
}
