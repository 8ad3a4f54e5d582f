import Foundation
import Generation
import PostgreSQL
import PrivateServer
import Runs
import TestSupport
import Testing
import Values

/// Servers that stop, crash, hand over to a standby, or run out of disk.
@Suite("A follower and its server")
struct FollowServerTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"
  private let c = "1714989800.3"

  /// Inserts a call unless it is there, again and again until the server takes it.
  private func insist(_ linkedid: String, at time: Double, on server: PrivateServer) throws {
    for _ in 0..<600 {
      do {
        let database = try TestDatabase(on: server)
        if try database.value("count(*) FROM cel WHERE linkedid = '\(linkedid)'") == "0" {
          try database.run("BEGIN")
          try database.insert(CELRow.call(linkedid, at: time))
          try database.run("COMMIT")
        }
        return
      } catch {
        // The server is starting.
        Thread.sleep(forTimeInterval: 0.05)
      }
    }
    Issue.record("the server takes no CELs")
  }

  @Test("goes on through restarts and crashes of the server while calls come; nothing is lost or doubled")
  func restarts() throws {
    var random = Seeded()
    let server = try PrivateServer(settings: ["fsync": "on"])
    defer { server.stop() }
    var runner = Runner(try TestDatabase(on: server), chunkSize: 9)
    let pauses = Locked(Seeded(seed: random.next()))
    // A restart finds it at any point of its work.
    runner.settings.atPoint = { _ in
      if pauses.with({ $0.oneIn(20) }) { Thread.sleep(forTimeInterval: 0.1) }
    }
    let follower = Following(runner)
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    let times = Locked((restarts: 0, random: Seeded(seed: random.next())))
    let restarting = Repeating {
      let (mode, pause) = times.with { times in
        times.restarts += 1
        return (
          times.random.oneIn(2) ? PrivateServer.StopMode.fast : .immediate, Double.random(in: 0.2...1, using: &times.random)
        )
      }
      do { try server.restart(mode: mode) } catch { Issue.record("\(error)") }
      return pause
    }
    let calls = (0..<25).map { "17149896\(10 + $0).\($0)" }
    for (number, call) in calls.enumerated() {
      try insist(call, at: Double(number) * 20, on: server)
      Thread.sleep(forTimeInterval: Double.random(in: 0...0.3, using: &random))
    }
    restarting.stop()
    let database = try TestDatabase(on: server)
    try waitUntil("the calls have their call logs") { try database.conversations().count == calls.count }
    try waitUntilAllIsCovered(database)
    follower.stop()
    #expect(try differenceFromFreshRun(database) == "", "\(random)")
    #expect(times.with { $0.restarts } > 2, "\(random)")
    print("\(random): \(times.with { $0.restarts }) restarts, \(follower.leads) terms, \(follower.failures.count) failures")
  }

  @Test("follows to the standby that is promoted when the primary dies hard, in a call and in a transaction")
  func failover() throws {
    let server = try PrivateServer(settings: ["fsync": "off", "max_connections": "40", "wal_writer_delay": "10ms"])
    defer { server.stop() }
    let primary = try TestDatabase(on: server)
    let standby = try server.makeStandby()
    defer { standby.stop() }
    var runner = Runner(primary)
    let hosts = [server, standby].map { $0.socketDirectory.replacing("/", with: "%2F") }.joined(separator: ",")
    runner.settings.databases = .init(
      logs: "postgresql:///wazo?host=\(hosts)&port=5432,5432&user=postgres&target_session_attrs=read-write", cels: nil)
    let isHeld = Locked(false)
    runner.settings.atPoint = { point in
      // The primary dies while the follower is in a transaction with locks.
      while point == .afterLock, isHeld.with({ $0 }) { Thread.sleep(forTimeInterval: 0.01) }
    }
    let follower = Following(runner)
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    try primary.insert(CELRow.call(a) + Array(CELRow.call(b, at: 100)[..<5]))
    try waitUntil("the first call has its call log") { try primary.conversations() == [a] }
    isHeld.with { $0 = true }
    try primary.insert(CELRow.call(c, at: 200))
    let position = try primary.value("pg_current_wal_flush_lsn()::text")
    try waitUntil("the standby has all of it") {
      try standby.psql("SELECT pg_last_wal_replay_lsn() >= '\(position)'::pg_lsn").hasPrefix("t")
    }
    kill(try #require(server.pid), SIGQUIT)
    isHeld.with { $0 = false }
    try standby.psql("SELECT pg_promote()")
    let promoted = try TestDatabase(on: standby)
    try waitUntil("the call from before has its call log") { try promoted.conversations() == [a, c] }
    try promoted.insert(Array(CELRow.call(b, at: 100)[5...]))
    try waitUntil("the call in between, too") { try promoted.conversations() == [a, b, c] }
    try waitUntilAllIsCovered(promoted)
    follower.stop()
    #expect(try differenceFromFreshRun(promoted) == "")
    #expect(try promoted.value("count(*) FROM call_logd_claim") == "0")
  }

  @Test("goes on when a full disk has space again", .enabled(if: Mounts.areAllowed, "needs root that may mount"))
  func diskFull() throws {
    let (database, runner) = try wazo()
    try runner.backfill(to: -1)
    let disk = try TinyDisk(in: try PrivateServer.shared.socketDirectory, kilobytes: 48)
    let space = "tiny_\(database.name)"
    try database.run("CREATE TABLESPACE \(space) LOCATION '\(disk.data)'")
    defer {
      try? database.run("ALTER TABLE call_logd_call_log SET TABLESPACE pg_default")
      try? database.run("DROP TABLESPACE \(space)")
    }
    try database.run("ALTER TABLE call_logd_call_log SET TABLESPACE \(space)")
    let follower = Following(runner)
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    var calls: [String] = []
    while calls.count < 400, !follower.failures.contains(where: { $0.contains("No space left on device") }) {
      let call = "17149\(90000 + calls.count).1"
      try database.insert(CELRow.call(call, at: Double(calls.count) * 20))
      calls.append(call)
    }
    try waitUntil("the disk is full") { follower.failures.contains { $0.contains("make room") } }
    let before = try database.conversations()
    #expect(before.count < calls.count && !follower.isOver)
    try disk.grow(kilobytes: 8192)
    try waitUntil("all calls have their call logs") { try database.conversations() == calls }
    follower.stop()
    try expectWhole(database)
    #expect(try differenceFromFreshRun(database) == "")
  }

  /// A change of the tables under the follower.
  struct Change: CustomStringConvertible, Sendable {
    var description: String
    var statement: String
    /// What the follower reports; nil where it need not fail.
    var failure: String?
    /// How the administrator mends it; nil where the follower gets by.
    var mending: String?
  }

  private static let changes = [
    Change(
      description: "another version's program adds columns and rewrites a table",
      statement:
        "ALTER TABLE call_logd_call_log ADD COLUMN novelty text NOT NULL DEFAULT 'x'; ALTER TABLE call_logd_call_log ALTER source_name TYPE text"
    ),
    Change(description: "CEL ids become 64 bits wide", statement: "ALTER TABLE cel ALTER id TYPE bigint"),
    Change(
      description: "a table of an earlier schema is away, and the next term makes it again",
      statement: """
        DROP TABLE call_logd_awaited; ALTER TABLE call_logd_checkpoint DROP COLUMN knows_awaited;
        DELETE FROM call_logd_migration WHERE name = 'm011_awaited'
        """, failure: "call_logd_awaited"),
    Change(
      description: "a column of call logs is dropped", statement: "ALTER TABLE call_logd_call_log DROP COLUMN direction",
      failure: "direction", mending: "ALTER TABLE call_logd_call_log ADD COLUMN direction varchar(255)"),
    Change(
      description: "a column of the CELs is away", statement: "ALTER TABLE cel RENAME peer TO away", failure: "peer",
      mending: "ALTER TABLE cel RENAME away TO peer"),
    Change(
      description: "a later version has migrated the schema, and its sessions are new",
      statement:
        "INSERT INTO call_logd_migration (name, program) VALUES ('m999_later', 'later'); SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'wazo-call-logs'; ALTER TABLE call_logd_follower RENAME TO away",
      failure: "later version",
      mending: "ALTER TABLE away RENAME TO call_logd_follower; DELETE FROM call_logd_migration WHERE name = 'm999_later'"),
  ]

  @Test("survives changes of the tables under it, and reports those that need somebody", arguments: changes)
  func survives(_ change: Change) throws {
    let (database, starting) = try wazo()
    var runner = starting
    runner.settings.retryFor = 1
    let follower = Following(runner)
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    try database.insert(CELRow.call(a) + Array(CELRow.call(b, at: 100)[..<6]))
    try waitUntil("the first call has its call log") { try database.conversations() == [a] }
    try database.run(change.statement)
    try database.insert(Array(CELRow.call(b, at: 100)[6...]))
    if let failure = change.failure {
      try waitUntil("it reports the failure") { follower.failures.contains { $0.contains(failure) } }
    }
    if let mending = change.mending {
      #expect(!follower.isOver)
      try database.run(mending)
    }
    try database.insert(CELRow.call(c, at: 200))
    try waitUntil("the calls have their call logs") { try database.conversations() == [a, b, c] }
    try waitUntilAllIsCovered(database)
    follower.stop()
    // The first call has lost what was in the column.
    if change.statement.contains("DROP COLUMN direction") { try starting.regenerate(.ids(from: nil, to: nil)) }
    if !change.statement.contains("novelty") { #expect(try differenceFromFreshRun(database) == "") }
  }
}
