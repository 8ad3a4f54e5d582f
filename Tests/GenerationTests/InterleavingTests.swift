import PostgreSQL
import Runs
import Store
import TestSupport
import Testing

/// Each test stops one run at a certain moment, lets another one work or die there, and goes on.
@Suite("Runs that meet at the worst moment")
struct InterleavingTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"

  /// What ends a run as if it had been killed: it is not tried again.
  private struct Killed: Error {}

  /// CELs in one database, call logs in another whose schema is there.
  private func two(_ cels: [CELRow]..., chunkSize: Int = 20_000) throws -> (cels: TestDatabase, logs: TestDatabase, Runner) {
    let (source, target) = (try TestDatabase(.wazo), try TestDatabase(.empty))
    for rows in cels { try source.insert(rows) }
    let runner = Runner(target, cels: source, chunkSize: chunkSize)
    try runner.backfill(to: -1)
    return (source, target, runner)
  }

  /// A runner that does something the first time it comes by a point.
  private func at(_ point: Point, _ runner: Runner, _ body: @escaping () throws -> Void) -> Runner {
    let (passings, body) = (Passings(), OnThisThread(body: body))
    var runner = runner
    runner.settings.atPoint = { if $0 == point, passings.count(point) == 1 { try body.body() } }
    return runner
  }

  /// What a run of one worker does, it does on the thread that called it.
  private struct OnThisThread: @unchecked Sendable {
    let body: () throws -> Void
  }

  /// A runner that does something just before the first statement of that purpose.
  private func before(
    _ purpose: String, of connection: KeyPath<Databases, Connection>, _ runner: Runner, _ body: @escaping () throws -> Void
  ) -> Runner {
    var runner = runner
    runner.prepare = { context in
      var isDone = false
      context.databases[keyPath: connection].trace = { found, _ in
        guard found == purpose, !isDone else { return }
        isDone = true
        #expect(throws: Never.self) { try body() }
      }
    }
    return runner
  }

  private func killed(at point: Point, _ runner: Runner, _ body: (Runner) throws -> Void) {
    #expect(throws: Killed.self) { try body(at(point, runner) { throw Killed() }) }
  }

  /// Expects that every CEL points to the call log of its conversation, or to none.
  private func expectLinked(
    _ cels: TestDatabase, _ logs: TestDatabase, _ count: Int, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let links = try cels.rows("DISTINCT call_log_id FROM cel WHERE call_log_id IS NOT NULL ORDER BY 1")
    #expect(try links == logs.rows("id FROM call_logd_call_log ORDER BY 1"), sourceLocation: location)
    #expect(try cels.value("count(*) FROM cel WHERE call_log_id IS NOT NULL") == "\(count)", sourceLocation: location)
    #expect(try logs.value("count(*) FROM call_logd_link") == "0", sourceLocation: location)
  }

  // MARK: Links to another database that are recorded and not made yet

  @Test("CELs whose links a deletion has recorded to be taken back do not count as linked", arguments: [true, false])
  func unlinkedLater(_ links: Bool) throws {
    var (cels, logs, runner) = try two(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.backfill()
    let deleting = runner
    runner.settings.linksCELs = links
    // As a deletion of calls around them leaves them: not covered.
    try logs.run("UPDATE call_logd_checkpoint SET covered = '{}'")
    // Whoever makes links has looked for recorded ones by then.
    let generating = at(.afterClaim, runner) { killed(at: .afterCommit, deleting) { _ = try $0.delete(.all) } }
    try generating.backfill()
    #expect(try logs.conversations() == [a, b])
    runner.settings.linksCELs = true
    try runner.backfill()
    if links {
      try expectLinked(cels, logs, 20)
    } else {
      #expect(try cels.value("count(*) FROM cel WHERE call_log_id IS NOT NULL") == "0")
    }
  }

  @Test("a deletion takes back links that are recorded for the call logs that it deletes", arguments: [true, false])
  func deletedBeforeLinked(_ all: Bool) throws {
    let (cels, logs, runner) = try two(CELRow.call(a), CELRow.call(b, at: 100))
    let deleting = before("Waiting for chunks under way", of: \.logs, runner) {
      killed(at: .afterCommit, runner) { try $0.backfill() }
    }
    #expect(try deleting.delete(all ? .all : .lastDays(100_000)) == 2)
    try expectLinked(cels, logs, 0)
    try runner.backfill()
    #expect(try logs.conversations() == [a, b])
    try expectLinked(cels, logs, 20)
  }

  @Test("what is made after a deletion of everything keeps its links")
  func madeWhileUnlinking() throws {
    let (cels, logs, runner) = try two(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.backfill()
    let deleting = before("Looking for CELs that point to call logs", of: \.cels, runner) { try runner.backfill() }
    try deleting.delete(.all)
    #expect(try logs.conversations() == [a, b])
    try expectLinked(cels, logs, 20)
  }

  @Test("CELs that point to what is gone for long are made into call logs after a deletion of everything, whatever ran meanwhile")
  func coveredWhileUnlinking() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try database.run("UPDATE cel SET call_log_id = 77 WHERE linkedid = '\(a)'")
    let deleting = before("Unlinking CELs", of: \.logs, runner) { try runner.backfill() }
    try deleting.delete(.all)
    try runner.backfill()
    #expect(try database.conversations() == [a, b])
    try expectLinked(database, database, 20)
    try expectWhole(database)
  }

  @Test("a call log that is removed before its recorded links are made leaves none")
  func removedBeforeLinked() throws {
    let (cels, logs, runner) = try two(CELRow.call(a), [CELRow("HANGUP", 20, uniqueid: a, linkedid: b)])
    try at(.afterRead, runner) { killed(at: .afterCommit, runner) { try $0.backfill(to: 10) } }.backfill(from: 11)
    #expect(try logs.conversations() == [])
    try expectLinked(cels, logs, 0)
    // And what had two conversation_ids in two chunks at once points to the one that is left.
    try cels.insert([CELRow("LINKEDID_END", 21, uniqueid: a, linkedid: b)])
    try runner.backfill()
    #expect(try logs.conversations() == [a])
    try expectLinked(cels, logs, 12)
  }

  @Test("a link of the first step gives way to what another worker has linked meanwhile")
  func linkedByTwo() throws {
    // Whole in its chunk, to all appearance; the other chunk has a linkedid that is less, and makes
    // the call log first.
    let less = "1714989500.0"
    let (cels, logs, runner) = try two(
      CELRow.call(a),
      [CELRow("HANGUP", 20, uniqueid: a, linkedid: less), CELRow("LINKEDID_END", 21, uniqueid: a, linkedid: less)])
    _ = logs
    try at(.afterRead, runner) { try runner.backfill(to: 10) }.backfill(from: 11)
    #expect(try logs.conversations() == [less])
    try expectLinked(cels, logs, 12)
    try runner.delete(.all)
    try at(.beforeLock, runner) { try runner.backfill(from: 11) }.backfill(to: 10)
    #expect(try logs.conversations() == [less])
    try expectLinked(cels, logs, 12)
  }

  @Test("who has lost his session with the call logs makes no links any more: newer ones may have been made")
  func lateLinks() throws {
    let (cels, logs, runner) = try two(CELRow.call(a))
    try at(.beforeOldLinks, runner) {
      try logs.run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '\(logs.name)' AND application_name = 'wazo-call-logs'"
      )
      try cels.insert([CELRow("HANGUP", 20, uniqueid: a, linkedid: b)])
      try runner.backfill()
    }.backfill()
    #expect(try logs.conversations() == [])
    try expectLinked(cels, logs, 0)
  }

  @Test("links of calls that the end of a run closes are made by that run")
  func closedAtTheEnd() throws {
    var (cels, logs, runner) = try two(Array(CELRow.call(a).dropLast()))
    try runner.backfill()
    runner.settings.closeAfter = 3600
    try runner.backfill()
    #expect(try logs.conversations() == [a])
    try expectLinked(cels, logs, 9)
  }

  @Test("a session that is lost when calls are closed is taken up again")
  func lostWhenClosing() throws {
    var (database, runner) = try wazo(Array(CELRow.call(a).dropLast()))
    try runner.backfill()
    runner.settings.closeAfter = 3600
    runner.settings.retryFor = 5
    let closing = before("Looking up the time 3600 seconds ago", of: \.logs, runner) {
      try database.run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '\(database.name)' AND application_name = 'wazo-call-logs'"
      )
    }
    try closing.backfill()
    #expect(try database.conversations() == [a])
  }

  @Test("ids that can come no more do not wait again when their range is remade while somebody writes")
  func remadeWhileWriting() throws {
    var (database, runner) = try wazo(CELRow.call(a), [CELRow("HANGUP", 20, uniqueid: b, linkedid: b)], CELRow.call(b, at: 100))
    try database.run("DELETE FROM cel WHERE id = 11")
    try runner.backfill()
    let writer = try database.connect()
    try writer.script("BEGIN; LOCK cel IN ROW EXCLUSIVE MODE", purpose: "Opening a transaction")
    runner.settings.patience = 0.01
    #expect(try runner.regenerate(.ids(from: nil, to: nil)).waiting == [])
    writer.close()
    try expectWhole(database)
    #expect(try database.value("count(*) FROM call_logd_gap") == "0")
  }

  @Test("who is taken for dead before his COMMIT does not take a part that another covered for his own work")
  func takenForDead() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    // The schema.
    try runner.backfill(to: -1)
    try at(.beforeCommit, runner) {
      try database.run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '\(database.name)' AND application_name = 'wazo-call-logs'"
      )
      try runner.backfill(from: 3, to: 5)
    }.backfill()
    #expect(try database.conversations() == [a, b])
    try expectWhole(database)
  }

  // MARK: Who decides

  @Test(
    "a piece of a call that was closed and is no call by itself is not forgotten when the rest, whole to all appearance, comes")
  func piece() throws {
    var rows = CELRow.call(a)
    let middle = Array(rows[3...6])
    rows.removeSubrange(3...6)
    var (database, runner) = try wazo(middle)
    runner.settings.closeAfter = 3600
    try runner.backfill()
    #expect(try database.conversations() == [])
    try database.insert(rows)
    try runner.backfill()
    #expect(try database.value("date_answer IS NOT NULL FROM call_logd_call_log") == "true")
    let difference = try differenceFromFreshRun(database)
    #expect(difference == "")
    try expectWhole(database)
  }

  @Test(
    "a call that goes on only in rows that are no CELs of it is not left to them",
    arguments: ["channame = 'Message/ast_msg_queue'", "eventtime = 'infinity'"])
  func goesOnInNothing(_ change: String) throws {
    let (database, runner) = try wazo(
      CELRow.call(a), CELRow.call(b, at: 100), [CELRow("HANGUP", 200, uniqueid: "1714989800.3", linkedid: a)], chunkSize: 5)
    try database.run("UPDATE cel SET \(change) WHERE id = 21")
    try runner.backfill()
    #expect(try database.conversations() == [a, b])
    #expect(try database.value("count(*) FROM call_logd_reach") == "0")
  }

  @Test(
    "a linkedid that ends and goes on with another channel is one call, whichever part comes first, and when one is no call by itself"
  )
  func twoParts() throws {
    // By itself the second part has nobody who calls.
    let second = ["CHAN_START", "CHAN_END", "LINKEDID_END"].enumerated().map {
      CELRow($1, 30 + Double($0), uniqueid: a + "7", linkedid: a, channel: "Local/x@y-1;1")
    }
    let early = second.map { row in
      var row = row
      row.time -= 60
      return row
    }
    for (name, last) in [("after", second), ("before", early)] {
      for pieces in [[1...10, 11...13], [11...13, 1...10], [1...13]] as [[ClosedRange<Int64>]] {
        let (database, runner) = try wazo(CELRow.call(a), last)
        for piece in pieces { try runner.backfill(from: piece.lowerBound, to: piece.upperBound) }
        let difference = try differenceFromFreshRun(database)
        #expect(difference == "", "\(name) \(pieces)")
        try expectWhole(database)
      }
      // And where the second part was not there yet.
      let (database, runner) = try wazo(CELRow.call(a))
      try runner.backfill()
      try database.insert(last)
      try runner.backfill()
      let difference = try differenceFromFreshRun(database)
      #expect(difference == "", "\(name), not there yet")
      try expectWhole(database)
    }
  }
}
