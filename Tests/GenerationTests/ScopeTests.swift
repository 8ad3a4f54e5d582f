import Generation
import TestSupport
import Testing

@Suite("Which CELs a verb takes")
struct ScopeTests {
  /// Five calls of ten CELs, ids 1 to 50, with a chat of four before the newest: ids 41 to 44 are
  /// the chat.
  private func five() throws -> (TestDatabase, Runner) {
    try wazo(
      CELRow.call("1714989600.1"), CELRow.call("1714989700.2", at: 100), CELRow.call("1714989800.3", at: 200),
      CELRow.call("1714989900.4", at: 300), CELRow.chat("1714990000.5", at: 400), CELRow.call("1714990100.6", at: 500))
  }

  @Test("-c N takes the newest N CELs; chats do not count, a call that N cuts is made whole")
  func count() throws {
    let (database, runner) = try five()
    try runner.generate(.newest(10))
    #expect(try database.conversations() == ["1714990100.6"])
    #expect(try database.coverage() == "{[45,55)}")
    // One more CEL, beyond the chat's: it belongs to call 4, which is made from all its CELs.
    try runner.generate(.newest(1))
    #expect(try database.conversations() == ["1714989900.4", "1714990100.6"])
    #expect(try database.coverage() == "{[40,55)}")
    #expect(try database.value("count(*) FROM cel WHERE call_log_id IS NOT NULL") == "20")
    #expect(try database.rows("linkedid FROM call_logd_reach") == ["1714989900.4"])
    // The rest of call 4 counts, though it has its call log: nine, and one of call 3.
    try runner.generate(.newest(10))
    #expect(try database.conversations() == ["1714989800.3", "1714989900.4", "1714990100.6"])
    try runner.generate(.newest(1000))
    #expect(try database.conversations().count == 5)
    try expectWhole(database)
  }

  @Test("generate without options takes everything above the greatest covered id, then 20,000 CELs of history")
  func nightly() throws {
    var (database, runner) = try five()
    try runner.backfill(from: 21, to: 30)
    runner.settings.history = 5
    let first = try runner.generate()
    #expect(try database.conversations() == ["1714989700.2", "1714989800.3", "1714989900.4", "1714990100.6"])
    #expect(try database.coverage() == "{[16,55)}")
    #expect(first.uncovered == [1..<16])
    try runner.generate()
    #expect(try database.coverage() == "{[11,55)}")
    runner.settings.history = 20_000
    try runner.generate()
    #expect(try database.conversations().count == 5)
    try expectWhole(database)
    try database.insert(CELRow.call("1714990200.7", at: 600))
    #expect(try runner.generate().counters.cels == 10)
    #expect(try database.conversations().count == 6)
  }

  @Test("the first nightly run takes everything")
  func first() throws {
    let (database, runner) = try five()
    let summary = try runner.generate()
    #expect(summary.counters.chat == 4 && summary.counters.callLog == 50 && summary.counters.isBalanced)
    #expect(summary.uncovered.isEmpty)
    try expectWhole(database)
  }

  @Test("-d N takes the ids between the least and the greatest CEL of N days, by eventtime")
  func days() throws {
    let (database, runner) = try five()
    try database.run(
      """
      UPDATE cel SET eventtime = eventtime + (now() - '2024-05-06 10:00Z') - interval '10 days' WHERE id <= 20;
      UPDATE cel SET eventtime = eventtime + (now() - '2024-05-06 10:00Z') - interval '2 days' WHERE id > 20;
      -- A late row: its id is high, its time is old.
      UPDATE cel SET id = 60 WHERE id = 20;
      SELECT setval('cel_id_seq', 60);
      """)
    try runner.generate(.days(3))
    #expect(try database.conversations() == ["1714989800.3", "1714989900.4", "1714990100.6"])
    #expect(try database.coverage() == "{[21,55)}")
    try runner.generate(.days(11))
    #expect(try database.conversations().count == 5)
    #expect(try database.coverage() == "{[1,61)}")
    #expect(try runner.generate(.days(11)).chunks == 0)
  }

  @Test("backfill takes what is uncovered between two ids, both included")
  func range() throws {
    let (database, runner) = try five()
    try runner.backfill(from: 11, to: 20)
    #expect(try database.conversations() == ["1714989700.2"])
    #expect(try database.coverage() == "{[11,21)}")
    #expect(try runner.backfill(from: 12, to: 30).counters.cels == 10)
    #expect(try runner.backfill(from: 40, to: 20).chunks == 0)
    #expect(try runner.backfill(from: 1000, to: 2000).chunks == 0)
    try runner.backfill()
    try expectWhole(database)
  }

  @Test("delete -A removes all and uncovers all; generate makes the same again")
  func deleteAll() throws {
    let (database, runner) = try five()
    try runner.backfill()
    let before = try database.contents()
    #expect(try runner.delete(.all) == 5)
    #expect(try database.conversations() == [])
    #expect(try database.coverage() == "{}")
    for table in ["call_logd_call_log_participant", "call_logd_call_log_destination", "call_logd_recording"] {
      #expect(try database.value("count(*) FROM \(table)") == "0")
    }
    #expect(try database.value("count(*) FROM cel WHERE call_log_id IS NOT NULL") == "0")
    #expect(try runner.delete(.all) == 0)
    try runner.generate()
    expectSame(try database.contents(), before)
  }

