import PostgreSQL
import Store
import TestSupport
import Testing

@Suite("regenerate")
struct RegenerateTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"
  private let c = "1714989800.3"

  @Test("remakes what is in its range and nothing else; ids stay")
  func range() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100), CELRow.call(c, at: 200))
    try runner.backfill()
    let before = try database.contentsWithIDs()
    try database.run("UPDATE call_logd_call_log SET source_name = 'wrong', id = id + 100")
    try database.run("UPDATE cel SET call_log_id = call_log_id + 100")
    let summary = try runner.regenerate(.ids(from: 5, to: 15))
    #expect(summary.counters.callLogsWritten == 2 && summary.counters.cels == 11)
    #expect(
      try database.rows("conversation_id, source_name FROM call_logd_call_log ORDER BY 1") == [
        "\(a)|Ann", "\(b)|Ann", "\(c)|wrong",
      ])
    try database.run("UPDATE call_logd_call_log SET id = id - 100")
    try database.run("UPDATE cel SET call_log_id = call_log_id - 100")
    try runner.regenerate(.ids(from: nil, to: nil))
    expectSame(try database.contentsWithIDs(), before)
    try expectWhole(database)
  }

  @Test("makes one call log of calls that are joined, though its range holds only one of them whole", arguments: [true, false])
  func joined(links: Bool) throws {
    // The last CEL joins the second call to the first.
    var (database, runner) = try wazo(
      CELRow.call(a), CELRow.call(b, at: 100), [CELRow("LINKEDID_END", 120, uniqueid: a, linkedid: b)])
    runner.settings.linksCELs = links
    try runner.backfill()
    #expect(try database.conversations() == [a])
    let before = try database.contentsWithIDs()
    for range in [(11, 20), (1, 10), (21, 21), (11, 21)] as [(Int64, Int64)] {
      try runner.regenerate(.ids(from: range.0, to: range.1))
      expectSame(try database.contentsWithIDs(), before, "\(range)")
      try expectWhole(database)
    }
  }

  @Test("covers what is not covered in its range")
  func uncovered() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.regenerate(.ids(from: nil, to: 10))
    #expect(try database.conversations() == [a])
    #expect(try database.coverage() == "{[0,11)}")
    try runner.regenerate(.ids(from: nil, to: nil))
    try expectWhole(database)
  }

  @Test("leaves the call log of a call as it is whose first CELs were purged")
  func halfPurged() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.backfill()
    let before = try database.contentsWithIDs()
    try database.run("DELETE FROM cel WHERE id <= 5")
    let summary = try runner.regenerate(.ids(from: nil, to: nil))
    #expect(summary.counters.conversationsKept == 1)
    expectSame(try database.contentsWithIDs(), before)
    try database.run("DELETE FROM cel")
    try runner.regenerate(.ids(from: nil, to: nil))
    expectSame(try database.contentsWithIDs(), before)
  }

  @Test("remakes call logs of Wazo's program, with or without a conversation, under their ids; generate leaves them")
  func ofWazo() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100), CELRow.call(c, at: 200))
    _ = try runner.context()
    try database.run(
      """
      INSERT INTO call_logd_tenant VALUES ('\(defaultTenant)');
      INSERT INTO call_logd_call_log (id, date, tenant_uuid, source_name, conversation_id) VALUES
        (71, '2024-05-06 10:00Z', '\(defaultTenant)', 'theirs', '\(a)'), (72, '2024-05-06 10:01:40Z', '\(defaultTenant)', 'theirs', NULL);
      UPDATE cel SET call_log_id = CASE WHEN linkedid = '\(a)' THEN 71 ELSE 72 END WHERE linkedid IN ('\(a)', '\(b)');
      """)
    let theirs = try database.rows("* FROM call_logd_call_log ORDER BY id").count
    try runner.backfill()
    #expect(theirs == 2)
    #expect(
      try database.rows("id, source_name, conversation_id FROM call_logd_call_log WHERE id IN (71, 72) ORDER BY id") == [
        "71|theirs|\(a)", "72|theirs|∅",
      ])
    #expect(try database.value("count(*) FROM call_logd_call_log") == "3")
    try runner.regenerate(.ids(from: nil, to: nil))
    #expect(
      try database.rows("id, source_name, conversation_id FROM call_logd_call_log WHERE id IN (71, 72) ORDER BY id") == [
        "71|Ann|\(a)", "72|Ann|\(b)",
      ])
    #expect(try database.value("count(*) FROM call_logd_call_log") == "3")
    try expectWhole(database)
  }

  @Test("one conversation by any of its linkedids or by the id of its call log, in place, whatever is covered")
  func conversation() throws {
    var rows = CELRow.call(a) + CELRow.call(b, at: 100)
    // The two share a channel: one conversation.
    rows.append(CELRow("BRIDGE_ENTER", 150, uniqueid: a, linkedid: b))
    let (database, runner) = try wazo(rows, CELRow.call(c, at: 200))
    try runner.backfill()
    let before = try database.contentsWithIDs()
    let id = try database.id(of: a)
    let coverage = try database.coverage()
    for name in [a, b, id] {
      try database.run("UPDATE call_logd_call_log SET source_name = 'wrong'")
      #expect(try runner.regenerate(conversation: name).callLogsWritten == 1)
      #expect(try database.rows("source_name FROM call_logd_call_log ORDER BY conversation_id") == ["Ann", "wrong"])
    }
    try runner.regenerate(conversation: c)
    expectSame(try database.contentsWithIDs(), before)
    #expect(try database.coverage() == coverage)
    let failure = try failure { try runner.regenerate(conversation: "1.1") }
    #expect(failure.exitReason == .badInput && failure.message.contains("1.1"))
    try database.run("DELETE FROM cel WHERE linkedid = '\(c)' AND eventtype = 'LINKEDID_END'")
    #expect(try runner.regenerate(conversation: c).callLogsRemoved == 1)
    #expect(try database.conversations() == [a])
    try expectWhole(database)
  }

  @Test("a conversation of which nothing is covered yet: its CELs are then covered without a second call log")
  func notCovered() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.regenerate(conversation: a)
    #expect(try database.conversations() == [a])
    #expect(try database.coverage() == "{}")
    try runner.generate()
    #expect(try database.conversations() == [a, b])
    try expectWhole(database)
  }
}
