import Testing

@testable import CallLogs

@Suite("Events of the callees' channels")
struct CalleeTests {
  private let mira = Stage.mira
  private let noor = Stage.noor
  private let otto = Stage.otto

  @Test("all the caller's events are read before the callees' first one")
  func callerFirst() throws {
    let late = try interpret(
      Stage.call([
        Row("CHAN_START", noor, 1, "Noor Vale <202>", "s@floor"), Row("XIVO_OUTCALL", mira, 40, payload: ""),
      ])
    ).only()
    #expect((late.destinationName, late.requestedName) == ("", ""))
  }

  @Test("CHAN_START: the destination is who started ringing last, the requested party who started first")
  func starts() throws {
    let log = try interpret(
      Stage.call([
        Row("CHAN_START", noor, 1, "Noor Vale <s>", "s@floor"), Row("CHAN_START", otto, 2, " <>", "s@floor"),
      ])
    ).only()
    #expect((log.requestedName, log.destinationName, log.destinationExten) == ("Noor Vale", "", ""))
    #expect(log.destinationLineIdentity == "pjsip/otto")
    let unfiltered = try interpret(Stage.call([Row("CHAN_START", noor, 61, "Noor Vale <s>", "s@floor")])).only()
    #expect(unfiltered.destinationExten == "s")
  }

  @Test("a call to the outside has neither a destination name nor a requested name, but a line identity")
  func outbound() throws {
    let log = try interpret(
      Stage.call([
        Row("XIVO_OUTCALL", mira, 0.5, payload: ""), Row("CHAN_START", noor, 1, "Carrier <55>", "s@floor"),
      ])
    ).only()
    #expect((log.destinationName, log.requestedName, log.destinationExten) == ("", "", "202"))
    #expect(log.destinationLineIdentity == "pjsip/noor")
  }

  @Test("a mobile that is woken: its Local channel says nothing, its own channel names the destination, its bridge entry no more")
  func mobile() throws {
    let wait = Channel("Local/noor@wazo_wait_for_registration-00000003;2", 7)
    let log = try interpret(
      Stage.call([
        Row("CHAN_START", wait, 1, "Waiting <1>", "w@usersharedlines"),
        Row("CHAN_START", noor, 2, "Noor Vale <202>", "s@mobile"),
        Row("BRIDGE_ENTER", noor, 3, "Other <999>"),
      ])
    ).only()
    #expect((log.destinationName, log.destinationExten, log.requestedName) == ("Noor Vale", "202", nil))
    #expect((log.destinationInternalExten, log.destinationInternalContext) == ("202", "floor"))
    let unknown = Channel("PJSIP/stranger-00000002", 2)
    let waitForStranger = Channel("Local/stranger@wazo_wait_for_registration-00000003;2", 7)
    let strangers = try interpret(
      Stage.call([
        Row("CHAN_START", waitForStranger, 1, "Waiting <1>", "w@usersharedlines"),
        Row("CHAN_START", unknown, 2, "Noor Vale <202>", "s@mobile"),
      ])
    ).only()
    #expect((strangers.destinationInternalExten, strangers.destinationInternalContext) == ("202", "mobile"))
  }

  @Test(
    "channels that only look like a waiting mobile are rung like any other",
    arguments: [
      "Local/noor@wazo_wait_for_registration-00000003;1", "local/noor@wazo_wait_for_registration-00000003;2",
      "Local/@wazo_wait_for_registration-00000003;2", "Local/noor@wazo_wait_for_registration-;2",
      "Local/no or@wazo_wait_for_registration-00000003;2",
    ])
  func notMobile(name: String) throws {
    let rows = [
      Row("CHAN_START", Channel(name, 7), 1, "Waiting <1>", "w@x"), Row("CHAN_START", noor, 2, "Noor Vale <202>", "s@mobile"),
    ]
    #expect(try interpret(Stage.call(rows)).only().requestedName == "Waiting")
  }

  @Test("only the first bridge entry of a callee names the destination, and only a number other than s")
  func firstBridge() throws {
    let rows = { (first: String) in
      Stage.callToNoor([Row("BRIDGE_ENTER", noor, 3, first), Row("BRIDGE_ENTER", noor, 4, "Third <3>")])
    }
    let named = try interpret(rows("Second <299>")).only()
    #expect((named.destinationName, named.destinationExten) == ("Second", "299"))
    let hidden = try interpret(rows("<s>")).only()
    #expect((hidden.destinationName, hidden.destinationExten) == ("", "202"))
  }

