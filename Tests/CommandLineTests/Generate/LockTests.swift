import Foundation
import Testing

@Suite("Locks that somebody else holds")
struct LockTests {
  private static let covered = "SELECT covered FROM call_logd_checkpoint WHERE NOT isempty(covered)"
  static let modes = ["SHARE", "ACCESS EXCLUSIVE"]

  @Test("A lock that stays ends the run with 75 and nothing written", arguments: modes, ["generate", "delete -A"])
  func stays(mode: String, command: String) throws {
    let database = try TestDatabase(.bare)
    try database.load(.oneCall)
    expectSilence(try database.run(command.hasPrefix("delete") ? "generate" : "migrate"))
    let (callLogs, covered) = (try database.callLogs(), try database.psql(LockTests.covered))
    let holder = try database.hold("LOCK TABLE cel IN \(mode) MODE")
    let arguments = command.split(separator: " ").map(String.init) + ["--lock-timeout", "50ms", "--retry-for", "300ms"]
    expectFailure(try database.start(arguments).finish(), 75, "gave up after", "retrying", "lock timeout", database.name)
    try holder.end()
    #expect(try database.callLogs() == callLogs)
    #expect(try database.psql(LockTests.covered) == covered)
  }

  @Test("A lock that goes away is waited for", arguments: modes, ["generate", "delete -A"])
  func goesAway(mode: String, command: String) throws {
    let database = try TestDatabase(.bare)
    try database.load(.oneCall)
    let isDelete = command.hasPrefix("delete")
    expectSilence(try database.run(isDelete ? "generate" : "migrate"))
    let holder = try database.hold("LOCK TABLE cel IN \(mode) MODE")
    let run = try database.start(
      command.split(separator: " ").map(String.init) + ["--lock-timeout", "50ms", "--log-level", "info"])
    try wait("for it to try again") { run.errors.contains("info: trying again: ") }
    try holder.end()
    #expect(try run.finish().status == 0)
    #expect(try database.count("call_logd_call_log") == (isDelete ? 0 : 1))
    #expect(try database.count("cel WHERE call_log_id IS NOT NULL") == (isDelete ? 0 : 12))
  }

  @Test("A connection that is cut is told as a warning, and that it is there again")
  func cut() throws {
    let database = try TestDatabase(.bare)
    try database.load(.oneCall)
    expectSilence(try database.run("migrate"))
    let holder = try database.hold("LOCK TABLE cel IN SHARE MODE")
    let run = try database.start(["--lock-timeout", "1h"])
    let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    try wait("for it to be at work") { try database.count(waiting) > 0 }
    try database.psql("SELECT pg_terminate_backend(pid) FROM \(waiting)")
    try wait("for it to connect again") { run.errors.contains("connected again") }
    try holder.end()
    let outcome = try run.finish()
    #expect(outcome.status == 0)
    let lines = outcome.errors.split(separator: "\n")
    #expect(lines.count == 2, "\(outcome.errors)")
    #expect(lines.first?.hasPrefix("wazo-call-logs: warning: connection lost (") == true)
    #expect(lines.first?.hasSuffix("; trying again for 60 s") == true)
    #expect(lines.last == "wazo-call-logs: warning: connected again")
    #expect(try database.count("call_logd_call_log") == 1)
  }

  @Test("While another migration runs, a run waits for it; after that 75")
  func migration() throws {
    let database = try TestDatabase(.bare)
    let holder = try database.hold("SELECT pg_advisory_lock(x'63616c6c5f6c6f67'::bigint)")
    expectFailure(try database.run("migrate", "--lock-timeout", "50ms"), 75, "another migration", database.name)
    try holder.end()
    expectSilence(try database.run("migrate"))
  }

  @Test("An index that a long transaction keeps from being made is put off, the call logs are not")
  func longTransaction() throws {
    let database = try TestDatabase(.bare)
    try database.load(.oneCall)
    let holder = try database.hold("SELECT count(*) FROM cel")
    let outcome = try database.run("--lock-timeout", "50ms")
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("m003_list_index") && outcome.errors.contains("long transaction"))
    #expect(try database.count("call_logd_call_log") == 1)
    expectFailure(try database.run("migrate", "--lock-timeout", "50ms"), 75, "m003_list_index", "long transaction")
    try holder.end()
    expectSilence(try database.run("migrate"))
    #expect(try database.count("pg_index WHERE indrelid = 'call_logd_call_log'::regclass AND NOT indisvalid") == 0)
  }

  @Test(
    "While another run is at work, one that does not wait ends with 75; what only reads is not held up",
    arguments: ["generate", "delete -A"])
  func anotherRun(command: String) throws {
    let database = try TestDatabase(.bare)
    try database.load(.oneCall)
    expectSilence(try database.run("backfill", "--to-id", "0"))
    let holder = try database.hold("LOCK TABLE cel IN SHARE MODE")
    let run = try database.start(["--lock-timeout", "1h"])
    try wait("for it to be at work") {
      try database.count("pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
    }
    let arguments = command.split(separator: " ").map(String.init) + ["--retry-for", "0"]
    expectFailure(
      try database.start(arguments).finish(), 75,
      command == "generate" ? "another run is at work on ids 1-12 of public.cel" : "Waiting for chunks under way", database.name)
    #expect(try database.run("status").status == 0)
    #expect(try database.run("explain", "1772445600.1").status == 0)
    try holder.end()
    expectSilence(try run.finish())
    #expect(try database.count("call_logd_call_log") == 1)
  }
}
