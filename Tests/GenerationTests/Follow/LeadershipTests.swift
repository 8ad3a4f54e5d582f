import Foundation
import Generation
import PostgreSQL
import Runs
import Store
import TestSupport
import Testing
import Values

@Suite("Several followers")
struct LeadershipTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"

  @Test("one works and the others wait; when it ends in order, another one works at once")
  func interrupted() throws {
    let (database, runner) = try wazo()
    let first = Following(runner)
    try first.waitUntilItLeads()
    let second = Following(runner)
    defer { second.stop() }
    try second.waitUntilItWaits()
    try database.insert(CELRow.call(a))
    try waitUntil("the call has its call log") { try database.conversations() == [a] }
    #expect(second.leads == 0)
    let error = first.stop()
    #expect((error as? JobError)?.exitReason == .interrupted)
    try second.waitUntilItLeads()
    try database.insert(CELRow.call(b, at: 100))
    try waitUntil("the next one, too") { try database.conversations() == [a, b] }
    second.stop()
    try expectWhole(database)
    #expect(try database.value("count(*) FROM call_logd_follower") == "0")
    #expect(
      try database.value("count(*) FROM call_logd_run WHERE verb = 'follow' AND ended IS NOT NULL") == "2")
  }

  /// A follower that gives no sign of life and whose session still is in a transaction with the
  /// checkpoint's lock, as that of a frozen process.
  private func frozen(_ database: TestDatabase, _ runner: Runner) throws -> Connection {
    let context = try runner.context()
    defer { context.databases.close() }
    let owner = UUIDValue(high: 1, low: 2)
    let outcome = try Follower.lead(
      context.checkpoint, owner: owner, host: "elsewhere", pid: 1, program: "test", on: context.databases.side)
    guard case .leads(nil) = outcome else { throw JobError(.fault, "\(outcome)") }
    let session = try database.connect()
    try Follower.record(
      [session.backendProcessID], as: "logs", owner: owner, of: context.checkpoint, from: context.databases.side,
      on: context.databases.side)
    try session.script(
      "BEGIN; SELECT FROM call_logd_checkpoint FOR UPDATE; INSERT INTO cel SELECT * FROM cel WHERE false", purpose: "Freezing")
    return session
  }

  @Test("a frozen one is replaced after some seconds, and its sessions end with the locks that they hold")
  func frozen() throws {
    let (database, runner) = try wazo(CELRow.call(a))
    let session = try frozen(database, runner)
    let follower = Following(runner)
    defer { follower.stop() }
    try follower.waitUntilItWaits()
    try follower.waitUntilItLeads()
    try waitUntil("it can work") { try database.conversations() == [a] }
    #expect(throws: PostgreSQLError.self) { try session.script("SELECT", purpose: "Waking up") }
    #expect(follower.failures == [])
  }

  @Test("if who takes over dies before it has ended those sessions, the next one ends them")
  func frozenTwice() throws {
    let (database, runner) = try wazo(CELRow.call(a))
    let session = try frozen(database, runner)
    try database.run("UPDATE call_logd_follower SET beat = beat - interval '1 min'")
    do {
      let context = try runner.context()
      defer { context.databases.close() }
      let outcome = try Follower.lead(
        context.checkpoint, owner: UUIDValue(high: 3, low: 4), host: "elsewhere", pid: 2, program: "test",
        on: context.databases.side)
      guard case .leads(let sessions?) = outcome else { throw JobError(.fault, "\(outcome)") }
      #expect(sessions.contains("\(session.backendProcessID)"))
    }
    try database.run("UPDATE call_logd_follower SET beat = beat - interval '1 min'")
    let follower = Following(runner)
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    try waitUntil("it can work") { try database.conversations() == [a] }
    #expect(throws: PostgreSQLError.self) { try session.script("SELECT", purpose: "Waking up") }
  }

  @Test("one that comes back sees that another one follows, and waits")
  func comesBack() throws {
    let (database, runner) = try wazo()
    let first = Following(runner)
    defer { first.stop() }
    try first.waitUntilItLeads()
    let second = Following(runner)
    defer { second.stop() }
    try second.waitUntilItWaits()
    // As if it had been frozen: its last sign of life is old.
    try waitUntil("the second leads") {
      if second.leads == 0 { try database.run("UPDATE call_logd_follower SET beat = beat - interval '1 min'") }
      return second.leads > 0
    }
    try first.waitUntilItWaits()
    try database.insert(CELRow.call(a))
    try waitUntil("the call has its call log") { try database.conversations() == [a] }
    second.stop()
    try first.waitUntilItLeads(2)
    try database.insert(CELRow.call(b, at: 100))
    try waitUntil("the next one, too") { try database.conversations() == [a, b] }
    first.stop()
    try expectWhole(database)
    #expect(try differenceFromFreshRun(database) == "")
  }

  @Test("ids that a dead follower had claimed below covered ones are covered by the next one")
  func claimed() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    // It had claimed the first call, another run has covered the second one, and both died.
    try runner.backfill(from: 11)
    try database.run(
      """
      INSERT INTO call_logd_claim (checkpoint_id, ids, owner, run_id)
      SELECT c.id, '[0,11)', 999999, (SELECT max(id) FROM call_logd_run) FROM call_logd_checkpoint c
      """)
    #expect(try database.conversations() == [b])
    let follower = Following(runner)
    defer { follower.stop() }
    try waitUntil("the first call has its call log") { try database.conversations() == [a, b] }
    follower.stop()
    try expectWhole(database)
  }
}
