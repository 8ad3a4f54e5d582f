import Testing

@testable import CallLogs

@Suite("Calls that begin with a pair of Local channels")
struct OriginateTests {
  private let one = Channel("Local/202@click-00000001;1", 1)
  private let two = Channel("Local/202@click-00000001;2", 2)
  private let mira = Channel("PJSIP/mira-00000003", 3)
  private let noor = Channel("PJSIP/noor-00000004", 4)
  private let otto = Channel("PJSIP/otto-00000005", 5)

  /// Mira's phone rings, then Noor's; `rows` as well, without the rows at `missing`.
  private func originate(_ rows: [Row] = [], without missing: Int? = nil) -> [Row] {
    var usual = [
      Row("CHAN_START", one, 0), Row("CHAN_START", two, 0.1),
      Row("CHAN_START", mira, 1, "Mira Sand <201>"), Row("ANSWER", mira, 2, "Mira Sand <201>"),
      Row("ANSWER", two, 2.1, "202 <202>"), Row("ANSWER", one, 2.2, "Mira Sand <201>"),
      Row("CHAN_START", noor, 3, "Noor Vale <202>"), Row("ANSWER", noor, 4, "Noor Vale <202>"),
      Row("BRIDGE_ENTER", noor, 5, "Noor Vale <202>"), Row("CHAN_END", mira, 30),
    ]
    if let missing { usual.remove(at: missing) }
    return conversation(usual + rows + [Row("LINKEDID_END", one, 31)])
  }

  @Test("source from its own answer, destination from the answer of the channel that entered a bridge last")
  func usual() throws {
    let log = try interpret(originate()).only()
    let expected = PlainCallLog {
      $0.conversationID = "1772438400.1"
      ($0.date, $0.dateAnswer, $0.dateEnd) = (0, 5, 30)
      $0.tenant = House.tenant
      ($0.sourceName, $0.sourceExten, $0.sourceLineIdentity) = ("Mira Sand", "201", "pjsip/mira")
      ($0.sourceInternalExten, $0.sourceInternalContext) = ("201", "floor")
      ($0.requestedInternalExten, $0.requestedInternalContext) = ("202", "floor")
      ($0.destinationName, $0.destinationExten, $0.destinationLineIdentity) = ("Noor Vale", "202", "pjsip/noor")
      ($0.destinationInternalExten, $0.destinationInternalContext) = ("202", "floor")
      $0.participants = [
        .init(House.mira, line: 41, "source", ["design"]), .init(House.noor, line: 42, "destination", ["design", "oslo"]),
      ]
      $0.celIDs = Array(1...11)
    }
    #expect(log.differences(from: expected) == [])
  }

  @Test(
    "without the source's answer or end, or the second Local channel's answer, there is no call",
    arguments: [3, 4, 9])
  func incomplete(missing: Int) {
    #expect(interpret(originate(without: missing)).outcomes == [.invalid(.noDate)])
  }

  @Test("where the first channel's second event is no ANSWER it is an ordinary call of the Local channel")
  func notOriginate() throws {
    let log = try interpret(originate([Row("APP_START", one, 0.5, "Local <1>")])).only()
    #expect((log.sourceName, log.sourceLineIdentity) == ("Local", "local/202@click;1"))
  }

  @Test("a pair of Local channels in any case, with a third channel of any kind")
  func choice() throws {
    let rows = originate().map { row in
      var row = row
      row.channel.name = row.channel.name.replacing("Local/", with: "LOCAL/")
      return row
    }
    #expect(try interpret(rows).only().sourceName == "Mira Sand")
    let onlyTwo = conversation([
      Row("CHAN_START", one, 0, "L <1>"), Row("ANSWER", one, 1), Row("CHAN_START", two, 1.5), Row("LINKEDID_END", one, 9),
    ])
    #expect(try interpret(onlyTwo).only().sourceName == "L")
    let three = onlyTwo + conversation([Row("HANGUP", mira, 5)], from: 20)
    #expect(interpret(three).outcomes == [.invalid(.noDate)])
  }

  @Test("a destination that never answered ends the reading: neither direction nor users are told")
  func unansweredDestination() throws {
    let rows = [Row("XIVO_OUTCALL", two, 6), Row("WAZO_ORIGINATE_ALL_LINES", two, 6, payload: "user_uuid:x,tenant_uuid:y")]
    let log = try interpret(originate(rows, without: 7)).only()
    #expect((log.direction, log.dateAnswer, log.destinationName, log.destinationExten) == ("internal", nil, nil, "202"))
  }

  @Test("without a destination channel in a bridge, the number of the second Local channel's answer stays")
  func noDestination() throws {
    let log = try interpret(originate([Row("XIVO_OUTCALL", two, 6)], without: 8)).only()
    #expect((log.direction, log.dateAnswer, log.destinationExten) == ("outbound", nil, "202"))
  }

