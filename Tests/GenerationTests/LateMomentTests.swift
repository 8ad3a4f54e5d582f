import Foundation
import PostgreSQL
import Runs
import Store
import TestSupport
import Testing

@Suite("A writer at the worst moment")
struct LateMomentTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"

  /// A database with one call, of which one CEL is held back by a transaction.
  private func heldBack() throws -> (TestDatabase, Runner, writer: Connection) {
    let database = try TestDatabase(.wazo)
    var rows = CELRow.call(a)
    let held = rows.remove(at: 4)
    try database.insert(Array(rows[..<4]))
    let writer = try database.connect()
    try writer.script("BEGIN", purpose: "Opening a transaction")
    try database.insert([held], on: writer)
    try database.insert(Array(rows[4...]))
    var runner = Runner(database)
    runner.settings.patience = 0.1
    return (database, runner, writer)
  }

  /// Does something just before the statement of that purpose is sent for the `time`th time.
  private func before(_ purpose: String, time: Int = 1, _ runner: inout Runner, _ body: @escaping () throws -> Void) {
    runner.prepare = { context in
      var count = 0
      context.databases.cels.trace = { found, _ in
        guard found == purpose else { return }
        count += 1
        if count == time { #expect(throws: Never.self) { try body() } }
      }
    }
  }

  @Test("who commits between the first read and the look for writers is seen by the second read, and only by that")
  func secondRead() throws {
    for (shortcuts, isRight) in [(RunContext.Shortcuts(), true), (.noSecondRead, false)] {
      var (database, runner, writer) = try heldBack()
      runner.settings.shortcuts = shortcuts.union(.noCoveredCheck)
      before("Looking for open writers", &runner) { try writer.script("COMMIT", purpose: "Committing") }
      try runner.generate()
      runner.prepare = { _ in }
      try runner.generate()
      #expect(try database.value("count(*) FROM call_logd_gap") == "0")
      #expect(try differenceFromFreshRun(database).isEmpty == isRight, "\(shortcuts)")
      #expect(try database.value("count(*) FROM cel WHERE call_log_id IS NULL") == (isRight ? "0" : "1"), "\(shortcuts)")
    }
  }

  @Test("who commits after the run is known by his lock, and only by that")
  func lockLookUp() throws {
    for (shortcuts, isRight) in [(RunContext.Shortcuts(), true), (.noLockLookUp, false)] {
      var (database, runner, writer) = try heldBack()
      runner.settings.shortcuts = shortcuts.union(.noCoveredCheck)
      try runner.generate()
      try writer.script("COMMIT", purpose: "Committing")
      try runner.generate()
      #expect(try differenceFromFreshRun(database).isEmpty == isRight, "\(shortcuts)")
    }
  }

  @Test("who commits between the second read and the wait is seen by the third", arguments: [false, true])
  func whileWaiting(_ isPrepared: Bool) throws {
    var (database, runner, writer) = try heldBack()
    runner.settings.patience = 20
    before("Looking for open writers", time: 2, &runner) {
      if isPrepared {
        try writer.script("PREPARE TRANSACTION 'x\(database.name)'", purpose: "Preparing")
        try writer.script("COMMIT PREPARED 'x\(database.name)'", purpose: "Committing")
      } else {
        try writer.script("COMMIT", purpose: "Committing")
      }
    }
    #expect(try runner.generate().waiting.isEmpty)
    #expect(try differenceFromFreshRun(database) == "")
  }

  @Test("who prepares his transaction while he is waited for does not get lost")
  func preparesMeanwhile() throws {
    var (database, runner, writer) = try heldBack()
    let name = "y\(database.name)"
    before("Looking for open writers", time: 2, &runner) {
      try writer.script("PREPARE TRANSACTION '\(name)'", purpose: "Preparing")
      writer.close()
    }
    #expect(try runner.generate().waiting == [5..<6])
    runner.prepare = { _ in }
    try runner.generate()
    #expect(try database.value("count(*) FROM call_logd_gap") == "1")
    try database.run("COMMIT PREPARED '\(name)'")
    try runner.generate()
    #expect(try differenceFromFreshRun(database) == "")
    try expectWhole(database)
  }

  @Test("what is rolled back to a savepoint is no longer waited for, when its transaction goes on elsewhere")
  func savepoint() throws {
    let database = try TestDatabase(.wazo)
    let writer = try database.connect()
    try writer.script("BEGIN; CREATE TEMPORARY TABLE t (); SAVEPOINT s", purpose: "Opening a transaction")
    try database.insert(CELRow.call(b), on: writer)
    try database.insert(CELRow.call(a))
    var runner = Runner(database)
    runner.settings.patience = 0.05
    #expect(try runner.generate().waiting == [1..<11])
    try writer.script("ROLLBACK TO s", purpose: "Rolling back")
    #expect(try runner.generate().waiting.isEmpty)
    try expectWhole(database)
  }

  @Test("a call of which the middle was covered before its beginning was written is made of all of it")
  func middleFirst() throws {
    let database = try TestDatabase(.wazo)
    let rows = CELRow.call(a)
    try database.insert(Array(rows[3..<5]))
    let runner = Runner(database)
    try runner.generate()
    try database.insert(Array(rows[..<3] + rows[5...]))
    try runner.generate()
    let found = try differenceFromFreshRun(database)
    #expect(found == "")
    try expectWhole(database)
  }

  @Test("a session of ours that links CELs holds nothing up; the same of somebody else does")
  func ourOwn() throws {
    let database = try TestDatabase(.wazo)
    try database.insert(CELRow.call(a))
    var runner = Runner(database)
    runner.settings.patience = 0.05
    try runner.generate()
    let ours = try Databases(runner.settings.databases, interruption: Interruption(), log: quiet)
    defer { ours.close() }
    try ours.cels.script("BEGIN; UPDATE cel SET call_log_id = NULL WHERE id = 1", purpose: "Linking")
    try database.run("SELECT nextval('cel_id_seq')")
    try database.insert(CELRow.call(b, at: 100))
    #expect(try runner.generate().waiting.isEmpty)
    #expect(try database.conversations() == [a, b])
    let other = try database.connect()
    try other.script("BEGIN; UPDATE cel SET call_log_id = NULL WHERE id = 2", purpose: "Linking")
    try database.run("SELECT nextval('cel_id_seq')")
    try database.insert(CELRow.call("1714989800.3", at: 200))
    #expect(try runner.generate().waiting == [22..<23])
    try other.script("ROLLBACK", purpose: "Rolling back")
    try ours.cels.script("ROLLBACK", purpose: "Rolling back")
    #expect(try runner.generate().waiting.isEmpty)
    try expectWhole(database)
  }
}
