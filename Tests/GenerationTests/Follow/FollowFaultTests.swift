import Foundation
import Generation
import PostgreSQL
import PrivateServer
import Runs
import TestSupport
import Testing
import Values

@Suite("A follower in bad times")
struct FollowFaultTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"

  @Test("goes on after its sessions were ended, again and again, and nothing is lost or doubled")
  func sessionsEnded() throws {
    var random = Seeded()
    let (database, starting) = try wazo(chunkSize: 9)
    var runner = starting
    let lost = Locked(Seeded(seed: random.next()))
    runner.settings.atPoint = { point in
      if lost.with({ $0.oneIn(40) }) { throw PointOrders.lost(at: point) }
    }
    let follower = Following(runner)
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    let calls = (0..<25).map { CELRow.call("17149896\(10 + $0).\($0)", at: Double($0) * 20) }
    for call in calls {
      try database.insert(call)
      if random.oneIn(4) {
        try database.run(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'wazo-call-logs'"
        )
      }
    }
    try waitUntilAllIsCovered(database)
    follower.stop()
    #expect(try database.conversations().count == 25, "\(random)")
    #expect(try differenceFromFreshRun(database) == "", "\(random)")
    try expectWhole(database, "\(random)")
  }

  @Test("goes on after the server was restarted, in order or not", arguments: [PrivateServer.StopMode.fast, .immediate])
  func restart(_ mode: PrivateServer.StopMode) throws {
    let server = try PrivateServer()
    defer { server.stop() }
    do {
      let database = try TestDatabase(on: server)
      let follower = Following(Runner(database))
      defer { follower.stop() }
      try follower.waitUntilItLeads()
      try database.insert(CELRow.call(a))
      try waitUntil("the call has its call log") { try database.conversations() == [a] }
      try server.restart(mode: mode)
      let again = try TestDatabase(on: server)
      try again.insert(CELRow.call(b, at: 100))
      try waitUntil("the next one, too") { try again.conversations() == [a, b] }
      try waitUntilAllIsCovered(again)
      follower.stop()
      #expect(try again.value("count(*) FROM cel WHERE call_log_id IS NULL") == "0")
    }
  }

  @Test("waits for a lock, gives up the try, and works when the lock is gone")
  func lock() throws {
    let (database, starting) = try wazo()
    var runner = starting
    runner.settings.databases.lockTimeout = 100
    runner.settings.retryFor = 0.5
    let follower = Following(runner)
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    let other = try database.connect()
    defer { other.close() }
    try other.script("BEGIN; LOCK TABLE call_logd_call_log IN ACCESS EXCLUSIVE MODE", purpose: "Locking")
    try database.insert(CELRow.call(a))
    try waitUntil("it gives up") { !follower.failures.isEmpty }
    try other.script("COMMIT", purpose: "Unlocking")
    try waitUntil("the call has its call log") { try database.conversations() == [a] }
  }

  @Test("goes on when the database can be written again")
  func readOnly() throws {
    let (database, starting) = try wazo()
    var runner = starting
    runner.settings.retryFor = 1
    let follower = Following(runner)
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    let admin = try Connection(
      ConnectionParameters(uri: PrivateServer.shared.uri(database: "postgres"), applicationName: "tests"), log: TestSupport.quiet)
    defer { admin.close() }
    let terminate =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(database.name)' AND application_name = 'wazo-call-logs'"
    try admin.script(
      "ALTER DATABASE \(database.name) SET default_transaction_read_only = on; \(terminate)", purpose: "Making it read-only")
    try database.insert(CELRow.call(a))
    try waitUntil("it cannot write") { follower.failures.contains { $0.contains("read-only") } }
    #expect(!follower.isOver)
    try admin.script(
      "ALTER DATABASE \(database.name) RESET default_transaction_read_only; \(terminate)", purpose: "Making it writable")
    try waitUntil("the call has its call log") { try database.conversations() == [a] }
  }

  @Test("ends with 78 where its settings are wrong at the start")
  func wrongSettings() throws {
    let (_, starting) = try wazo()
    var runner = starting
    runner.settings.celTable = "no_such_table"
    let follower = Following(runner)
    try waitUntil("it ends") { follower.isOver }
    #expect(try Failure(#require(follower.stop())).exitReason == .configuration)
    #expect(follower.failures == [])
  }

  @Test("ends when it is interrupted, although it waits for a lock, for another one or for the server")
  func interruption() throws {
    let (database, runner) = try wazo()
    let first = Following(runner)
    try first.waitUntilItLeads()
    let waiting = Following(runner)
    try waiting.waitUntilItWaits()
    let other = try database.connect()
    defer { other.close() }
    try other.script("BEGIN; LOCK TABLE call_logd_call_log IN ACCESS EXCLUSIVE MODE", purpose: "Locking")
    try database.insert(CELRow.call(a))
    try waitUntil("it waits for the lock") {
      try database.value("count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") != "0"
    }
    var away = runner
    away.settings.databases = .init(logs: "postgresql:///none?host=/nonexistent", cels: nil)
    away.settings.retryFor = 0
    let lost = Following(away)
    try waitUntil("it looks for the server") { !lost.failures.isEmpty }
    for follower in [first, waiting, lost] {
      #expect(try Failure(#require(follower.stop())).exitReason == .interrupted)
    }
    try other.script("ROLLBACK", purpose: "Unlocking")
    #expect(try database.conversations() == [])
  }
}
