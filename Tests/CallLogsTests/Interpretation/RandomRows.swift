import TestSupport

@testable import CallLogs

extension Seeded {
  private static let events = [
    "CHAN_START", "CHAN_START", "CHAN_END", "ANSWER", "APP_START", "BRIDGE_ENTER", "BRIDGE_ENTER", "BRIDGE_START", "LINKEDID_END",
    "MIXMONITOR_START", "MIXMONITOR_STOP", "XIVO_FROM_S", "XIVO_INCALL", "XIVO_OUTCALL", "XIVO_USER_FWD", "WAZO_MEETING_NAME",
    "WAZO_CONFERENCE",
    "WAZO_USER_MISSED_CALL", "WAZO_USER_BLOCKED_CALL", "WAZO_CALL_LOG_DESTINATION", "WAZO_CALL_LOG_REQUESTED_INTERNAL",
    "WAZO_ORIGINATE_ALL_LINES", "HANGUP", "BRIDGE_EXIT", "ATTENDEDTRANSFER", "1", "7", "3WAY_START", "NOISE",
  ]
  private static let channels = [
    "PJSIP/mira-01", "PJSIP/mira-02", "SIP/mira-03", "PJSIP/noor-01", "PJSIP/noor-02", "PJSIP/otto-01", "PJSIP/piamobile-01",
    "PJSIP/pia-01",
    "Local/202@floor-01;1", "Local/202@floor-01;2", "Local/noor@wazo_wait_for_registration-01;2", "CBAnn/x", "PJSIP/quin-09",
    "Local/a-€", "é",
  ]
  private static let texts = [
    "", "s", "201", "202", "floor", "attic", "wazo-meeting-1", "Noor, Vale", "Zoë \"Z\"", "%41%C3", "漢😀", "\\", "'",
    String(repeating: "ß", count: 260),
  ]
  private static let recordings = ["/tmp/a.wav", "/tmp/b.wav", Stage.path("5a7d10c2-91be-4c3f-9d02-6f1e8b2c7a55")]

  private mutating func payload() -> String {
    let users = [House.mira, House.noor, House.pia, House.stranger, "", "x"]
    let tenants = [House.tenant, House.otherTenant, "", "x"]
    switch below(9) {
    case 0: return pick(tenants)
    case 1:
      return
        "type: \(pick(["user", "group", "meeting", "conference", "queue"])),uuid: \(pick(users)),name: \(pick(Self.texts)),id: 4,label: L"
    case 2: return "NUM:\(pick(Self.texts)),CONTEXT:\(pick(Self.texts)),NAME:\(pick(Self.texts))"
    case 3: return "a: \(pick(tenants)),b: \(pick(users)),c: \(pick(users)),d: 2,e: \(pick(Self.texts)),f: \(pick(Self.texts))"
    case 4: return "number: \(pick(Self.texts)),context: \(pick(Self.texts))"
    case 5: return "user_uuid:\(pick(users)),tenant_uuid:\(pick(tenants))"
    case 6: return "NAME: \(pick(Self.texts))"
    case 7:
      return "blocked_caller_id_num: 1,blocked_caller_id_name: \(pick(Self.texts)),destination_user_uuid: \(pick(users)),x: "
    default: return pick(Self.texts)
    }
  }

  private mutating func extra(_ event: String) -> String? {
    if chance(5) { return pick([nil, "", "{", "7", "[1]", "\"x\"", "{\"extra\":{}}", "{\"extra\":\"\\ud800\"}"]) }
    if event.hasPrefix("MIX") { return Stage.recording(pick(Self.recordings), id: pick(["1", "2", ""])) }
    if event.hasPrefix("BRIDGE") { return pick([Stage.bridge, Stage.waitingRoom, "{}", nil]) }
    return "{\"extra\":\(quoted(payload()))}"
  }

  /// Random rows of one conversation, its identifiers beginning with `seconds`; complete, most of
  /// the time.
  mutating func conversation(_ seconds: Int, from first: Int64) -> [Row] {
    let linkedids = (0...below(3)).map { "\(seconds).\($0)" }
    var rows = (0..<5 + below(30)).map { _ in
      // Times from a small range, so that there are many ties.
      var row = Row(
        pick(Self.events), Channel(pick(Self.channels), uniqueid: "\(seconds).\(10 + below(5))"), Double(below(20)) / 4)
      row.linkedid = pick(linkedids)
      row.cidName = pick(Self.texts)
      row.cidNum = pick(Self.texts)
      row.exten = pick(Self.texts)
      row.context = pick(Self.texts)
      row.appname = pick(["Dial", "VoiceMail"])
      row.appdata = pick(["202@floor,u", "", "x"])
      row.userfield = pick(Self.texts)
      row.peer = chance(50) ? "" : "\(pick(Self.channels)),\(pick(Self.channels))"
      row.extra = extra(row.event)
      return row
    }
    if chance(85) {
      for linkedid in linkedids {
        rows.append(Row("LINKEDID_END", Channel("PJSIP/mira-01", uniqueid: "\(seconds).10"), 9, linkedid: linkedid))
      }
    }
    for index in rows.indices { rows[index].id = first + Int64(index) }
    return rows
  }
}
