import TestSupport
import Testing

@Suite("Call logs that are made again")
struct IdentityTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"

  @Test("a late CEL of a call that was done remakes it in place, under the same id")
  func lateCEL() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.backfill()
    let id = try database.id(of: a)
    let other = try database.rows("xmin, id FROM call_logd_call_log WHERE conversation_id = '\(b)'")
    try database.insert([CELRow("CHAN_END", 30, uniqueid: a, linkedid: a, channel: "PJSIP/aaa11-1", name: "Ann", number: "101")])
    let summary = try runner.generate()
    #expect(summary.counters.callLogsWritten == 1 && summary.counters.callLogsRemoved == 0)
    #expect(try database.id(of: a) == id)
    #expect(
      try database.value("extract(epoch FROM date_end - date)::int FROM call_logd_call_log WHERE conversation_id = '\(a)'")
        == "30")
    #expect(try database.rows("xmin, id FROM call_logd_call_log WHERE conversation_id = '\(b)'") == other)
    #expect(try database.value("count(*) FROM cel WHERE call_log_id = \(id)") == "11")
  }

  @Test("a conversation that becomes unfinished or invalid loses its call log and the links to it")
  func noLongerACall() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.backfill()
    // Another linkedid, without an end, on one of a's channels; and b's caller was nobody.
    try database.insert([CELRow("HANGUP", 9, uniqueid: a, linkedid: "1714989650.3")])
    try database.run(
      "UPDATE cel SET cid_name = '', cid_num = '', eventtype = 'HANGUP' WHERE linkedid = '\(b)' AND eventtype <> 'LINKEDID_END'")
    try database.insert([CELRow("HANGUP", 130, uniqueid: b, linkedid: b)])
    let summary = try runner.generate()
    #expect(summary.counters.callLogsRemoved == 2 && summary.counters.unfinished == 1 && summary.counters.invalid == 1)
    #expect(try database.conversations() == [])
    #expect(try database.value("count(*) FROM cel WHERE call_log_id IS NOT NULL") == "0")
    #expect(try database.value("count(*) FROM call_logd_call_log_participant") == "0")
    // The end comes after all.
    try database.insert([CELRow("LINKEDID_END", 11, uniqueid: a, linkedid: "1714989650.3")])
    try runner.generate()
    #expect(try database.conversations() == [a])
    try expectWhole(database)
  }

  @Test("a part of a conversation that looks whole is not taken for it when more of it was read before")
  func looksWhole() throws {
    // A row of a that comes last says that b belongs to it.
    let joined = CELRow("HANGUP", 120, uniqueid: b, linkedid: a)
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100), [joined])
    try runner.backfill(from: 21, to: 21)
    #expect(try database.conversations() == [a])
    #expect(try database.rows("linkedid FROM call_logd_reach ORDER BY 1") == [a, b])
    try database.run("UPDATE cel SET call_log_id = NULL")
    try runner.backfill(from: 11, to: 20)
    #expect(try database.conversations() == [a])
    #expect(try database.value("count(*) FROM cel WHERE call_log_id IS NULL") == "0")
    try runner.backfill()
    #expect(try database.conversations() == [a])
    try expectWhole(database)
  }

  @Test("two call logs that turn out to be one conversation become one: the same conversation's id, else the least")
  func merged() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    // b is made first and has the lower id.
    try runner.backfill(from: 11, to: 20)
    try runner.backfill()
    let ids = (a: try database.id(of: a), b: try database.id(of: b))
    #expect(Int(ids.b) ?? 0 < Int(ids.a) ?? 0)
    try database.insert([CELRow("HANGUP", 20, uniqueid: a, linkedid: b)])
    let summary = try runner.generate()
    #expect(summary.counters.callLogsRemoved == 1)
    #expect(try database.rows("id, conversation_id FROM call_logd_call_log") == ["\(ids.a)|\(a)"])
    #expect(try database.value("count(*) FROM cel WHERE call_log_id = \(ids.a)") == "21")

    // An older conversation joins, so that neither row is of the conversation's name.
    try database.insert([CELRow("LINKEDID_END", -5, uniqueid: a, linkedid: "1714989500.9")])
    try runner.generate()
    #expect(try database.rows("id, conversation_id FROM call_logd_call_log") == ["\(ids.a)|1714989500.9"])
  }

  @Test(
    "a linkedid that ends twice gives the same whichever part is read first",
    arguments: [[1, 2, 3], [3, 2, 1], [2, 1, 3], [2, 3, 1]])
  func endsTwice(order: [Int64]) throws {
    let again = CELRow.call(a, at: 50).map { row in
      var row = row
      row.uniqueid = row.uniqueid + "7"
      return row
    }
    let (one, all) = try wazo(CELRow.call(a), CELRow.call(b, at: 10), again)
    try all.backfill()
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 10), again)
    for part in order { try runner.backfill(from: part * 10 - 9, to: part * 10) }
    try runner.backfill()
    expectSame(try database.contents(), try one.contents())
    expectSame(try database.links(), try one.links())
  }

  @Test("a call log that begins before the first CEL there is stays as it stands")
  func purged() throws {
    var (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    runner.settings.linksCELs = false
    try runner.backfill()
    let before = try database.contentsWithIDs()
    try database.run("DELETE FROM cel WHERE id <= 5 OR id > 10")
    try database.insert([CELRow("HANGUP", 30, uniqueid: a, linkedid: a)])
    try database.insert([CELRow("HANGUP", 130, uniqueid: b, linkedid: b)])
    let summary = try runner.generate()
    #expect(summary.counters.conversationsKept == 2 && summary.counters.callLogsRemoved == 0)
    expectSame(try database.contentsWithIDs(), before)
    // Deleted means deleted: what is left of the CELs makes no call.
    try runner.delete(.all)
    let rest = try runner.generate()
    #expect(try database.conversations() == [] && rest.counters.isBalanced)
    #expect(rest.counters.unfinished == 1)
  }

  @Test("a deleted recording stays deleted when its call log is made again")
  func deletedRecording() throws {
    let path =
      "/var/lib/wazo/sounds/tenants/11111111-1111-4111-8111-111111111111/monitor/22222222-2222-4222-8222-222222222222.wav"
    let (database, runner) = try wazo(CELRow.call(a, recording: path))
    try runner.backfill()
    #expect(try database.rows("path FROM call_logd_recording") == [path])
    let uuid = try database.value("uuid::text FROM call_logd_recording")
    try database.run("UPDATE call_logd_recording SET path = NULL")
    try database.insert([CELRow("HANGUP", 30, uniqueid: a, linkedid: a)])
    #expect(try runner.generate().counters.callLogsWritten == 1)
    #expect(try database.rows("uuid::text, path FROM call_logd_recording") == ["\(uuid)|∅"])
  }

  @Test("a recording's uuid that another call has is derived instead; both calls are stored", arguments: [1, 20_000])
  func takenUUID(chunkSize: Int) throws {
    let path =
      "/var/lib/wazo/sounds/tenants/11111111-1111-4111-8111-111111111111/monitor/22222222-2222-4222-8222-222222222222.wav"
    let (database, runner) = try wazo(
      CELRow.call(a, recording: path), CELRow.call(b, at: 100, recording: path), chunkSize: chunkSize)
    let summary = try runner.backfill()
    #expect(try database.conversations() == [a, b])
    #expect(try database.value("count(*) || ' ' || count(DISTINCT uuid) FROM call_logd_recording") == "2 2")
    #expect(summary.counters.tally[.recordingUUIDTaken] == 1)
    #expect(summary.counters.conversationsRefused == 0)
    let first = try database.contents()
    try runner.delete(.all)
    // The other one first: the least conversation_id takes the uuid from it.
    try runner.backfill(from: 12)
    try runner.backfill()
    expectSame(try database.contents(), first)
    try runner.regenerate(.ids(from: 12, to: nil))
    expectSame(try database.contents(), first)
  }
}
