import Testing

@testable import CallLogs

/// Whole calls, every field of the result.
@Suite("Worked examples")
struct WorkedExampleTests {
  @Test("an answered, recorded call between two users")
  func internalCall() throws {
    let path = Stage.path("5a7d10c2-91be-4c3f-9d02-6f1e8b2c7a55")
    let rows = conversation([
      Row("CHAN_START", Stage.mira, 0, "Mira Sand <201>", "202@floor"),
      Row(
        "WAZO_CALL_LOG_DESTINATION", Stage.mira, 0.25, "Mira Sand <201>", "s@user",
        payload: "type: user,uuid: \(House.noor),name: Noor Vale"),
      Row("APP_START", Stage.mira, 0.5, "Mira Sand <201>", "s@user", userfield: "order 9"),
      Row("CHAN_START", Stage.noor, 0.6, "Noor Vale <202>", "s@floor"),
      Row("ANSWER", Stage.noor, 5, "Noor Vale <202>", "s@floor"),
      Row("ANSWER", Stage.mira, 5.1, "Mira Sand <201>", "s@user"),
      Row("BRIDGE_ENTER", Stage.mira, 5.2, "Mira Sand <201>", "s@user", extra: Stage.bridge),
      Row("BRIDGE_ENTER", Stage.noor, 5.3, "Noor Vale <202>", "@floor", extra: Stage.bridge, peer: Stage.mira.name),
      Row("MIXMONITOR_START", Stage.noor, 6, "Noor Vale <202>", "@floor", extra: Stage.recording(path)),
      Row("BRIDGE_EXIT", Stage.noor, 40, "Noor Vale <202>", "@floor"),
      Row("CHAN_END", Stage.noor, 40.5, "Noor Vale <202>", "@floor"),
      Row("CHAN_END", Stage.mira, 40.6, "Mira Sand <201>", "s@user"),
      Row("LINKEDID_END", Stage.mira, 40.7, "Mira Sand <201>", "s@user"),
    ])
    let expected = PlainCallLog {
      $0.conversationID = "1772438400.1"
      ($0.date, $0.dateAnswer, $0.dateEnd) = (0, 5.2, 40.6)
      $0.tenant = House.tenant
      $0.userField = "order 9"
      ($0.sourceName, $0.sourceExten, $0.sourceInternalName) = ("Mira Sand", "201", "Mira Sand")
      ($0.sourceInternalExten, $0.sourceInternalContext) = ("201", "floor")
      $0.sourceLineIdentity = "pjsip/mira"
      ($0.requestedName, $0.requestedExten, $0.requestedContext) = ("Noor Vale", "202", "floor")
      ($0.requestedInternalExten, $0.requestedInternalContext) = ("202", "floor")
      ($0.destinationName, $0.destinationExten) = ("Noor Vale", "202")
      ($0.destinationInternalExten, $0.destinationInternalContext) = ("202", "floor")
      $0.destinationLineIdentity = "pjsip/noor"
      $0.details = ["type": "user", "user_uuid": House.noor, "user_name": "Noor Vale"]
      $0.participants = [
        .init(House.mira, line: 41, "source", ["design"], answered: true),
        .init(House.noor, line: 42, "destination", ["design", "oslo"], answered: true, requested: true),
      ]
      $0.recordings = [.init(uuid: "5a7d10c2-91be-4c3f-9d02-6f1e8b2c7a55", start: 6, end: 40.5, path: path)]
      $0.celIDs = Array(1...13)
    }
    #expect(try interpret(rows).only().differences(from: expected) == [])
  }

