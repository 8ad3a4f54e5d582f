import PostgreSQL
import Runs
import TestSupport
import Testing

@testable import Store

@Suite("What is covered, and what comes there all the same")
struct CoveredIDTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"

  /// A channel of call `a` that ends half a minute after it began.
  private var late: CELRow {
    CELRow("CHAN_END", 30, uniqueid: a, linkedid: a, channel: "PJSIP/aaa11-1", name: "Ann", number: "101")
  }

  private func length(_ database: TestDatabase, _ conversation: String) throws -> String {
    try database.value(
      "extract(epoch FROM date_end - date)::int FROM call_logd_call_log WHERE conversation_id = '\(conversation)'")
  }

  private func at(_ rows: [CELRow], from id: Int64) -> [CELRow] {
    rows.enumerated().map { number, row in
      var row = row
      row.id = id + Int64(number)
      return row
    }
  }

  @Test("the last id that the sequence gave is final when its row is gone, and the next one waits, however short the time is")
  func sequence() throws {
    var (database, runner) = try wazo(CELRow.call(a), [late])
    try database.run("DELETE FROM cel WHERE id = 11")
    try database.insert(at(CELRow.call(b, at: 100), from: 21))
    runner.settings.finalAfter = 0
    try runner.generate()
    #expect(try database.coverage() == "{[0,12),[21,31)}")
    #expect(try database.rows("ids::text FROM call_logd_gap") == ["[12,21)"])
  }

  @Test("rows that come into covered ids are made by the run that finds them, though it takes no history")
  func withoutHistory() throws {
    var (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try database.run("CREATE TABLE saved AS SELECT * FROM cel WHERE id <= 10; DELETE FROM cel WHERE id <= 10")
    try runner.generate()
    #expect(try database.conversations() == [b])
    try database.run("INSERT INTO cel SELECT * FROM saved")
    runner.settings.history = 0
    try runner.generate()
    #expect(try database.conversations() == [a, b])
    try expectWhole(database)
  }

  @Test("rows that come into covered ids, and look like a whole call there, are made with the CELs that the call has elsewhere")
  func looksWhole() throws {
    let (database, runner) = try wazo(
      CELRow.call(a), [late, CELRow("LINKEDID_END", 31, uniqueid: a, linkedid: a)], CELRow.call(b, at: 100))
    try database.run("CREATE TABLE saved AS SELECT * FROM cel WHERE id <= 10; DELETE FROM cel WHERE id <= 10")
    // What is left of the call is none.
    try runner.generate()
    #expect(try database.conversations() == [b])
    try database.run("INSERT INTO cel SELECT * FROM saved")
    try runner.generate()
    #expect(try database.conversations() == [a, b] && length(database, a) == "30")
    #expect(try database.value("count(*) FROM cel WHERE call_log_id = \(database.id(of: a))") == "12")
  }

  @Test("rows that a restore brings back while a run looks for rows that came later are no news")
  func restoredMeanwhile() throws {
    let (database, plain) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try plain.generate()
    let place = try ArchivePlace()
    try plain.purge(place, kinds: [.cel])
    let recorder = LogRecorder()
    var runner = plain
    runner.log = recorder.logger
    var looks = 0
    runner.prepare = { context in
      context.databases.cels.trace = { purpose, _ in
        guard purpose == "Looking for CELs with covered ids" else { return }
        looks += 1
        if looks == 1 { _ = try? plain.restore(place, kinds: [.cel]) }
      }
    }
    #expect(try runner.generate().chunks == 0)
    #expect(try looks > 0 && database.count("cel") == 20 && recorder.warnings == [])
  }

  @Test("of ids that are covered once more, those count as seen that have a row now; only what is covered is done")
  func seen() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.generate()
    let context = try runner.context()
    defer { context.databases.close() }
    let (checkpoint, logs) = (context.checkpoint, context.databases.logs)
    try checkpoint.noteSeen([1..<6], in: [1..<11], forgets: false, on: logs)
    #expect(try database.rows("ids::text, pieces, rows FROM call_logd_seen") == ["{[1,6),[11,21)}|2|15"])
    #expect(try checkpoint.done(on: logs).ranges == [1..<6, 11..<21])
    try database.run("UPDATE call_logd_checkpoint SET covered = '{[3,13)}'")
    #expect(try checkpoint.done(on: logs).ranges == [3..<6, 11..<13])
  }
}
