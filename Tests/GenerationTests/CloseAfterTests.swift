import PostgreSQL
import Store
import TestSupport
import Testing

@Suite("Calls without LINKEDID_END")
struct CloseAfterTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"

  private func open(_ linkedid: String, at time: Double = 0) -> [CELRow] { Array(CELRow.call(linkedid, at: time).dropLast()) }

  @Test("have no call log and stand noted as open, until their end comes")
  func noted() throws {
    let (database, runner) = try wazo(open(a), CELRow.call(b, at: 100))
    try runner.generate()
    #expect(try database.conversations() == [b])
    #expect(
      try database.rows("linkedid, conversation, first_event::text, newest_event::text, cels FROM call_logd_open") == [
        "\(a)|\(a)|2024-05-06 10:00:00+00|2024-05-06 10:00:08+00|9"
      ])
    try database.insert([CELRow.call(a)[9]])
    try runner.generate()
    #expect(try database.conversations() == [a, b])
    try expectWhole(database)
  }

  @Test("are closed by what they have when their newest event is older than close_after, in a chunk or long after")
  func closed() throws {
    var (database, runner) = try wazo(open(a), CELRow.call(b, at: 100))
    try runner.generate()
    runner.settings.closeAfter = 3600
    let summary = try runner.generate()
    #expect(summary.chunks == 0 && summary.counters.conversationsClosed == 1)
    #expect(try database.conversations() == [a, b])
    #expect(
      try database.value("date_end::text FROM call_logd_call_log WHERE conversation_id = '\(a)'") == "2024-05-06 10:00:08+00")
    #expect(try database.value("count(*) FROM call_logd_open") == "0")
    #expect(try database.value("count(*) FROM cel WHERE call_log_id IS NULL") == "0")
    let before = try database.contentsWithIDs()
    #expect(try runner.generate().counters.conversationsClosed == 0)
    expectSame(try database.contentsWithIDs(), before)
    try runner.delete(.all)
    let again = try runner.backfill()
    #expect(again.counters.conversationsClosed == 1)
    #expect(try database.conversations() == [a, b])
  }

  @Test("that only channels of Asterisk's own took part in are none: they neither stand open nor are they closed")
  func announcers() throws {
    let room = "1714989650.7"
    let announcer = ["STREAM_BEGIN", "STREAM_END"].enumerated().map {
      CELRow($1, 50 + Double($0), uniqueid: room, linkedid: room, channel: "CBAnn/725-00000001;2")
    }
    var (database, runner) = try wazo(CELRow.call(a), announcer)
    try runner.generate()
    #expect(try database.value("count(*) FROM call_logd_open") == "0")
    runner.settings.closeAfter = 3600
    let summary = try runner.generate()
    #expect(summary.counters.conversationsClosed == 0)
    #expect(try database.value("count(*) FROM call_logd_open") == "0")
    #expect(try database.value("counters->>'cels_invalid' FROM call_logd_checkpoint") == "2")
    #expect(try database.conversations() == [a])
    // Where such a channel takes part in a call, the call is whole all the same, however late the
    // rest of it comes.
    try database.insert(
      [CELRow("STREAM_BEGIN", 60, uniqueid: room, linkedid: b, channel: "CBAnn/725-00000001;2")] + CELRow.call(b, at: 60))
    try runner.generate()
    #expect(try database.conversations() == [a, room])
    #expect(try database.value("count(DISTINCT call_log_id) FROM cel WHERE linkedid IN ('\(b)', '\(room)')") == "1")
    #expect(try database.value("count(*) FROM call_logd_reach") == "0")
  }

  @Test("are not closed while their newest event is younger")
  func young() throws {
    var (database, runner) = try wazo(open(a))
    try database.run("UPDATE cel SET eventtime = now() - interval '10 min' WHERE id = 9")
    runner.settings.closeAfter = 3600
    try runner.generate()
    #expect(try database.conversations() == [])
    #expect(try database.value("count(*) FROM call_logd_open") == "1")
    // The event is also the witness by which a database that went back in time would be recognised.
    try database.run(
      """
      UPDATE cel SET eventtime = now() - interval '61 min' WHERE id = 9;
      UPDATE call_logd_open SET newest_event = now() - interval '61 min';
      UPDATE call_logd_checkpoint SET witness_id = NULL
      """)
    try runner.generate()
    #expect(try database.conversations() == [a])
  }

  @Test("are made anew when more comes: whole after their end, none while they go on")
  func more() throws {
    var (database, runner) = try wazo(open(a))
    runner.settings.closeAfter = 3600
    try runner.generate()
    let id = try database.id(of: a)
    try database.insert([CELRow.call(a)[9]])
    try runner.generate()
    #expect(try database.id(of: a) == id)
    #expect(try database.value("date_end::text FROM call_logd_call_log") == "2024-05-06 10:00:08+00")
    try database.run("DELETE FROM cel WHERE eventtype = 'LINKEDID_END'")
    try database.run(
      "INSERT INTO cel (eventtype, eventtime, channame, uniqueid, linkedid) VALUES ('HOLD', now(), 'PJSIP/aaa11-1', '\(a)', '\(a)')"
    )
    try runner.generate()
    #expect(try database.conversations() == [])
    #expect(try database.value("cels FROM call_logd_open") == "10")
  }

  @Test(
    "of a plain Asterisk that never writes LINKEDID_END all have call logs; an end that is unknown is the newest event's time")
  func plain() throws {
    let database = try TestDatabase(.plain)
    for call in 0..<20 { try database.insert(open("17149896\(call + 10).\(call)", at: Double(call)), plain: true) }
    try database.run("DELETE FROM asterisk.cel WHERE eventtype = 2")
    var runner = Runner(database, table: "asterisk.cel", chunkSize: 50)
    runner.settings.closeAfter = 60
    try runner.generate()
    #expect(try database.value("count(*) FROM call_logd_call_log") == "20")
    #expect(try database.value("bool_and(date_end = date + interval '6 s') FROM call_logd_call_log") == "true")
  }

  @Test("that are gone altogether are noted no more")
  func purged() throws {
    var (database, runner) = try wazo(open(a))
    try runner.generate()
    try database.run("DELETE FROM cel")
    runner.settings.closeAfter = 60
    try runner.generate()
    #expect(try database.value("count(*) FROM call_logd_open") == "0")
    #expect(try database.conversations() == [])
  }
}