  @Test("a call from outside that nobody takes and that ends in a mailbox")
  func inboundToVoicemail() throws {
    let missed =
      "wazo_tenant_uuid: \(House.tenant),source_user_uuid: ,destination_user_uuid: \(House.noor),"
      + "destination_exten: 202,source_name: Grosser%20Kunde,destination_name: Noor%20Vale"
    let rows = conversation(
      [
        Stage.outside,
        Row("XIVO_INCALL", Stage.trunk, 0.1, "Kunde <5550300>", "s@did", payload: House.tenant),
        Row(
          "WAZO_CALL_LOG_DESTINATION", Stage.trunk, 0.2, "Kunde <5550300>", "s@user",
          payload: "type: user,uuid: \(House.noor),name: Noor Vale"),
        Row("APP_START", Stage.trunk, 0.3, "Kunde <5550300>", "s@user", app: "Dial(PJSIP/noor)"),
        Row("CHAN_START", Stage.noor, 0.4, "Noor Vale <202>", "s@floor"),
        Row("CHAN_END", Stage.noor, 20, "Noor Vale <202>", "s@floor"),
        Row(
          "XIVO_USER_FWD", Stage.trunk, 20.1, "Kunde <5550300>", "forward_voicemail@user",
          payload: "NUM:202,CONTEXT:floor,NAME:Noor Vale"),
        Row("WAZO_USER_MISSED_CALL", Stage.trunk, 20.2, "Kunde <5550300>", "forward_voicemail@user", payload: missed),
        Row("ANSWER", Stage.trunk, 20.3, "Kunde <5550300>", "pickup@xivo-pickup"),
        Row("APP_START", Stage.trunk, 20.4, "Kunde <5550300>", "unreachable@user", app: "VoiceMail(202@floor,u)"),
        Row("CHAN_END", Stage.trunk, 50, "Kunde <5550300>", "unreachable@user"),
        Row("LINKEDID_END", Stage.trunk, 50, "Kunde <5550300>", "unreachable@user"),
      ], from: 300)
    let expected = PlainCallLog {
      $0.conversationID = "1772438400.1"
      ($0.date, $0.dateEnd) = (0, 50)
      ($0.tenant, $0.direction, $0.reachedVoicemail) = (House.tenant, "inbound", true)
      $0.userField = ""
      ($0.sourceName, $0.sourceExten, $0.sourceInternalName) = ("Grosser Kunde", "5550300", "Kunde")
      $0.sourceLineIdentity = "pjsip/skyline"
      ($0.requestedName, $0.requestedExten, $0.requestedContext) = ("Noor Vale", "5550388", "from-outside")
      ($0.requestedInternalExten, $0.requestedInternalContext) = ("202", "floor")
      ($0.destinationName, $0.destinationExten) = ("Noor Vale", "202")
      ($0.destinationInternalExten, $0.destinationInternalContext) = ("202", "floor")
      $0.destinationLineIdentity = "pjsip/noor"
      $0.details = ["type": "voicemail", "voicemail_id": "17", "voicemail_name": "Noor's box"]
      $0.participants = [.init(House.noor, line: 42, "destination", ["design", "oslo"], requested: true)]
      $0.celIDs = Array(300...311)
    }
    #expect(try interpret(rows).only().differences(from: expected) == [])
  }

