import Foundation
import Generation
import PostgreSQL
import Runs
import Store
import TestSupport
import Testing

/// A session of somebody else, in which a transaction stays open.
private struct Holder {
  let connection: Connection
  var name: String { "process \(connection.backendProcessID)" }

  init(_ database: TestDatabase, _ sql: String) throws {
    connection = try database.connect()
    try connection.script(sql, purpose: "Holding a lock")
  }

  func run(_ sql: String) { try? connection.script(sql, purpose: "What the holder does") }
}

@Suite("Locks that somebody holds for long")
struct LockHolderTests {
  /// What waits.
  enum Verb: String, CaseIterable {
    case generate, delete, regenerate, purge, restore

    func run(_ runner: Runner, _ place: ArchivePlace) throws {
      switch self {
      case .generate: try runner.generate()
      case .delete: try runner.delete(.all)
      case .regenerate: try runner.regenerate(conversation: LockHolderTests.calls[1])
      case .purge: try runner.purge(place)
      case .restore: try runner.restore(place, keepFor: 0)
      }
    }
  }

  static let calls = ["1714989600.1", "1715076000.1", "1715162400.1"]
  private static let gate = "x'63616c67'::int, (SELECT id FROM call_logd_checkpoint)"
  private static let row = "SELECT FROM call_logd_checkpoint FOR NO KEY UPDATE"

  /// One call is not covered, one is archived; nobody waits for long.
  private func filled() throws -> (TestDatabase, Runner, ArchivePlace) {
    var (database, runner) = try wazo(CELRow.call(LockHolderTests.calls[0]), CELRow.call(LockHolderTests.calls[1], at: 86_400))
    let place = try ArchivePlace()
    try runner.backfill()
    // Between the first two.
    try runner.purge(place, .before((1_714_989_600 - 946_684_800 + 43_200) * 1_000_000))
    try database.insert(CELRow.call(LockHolderTests.calls[2], at: 172_800))
    runner.settings.retryFor = 0.3
    runner.settings.databases.lockTimeout = 100
    return (database, runner, place)
  }

  private func expectBusy(
    _ holder: Holder, _ what: String = "", _ location: SourceLocation = #_sourceLocation, _ body: () throws -> Void
  ) throws {
    let failure = try failure(location, body)
    #expect(failure.exitReason == .busy, "\(what)", sourceLocation: location)
    #expect(failure.message.contains("\(holder.name) "), "\(what): \(failure.message)", sourceLocation: location)
  }

  @Test(
    "a gate that stays shut, or is shared for ever, ends whoever waits with 75 and the holder's name", arguments: Verb.allCases)
  func gate(verb: Verb) throws {
    let (database, runner, place) = try filled()
    let holder = try Holder(database, "SELECT pg_advisory_lock(\(LockHolderTests.gate))")
    try expectBusy(holder) { try verb.run(runner, place) }
    holder.run("SELECT pg_advisory_unlock(\(LockHolderTests.gate)); SELECT pg_advisory_lock_shared(\(LockHolderTests.gate))")
    if verb == .delete || verb == .purge || verb == .restore {
      try expectBusy(holder) { try verb.run(runner, place) }
      holder.run("SELECT pg_advisory_unlock_shared(\(LockHolderTests.gate))")
    }
    try verb.run(runner, place)
  }

  @Test("so does the checkpoint's row", arguments: [Verb.generate, .delete, .regenerate], ["FOR NO KEY UPDATE", "FOR UPDATE"])
  func row(verb: Verb, mode: String) throws {
    let (database, runner, place) = try filled()
    let before = try database.contents()
    let holder = try Holder(database, "BEGIN; SELECT FROM call_logd_checkpoint \(mode)")
    try expectBusy(holder) { try verb.run(runner, place) }
    expectSame(try database.contents(), before)
    holder.run("COMMIT")
    try verb.run(runner, place)
  }