  @Test("delete -d N removes the call logs that began in the last N days; older ones stay")
  func deleteDays() throws {
    let (database, runner) = try five()
    try database.run(
      """
      UPDATE cel SET eventtime = eventtime + (now() - '2024-05-06 10:00Z') - interval '10 days' WHERE id <= 20;
      UPDATE cel SET eventtime = eventtime + (now() - '2024-05-06 10:00Z') - interval '2 days' WHERE id > 20;
      """)
    try runner.backfill()
    let before = try database.contents()
    #expect(try runner.delete(.lastDays(1)) == 0)
    #expect(try runner.delete(.lastDays(3)) == 3)
    #expect(try database.conversations() == ["1714989600.1", "1714989700.2"])
    #expect(try database.coverage() == "{[0,21)}")
    #expect(try database.value("min(id) || ' ' || max(id) FROM cel WHERE call_log_id IS NOT NULL") == "1 20")
    try runner.generate()
    expectSame(try database.contents(), before)
    try expectWhole(database)
  }

  @Test("delete -A also takes dangling links back")
  func dangling() throws {
    let (database, runner) = try five()
    try runner.backfill()
    try database.run("UPDATE cel SET call_log_id = 4711 WHERE id <= 10")
    try runner.delete(.all)
    #expect(try database.value("count(*) FROM cel WHERE call_log_id IS NOT NULL") == "0")
    try runner.generate()
    #expect(try database.conversations().count == 5)
  }

  @Test("what a deletion uncovers beside its call logs is made anew from all its CELs")
  func uncoveredBystander() throws {
    // Call 1 is old and stays; its last CEL comes late, long after the newer call 2.
    var late = CELRow(
      "BRIDGE_ENTER", 3, uniqueid: "1714989600.19", linkedid: "1714989600.1", channel: "PJSIP/ccc13-1", name: "Cyd", number: "103"
    )
    late.id = 100
    var (database, runner) = try wazo(CELRow.call("1714989600.1"), CELRow.call("1714989700.2", at: 400_000), [late])
    runner.settings.linksCELs = false
    try database.run(
      """
      UPDATE cel SET eventtime = eventtime + (now() - '2024-05-06 10:00Z') - interval '7 days';
      -- The ids of the two calls mix.
      UPDATE cel SET id = id + 1000; UPDATE cel SET id = CASE WHEN id <= 1010 THEN (id - 1000) * 2 WHEN id < 1020 THEN (id - 1010) * 2 - 1 WHEN id = 1020 THEN 21 ELSE 100 END;
      SELECT setval('cel_id_seq', 100);
      """)
    try runner.backfill()
    let before = try database.contents()
    #expect(try runner.delete(.lastDays(4)) == 1)
    #expect(try database.coverage() == "{[0,1),[22,101)}")
    try runner.generate()
    expectSame(try database.contents(), before)
    try expectWhole(database)
  }

  @Test("the same where only one of a conversation's linkedids is uncovered")
  func uncoveredPart() throws {
    let (old, part, new) = ("1714989600.1", "1714989700.2", "1715400000.3")
    var (database, runner) = try wazo(
      CELRow.call(old), CELRow.call(part, at: 100), CELRow.call(new, at: 400_000),
      [CELRow("HANGUP", 120, uniqueid: part, linkedid: old)])
    runner.settings.linksCELs = false
    try database.run(
      """
      UPDATE cel SET eventtime = eventtime + (now() - '2024-05-06 10:00Z') - interval '7 days';
      -- The new call's ids are around those of the part.
      UPDATE cel SET id = 100 WHERE id = 31; UPDATE cel SET id = 60 WHERE id = 30; UPDATE cel SET id = -id WHERE id = 21;
      UPDATE cel SET id = id + 20 WHERE id BETWEEN 11 AND 20; UPDATE cel SET id = id + 30 WHERE id BETWEEN 22 AND 29;
      """)
    try database.run("UPDATE cel SET id = 12 WHERE id = -21; SELECT setval('cel_id_seq', 100)")
    try runner.backfill()
    let before = try database.contents()
    #expect(try database.conversations() == [old, new])
    #expect(try runner.delete(.lastDays(4)) == 1)
    #expect(try database.rows("linkedid FROM call_logd_reach") == [part])
    try runner.generate()
    expectSame(try database.contents(), before)
    try expectWhole(database)
  }

  @Test(
    "what is not covered and holds nothing that counts is covered by the next run, for good",
    arguments: [Scope.nightly, .newest(5)])
  func emptyRanges(_ scope: Scope) throws {
    let database = try TestDatabase(.wazo)
    try database.insert(CELRow.call("1714986000.1") + CELRow.chat("1714986050.2") + CELRow.call("1714986100.3", at: 100))
    let runner = Runner(database)
    try runner.generate(.newest(1))
    // The older call is purged before it was covered; its range holds a chat only.
    try database.run("DELETE FROM cel WHERE linkedid = '1714986000.1'")
    try runner.generate(.ids(from: 15, to: nil))
    let summary = try runner.generate(scope)
    #expect(summary.uncovered.isEmpty && summary.counters.cels == summary.counters.chat)
    try expectWhole(database)
    #expect(try runner.generate(scope).chunks == 0)
  }

  @Test("the first bare run takes the newest 20,000 CELs; backfill takes the rest")
  func firstRun() throws {
    let database = try TestDatabase(.wazo)
    try database.simulate(calls: 1500, seed: 7)
    let cels = try database.count("cel")
    #expect(cels > 20_000)
    let runner = Runner(database)
    let first = try runner.generate().counters
    // SIP chats do not count.
    #expect(first.cels - first.chat == 20_000)
    #expect(
      try database.value("count(*) FROM cel, call_logd_checkpoint WHERE NOT covered @> cel.id::int8") == "\(cels - first.cels)")
    try runner.backfill()
    #expect(try database.value("count(*) FROM cel, call_logd_checkpoint WHERE NOT covered @> cel.id::int8") == "0")
  }
}
