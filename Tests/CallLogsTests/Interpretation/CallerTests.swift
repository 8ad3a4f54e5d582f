import Testing

@testable import CallLogs

@Suite("Events of the caller's channel")
struct CallerTests {
  private let mira = Stage.mira

  @Test("CHAN_START gives date, source, and what was dialled where")
  func start() throws {
    let log = try interpret(Stage.call([])).only()
    #expect(log.date == 0)
    #expect((log.sourceName, log.sourceInternalName, log.sourceExten) == ("Mira Sand", "Mira Sand", "201"))
    #expect((log.requestedExten, log.requestedContext, log.destinationExten) == ("202", "floor", "202"))
    #expect(log.sourceLineIdentity == "pjsip/mira")
    #expect((log.destinationName, log.requestedName, log.userField) == (nil, nil, nil))
    #expect((log.direction, log.dateAnswer) == ("internal", nil))
    #expect(log.participants.map(\.role) == ["source"])
  }

  @Test("the extension s is shown as empty")
  func hiddenExtension() throws {
    let log = try interpret(Stage.call([], from: Row("CHAN_START", mira, 0, "Mira Sand <s>", "s@floor"))).only()
    #expect((log.sourceExten, log.requestedExten, log.destinationExten) == ("", "", ""))
  }

  @Test("CHAN_END gives the end and filters extensions that were set unfiltered")
  func end() throws {
    let rows = [
      Row("ANSWER", mira, 1, "Mira Sand <s>"),
      Row("WAZO_CALL_LOG_REQUESTED_INTERNAL", mira, 2, payload: "number: s,context: floor"),
    ]
    let log = try interpret(Stage.call(rows, from: Row("CHAN_START", mira, 0, "Mira Sand <201>", "s@floor"))).only()
    #expect(log.dateEnd == 60)
    #expect((log.destinationExten, log.requestedInternalExten) == ("", ""))
    let withoutEnd = conversation(
      rows + [Row("CHAN_START", mira, 0, "Mira Sand <201>", "s@floor"), Row("LINKEDID_END", mira, 9)])
    #expect(try interpret(withoutEnd).only().destinationExten == "s")
    #expect(try interpret(withoutEnd).only().dateEnd == nil)
  }

  @Test("APP_START: the last userfield wins, also an empty one; a caller id replaces the source where it says something")
  func application() throws {
    let log = try interpret(
      Stage.call([
        Row("APP_START", mira, 1, "<5550201>", userfield: "first"), Row("APP_START", mira, 2, "Front", userfield: ""),
      ])
    ).only()
    #expect(log.userField == "")
    #expect((log.sourceName, log.sourceExten) == ("Front", "5550201"))
    #expect(log.sourceInternalName == "Mira Sand")
  }

  @Test("APP_START after a forward leaves the source alone")
  func applicationAfterForward() throws {
    let log = try interpret(
      Stage.call([
        Row("XIVO_USER_FWD", mira, 1, payload: "NUM:203,CONTEXT:floor,NAME:Otto Kern"),
        Row("APP_START", mira, 2, "Front <5550201>", userfield: "u"),
      ])
    ).only()
    #expect((log.sourceName, log.sourceExten, log.userField) == ("Mira Sand", "201", "u"))
  }

  @Test("ANSWER fills what was dialled only where that is empty")
  func answer() throws {
    let filled = try interpret(Stage.call([Row("ANSWER", mira, 1, "Mira Sand <777>")])).only()
    #expect((filled.destinationExten, filled.requestedExten) == ("202", "202"))
    let start = Row("CHAN_START", mira, 0, "Mira Sand <201>", "@floor")
    let empty = try interpret(Stage.call([Row("ANSWER", mira, 1, "Mira Sand <777>")], from: start)).only()
    #expect((empty.destinationExten, empty.requestedExten) == ("777", "777"))
    #expect(empty.dateAnswer == nil)
  }

  @Test("the answer time is the caller's first entry into a bridge that is no holding bridge")
  func bridge() throws {
    let log = try interpret(
      Stage.call([
        Row("BRIDGE_ENTER", mira, 2, extra: Stage.waitingRoom), Row("BRIDGE_ENTER", mira, 3, extra: Stage.bridge),
        Row("BRIDGE_ENTER", mira, 4, extra: Stage.bridge),
      ])
    ).only()
    #expect(log.dateAnswer == 3)
  }

  @Test(
    "a bridge that extra does not tell counts as one with somebody",
    arguments: [
      nil, "", "{}", "no JSON", #"{"bridge_technology":"holding_bridge"}"#, #"{"bridge_id":"b","bridge_technology":7}"#, "[1]",
      "\"x\"",
      #"{"bridge_id":"b","bridge_technology":"Holding_Bridge"}"#,
    ])
  func unknownBridge(extra: String?) throws {
    #expect(try interpret(Stage.call([Row("BRIDGE_START", mira, 3, extra: extra)])).only().dateAnswer == 3)
  }