  @Test("so does a prepared transaction, by its name")
  func prepared() throws {
    let (database, runner, _) = try filled()
    let holder = try Holder(database, "BEGIN; \(LockHolderTests.row); PREPARE TRANSACTION '\(database.name)'")
    defer { holder.run("ROLLBACK PREPARED '\(database.name)'") }
    let failure = try failure { try runner.generate() }
    #expect(failure.exitReason == .busy && failure.message.contains("ROLLBACK PREPARED '\(database.name)'"), "\(failure.message)")
  }

  @Test("so do the archives' lock and that of a run", arguments: [Verb.purge, .restore])
  func archives(verb: Verb) throws {
    let (database, runner, place) = try filled()
    let holder = try Holder(database, "SELECT pg_advisory_lock(x'63616c61'::int, 0)")
    try expectBusy(holder) { try verb.run(runner, place) }
    holder.run("SELECT pg_advisory_unlock_all()")
    try verb.run(runner, place)
    holder.run("SELECT pg_advisory_lock(x'63616c72'::int, (SELECT last_value::int + 1 FROM call_logd_run_id_seq))")
    try expectBusy(holder) { try verb.run(runner, place) }
  }

  @Test("so does the lock of links, where CELs have a database of their own", arguments: [Verb.generate, .delete])
  func links(verb: Verb) throws {
    let (source, target) = (try TestDatabase(.wazo), try TestDatabase(.empty))
    try source.insert(CELRow.call(LockHolderTests.calls[0]))
    var runner = Runner(target, cels: source)
    if verb == .delete { try runner.backfill() } else { try runner.generate(.ids(from: 1_000_000, to: nil)) }
    runner.settings.retryFor = 0.3
    runner.settings.databases.lockTimeout = 100
    let id = try target.value("id FROM call_logd_checkpoint")
    let holder = try Holder(source, "SELECT pg_advisory_lock(x'63616c69'::int, \(id))")
    let place = try ArchivePlace()
    try expectBusy(holder) { try verb.run(runner, place) }
    holder.run("SELECT pg_advisory_unlock_all()")
    try verb.run(runner, place)
    try runner.generate()
    #expect(try target.value("count(*) FROM call_logd_link") == "0")
  }

  @Test("so does a migration's lock")
  func migration() throws {
    let (database, empty) = try wazo(CELRow.call(LockHolderTests.calls[0]))
    var runner = empty
    runner.settings.databases.lockTimeout = 100
    let holder = try Holder(database, "SELECT pg_advisory_lock(x'63616c6c5f6c6f67'::bigint)")
    try expectBusy(holder) { try runner.generate() }
    holder.run("SELECT pg_advisory_unlock_all()")
    try runner.generate()
  }

  @Test("so do locks on tables and rows that no code of ours waits for by itself", arguments: Verb.allCases)
  func table(verb: Verb) throws {
    let (database, runner, place) = try filled()
    let holder = try Holder(database, "BEGIN; LOCK TABLE cel, call_logd_call_log IN SHARE ROW EXCLUSIVE MODE")
    try expectBusy(holder) { try verb.run(runner, place) }
    holder.run("COMMIT")
    try verb.run(runner, place)
  }

  @Test("a run of this program is named by number, verb and machine; what waits for its claims, its gate and its row names it")
  func runs() throws {
    let (_, runner, place) = try filled()
    // Called on this thread alone.
    nonisolated(unsafe) var said: [Verb: Failure] = [:]
    nonisolated(unsafe) let inner = runner
    var outer = runner
    outer.settings.atPoint = { point in
      guard point == .afterLock else { return }
      for verb in [Verb.generate, .delete, .regenerate] { said[verb] = try failure { try verb.run(inner, place) } }
    }
    let summary = try outer.generate()
    #expect(summary.counters.cels > 0)
    for (verb, failure) in said {
      #expect(failure.exitReason == .busy, "\(verb)")
      let name = ", generate, process \(ProcessInfo.processInfo.processIdentifier) on "
      #expect(failure.message.contains("(run ") && failure.message.contains(name), "\(verb): \(failure.message)")
    }
    #expect(said.count == 3)
  }

