import Foundation
import PostgreSQL
import Store
import TestSupport
import Testing

@Suite("Rows that become visible late")
struct LateRowTests {
  private let a = "1772445600.1"
  private let b = "1772445700.2"

  /// A database with one call, of which the CEL at `index` is inserted by a transaction that stays
  /// open.
  private func oneHeldBack(_ index: Int) throws -> (database: TestDatabase, runner: Runner, writer: Connection, ids: [Int64]) {
    let database = try TestDatabase(.wazo)
    var rows = CELRow.call(a)
    let held = rows.remove(at: index)
    // Ids are given out in the order of the statements, so that the held row lies in the middle.
    try database.insert(Array(rows[..<index]))
    let writer = try database.connect()
    try writer.script("BEGIN", purpose: "Opening a transaction")
    try database.insert([held], on: writer)
    try database.insert(Array(rows[index...]))
    let ids = try writer.query("SELECT id::int8 FROM cel ORDER BY id", purpose: "Reading ids").compactMap { $0.int64(0) }
    var runner = Runner(database)
    runner.settings.patience = 0.05
    return (database, runner, writer, ids)
  }

  @Test("an id that somebody may still commit waits; when it has come, its call log is made anew with all CELs")
  func committed() throws {
    let (database, runner, writer, ids) = try oneHeldBack(4)
    let summary = try runner.generate()
    let missing = ids[4]
    #expect(summary.waiting == [missing..<missing + 1] && summary.uncovered.isEmpty)
    #expect(try database.value("count(*) FROM call_logd_gap WHERE ids = int8range(\(missing), \(missing + 1))") == "1")
    #expect(try database.value("covered @> \(missing)::int8 FROM call_logd_checkpoint") == "false")
    #expect(try database.value("covered @> \(missing + 1)::int8 FROM call_logd_checkpoint") == "true")
    try runner.generate()
    #expect(try database.rows("ids::text FROM call_logd_gap") == ["[\(missing),\(missing + 1))"], "it goes on waiting")
    try writer.script("COMMIT", purpose: "Committing")
    try runner.generate()
    #expect(try database.conversations() == [a])
    #expect(try database.value("count(*) FROM cel WHERE call_log_id IS NULL") == "0")
    #expect(try database.value("count(*) FROM call_logd_gap") == "0")
    try expectWhole(database)
  }

  @Test("a late LINKEDID_END makes the call log that was not there")
  func lateEnd() throws {
    let last = CELRow.call(a).count - 1
    let (database, runner, writer, _) = try oneHeldBack(last)
    try database.insert(CELRow.call(b, at: 100))
    try runner.generate()
    #expect(try database.conversations() == [b])
    try writer.script("COMMIT", purpose: "Committing")
    try runner.generate()
    #expect(try database.conversations() == [a, b])
    try expectWhole(database)
  }

  @Test("a whole call that comes late goes into the call that a CEL has joined it to already")
  func joined() throws {
    let database = try TestDatabase(.wazo)
    let writer = try database.connect()
    try writer.script("BEGIN", purpose: "Opening a transaction")
    try database.insert(CELRow.call(b, at: 100), on: writer)
    // The last CEL joins the second call to the first; nothing else of it can be seen yet.
    try database.insert(CELRow.call(a) + [CELRow("LINKEDID_END", 120, uniqueid: a, linkedid: b)])
    var runner = Runner(database)
    runner.settings.patience = 0.05
    #expect(try runner.generate().waiting == [1..<11])
    #expect(try database.conversations() == [a])
    try writer.script("COMMIT", purpose: "Committing")
    try runner.generate()
    #expect(try database.conversations() == [a])
    let (whole, undisturbed) = try wazo(
      CELRow.call(b, at: 100), CELRow.call(a), [CELRow("LINKEDID_END", 120, uniqueid: a, linkedid: b)])
    try undisturbed.backfill()
    expectSame(try database.contents(), try whole.contents())
  }