  @Test("a bridge entry fills an empty source")
  func bridgeFillsSource() throws {
    let start = Row("CHAN_START", mira, 0, "", "202@floor")
    let rows = [Row("BRIDGE_ENTER", mira, 2, "Late <201>"), Row("BRIDGE_ENTER", mira, 3, "Later <202>")]
    let log = try interpret(Stage.call(rows, from: start)).only()
    #expect((log.sourceName, log.sourceExten, log.sourceInternalName) == ("Late", "201", ""))
  }

  @Test("XIVO_FROM_S replaces what was dialled")
  func fromS() throws {
    let start = Row("CHAN_START", mira, 0, "Mira Sand <201>", "s@floor")
    let log = try interpret(Stage.call([Row("XIVO_FROM_S", mira, 1, "", "203@attic")], from: start)).only()
    #expect((log.requestedExten, log.requestedContext, log.destinationExten) == ("203", "attic", "203"))
  }

  @Test("XIVO_INCALL makes a call inbound and names the tenant; without extra only the first")
  func incall() throws {
    let named = try interpret(Stage.call([Row("XIVO_INCALL", mira, 1, payload: House.otherTenant)])).only()
    #expect((named.direction, named.tenant) == ("inbound", House.otherTenant))
    let bare = try interpret(Stage.call([Row("XIVO_INCALL", mira, 1)])).only()
    #expect((bare.direction, bare.tenant) == ("inbound", House.tenant))
  }

  @Test("XIVO_OUTCALL makes a call outbound, after XIVO_INCALL too")
  func outcall() throws {
    let log = try interpret(Stage.call([Row("XIVO_INCALL", mira, 1), Row("XIVO_OUTCALL", mira, 2, payload: "")])).only()
    #expect(log.direction == "outbound")
  }

  @Test("XIVO_OUTCALL of a forwarded call keeps the direction and replaces the destination")
  func outcallAfterForward() throws {
    let log = try interpret(
      Stage.call([
        Row("WAZO_CALL_LOG_DESTINATION", mira, 1, payload: "type: group,id: 4,label: Shop"),
        Row("XIVO_USER_FWD", mira, 2, payload: "NUM:0611,CONTEXT:floor,NAME:Noor Vale"),
        Row("XIVO_OUTCALL", mira, 3, "Elsewhere <0612>"),
      ])
    ).only()
    #expect((log.direction, log.destinationName, log.destinationExten) == ("internal", "Elsewhere", "0612"))
    #expect(log.details.isEmpty)
  }

  @Test("XIVO_USER_FWD: the destination is the last forward's, the requested party the first one's")
  func forwards() throws {
    let log = try interpret(
      Stage.call([
        Row("XIVO_USER_FWD", mira, 1, payload: "NUM:202,CONTEXT:floor,NAME:Noor Vale"),
        Row("XIVO_USER_FWD", mira, 2, payload: "NUM:203,CONTEXT:attic,NAME:Otto Kern"),
      ])
    ).only()
    #expect(log.destinationExten == "203")
    #expect((log.requestedInternalExten, log.requestedInternalContext, log.requestedName) == ("202", "floor", "Noor Vale"))
  }

  @Test("an unreadable first XIVO_USER_FWD forwards the call and uses up the chance to name the requested party")
  func unreadableForward() throws {
    let log = try interpret(
      Stage.call([
        Row("XIVO_USER_FWD", mira, 1, payload: "somewhere"),
        Row("XIVO_USER_FWD", mira, 2, payload: "NUM:203,CONTEXT:attic,NAME:Otto Kern"),
        Row("APP_START", mira, 3, "Front <5550201>"),
      ])
    ).only()
    #expect((log.destinationExten, log.requestedInternalExten, log.requestedName) == ("203", nil, nil))
    #expect(log.sourceName == "Mira Sand")
  }

  @Test("WAZO_CONFERENCE names the destination by what follows the first NAME:")
  func conference() throws {
    let log = try interpret(Stage.call([Row("WAZO_CONFERENCE", mira, 1, payload: "NAME: Weekly, NAME: B")])).only()
    #expect(log.destinationName == "Weekly, NAME: B")
  }