  @Test("a call to the outside, answered")
  func outbound() throws {
    let trunk = Channel("PJSIP/skyline-00000011", 2)
    let rows = conversation([
      Row("CHAN_START", Stage.mira, 0, "Mira Sand <201>", "00475550177@floor"),
      Row("XIVO_OUTCALL", Stage.mira, 0.2, "Mira Sand <201>", "dial@outcall", payload: ""),
      Row("APP_START", Stage.mira, 0.3, "Mira Sand <5550201>", "dial@outcall"),
      Row("CHAN_START", trunk, 0.4, "wazo", "s@from-outside"),
      Row("ANSWER", trunk, 8, "<00475550177>", "dial@from-outside"),
      Row("ANSWER", Stage.mira, 8.1, "Mira Sand <5550201>", "dial@outcall"),
      Row("BRIDGE_ENTER", trunk, 8.2, "<00475550177>", "@from-outside", extra: Stage.bridge),
      Row("BRIDGE_ENTER", Stage.mira, 8.3, "Mira Sand <5550201>", "dial@outcall", extra: Stage.bridge),
      Row("CHAN_END", trunk, 90, "<00475550177>", "@from-outside"),
      Row("CHAN_END", Stage.mira, 90.1, "Mira Sand <5550201>", "dial@outcall"),
      Row("LINKEDID_END", Stage.mira, 90.2, "Mira Sand <5550201>", "dial@outcall"),
    ])
    let expected = PlainCallLog {
      $0.conversationID = "1772438400.1"
      ($0.date, $0.dateAnswer, $0.dateEnd) = (0, 8.3, 90.1)
      ($0.tenant, $0.direction) = (House.tenant, "outbound")
      $0.userField = ""
      ($0.sourceName, $0.sourceExten, $0.sourceInternalName) = ("Mira Sand", "5550201", "Mira Sand")
      ($0.sourceInternalExten, $0.sourceInternalContext) = ("201", "floor")
      $0.sourceLineIdentity = "pjsip/mira"
      ($0.requestedName, $0.requestedExten, $0.requestedContext) = ("", "00475550177", "floor")
      ($0.destinationName, $0.destinationExten) = ("", "00475550177")
      $0.destinationLineIdentity = "pjsip/skyline"
      $0.participants = [.init(House.mira, line: 41, "source", ["design"])]
      $0.celIDs = Array(1...11)
    }
    #expect(try interpret(rows).only().differences(from: expected) == [])
  }

  @Test("click to call that rings all lines of a user, then a colleague")
  func originateAllLines() throws {
    let stem = "Local/\(House.pia)@allines-00000007"
    let (one, two) = (Channel("\(stem);1", 30), Channel("\(stem);2", 31))
    let (desk, mobile) = (Channel("PJSIP/pia-00000020", 32), Channel("PJSIP/piamobile-00000021", 33))
    let noor = Channel("PJSIP/noor-00000022", uniqueid: "1772438404.34")
    let hall = "\(House.pia)@allines"
    let rows = conversation(
      [
        Row("CHAN_START", one, 0, "", hall),
        Row("CHAN_START", two, 0.01, "", hall),
        Row(
          "WAZO_ORIGINATE_ALL_LINES", two, 0.05, "202 <202>", hall,
          payload: "user_uuid:\(House.pia),tenant_uuid:\(House.tenant)"),
        Row("APP_START", two, 0.1, "202 <202>", hall),
        Row("CHAN_START", desk, 0.11, "Pia Lund <204>", "s@floor"),
        Row("CHAN_START", mobile, 0.12, "Pia Lund <204>", "s@floor"),
        Row("ANSWER", desk, 4, "Pia Lund <204>", "\(House.pia)@floor"),
        Row("ANSWER", two, 4.01, "202 <202>", hall),
        Row("ANSWER", one, 4.02, "Pia Lund <204>", hall),
        Row("CHAN_END", mobile, 4.03, "Pia Lund <204>", "s@floor"),
        Row("BRIDGE_ENTER", desk, 4.04, "Pia Lund <204>", "@floor", extra: Stage.bridge),
        Row("BRIDGE_ENTER", two, 4.05, "202 <202>", hall, extra: Stage.bridge),
        Row("APP_START", one, 4.2, "Pia Lund <204>", "s@user", userfield: "campaign"),
        Row("CHAN_START", noor, 4.3, "Noor Vale <202>", "s@floor"),
        Row("ANSWER", noor, 9, "Noor Vale <202>", "s@floor"),
        Row("BRIDGE_ENTER", noor, 9.1, "Noor Vale <202>", "@floor", extra: Stage.bridge),
        Row("BRIDGE_ENTER", one, 9.11, "Pia Lund <204>", "s@user", extra: Stage.bridge),
        Row("CHAN_END", one, 9.2, "Pia Lund <204>", "s@user"),
        Row("BRIDGE_ENTER", noor, 9.21, "Noor Vale <202>", "@floor", extra: Stage.bridge),
        Row("CHAN_END", two, 9.22, "202 <202>", "s@allines"),
        Row("CHAN_END", noor, 35, "Noor Vale <202>", "@floor"),
        Row("CHAN_END", desk, 35.1, "Pia Lund <204>", "@floor"),
        Row("LINKEDID_END", desk, 35.2, "Pia Lund <204>", "@floor"),
      ], linkedid: "1772438400.30", from: 61)
    let expected = PlainCallLog {
      $0.conversationID = "1772438400.30"
      ($0.date, $0.dateAnswer, $0.dateEnd) = (0, 9.21, 35.1)
      $0.tenant = House.tenant
      $0.userField = "campaign"
      ($0.sourceName, $0.sourceExten) = ("Pia Lund", "204")
      ($0.sourceInternalExten, $0.sourceInternalContext) = ("204", "floor")
      $0.sourceLineIdentity = "pjsip/pia"
      ($0.requestedInternalExten, $0.requestedInternalContext) = ("202", "floor")
      ($0.destinationName, $0.destinationExten) = ("Noor Vale", "202")
      ($0.destinationInternalExten, $0.destinationInternalContext) = ("202", "floor")
      $0.destinationLineIdentity = "pjsip/noor"
      $0.participants = [
        .init(House.pia, line: 44, "source", ["stock"], requested: true),
        .init(House.noor, line: 42, "destination", ["design", "oslo"]),
      ]
      $0.celIDs = Array(61...83)
    }
    #expect(try interpret(rows).only().differences(from: expected) == [])
  }