  @Test("an id that was rolled back is covered with what surrounds it")
  func rolledBack() throws {
    let (database, runner, writer, _) = try oneHeldBack(4)
    try runner.generate()
    try writer.script("ROLLBACK", purpose: "Rolling back")
    try runner.generate()
    #expect(try database.value("count(*) FROM call_logd_gap") == "0")
    try expectWhole(database)
    // Rolled back before the run: nobody is left who could have it, and nothing waits.
    try database.run("SELECT nextval('cel_id_seq')")
    try database.insert(CELRow.call(b, at: 100))
    try runner.generate()
    #expect(try database.value("count(*) FROM call_logd_gap") == "0")
    try expectWhole(database)
  }

  @Test("a writer that ends within a moment is waited for")
  func shortWriter() throws {
    var (database, runner, writer, _) = try oneHeldBack(4)
    runner.settings.patience = 20
    let pid = writer.backendProcessID
    // Ends the transaction from outside, a little later; then the row is gone for good. A thread of
    // its own: the tests' tasks share two.
    let uri = database.uri
    let ended = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      Thread.sleep(forTimeInterval: 0.2)
      let other = try? Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)
      _ = try? other?.execute("SELECT pg_terminate_backend($1)", [.int4(pid)], purpose: "Ending the writer")
      ended.signal()
    }
    try runner.generate()
    ended.wait()
    #expect(try database.value("count(*) FROM call_logd_gap") == "0")
    try expectWhole(database)
  }

  @Test("writers of another table, or of the same table in another database, hold nothing up")
  func others() throws {
    let database = try TestDatabase(.wazo)
    let other = try TestDatabase(.wazo)
    try database.run("CREATE TABLE other (id serial); SELECT nextval('cel_id_seq')")
    try database.insert(CELRow.call(a))
    let here = try database.connect()
    try here.script("BEGIN; INSERT INTO other DEFAULT VALUES", purpose: "Writing elsewhere")
    let there = try other.connect()
    try there.script("BEGIN", purpose: "Opening a transaction")
    try other.insert(CELRow.call(b), on: there)
    try Runner(database).generate()
    #expect(try database.conversations() == [a])
    #expect(try database.value("count(*) FROM call_logd_gap") == "0")
    try expectWhole(database)
  }

  @Test("any interleaving of writers that commit late or roll back ends with what the CELs say", arguments: 1...4)
  func anyInterleaving(_ number: Int) throws {
    var random = Seeded()
    let database = try TestDatabase(.wazo)
    var runner = Runner(database, chunkSize: Int.random(in: 3...40, using: &random))
    runner.settings.patience = 0.02
    var pending = (0..<12).flatMap { CELRow.call("17724456\($0 + 10).\($0)", at: Double($0)) }
    pending.shuffle(using: &random)
    var open: [Connection] = []
    while !pending.isEmpty || !open.isEmpty {
      switch Int.random(in: 0..<6, using: &random) {
      case 0 where !pending.isEmpty && open.count < 4:
        let writer = try database.connect()
        try writer.script("BEGIN", purpose: "Opening a transaction")
        let rows = Array(pending.prefix(Int.random(in: 1...4, using: &random)))
        if Bool.random(using: &random) {
          pending.removeFirst(rows.count)
          try database.insert(rows, on: writer)
          open.append(writer)
        } else {
          try database.insert(rows, on: writer)
          try writer.script("ROLLBACK", purpose: "Rolling back")
        }
      case 1 where !open.isEmpty:
        try open.remove(at: Int.random(in: 0..<open.count, using: &random)).script("COMMIT", purpose: "Committing")
      case 2:
        runner.settings.chunkSize = Int.random(in: 3...40, using: &random)
        try runner.generate()
      default:
        let rows = Array(pending.prefix(Int.random(in: 1...6, using: &random)))
        pending.removeFirst(rows.count)
        try database.insert(rows)
      }
    }
    try runner.generate()
    try expectWhole(database, "\(random)")
    let found = try database.contents()
    try runner.delete(.all)
    runner.settings.chunkSize = 100_000
    try runner.backfill()
    expectSame(found, try database.contents(), "\(random)")
    #expect(try database.value("count(*) FROM call_logd_call_log") == "12", "\(random)")
  }
}