  @Test("WAZO_MEETING_NAME names the destination and hides the meeting's extension when the caller's channel ends")
  func meeting() throws {
    let start = Row("CHAN_START", mira, 0, "Mira Sand <201>", "wazo-meeting-5e1f@floor")
    let rows = [Row("WAZO_MEETING_NAME", mira, 1, payload: "Stand-up")]
    let log = try interpret(Stage.call(rows, from: start)).only()
    #expect((log.destinationName, log.destinationExten, log.requestedExten) == ("Stand-up", "", ""))
    let running = conversation([start] + rows + [Row("LINKEDID_END", mira, 5)])
    #expect(try interpret(running).only().destinationExten == "wazo-meeting-5e1f")
    let other = try interpret(Stage.call(rows)).only()
    #expect((other.destinationName, other.destinationExten) == ("Stand-up", "202"))
  }

  @Test("a meeting hidden in one call is not hidden in the next")
  func meetingsDoNotLeak() throws {
    let start = Row("CHAN_START", mira, 0, "Mira Sand <201>", "wazo-meeting-5e1f@floor")
    let second = Channel("PJSIP/mira-00000009", 9)
    let rows =
      Stage.call([Row("WAZO_MEETING_NAME", mira, 1, payload: "Stand-up")], from: start)
      + conversation(
        [
          Row("CHAN_START", second, 70, "Mira Sand <201>", "wazo-meeting-5e1f@floor"), Row("CHAN_END", second, 80),
          Row("LINKEDID_END", second, 80),
        ], linkedid: "1772438400.9", from: 50)
    #expect(interpret(rows).logs.map(\.destinationExten) == ["", "wazo-meeting-5e1f"])
  }

