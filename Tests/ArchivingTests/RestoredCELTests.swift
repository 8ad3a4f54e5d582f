import Foundation
import Generation
import PostgreSQL
import Runs
import TestSupport
import Testing

@testable import CallLogs
@testable import Store

/// Rules that tell what is covered, whole or final, each at the edge where it begins to hold.
@Suite("Rules at their edges")
struct EdgeRuleTests {
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

  // MARK: Covered ids

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

  // MARK: Whose checkpoint it is

  @Test(
    "where none of the CELs is left by which the table is recognised, others that count as done stop the run; a purge may take them"
  )
  func witnesses() throws {
    for purges in [false, true] {
      let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
      try runner.generate()
      let known = try database.value("array_to_string(witness_id || witness_ids, ',') FROM call_logd_checkpoint")
      #expect(known == "20,14,7,1")
      // Between the two calls.
      if purges { try runner.purge(ArchivePlace(), kinds: [.cel], .before((1_714_989_600 - 946_684_800 + 50) * 1_000_000)) }
      try database.run("DELETE FROM cel WHERE id IN (\(known))")
      if purges {
        #expect(try database.count("cel") == 8 && runner.generate().chunks == 0)
      } else {
        let found = try failure { try runner.generate() }
        #expect(found.exitReason == .configuration && found.message.contains("none of the CELs 20, 14, 7, 1"), "\(found.message)")
      }
    }
  }

  // MARK: Purges of CELs

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

  // MARK: Restores

  @Test(
    "a call whose CELs come back, and that got one while they were away, is made of all of them, whether its call log is there or not",
    arguments: [true, false], [true, false])
  func lateCEL(links: Bool, isThere: Bool) throws {
    var (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    runner.settings.linksCELs = links
    try runner.generate()
    let place = try ArchivePlace()
    try runner.purge(place, kinds: [.cel])
    try database.insert([late])
    try runner.generate()
    #expect(try database.conversations() == [a, b] && length(database, a) == "8", "it stays as it stands")
    if !isThere { try database.run("DELETE FROM call_logd_call_log WHERE conversation_id = '\(a)'") }
    #expect(try runner.restore(place, kinds: [.cel]).map(\.restored) == [20])
    let summary = try runner.generate()
    #expect(summary.counters.callLogsWritten == 1)
    #expect(try database.conversations() == [a, b] && length(database, a) == "30")
    try expectWhole(database)
  }

  @Test(
    "CELs of calls whose call logs are purged stay covered when they come back, also where an earlier version purged them",
    arguments: [true, false])
  func purged(isEarlier: Bool) throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.generate()
    let place = try ArchivePlace()
    try runner.purge(place)
    // That noted the ids of call logs alone.
    if isEarlier { try database.run("UPDATE call_logd_archive SET notes_conversations = false; DELETE FROM call_logd_purged") }
    try runner.restore(place, kinds: [.cel])
    #expect(try database.coverage() == "{[0,21)}")
    #expect(try runner.generate().chunks == 0 && database.conversations() == [])
  }

  @Test("calls that stand open are noted so by the restore that brings their CELs back, before any run")
  func open() throws {
    let (database, runner) = try wazo(Array(CELRow.call(a).dropLast()), CELRow.call(b, at: 100))
    try runner.generate()
    let place = try ArchivePlace()
    try runner.purge(place, kinds: [.cel])
    #expect(try database.count("call_logd_open") == 0)
    try runner.restore(place, kinds: [.cel])
    #expect(try database.rows("linkedid FROM call_logd_open") == [a])
  }

  @Test("two call logs of calls that hang together become one when their CELs come back")
  func joined() throws {
    let (database, runner) = try wazo(
      CELRow.call(a), CELRow.call(b, at: 20), [CELRow("HANGUP", 40, uniqueid: a, linkedid: b)])
    try runner.generate()
    #expect(try database.conversations() == [a])
    let place = try ArchivePlace()
    try runner.purge(place, kinds: [.cel])
    // As an archive of before the last CEL has it.
    try database.run(
      "INSERT INTO call_logd_call_log (id, date, date_end, tenant_uuid, conversation_id) SELECT 900, date, date_end, tenant_uuid, '\(b)' FROM call_logd_call_log"
    )
    try runner.restore(place, kinds: [.cel])
    try runner.generate()
    #expect(try database.conversations() == [a])
    try expectWhole(database)
  }

