import PostgreSQL
import Runs
import TestSupport
import Testing

@testable import Store

@Suite("What a restore brings back")
struct RestoredCELTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"
  private let c = "1714989800.3"

  /// A channel of call `a` that ends half a minute after it began.
  private var late: CELRow {
    CELRow("CHAN_END", 30, uniqueid: a, linkedid: a, channel: "PJSIP/aaa11-1", name: "Ann", number: "101")
  }

  private func length(_ database: TestDatabase, _ conversation: String) throws -> String {
    try database.value(
      "extract(epoch FROM date_end - date)::int FROM call_logd_call_log WHERE conversation_id = '\(conversation)'")
  }

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

  @Test("a channel whose CELs come back without its CHAN_START is awaited again: its call joins them when it comes")
  func awaited() throws {
    let (database, runner) = try wazo(CELRow.call(b, at: 100), [CELRow("HANGUP", 108, uniqueid: a, linkedid: b)])
    let awaited = "uniqueid FROM call_logd_awaited"
    try runner.generate()
    let place = try ArchivePlace()
    try runner.purge(place, kinds: [.cel])
    try runner.generate()
    #expect(try database.rows(awaited) == [])
    try runner.restore(place, kinds: [.cel])
    #expect(try database.rows(awaited) == [a] && database.coverage() == "{[0,12)}")
    try database.insert(CELRow.call(a))
    try runner.generate()
    #expect(try database.conversations() == [a] && database.rows(awaited) == [])
    try expectWhole(database)
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

  @Test(
    "an older state of a call log, which comes back alone, is made again from the CELs: those in the table, and those that come back later",
    arguments: [false, true])
  func olderState(celsAreAway: Bool) throws {
    let (database, runner) = try wazo(CELRow.call(a))
    try runner.backfill()
    let place = try ArchivePlace()
    try runner.purge(place, kinds: [.callLogs])
    try runner.restore(place, kinds: [.callLogs])
    let older = try database.contents()
    try database.insert([late])
    try runner.generate()
    let newest = try database.contents()
    #expect(newest != older)
    try runner.purge(place, kinds: celsAreAway ? [.callLogs, .cel] : [.callLogs])
    #expect(try database.conversations() == [])
    try runner.restore(place, kinds: [.callLogs]) { $0.files = ["call-logs-2024-05-0001.manifest.json"] }
    #expect(try database.conversations() == [a])
    if celsAreAway { try runner.restore(place, kinds: [.cel]) }
    try runner.generate()
    expectSame(try database.contents(), newest)
    // The newest state is not made again: it comes back as it was.
    try database.run("UPDATE call_logd_call_log SET source_name = 'as it was'")
    try runner.purge(place, kinds: [.callLogs])
    try runner.restore(place, kinds: [.callLogs])
    try runner.backfill()
    #expect(try database.rows("source_name FROM call_logd_call_log") == ["as it was"])
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

  @Test(
    "CELs that come back without their call logs are uncovered in the same commit, and made", arguments: [true, false],
    [true, false])
  func restoredCELs(links: Bool, isApart: Bool) throws {
    let (cels, logs) = (try TestDatabase(.wazo), isApart ? try TestDatabase(.empty) : nil)
    try cels.insert(CELRow.call(a) + CELRow.call(b, at: 100) + CELRow.call(c, at: 200))
    var runner = logs.map { Runner($0, cels: cels) } ?? Runner(cels)
    let database = runner.database
    runner.settings.linksCELs = links
    try runner.backfill()
    let place = try ArchivePlace()
    try runner.purge(place, kinds: [.cel], rows: 10)
    try database.run("DELETE FROM call_logd_call_log WHERE conversation_id = '\(b)'")
    #expect(try runner.restore(place, kinds: [.cel]).map(\.restored) == [30])
    #expect(try database.coverage() == "{[0,11),[21,31)}")
    #expect(try runner.generate().counters.cels == 10)
    #expect(try database.conversations() == [a, b, c])
    try runner.purge(place, kinds: [.cel])
    try runner.delete(.all)
    try runner.backfill()
    try runner.restore(place, kinds: [.cel])
    try runner.backfill()
    #expect(try database.conversations() == [a, b, c])
    try expectCovered(database, cels: cels)
  }

  @Test("calls that stood open before a purge are open again after a restore, and closed by close_after")
  func openCalls() throws {
    var (database, runner) = try wazo(CELRow.call(a), Array(CELRow.call(b, at: 100).dropLast()))
    try runner.generate()
    let place = try ArchivePlace()
    try runner.purge(place, kinds: [.cel])
    #expect(try database.count("call_logd_open") == 0)
    try runner.restore(place, kinds: [.cel])
    try runner.generate()
    #expect(try database.rows("linkedid FROM call_logd_open") == [b])
    runner.settings.closeAfter = 3600
    try runner.generate()
    #expect(try database.conversations() == [a, b])
  }

  @Test("a new database that is filled from the archive of CELs alone makes every call log, though the CELs point to some")
  func rebuilt() throws {
    let (_, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.backfill()
    let place = try ArchivePlace()
    try runner.archiving(place).archive(runner.options(place, deletes: false, kinds: [.cel]))
    let fresh = try TestDatabase(.wazo)
    let other = Runner(fresh)
    try other.restore(place, kinds: [.cel])
    try other.backfill()
    #expect(try fresh.conversations() == [a, b])
    #expect(
      try fresh.value(
        "count(*) FROM cel JOIN call_logd_call_log l ON l.id = cel.call_log_id AND l.conversation_id = cel.linkedid") == "20")
  }

  @Test("while Asterisk writes, a restore moves the sequence first and waits for who may have an id below")
  func beside() throws {
    let (_, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.backfill()
    let place = try ArchivePlace()
    try runner.archiving(place).archive(runner.options(place, deletes: false, kinds: [.cel]))
    let fresh = try TestDatabase(.wazo)
    var other = Runner(fresh)
    other.settings.retryFor = 0.5
    let asterisk = try fresh.connect()
    try asterisk.script("BEGIN", purpose: "Writing")
    try fresh.insert(Array(CELRow.call(c, at: 500).prefix(3)), on: asterisk)
    let busy = try failure { try other.restore(place, kinds: [.cel]) }
    #expect(busy.exitReason == .busy && busy.message.contains("process \(asterisk.backendProcessID)"))
    #expect(try fresh.count("cel") == 0)
    try asterisk.script("COMMIT", purpose: "Writing")
    try fresh.insert(Array(CELRow.call(c, at: 500).dropFirst(3)), on: asterisk)
    #expect(try fresh.rows("id FROM cel ORDER BY id") == ["1", "2", "3"] + (21...27).map(String.init))
    #expect(try other.restore(place, kinds: [.cel]).map(\.restored) == [17])
    try other.backfill()
    #expect(try fresh.conversations().contains(c))
  }

  private func expectCovered(_ database: TestDatabase, cels: TestDatabase) throws {
    let coverage = try database.coverage()
    #expect(try cels.value("count(*) FROM cel WHERE NOT int8multirange '\(coverage)' @> id::int8") == "0")
    #expect(try database.value("count(*) FROM call_logd_reach") == "0" && database.value("count(*) FROM call_logd_gap") == "0")
  }
}
