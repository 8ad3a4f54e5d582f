import Testing

@testable import CallLogs

@Suite("What the directory and the end of the reading add")
struct FinishTests {
  private let mira = Stage.mira
  private let noor = Stage.noor

  private func channel(_ name: String, _ number: Int) -> Channel { Channel(name, number) }

  // MARK: One channel per line

  @Test("of several channels of a line the last answered one counts, by name")
  func oneChannelPerLine() throws {
    let (a, b, c) = (channel("PJSIP/noor-0000000a", 2), channel("SIP/noor-0000000b", 3), channel("PJSIP/noor-0000000c", 4))
    let rings = [a, b, c].enumerated().map { Row("CHAN_START", $1, 1 + Double($0), "Noor Vale <202>") }
    let none = try interpret(Stage.call(rings)).only()
    #expect(none.participants.map(\.user) == [House.mira, House.noor])
    let answered = try interpret(Stage.call(rings + [Row("BRIDGE_ENTER", a, 9)])).only()
    #expect(answered.participants.map(\.answered) == [false, true])
    #expect(answered.participants.count == 2)
  }

  @Test("whoever calls themselves is what their last channel by name is")
  func oneself() throws {
    let log = try interpret(Stage.call([Row("CHAN_START", channel("PJSIP/mira-00000002", 2), 1, "Mira Sand <201>")])).only()
    #expect(log.participants.map(\.role) == ["destination"])
    let before = try interpret(Stage.call([Row("CHAN_START", channel("PJSIP/mira-00000000", 2), 1, "Mira Sand <201>")])).only()
    #expect(before.participants.map(\.role) == ["source"])
  }

  @Test("only neighbours by name make one line: another technology between them keeps both")
  func neighboursOnly() throws {
    let (a, b) = (channel("SCCP/noor-01", 2), channel("PJSIP/noor-01", 3))
    let rings = [Row("CHAN_START", a, 1, "N <202>"), Row("CHAN_START", b, 2, "N <202>")]
    #expect(try interpret(Stage.call(rings)).only().participants.map(\.user) == [House.mira, House.noor, House.noor])
  }

  @Test("surviving channels keep the order in which they came")
  func order() throws {
    let rings = [
      Row("CHAN_START", Stage.pia, 1, "P <204>"), Row("CHAN_START", Stage.otto, 2, "O <203>"),
      Row("CHAN_START", noor, 3, "N <202>"),
    ]
    let log = try interpret(Stage.call(rings)).only()
    #expect(log.participants.map(\.user) == [House.mira, House.pia, House.otto, House.noor])
  }

  // MARK: Participants

  @Test("channels that are nobody: Local, a line without a user, an unknown line")
  func nobody() throws {
    let rings = ["Local/noor-00000001;1", "PJSIP/lobby-00000001", "PJSIP/elsewhere-00000001"].enumerated()
      .map { Row("CHAN_START", channel($1, 10 + $0), 1, "N <202>") }
    #expect(try interpret(Stage.call(rings)).only().participants.map(\.user) == [House.mira])
  }

  @Test("the technology plays no part in finding a line, except Local")
  func technology() throws {
    let rings = ["SCCP/noor-1", "DAHDI/otto-1", "IAX2/pia-1", "AsyncGoto/SIP/quin-1"].enumerated()
      .map { Row("CHAN_START", channel($1, 10 + $0), 1 + Double($0), "N <202>") }
    let log = try interpret(Stage.call(rings)).only()
    #expect(log.participants.map(\.user) == [House.mira, House.noor, House.otto, House.pia, House.quin])
  }

  @Test("a user with two lines takes part twice")
  func twoLines() throws {
    let rings = [
      Row("CHAN_START", Stage.pia, 1, "P <204>"), Row("CHAN_START", channel("PJSIP/piamobile-00000005", 5), 2, "P <204>"),
    ]
    let log = try interpret(Stage.call(rings)).only()
    #expect(log.participants.map(\.line) == [41, 44, 54])
    #expect(log.participants.map(\.tags) == [["design"], ["stock"], ["stock"]])
  }

  private func announce(_ user: String, _ seconds: Double = 0.5) -> Row {
    Row("WAZO_CALL_LOG_DESTINATION", mira, seconds, payload: "type: user,uuid: \(user),name: N")
  }

  @Test("as many mentions as channels of a user are paired in order")
  func paired() throws {
    let rings = [
      Row("CHAN_START", Stage.pia, 1, "P <204>"), Row("CHAN_START", channel("PJSIP/piamobile-00000005", 5), 2, "P <204>"),
    ]
    let log = try interpret(Stage.call([announce(House.pia), announce(House.pia, 0.6)] + rings)).only()
    #expect(log.participants.map(\.requested) == [false, true, false])
  }

  @Test("another number of mentions than of channels changes nothing: requested is lost")
  func unpaired() throws {
    let log = try interpret(Stage.callToNoor([announce(House.noor), announce(House.noor, 0.6)])).only()
    #expect(log.participants.map(\.requested) == [false, false])
    #expect(log.participants.count == 2)
  }