  @Test("WAZO_USER_MISSED_CALL names users, tenant, source and destination, its names percent-decoded")
  func missedCall() throws {
    let payload =
      "t: \(House.otherTenant),a: \(House.otto),b: \(House.noor),c: 202,d: M%C3%A9l+%zz%,e: %FFNoor: ignored,f: more"
    let start = Row("CHAN_START", mira, 0, "Mira Sand <201>", "202@floor")
    let log = try interpret(
      Stage.call([Row("WAZO_USER_MISSED_CALL", Channel("SIP/Desk-A-01", 1), 1, "X <s>", payload: payload)], from: start)
    ).only()
    #expect((log.sourceName, log.destinationName) == ("Mél+%zz%", "\u{FFFD}Noor"))
    #expect((log.sourceExten, log.destinationExten) == ("", "202"))
    #expect((log.sourceLineIdentity, log.tenant) == ("sip/desk-a", House.otherTenant))
    #expect(
      log.participants == [
        .init(House.mira, line: 41, "source", ["design"]), .init(House.otto, line: 43, "source"),
        .init(House.noor, line: 42, "destination", ["design", "oslo"]),
      ])
  }

  @Test("WAZO_USER_MISSED_CALL without users names nobody but replaces the names, by empty ones too")
  func missedCallOfNobody() throws {
    let payload = "t: \(House.tenant),a: ,b: ,c: ,d: ,e: "
    let log = try interpret(Stage.call([Row("WAZO_USER_MISSED_CALL", mira, 1, "X <88>", payload: payload)])).only()
    #expect((log.sourceName, log.sourceExten, log.destinationName) == ("", "88", ""))
    #expect(log.participants.count == 1)
  }

  @Test("WAZO_USER_BLOCKED_CALL by key: any order, spaces after commas")
  func blockedByKey() throws {
    let payload =
      "blocked_caller_id_num: %2B4791, blocked_caller_id_name: Pest%20%26 Co, destination_user_uuid: \(House.noor), "
      + "blocked_number_uuid: 3, wazo_tenant_uuid: \(House.otherTenant)"
    let log = try interpret(Stage.call([Row("WAZO_USER_BLOCKED_CALL", mira, 1, payload: payload)])).only()
    #expect((log.blocked, log.sourceExten, log.sourceName, log.tenant) == (true, "+4791", "Pest & Co", House.otherTenant))
    #expect(log.participants.last == .init(House.noor, line: 42, "destination", ["design", "oslo"]))
  }

  @Test("WAZO_USER_BLOCKED_CALL of the early dialplan: four keys, no tenant")
  func blockedEarly() throws {
    let payload =
      "blocked_caller_id_num: 4791,blocked_caller_id_name: Pest,destination_user_uuid: \(House.noor),blocked_number_uuid: 3"
    let log = try interpret(Stage.call([Row("WAZO_USER_BLOCKED_CALL", mira, 1, payload: payload)])).only()
    #expect((log.blocked, log.sourceExten, log.sourceName, log.tenant) == (true, "4791", "Pest", House.tenant))
  }

  @Test("WAZO_USER_BLOCKED_CALL by position where the keys are others: tenant, user, number, name")
  func blockedByPosition() throws {
    let payload = "a: \(House.otherTenant),b: \(House.noor),c: %2B4791,d: Pest,e: 3"
    let log = try interpret(Stage.call([Row("WAZO_USER_BLOCKED_CALL", mira, 1, payload: payload)])).only()
    #expect((log.blocked, log.sourceExten, log.sourceName, log.tenant) == (true, "+4791", "Pest", House.otherTenant))
    #expect(log.participants.last?.user == House.noor)
  }

  @Test(
    "WAZO_CALL_LOG_DESTINATION: what each type announces",
    arguments: [
      ("type: conference,id: 6", ["type": "conference", "conference_id": "6"], nil),
      ("type: user,uuid: u-1,name: Foo, Bar", ["type": "user", "user_uuid": "u-1", "user_name": "Foo, Bar"], "Foo, Bar"),
      ("type: meeting,uuid: m-1,name: Daily", ["type": "meeting", "meeting_uuid": "m-1", "meeting_name": "Daily"], nil),
      ("type: group,id: 4,label: a%20b", ["type": "group", "group_id": "4", "group_label": "a%20b"], "a%20b"),
      ("type: queue,id: 4", [:], nil), ("id: 4,label: x", [:], nil),
    ] as [(String, [String: String], String?)])
  func announced(payload: String, details: [String: String], name: String?) throws {
    let log = try interpret(Stage.call([Row("WAZO_CALL_LOG_DESTINATION", mira, 1, payload: payload)])).only()
    #expect(log.details == details)
    #expect(log.destinationName == name)
  }

  @Test("an announcement settles the destination: who rings and answers changes it no more, until the call is forwarded")
  func authoritative() throws {
    let announcement = Row("WAZO_CALL_LOG_DESTINATION", mira, 0.5, payload: "type: group,id: 4,label: Shop")
    let entry = Row("BRIDGE_ENTER", Stage.noor, 5, "Noor at home <299>", peer: mira.name)
    let settled = try interpret(Stage.callToNoor([announcement, entry])).only()
    #expect((settled.destinationName, settled.destinationExten) == ("Shop", "202"))
    let forward = Row("XIVO_USER_FWD", mira, 2, payload: "NUM:203,CONTEXT:floor,NAME:Otto Kern")
    let reopened = try interpret(Stage.callToNoor([announcement, forward, entry])).only()
    #expect((reopened.destinationName, reopened.destinationExten) == ("Noor at home", "299"))
    let ignored = Row("WAZO_CALL_LOG_DESTINATION", mira, 0.5, payload: "type: queue,id: 4,label: Shop")
    #expect(try interpret(Stage.callToNoor([ignored, entry])).only().destinationName == "Noor Vale")
  }

  @Test("only the first announced type can make a user the requested one")
  func requestedUser() throws {
    let user = Row("WAZO_CALL_LOG_DESTINATION", mira, 0.6, payload: "type: user,uuid: \(House.noor),name: Noor")
    let group = Row("WAZO_CALL_LOG_DESTINATION", mira, 0.5, payload: "type: group,id: 4,label: Shop")
    #expect(try interpret(Stage.callToNoor([user])).only().participants.map(\.requested) == [false, true])
    let second = try interpret(Stage.callToNoor([group, user])).only()
    #expect(second.participants.map(\.requested) == [false, false])
    #expect(second.details["type"] == "user")
  }

  @Test("WAZO_CALL_LOG_REQUESTED_INTERNAL sets what it names, empty values aside")
  func requestedInternal() throws {
    let log = try interpret(
      Stage.call([
        Row("WAZO_CALL_LOG_REQUESTED_INTERNAL", mira, 1, "X <1>", payload: "number: 209,context: floor"),
        Row("WAZO_CALL_LOG_REQUESTED_INTERNAL", mira, 2, "X <1>", payload: "number: ,context: attic"),
      ])
    ).only()
    #expect((log.requestedInternalExten, log.requestedInternalContext, log.requestedName) == ("209", "attic", nil))
  }

  @Test("WAZO_ORIGINATE_ALL_LINES and unknown events mean nothing on a dispatched caller's channel")
  func ignoredEvents() throws {
    let rows = [
      "HANGUP", "PICKUP", "BLINDTRANSFER", "ATTENDEDTRANSFER", "FORWARD", "BRIDGE_EXIT", "FOO", "WAZO_ORIGINATE_ALL_LINES",
    ]
    .map { Row($0, mira, 1, "Else <9>", "9@attic", payload: "user_uuid:\(House.noor),tenant_uuid:\(House.otherTenant)") }
    let result = try interpret(Stage.call(rows)).only()
    var expected = try interpret(Stage.call([])).only()
    expected.celIDs = Array(1...11)
    #expect(result.differences(from: expected) == [])
  }
}
