import Testing

@testable import CallLogs
@testable import Values

@Suite("Batches of CELs")
struct CELBatchTests {
  @Test("a row of a SIP chat is left out and counted in nothing else")
  func chat() {
    var rows = conversation([
      Row("CHAN_START", Channel(CELBatch.chatChannel, 1), 0),
      Row("CHAN_END", Channel("Message/ast_msg_queue", 1), 0, linkedid: ""),
      Row("NOISE", Channel("Message/ast_msg_queue", 1), 0),
    ])
    rows[2].time = nil
    let result = interpret(rows)
    #expect((result.chats, result.unusable, result.groupedRows) == (3, 0, 0))
    #expect(result.tally.noted.isEmpty)
    #expect(result.outcomes.isEmpty)
  }

  @Test("the chat channel connects no calls")
  func chatConnectsNothing() {
    let rows = Stage.call([]) + conversation([Row("ANSWER", Channel("Message/ast_msg_queue", 1), 0, linkedid: "other")])
    #expect(interpret(rows).outcomes == [.callLog(0)])
  }

  @Test("a row without linkedid or time belongs to no call and is noted")
  func unusable() {
    var rows = conversation([
      Row("ANSWER", Stage.mira, 1, linkedid: ""), Row("ANSWER", Stage.mira, 1), Row("ANSWER", Stage.mira, 1),
    ])
    rows[1].time = nil
    let result = interpret(rows)
    #expect((result.unusable, result.groupedRows) == (2, 1))
    #expect(result.tally.examples(of: .emptyLinkedid) == [1])
    #expect(result.tally.examples(of: .unreadableTime) == [2])
  }

  @Test("the greatest id that there can be is left out and noted: no range of ids that are done can hold it")
  func lastID() {
    var rows = conversation([Row("ANSWER", Stage.mira, 1), Row("ANSWER", Stage.mira, 1)])
    (rows[0].id, rows[1].id) = (.max, .max - 1)
    let result = interpret(rows)
    #expect((result.unusable, result.groupedRows) == (1, 1))
    #expect(result.tally.examples(of: .lastID) == [.max])
  }

  @Test(
    "events of channels that Asterisk makes for itself give no call, whether they end or not",
    arguments: ["CBAnn", "CBRec", "Announcer", "Recorder"])
  func internalChannels(technology: String) {
    let channel = Channel("\(technology)/room-01;1", 7)
    let own = [Row("STREAM_BEGIN", channel, 1), Row("STREAM_END", channel, 2)]
    #expect(interpret(conversation(own)).outcomes == [.invalid(.nobodyCalled)])
    #expect(interpret(conversation([Row("CHAN_START", channel, 0)] + own)).outcomes == [.unfinished])
    #expect(interpret(conversation([Row("HANGUP", Stage.mira, 0)] + own)).outcomes == [.unfinished])
  }

  @Test("every column comes back as it was, NULL and empty extra told apart; events that nobody reads keep none")
  func columns() {
    var batch = CELBatch()
    var tally = Tally()
    for (event, extra) in [("ANSWER", nil), ("ANSWER", ""), ("ANSWER", "{}"), ("HANGUP", "{}")] as [(String, String?)] {
      let scratch = TextArena()
      var row = Row(event, Stage.mira, 1, "né <2>", "3@4", extra: extra, app: "5(6)", userfield: "7", peer: "8", linkedid: "l")
      row.id = 77
      row.callLogID = 9
      batch.append(row.columns(scratch), tally: &tally)
    }
    let cel = batch.rows[2]
    let texts = [
      cel.cidName, cel.cidNum, cel.exten, cel.context, cel.channame, cel.appname, cel.appdata, cel.userfield, cel.peer, cel.extra,
    ]
    #expect(texts.map(\.string) == ["né", "2", "3", "4", Stage.mira.name, "5", "6", "7", "8", "{}"])
    #expect((cel.id, cel.time, cel.callLogID) == (77, Row.base + 1_000_000, 9))
    #expect(batch.rows.prefix(3).map(\.extra.optionalString) == [nil, "", "{}"])
    #expect(batch.rows[3].channame.isEmpty)
    #expect(batch.linkedid(cel.linkedid) == "l")
    #expect(batch.uniqueid(cel.uniqueid).string == Stage.mira.uniqueid)
    withExtendedLifetime(batch) {}
  }

  @Test("an emptied batch is as new, its clock too")
  func emptied() {
    var batch = CELBatch()
    var tally = Tally()
    let scratch = TextArena()
    for number in 0..<10 {
      let row = Row("CHAN_START", Channel("PJSIP/a-1", uniqueid: "1772431200.\(number)"), 0, linkedid: "1")
      batch.append(row.columns(scratch), tally: &tally)
    }
    #expect(batch.clock.offset == 7200)
    batch.removeAll()
    #expect((batch.count, batch.linkedids.count, batch.uniqueids.count) == (0, 0, 0))
    #expect(batch.clock.offset == nil)
  }

  @Test("absurd numbers in a uniqueid do not stop the program")
  func absurdUniqueids() {
    for seconds in [
      "9223372036854775807", "9223372036854775808", "9223372036854775809", "18446744073709551615", "18446744073709551616",
    ] {
      #expect(
        interpret(Stage.call([], from: Row("CHAN_START", Channel("PJSIP/mira-1", uniqueid: "\(seconds).1"), 0, "M <1>"))).logs
          .count == 1)
    }
  }
}