  @Test("a user who was named but has no channel is added with the first line, the last mention's role and requested, unanswered")
  func added() throws {
    let missed = "t: \(House.tenant),a: \(House.pia),b: ,c: x,d: ,e: "
    let log = try interpret(Stage.call([announce(House.pia), Row("WAZO_USER_MISSED_CALL", mira, 1, "M <1>", payload: missed)]))
      .only()
    #expect(log.participants.last == .init(House.pia, line: 44, "source", ["stock"]))
    let announced = try interpret(Stage.call([announce(House.pia)])).only()
    #expect(announced.participants.last == .init(House.pia, line: 44, "destination", ["stock"], requested: true))
  }

  @Test("the second announcement of one user is the last mention")
  func lastMention() throws {
    let log = try interpret(Stage.call([announce(House.pia), announce(House.pia, 0.6)])).only()
    #expect(log.participants.last == .init(House.pia, line: 44, "destination", ["stock"], requested: false))
  }

  @Test("a missed call finds the mention of the same user in the same role and updates it")
  func updated() throws {
    let missed = "t: \(House.tenant),a: ,b: \(House.noor),c: x,d: ,e: "
    let rows = [announce(House.noor), Row("WAZO_USER_MISSED_CALL", mira, 2, "M <1>", payload: missed)]
    let log = try interpret(Stage.callToNoor(rows)).only()
    #expect(log.participants.map(\.requested) == [false, true])
  }

  @Test("users whom the directory does not know are left out", arguments: [House.stranger, "not a uuid", ""])
  func unknownUser(user: String) throws {
    #expect(try interpret(Stage.call([announce(user)])).only().participants.count == 1)
  }

  @Test("what the channel said about answering outweighs a missed call")
  func answeredOutweighs() throws {
    let missed = "t: \(House.tenant),a: ,b: \(House.noor),c: x,d: ,e: "
    let rows = [Row("BRIDGE_ENTER", noor, 2), Row("WAZO_USER_MISSED_CALL", mira, 3, "M <1>", payload: missed)]
    #expect(try interpret(Stage.callToNoor(rows)).only().participants.map(\.answered) == [false, true])
  }

  // MARK: Tenant

  private let unknownCaller = Row("CHAN_START", Channel("PJSIP/elsewhere-00000001", 1), 0, "Kunde <5550300>", "1@attic")

  @Test("tenant: events before users before the requested context before the service's own")
  func tenantPrecedence() throws {
    let quin = Row("CHAN_START", channel("PJSIP/quin-00000009", 9), 1, "Quin <301>")
    let event = Row("XIVO_INCALL", unknownCaller.channel, 0.5, payload: House.tenant)
    #expect(try interpret(Stage.call([event, quin], from: unknownCaller)).only().tenant == House.tenant)
    let dialledOnFloor = Row("CHAN_START", unknownCaller.channel, 0, "Kunde <5550300>", "1@floor")
    #expect(try interpret(Stage.call([quin], from: dialledOnFloor)).only().tenant == House.otherTenant)
    #expect(try interpret(Stage.call([], from: unknownCaller)).only().tenant == House.otherTenant)
    for context in ["", "unheard-of", "broken"] {
      let start = Row("CHAN_START", unknownCaller.channel, 0, "Kunde <5550300>", "1@\(context)")
      #expect(try interpret(Stage.call([], from: start)).only().tenant == House.masterTenant)
    }
  }

  @Test("of several users' tenants the first in order of the channels counts")
  func firstTenant() throws {
    let rings = [Row("CHAN_START", channel("PJSIP/quin-00000009", 9), 1, "Q <301>"), Row("CHAN_START", noor, 2, "N <202>")]
    #expect(try interpret(Stage.call(rings, from: unknownCaller)).only().tenant == House.otherTenant)
  }

  @Test("the first tenant that an event names stays; another one is counted, the same one is not")
  func secondTenant() throws {
    let result = interpret(
      Stage.call([
        Row("XIVO_INCALL", mira, 1, payload: House.otherTenant),
        Row("XIVO_INCALL", mira, 2, payload: House.otherTenant.uppercased()),
        Row("XIVO_INCALL", mira, 3, payload: House.tenant),
      ]))
    #expect(try result.only().tenant == House.otherTenant)
    #expect(result.tally[.secondTenant] == 1)
    #expect(result.tally.examples(of: .secondTenant) == [4])
  }

  @Test("a tenant that is no UUID counts as not set", arguments: [("", 0), ("  ", 0), ("main", 1), ("\(House.tenant)0", 1)])
  func unusableTenant(tenant: String, counted: Int) throws {
    let result = interpret(
      Stage.call([Row("XIVO_INCALL", mira, 1, payload: tenant), Row("XIVO_INCALL", mira, 2, payload: House.otherTenant)]))
    #expect(try result.only().tenant == House.otherTenant)
    #expect(try result.only().direction == "inbound")
    #expect(result.tally[.unusableTenant] == counted)
  }

  // MARK: Extensions