  @Test("a call log that comes back, of a call that got a CEL while it was purged, is made with that CEL")
  func lateWhilePurged() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.generate()
    let place = try ArchivePlace()
    try runner.purge(place, kinds: [.callLogs])
    try database.insert([late])
    #expect(try runner.generate().counters.conversationsPurged == 1)
    #expect(try database.conversations() == [])
    #expect(try runner.restore(place, kinds: [.callLogs]).map(\.restored) == [2])
    #expect(try length(database, a) == "8")
    try runner.generate()
    #expect(try database.conversations() == [a, b] && length(database, a) == "30")
    try expectWhole(database)
  }

  @Test("a call log that comes back, of a call that was made again meanwhile as a part of another, goes into that one")
  func purgedPart() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 20))
    try runner.generate()
    let place = try ArchivePlace()
    try runner.purge(place, kinds: [.callLogs])
    try database.insert([CELRow("HANGUP", 40, uniqueid: a, linkedid: b)])
    try runner.regenerate(conversation: a)
    try runner.generate()
    #expect(try database.conversations() == [a])
    try runner.restore(place, kinds: [.callLogs])
    #expect(try database.conversations() == [a, b])
    try runner.generate()
    #expect(try database.conversations() == [a])
    try expectWhole(database)
  }

  @Test("a restore waits for nobody where the sequence is at the greatest id that comes back already")
  func atTheGreatest() throws {
    var (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.generate()
    let place = try ArchivePlace()
    try runner.purge(place, kinds: [.cel])
    let writer = try database.connect()
    try writer.script("BEGIN; UPDATE cel SET exten = exten WHERE false", purpose: "Writing")
    runner.settings.retryFor = 0.1
    #expect(try runner.restore(place, kinds: [.cel]).map(\.restored) == [20])
    try writer.script("ROLLBACK", purpose: "Writing")
  }

  @Test("a restore waits for who has taken an id that comes back and has not written its row yet")
  func taken() throws {
    let (_, runner) = try wazo(CELRow.call(a))
    try runner.generate()
    let place = try ArchivePlace()
    try runner.archiving(place).archive(runner.options(place, deletes: false, kinds: [.cel]))
    let fresh = try TestDatabase(.wazo)
    var other = Runner(fresh)
    other.settings.retryFor = 0.1
    let asterisk = try fresh.connect()
    try asterisk.script(
      "BEGIN; UPDATE cel SET exten = exten WHERE false; SELECT nextval('cel_id_seq')", purpose: "Taking an id")
    let busy = try failure { try other.restore(place, kinds: [.cel]) }
    #expect(busy.exitReason == .busy && busy.message.contains("process \(asterisk.backendProcessID)"))
    #expect(try fresh.count("cel") == 0)
    var row = CELRow("HANGUP", 500, uniqueid: b, linkedid: b)
    row.id = 1
    try fresh.insert([row], on: asterisk)
    try asterisk.script("COMMIT", purpose: "Writing")
    #expect(try other.restore(place, kinds: [.cel]).map(\.restored) == [9])
    #expect(try fresh.rows("linkedid FROM cel WHERE id = 1") == [b])
  }

  // MARK: Call logs that stay or do not

  @Test("links to a call log that was purged mean nothing once the call was made again")
  func forgotten() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.generate()
    let old = try database.id(of: a)
    try runner.purge(ArchivePlace(), kinds: [.callLogs])
    try runner.regenerate(conversation: a)
    try runner.delete(.all)
    try database.run("UPDATE cel SET call_log_id = \(old) WHERE linkedid = '\(a)'")
    try runner.backfill()
    #expect(try database.conversations() == [a])
  }

  @Test("a call log of our own, of before some of its CELs came, is made anew though all of them point to it")
  func ofBefore() throws {
    let (database, runner) = try wazo(CELRow.call(a), [late])
    try runner.generate()
    #expect(try length(database, a) == "30")
    // What a dump brings back that is older than the links.
    try database.run(
      """
      UPDATE call_logd_call_log SET date_end = date + interval '8 s';
      UPDATE call_logd_checkpoint SET covered = '{[0,11)}'; UPDATE call_logd_seen SET ids = '{[1,11)}', rows = 10;
      """)
    try runner.generate()
    #expect(try length(database, a) == "30")
  }

  @Test("a call whose first CEL is gone is made anew where its clock was read wrongly")
  func shifted() throws {
    let database = try TestDatabase(.plain)
    try database.insert(CELRow.call(a), plain: true)
    try database.run("DELETE FROM asterisk.cel WHERE id = 1")
    var runner = Runner(database, table: "asterisk.cel")
    try runner.generate()
    #expect(try database.conversations() == [a])
    let wrong = try database.value("date::text FROM call_logd_call_log")
    runner.settings.celTimeZone = "America/Toronto"
    let summary = try runner.regenerate(.ids(from: nil, to: nil))
    #expect(summary.counters.callLogsWritten == 1 && summary.counters.conversationsKept == 0)
    #expect(try database.value("date::text FROM call_logd_call_log") != wrong)
  }

  @Test("a call log is not another table's because its clock was read wrongly")
  func shiftedBesideAnother() throws {
    let database = try TestDatabase(.plain)
    try database.insert(CELRow.call(a), plain: true)
    try database.run(
      "CREATE TABLE asterisk.other (LIKE asterisk.cel INCLUDING ALL); INSERT INTO asterisk.other SELECT * FROM asterisk.cel; UPDATE asterisk.other SET linkedid = 'x', uniqueid = 'x'"
    )
    try Runner(database, table: "asterisk.other").generate()
    var runner = Runner(database, table: "asterisk.cel")
    try runner.generate(start: .anew)
    runner.settings.celTimeZone = "America/Toronto"
    let summary = try runner.regenerate(.ids(from: nil, to: nil))
    #expect(summary.counters.callLogsWritten == 1 && summary.counters.conversationsKept == 0)
  }

  @Test(
    "a call that has the channels that began it is made anew, though its first CELs are later than they were",
    arguments: [true, false])
  func later(links: Bool) throws {
    var (database, runner) = try wazo(CELRow.call(b), CELRow.call(a, at: 100))
    runner.settings.linksCELs = links
    try runner.generate()
    try database.run("UPDATE cel SET eventtime = eventtime + interval '0.5 s' WHERE id BETWEEN 11 AND 13")
    let summary = try runner.regenerate(.ids(from: 11, to: nil))
    #expect(summary.counters.callLogsWritten == 1 && summary.counters.conversationsKept == 0)
    #expect(
      try database.value("(date AT TIME ZONE 'UTC')::text FROM call_logd_call_log WHERE conversation_id = '\(a)'")
        == "2024-05-06 10:01:40.5")
  }

  @Test(
    "beside another CEL table, a call log is of the CELs that point to it or begin when it does, and partly gone where neither is there"
  )
  func besideAnother() throws {
    var (database, runner) = try wazo(CELRow.call(b), CELRow.call(a, at: 100))
    try database.run(
      """
      CREATE TABLE other (LIKE cel INCLUDING ALL); CREATE SEQUENCE other_seq; ALTER TABLE other ALTER id SET DEFAULT nextval('other_seq');
      INSERT INTO other SELECT * FROM cel WHERE id <= 10; UPDATE other SET linkedid = 'x', uniqueid = 'x' || uniqueid; SELECT setval('other_seq', 10);
      """)
    try Runner(database, table: "other").generate()
    runner.settings.linksCELs = false
    try runner.generate(start: .anew)
    func expect(written: Int, partlyGone: Int = 0, _ location: SourceLocation = #_sourceLocation) throws {
      let counters = try runner.regenerate(.ids(from: 11, to: nil)).counters
      #expect(
        counters.callLogsWritten == written && counters.conversationsPartlyGone == partlyGone
          && counters.conversationsKept == partlyGone && counters.tally[.linkedidOfOtherTable] == 0, "\(counters.json)",
        sourceLocation: location)
    }
    // It ends later now.
    try database.insert([CELRow("CHAN_END", 130, uniqueid: a, linkedid: a, channel: "PJSIP/aaa11-1", name: "Ann", number: "101")])
    try expect(written: 1)
    runner.settings.linksCELs = true
    try expect(written: 1)
    try database.run("UPDATE cel SET eventtime = eventtime + interval '0.5 s' WHERE id BETWEEN 11 AND 13")
    try expect(written: 1)
    runner.settings.linksCELs = false
    try database.run("DELETE FROM cel WHERE id BETWEEN 11 AND 13; UPDATE cel SET call_log_id = NULL")
    try expect(written: 0, partlyGone: 1)
  }
}