  @Test("a group of three rings, one of them answers")
  func group() throws {
    let rows = conversation(
      [
        Row("CHAN_START", Stage.mira, 0, "Mira Sand <201>", "2900@floor"),
        Row(
          "WAZO_CALL_LOG_DESTINATION", Stage.mira, 0.1, "Mira Sand <201>", "s@group", payload: "type: group,id: 8,label: Workshop"
        ),
        Row("ANSWER", Stage.mira, 0.2, "Mira Sand <201>", "pickup@xivo-pickup"),
        Row("APP_START", Stage.mira, 0.3, "Mira Sand <201>", "s@group"),
        Row("CHAN_START", Stage.noor, 0.4, "Noor Vale <202>", "s@floor"),
        Row("CHAN_START", Stage.otto, 0.5, "Otto Kern <203>", "s@floor"),
        Row("CHAN_START", Stage.pia, 0.6, "Pia Lund <204>", "s@floor"),
        Row("ANSWER", Stage.otto, 7, "Otto Kern <203>", "s@floor"),
        Row("CHAN_END", Stage.noor, 7.1, "Noor Vale <202>", "s@floor"),
        Row("CHAN_END", Stage.pia, 7.2, "Pia Lund <204>", "s@floor"),
        Row("BRIDGE_ENTER", Stage.otto, 7.3, "Otto Kern <203>", "@floor", extra: Stage.bridge),
        Row("BRIDGE_ENTER", Stage.mira, 7.4, "Mira Sand <201>", "s@group", extra: Stage.bridge, peer: Stage.otto.name),
        Row("CHAN_END", Stage.mira, 31, "Mira Sand <201>", "s@group"),
        Row("CHAN_END", Stage.otto, 31.1, "Otto Kern <203>", "@floor"),
        Row("LINKEDID_END", Stage.otto, 31.2, "Otto Kern <203>", "@floor"),
      ], from: 91)
    let expected = PlainCallLog {
      $0.conversationID = "1772438400.1"
      ($0.date, $0.dateAnswer, $0.dateEnd) = (0, 7.4, 31)
      $0.tenant = House.tenant
      $0.userField = ""
      ($0.sourceName, $0.sourceExten, $0.sourceInternalName) = ("Mira Sand", "201", "Mira Sand")
      ($0.sourceInternalExten, $0.sourceInternalContext) = ("201", "floor")
      $0.sourceLineIdentity = "pjsip/mira"
      ($0.requestedName, $0.requestedExten, $0.requestedContext) = ("Noor Vale", "2900", "floor")
      ($0.requestedInternalExten, $0.requestedInternalContext) = ("202", "floor")
      ($0.destinationName, $0.destinationExten) = ("Workshop", "2900")
      ($0.destinationInternalExten, $0.destinationInternalContext) = ("203", "floor")
      $0.destinationLineIdentity = "pjsip/pia"
      $0.details = ["type": "group", "group_id": "8", "group_label": "Workshop"]
      $0.participants = [
        .init(House.mira, line: 41, "source", ["design"]),
        .init(House.noor, line: 42, "destination", ["design", "oslo"]),
        .init(House.otto, line: 43, "destination", answered: true),
        .init(House.pia, line: 44, "destination", ["stock"]),
      ]
      $0.celIDs = Array(91...105)
    }
    #expect(try interpret(rows).only().differences(from: expected) == [])
  }

