import Generation
import PostgreSQL
import Runs
import TestSupport
import Testing

@testable import Store

@Suite("Calls that are purged, and those that must not be")
struct PurgedCallTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"
  private let c = "1714989800.3"

  private func at(_ rows: [CELRow], from id: Int64) -> [CELRow] {
    rows.enumerated().map { number, row in
      var row = row
      row.id = id + Int64(number)
      return row
    }
  }

  @Test(
    "purged call logs stay purged, with and without links, whatever else is deleted and made again", arguments: [true, false])
  func purged(links: Bool) throws {
    var (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100), CELRow.call(c, at: 200))
    runner.settings.linksCELs = links
    try runner.backfill()
    let place = try ArchivePlace()
    // Noon and a hundred and fifty seconds: a and b.
    try runner.purge(place, kinds: [.callLogs], .before((1_714_989_600 - 946_684_800 + 150) * 1_000_000))
    #expect(try database.conversations() == [c])
    try runner.delete(.dates(from: nil, to: nil))
    try runner.backfill()
    #expect(try database.conversations() == [c])
    try runner.delete(.all)
    #expect(try runner.backfill().counters.conversationsPurged == 2)
    #expect(try database.conversations() == [c])
    // A late CEL of a purged call brings nothing back either.
    try database.insert([CELRow("HANGUP", 30, uniqueid: a, linkedid: a)])
    try runner.generate()
    #expect(try database.conversations() == [c])
    try runner.generate(start: .anew)
    #expect(try database.conversations() == [c])
    // Asked for, it comes, and stays.
    try runner.regenerate(conversation: a)
    #expect(try database.conversations() == [a, c])
    try runner.delete(.all)
    try runner.backfill()
    #expect(try database.conversations() == [a, c])
    #expect(try runner.restore(place, kinds: [.callLogs]).map(\.restored) == [1])
    try runner.delete(.all)
    try runner.backfill()
    #expect(try database.conversations() == [a, b, c])
  }

  @Test("a purge takes no call of which a part may still be committed")
  func halfCommitted() throws {
    let database = try TestDatabase(.wazo)
    let writer = try database.connect()
    let rows = CELRow.call(a)
    try writer.script("BEGIN", purpose: "Opening a transaction")
    try database.insert(Array(rows[..<4]), on: writer)
    try database.insert(Array(rows[4...]) + CELRow.call(b, at: 100))
    var runner = Runner(database)
    runner.settings.patience = 0.05
    #expect(try runner.generate().waiting == [1..<5])
    let place = try ArchivePlace()
    let summary = try runner.purge(place, kinds: [.cel])
    #expect(summary.map(\.deleted) == [10] && summary.map(\.kept.uncovered) == [6])
    try writer.script("COMMIT", purpose: "Committing")
    try runner.generate()
    #expect(try database.conversations() == [a, b])
    #expect(try runner.purge(place, kinds: [.cel]).map(\.deleted) == [10])
  }

  @Test("nor a call with CELs around an id that waits, nor one that is noted to have CELs that are not covered")
  func around() throws {
    let database = try TestDatabase(.wazo)
    let writer = try database.connect()
    var rows = CELRow.call(a)
    let middle = rows.remove(at: 5)
    try database.insert(Array(rows[..<5]))
    try writer.script("BEGIN", purpose: "Opening a transaction")
    try database.insert([middle], on: writer)
    try database.insert(Array(rows[5...]))
    var runner = Runner(database)
    runner.settings.patience = 0.05
    #expect(try runner.generate().waiting == [6..<7])
    #expect(try database.conversations() == [a], "it looks whole")
    let place = try ArchivePlace()
    #expect(try runner.purge(place, kinds: [.cel]).map(\.deleted) == [0])
    try writer.script("COMMIT", purpose: "Committing")
    try runner.generate()
    try database.run("INSERT INTO call_logd_reach SELECT id, '\(a)' FROM call_logd_checkpoint")
    #expect(try runner.purge(place, kinds: [.cel]).map(\.deleted) == [0])
    try database.run("DELETE FROM call_logd_reach")
    #expect(try runner.purge(place, kinds: [.cel]).map(\.deleted) == [10])
  }

  @Test("a call that is noted to have CELs that are not covered, while it is written into an archive, stays in the table")
  func notedMeanwhile() throws {
    var (database, runner) = try wazo(CELRow.call(a))
    try runner.generate()
    let (uri, sql) = (database.uri, "INSERT INTO call_logd_reach SELECT id, '\(a)' FROM call_logd_checkpoint")
    let once = Once(.afterVerify) {
      let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)
      defer { connection.close() }
      try connection.script(sql, purpose: "Noting a call")
    }
    runner.settings.atPoint = once.reached
    let place = try ArchivePlace()
    let summary = try runner.purge(place, kinds: [.cel])
    #expect(once.wasReached && summary.map(\.deleted) == [0] && summary.map(\.kept.uncovered) == [10])
    #expect(try database.count("cel") == 10 && place.files().isEmpty)
  }

  @Test(
    "a call that is uncovered while it is written into an archive stays in the table, though none of its rows changes",
    arguments: [true, false])
  func uncoveredMeanwhile(isApart: Bool) throws {
    let (cels, logs) = (try TestDatabase(.wazo), isApart ? try TestDatabase(.empty) : nil)
    try cels.insert(CELRow.call(a))
    var runner = logs.map { Runner($0, cels: cels) } ?? Runner(cels)
    runner.settings.linksCELs = false
    try runner.generate()
    let settings = runner.settings
    let once = Once(.afterVerify) {
      let context = try RunContext(settings, interruption: Interruption(), log: quiet)
      defer { context.databases.close() }
      _ = try DeleteJob(context).run(.all)
    }
    var faulty = runner
    faulty.settings.atPoint = once.reached
    let place = try ArchivePlace()
    let summary = try faulty.purge(place, kinds: [.cel])
    #expect(once.wasReached && summary.map(\.deleted) == [0] && summary.map(\.kept.uncovered) == [10])
    try runner.generate()
    #expect(try runner.database.conversations() == [a])
  }

  @Test("CELs that a purge took and that come back by hand are rows that came later")
  func backByHand() throws {
    let (database, quietly) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    let recorder = LogRecorder()
    var runner = quietly
    runner.log = recorder.logger
    try runner.generate()
    try database.run("CREATE TABLE saved AS SELECT * FROM cel WHERE linkedid = '\(b)'")
    try runner.purge(try ArchivePlace(), kinds: [.cel])
    try database.run("DELETE FROM call_logd_call_log WHERE conversation_id = '\(b)'; INSERT INTO cel SELECT * FROM saved")
    try runner.generate()
    #expect(recorder.warnings.contains { $0.contains("10 CELs have come with ids that were covered (11 to 20)") })
    #expect(try database.conversations() == [a, b])
  }

  @Test("ids that the sequence has yet to give keep no call from being purged, though it has no end")
  func nobodysIDs() throws {
    let database = try TestDatabase(.wazo)
    try database.insert(at(Array(CELRow.call(a).dropLast()), from: 5001))
    let runner = Runner(database)
    try runner.generate()
    #expect(try database.rows("ids::text FROM call_logd_gap") == ["[1,5001)"])
    #expect(try runner.purge(ArchivePlace(), kinds: [.cel]).map(\.deleted) == [9])
  }
}