  /// Runs `generate` while somebody holds the row, and calls `body` before each time the run begins
  /// to wait.
  private func waiting(_ runner: Runner, _ body: @escaping (_ time: Int) -> Void) throws -> (times: Int, readings: Int) {
    var runner = runner
    var (times, readings) = (0, 0)
    runner.prepare = { context in
      context.databases.logs.trace = { purpose, sql in
        if purpose.hasPrefix("Reading CELs from id") { readings += 1 }
        guard sql.hasSuffix("FOR NO KEY UPDATE") else { return }
        times += 1
        body(times)
      }
    }
    try runner.generate()
    return (times, readings)
  }

  @Test("a holder that lets go in time costs a chunk nothing of what it has done")
  func letsGo() throws {
    let (database, fast, _) = try filled()
    var runner = fast
    runner.settings.retryFor = 60
    let holder = try Holder(database, "BEGIN; \(LockHolderTests.row)")
    let (times, readings) = try waiting(runner) { if $0 == 4 { holder.run("COMMIT") } }
    #expect(times == 4 && readings == 1)
    try expectWhole(database)
    #expect(try database.value("current_setting('lock_timeout')") == "0")
  }

  @Test("while others go on, one waits on: the generation grows, or the holder is another one", arguments: [true, false])
  func goesOn(grows: Bool) throws {
    let (database, runner, _) = try filled()
    // Has nothing to do with it, and is there all the time.
    let bystander = try Holder(database, grows ? "BEGIN; SELECT FROM call_logd_checkpoint FOR KEY SHARE" : "SELECT 1")
    let holder = try Holder(database, "BEGIN; \(LockHolderTests.row)")
    let (times, readings) = try waiting(runner) { time in
      if grows { holder.run("UPDATE call_logd_checkpoint SET generation = generation + 1") }
      holder.run("COMMIT")
      if time < 12 { holder.run("BEGIN; \(LockHolderTests.row)") }
    }
    #expect(times == 12 && readings == 1)
    bystander.run("ROLLBACK")
  }

  @Test("a signal ends the wait")
  func interruption() throws {
    let (database, fast, _) = try filled()
    var runner = fast
    runner.settings.retryFor = 600
    runner.settings.databases.lockTimeout = 600_000
    let holder = try Holder(database, "BEGIN; \(LockHolderTests.row)")
    let interruption = Interruption()
    let context = try RunContext(runner.settings, interruption: interruption, log: quiet)
    defer { context.databases.close() }
    context.databases.logs.trace = { _, sql in if sql.hasSuffix("FOR NO KEY UPDATE") { interruption.request() } }
    let error = #expect(throws: (any Error).self) { try GenerateJob(context).run(.nightly) }
    #expect(Failure(try #require(error), interruption: interruption).exitReason == .interrupted)
    holder.run("ROLLBACK")
  }

  @Test("locks of the same numbers in another database of the server are another matter")
  func otherDatabase() throws {
    let (database, _, _) = try filled()
    let (other, _, _) = try filled()
    let holder = try Holder(database, "BEGIN; \(LockHolderTests.row); SELECT pg_advisory_lock(1, 2), pg_advisory_lock(12)")
    #expect(
      try LockHolders.ofAdvisory(class: 1, 2, on: database.admin).all.map(\.processID) == [
        Int64(holder.connection.backendProcessID)
      ])
    #expect(try LockHolders.ofAdvisory(12, on: database.admin).all.count == 1)
    #expect(try LockHolders.ofTables("cel", besides: [], on: database.admin).all.count == 1)
    #expect(try LockHolders.ofTables("cel", besides: [holder.connection.backendProcessID], on: database.admin).all.isEmpty)
    #expect(try LockHolders.ofAdvisory(class: 1, 2, on: other.admin).all.isEmpty)
    #expect(try LockHolders.ofAdvisory(class: 2, 1, on: database.admin).all.isEmpty)
    #expect(try LockHolders.ofAdvisory(12, on: other.admin).all.isEmpty)
    #expect(try LockHolders.ofTables("cel", besides: [], on: other.admin).all.isEmpty)
  }
}