  @Test("BRIDGE_START and Local channels name no destination")
  func otherChannels() throws {
    let third = Channel("Local/203@click-00000009;1", 9)
    let rows = [
      Row("CHAN_START", third, 6), Row("ANSWER", third, 7, "No <1>"), Row("BRIDGE_ENTER", third, 8),
      Row("BRIDGE_START", noor, 9),
    ]
    #expect(try interpret(originate(rows)).only().dateAnswer == 5)
    let last = [Row("CHAN_START", otto, 6), Row("ANSWER", otto, 7, "Otto Kern <203>"), Row("BRIDGE_ENTER", otto, 8)]
    let log = try interpret(originate(last)).only()
    #expect((log.dateAnswer, log.destinationName) == (8, "Otto Kern"))
  }

  @Test("direction from XIVO_INCALL or XIVO_OUTCALL anywhere, the latter wins, their payloads are not read")
  func direction() throws {
    let incall = Row("XIVO_INCALL", noor, 7, payload: House.otherTenant)
    let log = try interpret(originate([incall])).only()
    #expect((log.direction, log.tenant) == ("inbound", House.tenant))
    #expect(try interpret(originate([Row("XIVO_OUTCALL", two, 6), incall])).only().direction == "outbound")
  }

  @Test("userfield of the first Local channel's first APP_START; the voicemail rule for every APP_START")
  func application() throws {
    let log = try interpret(
      originate([
        Row("APP_START", two, 2.2, userfield: "two"), Row("APP_START", one, 2.3, userfield: "first"),
        Row("APP_START", one, 2.4, userfield: "second"), Row("APP_START", mira, 8, app: "Voicemail(202)"),
      ])
    ).only()
    #expect((log.userField, log.reachedVoicemail) == ("first", true))
  }

  @Test("recordings of any channel: uuid from the path, ends by stop or with the source's channel")
  func recordings() throws {
    let uuid = "b3c1d2e4-0a1b-4c2d-8e3f-001122334455"
    let log = try interpret(
      originate([
        Row("MIXMONITOR_START", noor, 6, extra: Stage.recording(Stage.path(uuid), id: "1")),
        Row("MIXMONITOR_START", two, 7, extra: Stage.recording("/tmp/other.wav", id: "2")),
        Row("MIXMONITOR_STOP", one, 9, extra: #"{"mixmonitor_id":"1"}"#),
      ])
    ).only()
    #expect(log.recordings.map(\.start) == [6, 7])
    #expect(log.recordings.map(\.end) == [9, 30])
    #expect(log.recordings.first?.uuid == uuid)
  }

  @Test("an unusable recording event is skipped and counted, the call stands")
  func unusableRecording() throws {
    let result = interpret(
      originate([Row("MIXMONITOR_START", noor, 6, extra: "{\"filename\":\"/a\"}"), Row("XIVO_OUTCALL", two, 7)]))
    let log = try result.only()
    #expect((log.dateAnswer, log.direction, log.recordings.count) == (5, "outbound", 0))
    #expect(result.tally[.unexpectedPayload] == 1)
  }

  @Test("WAZO_ORIGINATE_ALL_LINES names tenant and requesting user, the first one only")
  func allLines() throws {
    let log = try interpret(
      originate([
        Row("WAZO_ORIGINATE_ALL_LINES", two, 0.2, payload: "tenant_uuid:\(House.otherTenant),user_uuid:\(House.mira),more:1"),
        Row("WAZO_ORIGINATE_ALL_LINES", two, 0.3, payload: "tenant_uuid:\(House.tenant),user_uuid:\(House.otto)"),
      ])
    ).only()
    #expect(log.tenant == House.otherTenant)
    #expect(log.participants.map(\.user) == [House.mira, House.noor])
    #expect(log.participants.map(\.requested) == [true, false])
  }

  @Test(
    "an unusable WAZO_ORIGINATE_ALL_LINES is counted and the call stands",
    arguments: ["user_uuid:\(House.otto)", "nothing", "tenant_uuid:\(House.otherTenant)"])
  func unusableAllLines(payload: String) throws {
    let result = interpret(originate([Row("WAZO_ORIGINATE_ALL_LINES", two, 0.2, payload: payload)]))
    #expect(try result.only().participants.map(\.user) == [House.mira, House.noor])
    #expect(try result.only().tenant == House.tenant)
    #expect(result.tally[.unexpectedPayload] == 1)
  }

  @Test("no extension is hidden on this path")
  func unfiltered() throws {
    let rows = originate().map { row in
      var row = row
      if row.event == "ANSWER" { row.cidNum = "s" }
      return row
    }
    let log = try interpret(rows).only()
    #expect((log.sourceExten, log.destinationExten) == ("s", "s"))
  }
}