  @Test("source extension: the first channel of the source with an extension")
  func sourceExtension() throws {
    let log = try interpret(Stage.call([], from: Row("CHAN_START", channel("PJSIP/piamobile-01", 1), 0, "P <204>", "202@floor")))
      .only()
    #expect((log.sourceInternalExten, log.sourceInternalContext) == (nil, nil))
    #expect(log.participants.map(\.line) == [54])
  }

  @Test("destination extension: the first who rang, or the last who answered; requested extension: the first who rang")
  func destinationExtensions() throws {
    let rings = [
      Row("CHAN_START", noor, 1, "N <202>"), Row("CHAN_START", Stage.otto, 2, "O <203>"),
      Row("CHAN_START", Stage.pia, 3, "P <204>"),
    ]
    let entries = [Row("BRIDGE_ENTER", Stage.pia, 4), Row("BRIDGE_ENTER", Stage.otto, 5)]
    let unanswered = try interpret(Stage.call(rings)).only()
    #expect((unanswered.destinationInternalExten, unanswered.requestedInternalExten) == ("202", "202"))
    let answered = try interpret(Stage.call(rings + entries)).only()
    #expect((answered.destinationInternalExten, answered.destinationInternalContext) == ("204", "floor"))
    #expect((answered.requestedInternalExten, answered.requestedInternalContext) == ("202", "floor"))
  }

  @Test("half an extension is replaced as a whole")
  func halfExtension() throws {
    let row = Row("WAZO_CALL_LOG_REQUESTED_INTERNAL", mira, 0.5, payload: "context: attic")
    let log = try interpret(Stage.callToNoor([row])).only()
    #expect((log.requestedInternalExten, log.requestedInternalContext) == ("202", "floor"))
    let whole = Row("WAZO_CALL_LOG_REQUESTED_INTERNAL", mira, 0.5, payload: "number: 7,context: attic")
    let kept = try interpret(Stage.callToNoor([whole])).only()
    #expect((kept.requestedInternalExten, kept.requestedInternalContext) == ("7", "attic"))
  }

  // MARK: Voicemail

  private func voicemail(_ app: String, answered: Bool = false) throws -> PlainCallLog {
    var rows = [Row("APP_START", mira, 2, app: app)]
    if answered { rows.append(Row("BRIDGE_ENTER", mira, 1, extra: Stage.bridge)) }
    return try interpret(Stage.call(rows)).only()
  }

  private let noorsBox = ["type": "voicemail", "voicemail_id": "17", "voicemail_name": "Noor's box"]

  @Test(
    "the mailbox is what stands before the first comma and ampersand; without a context any of the tenant",
    arguments: ["VoiceMail(202@floor)", "voicemail(202@floor&203@floor,u)", "VOICEMAIL(202,su)", "VoiceMail(202@)"])
  func mailbox(app: String) throws {
    let log = try voicemail(app)
    #expect(log.reachedVoicemail)
    #expect(log.details == noorsBox)
  }

  @Test(
    "a mailbox that is unknown, of another tenant or unnamed changes nothing but the flag",
    arguments: ["203@floor", "202@attic", "", "@floor", ",u"])
  func noMailbox(data: String) throws {
    let log = try voicemail("VoiceMail(\(data))")
    #expect(log.reachedVoicemail)
    #expect(log.details.isEmpty)
  }

  @Test(
    "other applications are no voicemail",
    arguments: ["VoiceMailMain(202@floor)", "Voice(202)", "Dial(202@floor)", "(202@floor)"])
  func otherApplication(app: String) throws {
    #expect(try !voicemail(app).reachedVoicemail)
  }

  @Test("an answered call that reached a mailbox keeps its details")
  func answeredVoicemail() throws {
    let log = try voicemail("VoiceMail(202@floor)", answered: true)
    #expect(log.reachedVoicemail)
    #expect(log.details.isEmpty)
  }

  @Test("the last mailbox wins")
  func lastMailbox() throws {
    let rows = [Row("APP_START", mira, 2, app: "VoiceMail(202@floor)"), Row("APP_START", mira, 3, app: "VoiceMail(299@floor)")]
    #expect(try interpret(Stage.call(rows)).only().details.isEmpty)
  }

  // MARK: Validity

  @Test("a call that nothing dates and a call without any source are none")
  func invalid() {
    let noStart = conversation([Row("ANSWER", mira, 1, "M <1>"), Row("LINKEDID_END", mira, 2)])
    #expect(interpret(noStart).outcomes == [.invalid(.noDate)])
    let noSource = Stage.call([], from: Row("CHAN_START", mira, 0, "", "202@floor"))
    #expect(interpret(noSource).outcomes == [.invalid(.noSource)])
    #expect(interpret(noSource).json.isEmpty)
    let onlyName = Stage.call([], from: Row("CHAN_START", mira, 0, "Mira <s>", ""))
    #expect(interpret(onlyName).logs.count == 1)
  }

  @Test("a source of the extension s alone is none")
  func hiddenSource() {
    #expect(interpret(Stage.call([], from: Row("CHAN_START", mira, 0, "<s>", "1@floor"))).outcomes == [.invalid(.noSource)])
  }
}
