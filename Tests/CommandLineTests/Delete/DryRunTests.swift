import Foundation
import Testing

@Suite("delete --dry-run")
struct DryRunTests {
  private static let extents = [["-A"], ["-d", "9"], ["--from", "2020-01-01"], ["--to", "2020-01-01"]]

  @Test("tells what the real run then tells, and changes nothing: no table, no row, no checkpoint file", arguments: extents)
  func numbers(extent: [String]) throws {
    let database = try TestDatabase(.wazo)
    let folder = try Scratch()
    let environment = ["WAZO_CALL_LOGS_CHECKPOINT_DIR": folder.path + "/none"]
    expectSilence(try database.run("-d", "20"))
    let before = try database.contents()
    let arguments = ["delete", "--format", "json"] + extent
    let told = try database.start(arguments + ["--dry-run"], environment: environment).finish()
    #expect(told.status == 0 && told.errors.isEmpty)
    #expect(try database.contents() == before)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/none"))
    let callLogs = try database.count("call_logd_call_log")
    let done = try database.start(arguments, environment: environment).finish()
    #expect(done.status == 0 && done.errors.isEmpty)
    #expect(told.text.replacing("\"dry_run\":true", with: "\"dry_run\":false") == done.text)
    let numbers = try done.json()
    #expect(numbers["call_logs"] as? Int == callLogs - (try database.count("call_logd_call_log")))
    let isNone = extent.contains("--to")
    #expect((numbers["call_logs"] as? Int == 0) == isNone && (numbers["cels_unlinked"] as? Int == 0) == isNone)
    #expect((numbers["oldest"] is NSNull) == isNone && (numbers["newest"] is NSNull) == isNone)
    #expect(try database.contents() == before || !isNone)
  }

  @Test("says it in words, also where nobody watches")
  func words() throws {
    let database = try TestDatabase(.bare)
    try database.load(.oneCall)
    expectSilence(try database.run())
    let outcome = try database.run("delete", "-A", "--dry-run")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(
      outcome.text == """
        1 call log would be deleted, with 0 participants and 0 recordings (rows; audio files are not touched).
        Calls that began from 2026-03-02T10:00:01.000000+00:00 to 2026-03-02T10:00:01.000000+00:00.
        12 CELs would be uncovered, 12 CELs unlinked from call logs.
        Nothing was changed.

        """)
    #expect(try database.count("call_logd_call_log") == 1)
    expectSilence(try database.run("delete", "-A"))
    #expect(try database.run("delete", "-A", "--dry-run").text.hasPrefix("0 call logs would be deleted"))
  }

  @Test("works where nothing can be written, and for a role that may only read")
  func readOnly() throws {
    let database = try TestDatabase(.wazo)
    expectSilence(try database.run())
    let callLogs = try database.count("call_logd_call_log")
    let role = "reader_\(database.name)"
    try database.psql("CREATE ROLE \(role) LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO \(role)")
    try database.psql("ALTER DATABASE \(database.name) SET default_transaction_read_only = on")
    #expect(try database.run("delete", "-A", "--dry-run", "--format", "json").json()["call_logs"] as? Int == callLogs)
    let outcome = try Program.run(
      "delete", "-A", "--dry-run", "--format", "json", "--db-uri", database.uri(user: role))
    #expect(try outcome.json()["call_logs"] as? Int == callLogs, "\(outcome.errors)")
  }

  @Test(
    "as purge --dry-run, restore --dry-run and explain, asks for no right to change anything; a run that changes something does")
  func readers() throws {
    let database = try TestDatabase(.wazo)
    let archive = try Scratch()
    expectSilence(try database.run())
    expectSilence(try database.run("archive", "-d", "20", "--archive-dir", archive.path))
    let linkedid = try database.psql("SELECT min(linkedid) FROM cel")
    let role = "selecting_\(database.name)"
    try database.psql("CREATE ROLE \(role) LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO \(role)")
    let before = try database.contents()
    let uri = ["WAZO_CALL_LOGS_DB_URI": database.uri(user: role)]
    for arguments in [
      ["explain", linkedid], ["delete", "-d", "1", "--dry-run"], ["purge", "-d", "20", "--dry-run"],
      ["restore", "--dry-run"],
    ] {
      let outcome = try database.start(
        arguments + ["--archive-dir", archive.path].filter { _ in arguments[0] == "purge" || arguments[0] == "restore" },
        environment: uri
      ).finish()
      #expect(outcome.status == 0 && !outcome.text.isEmpty, "\(arguments): \(outcome.errors)")
    }
    #expect(try database.contents() == before)
    expectFailure(try database.start(["delete", "-d", "1"], environment: uri).finish(), 77, "GRANT UPDATE")
  }

  @Test("does not wait for a run that is at work")
  func beside() throws {
    let database = try TestDatabase(.wazo)
    expectSilence(try database.run())
    let holder = try database.hold("SELECT FROM call_logd_checkpoint FOR UPDATE")
    let outcome = try database.run("delete", "-A", "--dry-run", "--format", "json")
    #expect(outcome.status == 0)
    try holder.end()
  }

  @Test(
    "as delete itself, where there have never been call logs: says so, ends well and makes nothing", arguments: [true, false])
  func none(isDry: Bool) throws {
    let database = try TestDatabase(.bare)
    try database.load(.oneCall)
    let before = try database.contents()
    let arguments = ["delete", "-A"] + (isDry ? ["--dry-run"] : [])
    let outcome = try database.start(arguments).finish()
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(outcome.text == "There are no call logs in database \(database.name): nothing to delete.\n")
    let json = try database.start(arguments + ["--format", "json"]).finish().json()
    #expect(json["call_logs"] as? Int == 0 && json["dry_run"] as? Bool == isDry)
    #expect(try database.contents() == before)
  }
}
