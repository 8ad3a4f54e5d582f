import Foundation
import Testing

/// What tests of followers do with their database.
extension TestDatabase {
  /// Writes calls, ended and all. The sequence gives the ids.
  func addCalls(_ linkedids: String...) throws {
    for linkedid in linkedids {
      var file = CELFile()
      file.addCall(linkedid)
      let columns = CELFile.header.split(separator: ",").dropFirst().joined(separator: ", ")
      let rest = "userdeftype, cid_ani, cid_rdnis, cid_dnid, amaflags, accountcode, peeraccount, userfield"
      try psql(
        "CREATE TEMP TABLE new (LIKE cel); ALTER TABLE new ALTER id DROP NOT NULL;\n"
          + file.copy.replacing("COPY cel", with: "COPY new")
          + "INSERT INTO cel (\(columns), \(rest)) SELECT \(columns), \(rest) FROM new ORDER BY id;")
    }
  }

  func waitForCallLogs(_ count: Int, _ location: SourceLocation = #_sourceLocation) throws {
    try wait("\(count) call logs", location) { try self.count("call_logd_call_log") == count }
  }

  /// The process that follows; 0 where none does.
  func leader() throws -> Int32 {
    let pid = try psql(
      "SELECT coalesce((SELECT max(pid) FROM call_logd_follower WHERE sessions <> '{}' AND beat > now() - interval '6 s'), 0)")
    return Int32(pid) ?? 0
  }

  /// Expects that nothing is lost or doubled, as a run over all CELs has it.
  func expectAsUndisturbed(_ location: SourceLocation = #_sourceLocation) throws {
    let found = try callLogs()
    expectSilence(try run("delete", "-A"), location)
    expectSilence(try run("backfill"), location)
    #expect(try callLogs() == found, sourceLocation: location)
  }
}