  @Test("a bridge entry makes the callee answered, in a holding bridge too, and every peer that takes part")
  func answered() throws {
    let rows = { (peer: String) in Stage.callToNoor([Row("BRIDGE_ENTER", noor, 3, extra: Stage.waitingRoom, peer: peer)]) }
    #expect(try interpret(rows("")).only().participants.map(\.answered) == [false, true])
    #expect(try interpret(rows("\(mira.name)")).only().participants.map(\.answered) == [true, true])
    let list = try interpret(rows("CBAnn/room-0001;1,,\(mira.name),")).only()
    #expect(list.participants.map(\.answered) == [true, true])
    #expect(try interpret(rows(" \(mira.name)")).only().participants.map(\.answered) == [false, true])
  }

  @Test("with a peer the caller id that the callee had when ringing counts")
  func peerCallerID() throws {
    let log = try interpret(Stage.callToNoor([Row("BRIDGE_ENTER", noor, 3, "Changed <299>", peer: "PJSIP/nobody-1")])).only()
    #expect((log.destinationName, log.destinationExten) == ("Noor Vale", "202"))
    let guest = Channel("PJSIP/guest-00000002", 2)
    let unresolved = try interpret(
      Stage.call([
        Row("CHAN_START", guest, 1, "<77>", "s@floor"), Row("BRIDGE_ENTER", guest, 3, "Changed <299>", peer: mira.name),
      ])
    ).only()
    #expect((unresolved.destinationName, unresolved.destinationExten) == ("Changed", "77"))
    #expect((unresolved.destinationInternalExten, unresolved.destinationInternalContext) == ("77", nil))
  }

  @Test("WAZO_CALL_LOG_REQUESTED_INTERNAL names the requested party as well")
  func requestedInternal() throws {
    let row = Row("WAZO_CALL_LOG_REQUESTED_INTERNAL", noor, 3, "Helpdesk <9>", payload: "number: s,context: attic")
    let log = try interpret(Stage.callToNoor([row])).only()
    #expect((log.requestedName, log.requestedInternalExten, log.requestedInternalContext) == ("Helpdesk", "s", "attic"))
  }

  @Test("APP_START reads only the voicemail; ANSWER and user events of a caller mean nothing")
  func others() throws {
    var expected = try interpret(Stage.callToNoor([])).only()
    expected.reachedVoicemail = true
    expected.celIDs = Array(1...13)
    let names = [
      "ANSWER", "XIVO_INCALL", "XIVO_OUTCALL", "XIVO_FROM_S", "XIVO_USER_FWD", "WAZO_CALL_LOG_DESTINATION", "WAZO_CONFERENCE",
      "APP_START",
    ]
    let rows = names.map {
      Row($0, noor, 3, "Else <9>", "9@attic", payload: "type: group,id: 4,label: Shop", app: "VoiceMail(999)", userfield: "u")
    }
    #expect(try interpret(Stage.callToNoor(rows)).only().differences(from: expected) == [])
  }

  @Test("rows of a channel without CHAN_START are not read but belong to the call, and are counted once for the channel")
  func unread() throws {
    let rows = [Row("BRIDGE_ENTER", otto, 3, "Otto Kern <203>", peer: mira.name), Row("XIVO_OUTCALL", otto, 4, payload: "")]
    let result = interpret(Stage.callToNoor(rows))
    var expected = try interpret(Stage.callToNoor([])).only()
    expected.celIDs = Array(1...7)
    #expect(try result.only().differences(from: expected) == [])
    #expect(result.tally[.missingChanStart] == 1)
    #expect(result.tally.examples(of: .missingChanStart) == [3])
  }

  @Test("a callee's channel that was renamed is a destination under its new name too")
  func renamed() throws {
    let renamed = Channel("PJSIP/otto-00000008", 2)
    let log = try interpret(Stage.callToNoor([Row("BRIDGE_ENTER", renamed, 3, "Otto Kern <203>", peer: mira.name)])).only()
    #expect(
      log.participants.map(\.user) == [House.mira, House.noor, House.otto])
    #expect(log.participants.map(\.role) == ["source", "destination", "destination"])
    #expect(log.participants.map(\.answered) == [true, false, true])
    #expect((log.destinationName, log.destinationExten) == ("Otto Kern", "203"))
  }

  @Test("a channel that starts twice and came first is caller and callee")
  func twice() throws {
    let log = try interpret(Stage.call([Row("CHAN_START", mira, 5, "Again <202>", "x@floor")])).only()
    #expect((log.date, log.sourceName, log.destinationName, log.requestedName) == (5, "Again", "Again", "Mira Sand"))
    #expect(log.participants.map(\.role) == ["destination"])
  }
}
