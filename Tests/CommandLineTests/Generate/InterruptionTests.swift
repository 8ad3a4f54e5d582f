import Foundation
import Testing

@Suite("Interruption")
struct InterruptionTests {
  @Test("Stopped, killed and cut off again and again, a run ends with the tables of an undisturbed one")
  func disturbed() throws {
    let undisturbed = try TestDatabase(.large)
    expectSilence(try undisturbed.run("backfill"))
    let database = try TestDatabase(.large)
    expectSilence(try database.run("migrate"))

    func covers(_ row: String) -> String { "EXISTS (SELECT FROM call_logd_checkpoint WHERE covered @> \(row).id::bigint)" }

    /// Starts a run of many small chunks, lets it commit some, disturbs it, and gives how it ended.
    func disturb(_ body: (Running) throws -> Void) throws -> Outcome {
      let generation = "SELECT coalesce(max(generation), 0) FROM call_logd_checkpoint"
      let before = Int(try database.psql(generation)) ?? 0
      let run = try database.start(["backfill", "--chunk-size", "50"])
      try wait("for some chunks") { try Int(database.psql(generation)) ?? 0 >= before + 10 }
      #expect(run.isRunning)
      try body(run)
      let outcome = try run.finish()
      // No CEL that is not covered has a call log, unless it belongs to a call that reaches into
      // what is covered.
      #expect(
        try database.count(
          "cel c WHERE call_log_id IS NOT NULL AND NOT \(covers("c")) AND NOT EXISTS (SELECT FROM cel o WHERE o.linkedid = c.linkedid AND \(covers("o")))"
        ) == 0)
      return outcome
    }

    let interrupted = try disturb { $0.send(SIGINT) }
    expectFailure(interrupted, 130, "interrupted", "committed", "the next run goes on")
    let terminated = try disturb { $0.send(SIGTERM) }
    expectFailure(terminated, 143, "stopped by SIGTERM", "committed", "the next run goes on")
    let killed = try disturb { $0.send(SIGKILL) }
    #expect(killed.status == 128 + SIGKILL)
    let cutOff = try disturb { _ in
      try database.psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'wazo-call-logs'"
      )
    }
    // It connects again and goes on to its end.
    #expect(cutOff.status == 0, "\(cutOff.errors)")
    // A killed run's server session may still be about to commit; the lock on the checkpoint makes
    // the next run wait for it.
    expectSilence(try database.run("backfill"))
    #expect(try database.callLogs() == undisturbed.callLogs())
    let covered = "SELECT covered FROM call_logd_checkpoint"
    #expect(try database.psql(covered) == undisturbed.psql(covered))
    #expect(try database.count("call_logd_reach") == undisturbed.count("call_logd_reach"))
  }

  @Test("A signal ends a wait for a lock at once", arguments: [SIGINT, SIGTERM])
  func waiting(signal: Int32) throws {
    let database = try TestDatabase(.bare)
    try database.load(.oneCall)
    expectSilence(try database.run("migrate"))
    let holder = try database.hold("LOCK TABLE cel IN SHARE MODE")
    let run = try database.start(["--lock-timeout", "1h"])
    try wait("for it to wait") {
      try database.count("pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
    }
    run.send(signal)
    expectFailure(try run.finish(), 128 + signal)
    try holder.end()
    #expect(try database.count("call_logd_call_log") == 0)
    expectSilence(try database.run())
    #expect(try database.count("call_logd_call_log") == 1)
  }

  @Test("interpret that waits for input ends with a signal's code", arguments: [SIGINT, SIGTERM])
  func interpret(signal: Int32) throws {
    let name = signal == SIGINT ? "INT" : "TERM"
    let fifo = try Scratch()
    let outcome = try Program.bash(
      "cd \(fifo.path) && mkfifo in && exec 3<>in && timeout --preserve-status -s \(name) 1 wazo-call-logs interpret <&3")
    #expect(outcome.status == 128 + signal)
    #expect(outcome.output.isEmpty)
  }
}
