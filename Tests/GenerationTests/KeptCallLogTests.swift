import CallLogs
import PostgreSQL
import Runs
import TestSupport
import Testing

@testable import Store

@Suite("Call logs that stay as they stand, and those that do not")
struct KeptCallLogTests {
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

  @Test("call logs that somebody deleted are made again only by regenerate, while their CELs stay covered")
  func deletedByHand() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.generate()
    try database.run("DELETE FROM call_logd_call_log WHERE conversation_id = '\(a)'")
    #expect(try runner.generate().chunks == 0)
    try runner.regenerate(.ids(from: nil, to: nil))
    #expect(try database.conversations() == [a, b])
  }

  @Test("regenerate corrects clocks that were read wrongly, later or earlier", arguments: ["America/Toronto", "Asia/Tokyo"])
  func clocks(zone: String) throws {
    let database = try TestDatabase(.plain)
    try database.insert(CELRow.call(a) + CELRow.call(b, at: 100), plain: true)
    var runner = Runner(database, table: "asterisk.cel")
    try runner.generate()
    let wrong = try database.rows("date::text FROM call_logd_call_log ORDER BY date")
    runner.settings.celTimeZone = zone
    let summary = try runner.regenerate(.ids(from: nil, to: nil))
    #expect(summary.counters.callLogsWritten == 2 && summary.counters.conversationsKept == 0)
    let right = try database.rows("date::text FROM call_logd_call_log ORDER BY date")
    #expect(wrong != right && right.count == 2)
    try runner.delete(.all)
    try runner.backfill()
    #expect(try database.rows("date::text FROM call_logd_call_log ORDER BY date") == right)
  }

  @Test("a call whose first CELs are gone stays as it stands, is counted so, and regenerate by the clock spares it")
  func partlyGone() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.generate()
    try database.run("DELETE FROM cel WHERE id <= 3")
    let before = try database.contentsWithIDs()
    let summary = try runner.regenerate(.ids(from: nil, to: nil))
    #expect(summary.counters.conversationsPartlyGone == 1 && summary.counters.conversationsKept == 1)
    expectSame(try database.contentsWithIDs(), before)
  }

  @Test("two CEL tables with one linkedid for two calls: the call log that is there stays, and it is told")
  func twoTables() throws {
    let database = try TestDatabase(.wazo)
    try database.insert(CELRow.call(a))
    try database.run(
      "CREATE TABLE other (LIKE cel INCLUDING ALL); CREATE SEQUENCE other_seq; ALTER TABLE other ALTER id SET DEFAULT nextval('other_seq')"
    )
    try database.run(
      "INSERT INTO other SELECT * FROM cel; UPDATE other SET eventtime = eventtime + interval '350 ms' * id, cid_name = 'Zoe'; SELECT setval('other_seq', 10)"
    )
    try Runner(database).generate()
    let before = try database.contentsWithIDs()
    let summary = try Runner(database, table: "other").generate(start: .anew)
    #expect(summary.counters.tally[.linkedidOfOtherTable] == 1 && summary.counters.conversationsKept == 1)
    expectSame(try database.contentsWithIDs(), before)
    // One table's own calls are remade as ever.
    try Runner(database).regenerate(.ids(from: nil, to: nil))
    expectSame(try database.contentsWithIDs(), before)
  }

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
