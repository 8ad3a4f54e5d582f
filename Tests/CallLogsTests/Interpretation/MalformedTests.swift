import Testing

@testable import CallLogs

@Suite("Malformed events are skipped and counted, the call stands")
struct MalformedTests {
  private let mira = Stage.mira

  /// The call with `row` differs from the call without it in nothing but its row.
  private func changesNothing(_ row: Row, counting flaw: Flaw?) throws {
    let result = interpret(Stage.callToNoor([row]))
    var expected = try interpret(Stage.callToNoor([])).only()
    expected.celIDs = Array(1...6)
    #expect(try result.only().differences(from: expected) == [])
    #expect(result.tally.noted == (flaw.map { [$0] } ?? []))
    if let flaw { #expect(result.tally.examples(of: flaw) == [3]) }
  }

  static let payloadEvents = [
    "WAZO_CONFERENCE", "WAZO_MEETING_NAME", "WAZO_USER_MISSED_CALL", "WAZO_USER_BLOCKED_CALL", "WAZO_CALL_LOG_DESTINATION",
    "WAZO_CALL_LOG_REQUESTED_INTERNAL",
  ]

  @Test("without extra a user event says nothing", arguments: payloadEvents, [nil, "", "{}", "null", "0", "[]", "\"\""])
  func missing(event: String, extra: String?) throws {
    try changesNothing(Row(event, mira, 2, "X <9>", extra: extra), counting: nil)
  }

  @Test("extra that is no JSON", arguments: payloadEvents, ["{", "text", "{\"extra\":\"C:\\x\"}"])
  func notJSON(event: String, extra: String) throws {
    try changesNothing(Row(event, mira, 2, "X <9>", extra: extra), counting: .malformedJSON)
  }

  @Test(
    "JSON without a text under extra", arguments: payloadEvents + ["XIVO_INCALL"],
    ["{\"a\":1}", "{\"extra\":5}", "{\"extra\":null}", "[1]", "\"x\"", "3"])
  func noText(event: String, extra: String) throws {
    try changesNothing(Row(event, mira, 2, "X <9>", extra: extra), counting: .unexpectedPayload)
  }

  @Test(
    "payloads that lack what they need",
    arguments: [
      ("WAZO_CONFERENCE", "Name: x"), ("WAZO_USER_MISSED_CALL", "a: 1,b: 2,c: 3,d: 4,e: 5"),
      ("WAZO_USER_MISSED_CALL", "a:1,b:,c:,d:,e:,f:"),
      ("WAZO_USER_BLOCKED_CALL", "a: 1,b: 2,c: 3,d: 4"), ("WAZO_USER_BLOCKED_CALL", "a: 1,b: 2,c: 3"),
      ("WAZO_USER_BLOCKED_CALL", ""),
      ("WAZO_CALL_LOG_DESTINATION", "no key"), ("WAZO_CALL_LOG_DESTINATION", "type: user,uuid: 1"),
      ("WAZO_CALL_LOG_DESTINATION", "type: group,id: 1"), ("WAZO_CALL_LOG_DESTINATION", "type: meeting,name: 1"),
      ("WAZO_CALL_LOG_DESTINATION", "type: conference"), ("WAZO_CALL_LOG_REQUESTED_INTERNAL", "no key"),
    ])
  func lacking(event: String, payload: String) throws {
    try changesNothing(Row(event, mira, 2, "X <9>", payload: payload), counting: .unexpectedPayload)
  }

  @Test("a forward without extra is no forward")
  func forward() throws {
    try changesNothing(Row("XIVO_USER_FWD", mira, 2), counting: .unexpectedPayload)
  }

  @Test("a bridge entry whose extra is a number is skipped on both sides")
  func bridge() throws {
    try changesNothing(Row("BRIDGE_ENTER", mira, 2, extra: "7"), counting: .unexpectedPayload)
    try changesNothing(Row("BRIDGE_ENTER", Stage.noor, 2, "X <9>", extra: "true"), counting: .unexpectedPayload)
  }

  @Test("a meeting's name without any destination")
  func meeting() throws {
    let rows = conversation([
      Row("WAZO_MEETING_NAME", mira, 0, payload: "Daily"), Row("CHAN_START", mira, 1, "M <201>", "202@floor"),
      Row("LINKEDID_END", mira, 2),
    ])
    let result = interpret(rows)
    #expect(try result.only().destinationName == nil)
    #expect(result.tally[.unexpectedPayload] == 1)
  }

  @Test(
    "channels of an unknown kind or with unusual names take part without being anyone",
    arguments: [
      "Announcer/ARI-00000001;1", "Recorder/ARI-00000001;2", "CBAnn/room-00000001;1", "PJSIP/my.trunk-01", "PJSIP/noor", "", "-",
      "Surrogate/é",
    ])
  func channelNames(name: String) throws {
    let result = interpret(
      Stage.callToNoor([
        Row("CHAN_START", Channel(name, 8), 2, "Bot <8>"), Row("BRIDGE_ENTER", Channel(name, 8), 3, "Bot <8>", peer: mira.name),
      ]))
    let log = try result.only()
    #expect(log.participants.map(\.user) == [House.mira, House.noor])
    #expect(log.participants.map(\.answered) == [true, false])
    #expect(log.destinationName == "Bot")
    #expect(result.tally[.unknownChannelName] == 1)
  }

  @Test("an unknown event is counted and holds the call together")
  func unknownEvent() throws {
    try changesNothing(Row("SITE_SPECIAL", mira, 2, "X <9>"), counting: .unknownEvent)
  }

  @Test("what JSON can say and PostgreSQL cannot store is mended and counted")
  func unstorable() throws {
    let nul = interpret(
      Stage.callToNoor([Row("XIVO_USER_FWD", mira, 2, "X <9>", extra: #"{"extra":"NUM:7,CONTEXT:c,NAME:a\u0000b"}"#)]))
    #expect(try nul.only().requestedName == "ab")
    #expect(nul.tally[.nulCharacter] == 1)
    let half = interpret(
      Stage.callToNoor([Row("XIVO_USER_FWD", mira, 2, "X <9>", extra: #"{"extra":"NUM:7,CONTEXT:c,NAME:a\ud83db"}"#)]))
    #expect(try half.only().requestedName == "a\u{FFFD}b")
    #expect(half.tally[.invalidUTF8] == 1)
  }

  @Test("a forward in what is not JSON to its end forwards the call, to nowhere known")
  func forwardWithJunk() throws {
    let extra = #"{"extra":"NUM:203,CONTEXT:floor,NAME:Kern"} junk"#
    let result = interpret(Stage.callToNoor([Row("XIVO_USER_FWD", mira, 2, extra: extra)]))
    #expect(try result.only().requestedName != "Kern")
    #expect(result.tally[.malformedJSON] == 1)
  }
}
