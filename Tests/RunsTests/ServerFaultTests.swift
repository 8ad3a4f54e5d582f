import Foundation
import PostgreSQL
import PrivateServer
import TestSupport
import Testing
import Values

/// What the server refuses in mid-run: one sentence, the right exit code, and the call logs of what
/// is covered, no others.
@Suite("A server that fails in mid-run")
struct ServerFaultTests {
  /// A role that may do what the job does, and its URI.
  private func role(_ database: TestDatabase, _ kind: String) throws -> (name: String, uri: String) {
    let name = "\(kind)_\(database.name)"
    try database.run(
      """
      CREATE ROLE \(name) LOGIN IN ROLE pg_monitor;
      GRANT USAGE ON SCHEMA public TO \(name);
      GRANT ALL ON ALL TABLES IN SCHEMA public TO \(name);
      GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO \(name);
      """)
    return (name, database.uri.replacing("user=postgres", with: "user=\(name)"))
  }

  /// Runs until something is brought about after some chunks, and expects the failure.
  private func disturb(
    _ runner: Runner, _ undisturbed: Undisturbed, kind: ExitReason, says parts: [String],
    _ bringAbout: @escaping @Sendable () throws -> Void
  ) throws {
    var run = runner
    let passings = Passings()
    run.settings.retryFor = 2
    run.settings.atPoint = {
      if passings.count($0) == 4, $0 == .afterCommit { try bringAbout() }
    }
    let failure = try failure { try run.backfill() }
    #expect(failure.exitReason == kind, "\(failure.message)")
    for part in parts { #expect(failure.message.contains(part), "no “\(part)” in: \(failure.message)") }
    #expect(!failure.message.contains("\n"), "\(failure.message)")
    try undisturbed.expectPart(runner.database, failure.message)
    #expect(try runner.database.conversations().count > 0)
  }

  @Test("because a right was revoked ends the run with 77", arguments: ["call_logd_call_log", "call_logd_checkpoint", "cel"])
  func revoked(table: String) throws {
    let undisturbed = try Undisturbed(isRough: false)
    let (database, runner) = try undisturbed.again()
    var run = runner
    let role = try role(database, "revoked")
    run.settings.databases = .init(logs: role.uri, cels: nil)
    let admin = database.uri
    try disturb(run, undisturbed, kind: .permission, says: ["permission denied for table \(table)", "grants.sql", role.name]) {
      try ServerFaultTests.run("REVOKE ALL ON \(table) FROM \(role.name)", admin)
    }
    try database.run("GRANT ALL ON \(table) TO \(role.name)")
    try run.backfill()
    try undisturbed.expectSame(as: database, "after the right was given back")
    try database.run("DROP OWNED BY \(role.name); DROP ROLE \(role.name)")
  }

  @Test("because a standby took its place ends the run with 78")
  func readOnly() throws {
    let undisturbed = try Undisturbed(isRough: false)
    let (database, runner) = try undisturbed.again()
    let (admin, name) = (database.uri, database.name)
    try disturb(runner, undisturbed, kind: .configuration, says: ["read-only", "standby", name]) {
      // Sessions keep what they began with: they end, as those of a primary that fails do.
      try ServerFaultTests.run(
        """
        ALTER DATABASE \(name) SET default_transaction_read_only = on;
        SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '\(name)' AND application_name = 'wazo-call-logs'
        """, admin)
    }
    try database.run("SET default_transaction_read_only = off; ALTER DATABASE \(name) RESET default_transaction_read_only")
    try runner.backfill()
    try undisturbed.expectSame(as: database, "after the primary was back")
  }

  @Test("because its disk is full ends the run with 74", .enabled(if: Mounts.areAllowed, "needs root that may mount"))
  func diskFull() throws {
    let undisturbed = try Undisturbed(calls: 120, isRough: false)
    let (database, runner) = try undisturbed.again()
    let server = try PrivateServer.shared
    let disk = try TinyDisk(in: server.socketDirectory, kilobytes: 48)
    let space = "tiny_\(database.name)"
    try database.run("CREATE TABLESPACE \(space) LOCATION '\(disk.data)'")
    try database.run("ALTER TABLE call_logd_call_log SET TABLESPACE \(space)")
    let failure = try failure { try runner.backfill() }
    #expect(failure.exitReason == .inputOutput, "\(failure.message)")
    for part in ["No space left on device", "make room", database.name] {
      #expect(failure.message.contains(part), "\(failure.message)")
    }
    #expect(!failure.message.contains("\n"))
    try undisturbed.expectPart(database, failure.message)
    #expect(try database.conversations().count > 0)
    try database.run("ALTER TABLE call_logd_call_log SET TABLESPACE pg_default")
    try database.run("DROP TABLESPACE \(space)")
    try runner.backfill()
    try undisturbed.expectSame(as: database, "after there was room")
  }

  @Test(
    "because of limits that are for people's sessions does not fail at all",
    arguments: ["statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout", "idle_session_timeout"])
  func limits(setting: String) throws {
    let undisturbed = try Undisturbed(calls: 10)
    let (database, runner) = try undisturbed.again()
    let role = try role(database, "limited")
    try database.run("ALTER ROLE \(role.name) SET \(setting) = '100ms'")
    var run = runner
    let passings = Passings()
    run.settings.databases = .init(logs: role.uri, cels: nil)
    let connections = database.uri
    run.settings.atPoint = { point in
      // In a transaction and between two, longer than the limit.
      guard [.afterLock, .afterCommit].contains(point), passings.count(point) <= 2 else { return }
      Thread.sleep(forTimeInterval: 0.3)
    }
    run.settings.retryFor = 0
    let holder = Repeating {
      // A statement that takes longer than the limit: it waits for a lock.
      try? ServerFaultTests.run(
        "BEGIN; LOCK TABLE call_logd_recording IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(0.3); COMMIT", connections)
      return 0.1
    }
    let result = Result { try run.backfill() }
    holder.stop()
    _ = try result.get()
    try undisturbed.expectSame(as: database, setting)
    try database.run("DROP OWNED BY \(role.name); DROP ROLE \(role.name)")
  }

  private static func run(_ sql: String, _ uri: String) throws {
    let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)
    defer { connection.close() }
    try connection.script(sql, purpose: "A test's statement")
  }
}