  @Test("a pickup: two linkedids, one call log, none before both have ended")
  func pickup() throws {
    let picker = Channel("PJSIP/otto-00000042", uniqueid: "1772438405.52")
    let pickers = "1772438405.52"
    let rows = conversation(
      [
        Row("CHAN_START", Stage.mira, 0, "Mira Sand <201>", "202@floor"),
        Row("APP_START", Stage.mira, 0.2, "Mira Sand <201>", "s@user"),
        Row("CHAN_START", Stage.noor, 0.3, "Noor Vale <202>", "s@floor"),
        Row("CHAN_START", picker, 5, "Otto Kern <203>", "*8202@floor", linkedid: pickers),
        Row("ANSWER", picker, 5.1, "Otto Kern <203>", "*8202@floor", linkedid: pickers),
        Row("CHAN_END", Stage.noor, 5.2, "Noor Vale <202>", "*8202@floor"),
        Row("ANSWER", Stage.mira, 5.3, "Mira Sand <201>", "s@user"),
        Row("BRIDGE_ENTER", picker, 5.4, "Otto Kern <203>", "*8202@floor", extra: Stage.bridge, linkedid: pickers),
        Row("LINKEDID_END", picker, 5.5, "Otto Kern <203>", "*8202@floor", linkedid: pickers),
        Row("BRIDGE_ENTER", Stage.mira, 5.6, "Mira Sand <201>", "s@user", extra: Stage.bridge, peer: picker.name),
        Row("BRIDGE_EXIT", picker, 33, "Otto Kern <203>", "*8202@floor"),
        Row("CHAN_END", picker, 33.1, "Otto Kern <203>", "*8202@floor"),
        Row("CHAN_END", Stage.mira, 33.2, "Mira Sand <201>", "s@user"),
        Row("LINKEDID_END", Stage.mira, 33.3, "Mira Sand <201>", "s@user"),
      ], from: 111)
    let expected = PlainCallLog {
      $0.conversationID = "1772438400.1"
      ($0.date, $0.dateAnswer, $0.dateEnd) = (0, 5.6, 33.2)
      $0.tenant = House.tenant
      $0.userField = ""
      ($0.sourceName, $0.sourceExten, $0.sourceInternalName) = ("Mira Sand", "201", "Mira Sand")
      ($0.sourceInternalExten, $0.sourceInternalContext) = ("201", "floor")
      $0.sourceLineIdentity = "pjsip/mira"
      ($0.requestedName, $0.requestedExten, $0.requestedContext) = ("Noor Vale", "202", "floor")
      ($0.requestedInternalExten, $0.requestedInternalContext) = ("202", "floor")
      ($0.destinationName, $0.destinationExten) = ("Otto Kern", "203")
      ($0.destinationInternalExten, $0.destinationInternalContext) = ("203", "floor")
      $0.destinationLineIdentity = "pjsip/otto"
      $0.participants = [
        .init(House.mira, line: 41, "source", ["design"]),
        .init(House.noor, line: 42, "destination", ["design", "oslo"]),
        .init(House.otto, line: 43, "destination", answered: true),
      ]
      $0.celIDs = Array(111...124)
    }
    #expect(try interpret(rows).only().differences(from: expected) == [])
    let withoutLast = interpret(rows.dropLast())
    #expect(withoutLast.logs.isEmpty)
    #expect(withoutLast.outcomes == [.unfinished])
  }
}
