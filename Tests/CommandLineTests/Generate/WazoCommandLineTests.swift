import Foundation
import Testing

/// Wazo's own program takes `[generate|delete] [-A | -c N | -d N] [-D]`; scripts and cron tables
/// that say so go on working.
@Suite("Wazo's command line")
struct WazoCommandLineTests {
  @Test(
    "Every way to ask for call logs makes them",
    arguments: [
      [], ["generate"], ["-A"], ["--all"], ["generate", "-A"], ["-c", "100000"], ["-c100000"], ["--cel-count", "100000"],
      ["-c", "100000", "generate"], ["-d", "31"], ["--days=31"], ["-d", "31", "generate"], ["generate", "-d", "31"],
      ["-D", "-c", "100000", "generate"], ["--debug"],
    ])
  func generate(arguments: [String]) throws {
    let database = try TestDatabase(.wazo)
    let outcome = try database.start(arguments).finish()
    #expect(outcome.status == 0)
    #expect(outcome.output.isEmpty)
    let isDebug = arguments.contains { $0 == "-D" || $0 == "--debug" }
    #expect(outcome.errors.contains("debug: covered CELs") == isDebug)
    #expect(outcome.errors.isEmpty == !isDebug)
    #expect(try database.count("call_logd_call_log") == Template.simulated.get().summary.callLogs)
  }

  @Test("-c 1 makes the newest call, and no more than the last CELs give")
  func newest() throws {
    let database = try TestDatabase(.bare)
    var file = CELFile()
    for call in 1...3 { file.addCall("177244560\(call).1") }
    try database.load(file)
    expectSilence(try database.run("-c", "1"))
    #expect(try database.psql("SELECT conversation_id FROM call_logd_call_log") == "1772445603.1")
    expectSilence(try database.run("-c", "13"))
    #expect(
      try database.psql("SELECT string_agg(conversation_id, ' ' ORDER BY conversation_id) FROM call_logd_call_log")
        == "1772445602.1 1772445603.1")
  }

  @Test("-d 7 leaves what is older than seven days; delete -d 7 deletes the rest and keeps the older")
  func days() throws {
    let database = try TestDatabase(.wazo)
    expectSilence(try database.run("-d", "7"))
    let recent = try database.count("call_logd_call_log")
    let all = try Template.simulated.get().summary.callLogs
    #expect(recent > 0 && recent < all)
    #expect(try database.count("call_logd_call_log WHERE date < now() - interval '7 days 2 hours'") == 0)
    expectSilence(try database.run())
    #expect(try database.count("call_logd_call_log") == all)
    let older = try database.count("call_logd_call_log WHERE date < now() - interval '7 days'")
    expectSilence(try database.run("delete", "-d", "7"))
    #expect(try database.count("call_logd_call_log") == older)
    #expect(
      try database.count(
        "cel WHERE call_log_id IS NOT NULL AND NOT EXISTS (SELECT FROM call_logd_call_log l WHERE l.id = call_log_id)") == 0)
    expectSilence(try database.run("-d", "8"))
    #expect(try database.count("call_logd_call_log") == all)
  }

  @Test(
    "delete -A deletes every call log of every tenant, and needs none to be named",
    arguments: [["delete", "-A"], ["--all", "delete"]])
  func deleteAll(arguments: [String]) throws {
    let database = try TestDatabase(.wazo)
    expectSilence(try database.run())
    expectSilence(try database.start(arguments, environment: ["WAZO_CALL_LOGS_DEFAULT_TENANT": ""]).finish())
    #expect(try database.count("call_logd_call_log") == 0)
    #expect(try database.count("call_logd_call_log_participant") == 0)
    #expect(try database.count("cel WHERE call_log_id IS NOT NULL") == 0)
    expectSilence(try database.run())
    #expect(try database.count("call_logd_call_log") == Template.simulated.get().summary.callLogs)
  }

  @Test(
    "delete alone and delete -c say that they do nothing",
    arguments: [["delete"], ["delete", "-c", "7"], ["-c", "7", "delete"], ["-D", "delete"], ["delete", "--dry-run"]])
  func deleteNothing(arguments: [String]) throws {
    let outcome = try Running(Program.path, arguments).finish()
    #expect(outcome.status == 0)
    #expect(outcome.output.isEmpty)
    #expect(
      outcome.errors
        == "wazo-call-logs: delete does nothing without -A (every call log), -d N (those of the last N days), or --from and --to (those of a range of dates)\n"
    )
  }

  @Test(
    "-A, -c and -d exclude one another",
    arguments: [["-c", "5", "-d", "5"], ["-A", "-c", "5"], ["-A", "-d", "5"], ["-A", "-d", "5", "-c", "1"]],
    ["generate", "delete"])
  func exclusive(options: [String], verb: String) throws {
    expectUsageError(try Running(Program.path, options + [verb]).finish(), "-A, -c and -d exclude one another")
  }

  @Test("Numbers that are not above 0 are refused", arguments: ["-c", "-d", "--cel-count", "--days"], ["0", "-5"])
  func notAboveZero(option: String, value: String) throws {
    for verb in ["generate", "delete"] {
      let outcome = try Program.run(verb, option, value)
      expectUsageError(
        outcome, option.contains("c") ? "number of CELs above 0, not \(value)" : "number of days above 0, not \(value)")
    }
  }

  @Test("What is no number is refused", arguments: ["-c", "-d"], ["x", "1.5", "", "99999999999999999999", "5 "])
  func notANumber(option: String, value: String) throws {
    expectUsageError(try Program.run(option, value), "'\(value)' is invalid for '\(option) <n>'")
  }

  @Test(
    "Words and options that mean nothing are refused",
    arguments: [
      (["frobnicate"], "'frobnicate'"), (["generate", "delete"], "'delete'"), (["--nosuch"], "'--nosuch'"),
      (["-c"], "Missing value for '-c"),
      (["--format", "xml"], "'xml'"), (["explain"], "<conversation|call-log-id>"), (["explain", "1", "2"], "'2'"),
      (["backfill", "--from-id", "5", "--to-id", "3"], "--from-id is greater"), (["backfill", "--from-id", "x"], "'x'"),
      (["interpret", "--format", "csv"], "'csv'"), (["status", "-c", "5"], "'-c'"),
    ])
  func meaningless(arguments: [String], part: String) throws {
    expectUsageError(try Running(Program.path, arguments).finish(), part)
  }
}
