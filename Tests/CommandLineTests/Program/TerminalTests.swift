import Foundation
import Testing

@Suite("What is said to whom")
struct TerminalTests {
  /// Runs a command at a terminal of its own.
  private func terminal(_ command: String, _ database: TestDatabase) throws -> Outcome {
    try Program.bash(
      "script -qec 'wazo-call-logs \(command)' /dev/null < /dev/null",
      environment: ["WAZO_CALL_LOGS_DB_URI": database.uri, "WAZO_CALL_LOGS_DEFAULT_TENANT": tenant])
  }

  @Test("Without a terminal all is quiet while all is well")
  func quiet() throws {
    let database = try TestDatabase(.wazo)
    for arguments in [
      ["migrate"], [], ["generate"], ["backfill"], ["delete", "-d", "3"], ["-d", "4"], ["delete", "-A"], ["-c", "500"],
    ] {
      expectSilence(try database.start(arguments).finish())
    }
  }

  @Test("At a terminal progress and a summary are shown")
  func shown() throws {
    let database = try TestDatabase(.wazo)
    let summary = try Template.simulated.get().summary
    let run = try terminal("--chunk-size 1000", database)
    #expect(run.status == 0)
    #expect(run.text.contains("\r\u{1B}[K") && run.text.contains(" CELs/s"))
    let last = run.text.split(separator: "\u{1B}[K").last ?? ""
    #expect(last.contains(" CELs covered in ") && last.contains("\(summary.callLogs) call logs written."))
    #expect(try terminal("", database).text.contains("Nothing to do: every CEL is covered."))
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("terminal-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let archived = try terminal("archive --before 2100-01-01 --yes --part-rows 200 --archive-dir \(folder)", database)
    #expect(archived.status == 0, "\(archived.text)")
    #expect(archived.text.contains(" %  call-logs: ") && archived.text.contains(" rows archived, 1 part"))
    #expect(archived.text.contains(" %  cel: "))
    let deleted = try terminal("delete -A", database)
    #expect(deleted.text.contains("\(summary.callLogs) call logs deleted; their CELs are uncovered."))
    let partly = try terminal("-c 100", database)
    #expect(partly.text.contains("Not covered: ") && partly.text.contains("`wazo-call-logs backfill` covers them."))
  }

  @Test("A failure at a terminal has the same code")
  func failure() throws {
    let database = try TestDatabase()
    let outcome = try terminal("", database)
    #expect(outcome.status == 78)
    #expect(outcome.text.contains("wazo-call-logs: there is no table cel"))
  }

  @Test("--format json is JSON with and without a terminal")
  func json() throws {
    let database = try TestDatabase(.bare)
    try database.load(.oneCall)
    let shown = try terminal("--format json 2>/dev/null", database)
    #expect(shown.text.hasPrefix("{") && shown.text.contains("\"call_logs_written\":1"))
    #expect(try database.run("--format", "json").json()["chunks"] as? Int == 0)
  }
}
