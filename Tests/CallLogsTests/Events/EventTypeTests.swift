import Testing

@testable import CallLogs
@testable import Values

@Suite("Event types")
struct EventTypeTests {
  private let arena = TextArena()

  private func type(_ eventtype: String, _ userdeftype: String = "") -> EventType {
    EventType.of(arena.text(eventtype), userdeftype: arena.text(userdeftype))
  }

  static let asterisk: [(String, EventType)] = [
    ("CHAN_START", .chanStart), ("CHAN_END", .chanEnd), ("ANSWER", .answer), ("APP_START", .appStart),
    ("BRIDGE_ENTER", .bridgeEnter),
    ("BRIDGE_START", .bridgeStart), ("LINKEDID_END", .linkedidEnd),
  ]
  static let users: [(String, EventType)] = [
    ("MIXMONITOR_START", .mixmonitorStart), ("MIXMONITOR_STOP", .mixmonitorStop), ("XIVO_FROM_S", .fromS),
    ("XIVO_INCALL", .incall),
    ("XIVO_OUTCALL", .outcall), ("XIVO_USER_FWD", .userForward), ("WAZO_MEETING_NAME", .meetingName),
    ("WAZO_CONFERENCE", .conference),
    ("WAZO_USER_MISSED_CALL", .userMissedCall), ("WAZO_USER_BLOCKED_CALL", .userBlockedCall),
    ("WAZO_CALL_LOG_DESTINATION", .callLogDestination),
    ("WAZO_CALL_LOG_REQUESTED_INTERNAL", .callLogRequestedInternal), ("WAZO_ORIGINATE_ALL_LINES", .originateAllLines),
  ]

  @Test("events of Asterisk by name", arguments: asterisk)
  func byName(name: String, expected: EventType) {
    #expect(type(name) == expected)
    #expect(type(name.lowercased()) == .unknown)
    #expect(type(name + " ") == .unknown)
  }

  @Test("events of Asterisk by number, as of Asterisk 12")
  func byNumber() {
    let named: [Int: EventType] = [1: .chanStart, 2: .chanEnd, 4: .answer, 5: .appStart, 7: .bridgeEnter, 14: .linkedidEnd]
    for number in 1...21 where number != 13 { #expect(type("\(number)") == named[number] ?? .ignored, "\(number)") }
    for wrong in ["0", "22", "007x", "1.0", "99999999999999999999999"] { #expect(type(wrong) == .unknown) }
  }

  @Test("events of Asterisk that mean nothing here are known all the same")
  func ignored() {
    for name in [
      "HANGUP", "PICKUP", "TRANSFER", "PARK_START", "PARK_END", "BRIDGE_END", "BRIDGE_EXIT", "APP_END", "FORWARD", "DTMF",
      "STREAM_BEGIN",
      "STREAM_END", "BLINDTRANSFER", "ATTENDEDTRANSFER", "LOCAL_OPTIMIZE", "LOCAL_OPTIMIZE_BEGIN", "3WAY_START", "3WAY_END",
    ] { #expect(type(name) == .ignored, "\(name)") }
  }

  @Test("user events under their own name, with or without it in userdeftype", arguments: users)
  func userEvents(name: String, expected: EventType) {
    #expect(type(name) == expected)
    #expect(type(name, name) == expected)
  }

  @Test("user events under USER_DEFINED, by name or number", arguments: users)
  func userDefined(name: String, expected: EventType) {
    #expect(type("USER_DEFINED", name) == expected)
    #expect(type("13", name) == expected)
  }

  @Test("a user event named like one of Asterisk's is none", arguments: asterisk)
  func namesakes(name: String, _: EventType) {
    #expect(type(name, name) == .unknown)
    #expect(type("USER_DEFINED", name) == .unknown)
    #expect(type("13", name) == .unknown)
  }

  @Test("STREAM and DTMF fill userdeftype without being user events; a number with one is none of Asterisk's")
  func filledUserdeftype() {
    #expect(type("DTMF", "5") == .ignored)
    #expect(type("STREAM_BEGIN", "beep") == .ignored)
    #expect(type("21", "5") == .ignored)
    #expect(type("1", "x") == .unknown)
  }

  @Test("other names are unknown", arguments: ["", "WAZO_", "XIVO_", "MIXMONITOR_", "USER_DEFINED", "SITE_EVENT", "13"])
  func unknown(name: String) {
    #expect(type(name) == .unknown)
  }

  @Test("columns are kept for the events that an interpreter reads, and for no other")
  func read() {
    for type in EventType.allCases {
      #expect(type.isRead == ![.linkedidEnd, .ignored, .unknown].contains(type), "\(type)")
    }
  }
}
