/// The kinds of channel events, as far as they mean something to a person who looks at a call.
///
/// Sources of the names: Asterisk documentation, "Channel Event Logging", section "Events"; Wazo's
/// dialplan for `XIVO_` and `WAZO_`. Asterisk itself writes no HOLD and no UNHOLD: music in a
/// bridge shows that somebody is on hold. Dialplans write them as user events.
public enum EventKind: String, Sendable, CaseIterable {
  // Asterisk's own events, in the order of their numbers, which begin with 1.
  case chanStart = "CHAN_START"
  case chanEnd = "CHAN_END"
  case hangup = "HANGUP"
  case answer = "ANSWER"
  case appStart = "APP_START"
  case appEnd = "APP_END"
  case bridgeEnter = "BRIDGE_ENTER"
  case bridgeExit = "BRIDGE_EXIT"
  case parkStart = "PARK_START"
  case parkEnd = "PARK_END"
  case blindTransfer = "BLINDTRANSFER"
  case attendedTransfer = "ATTENDEDTRANSFER"
  case userDefined = "USER_DEFINED"
  case linkedidEnd = "LINKEDID_END"
  case pickup = "PICKUP"
  case forward = "FORWARD"
  case localOptimize = "LOCAL_OPTIMIZE"
  case localOptimizeBegin = "LOCAL_OPTIMIZE_BEGIN"
  case streamBegin = "STREAM_BEGIN"
  case streamEnd = "STREAM_END"
  case dtmf = "DTMF"
  // Events of Asterisk before 12.
  case bridgeStart = "BRIDGE_START"
  case bridgeEnd = "BRIDGE_END"
  // User events.
  case hold = "HOLD"
  case unhold = "UNHOLD"
  case mixmonitorStart = "MIXMONITOR_START"
  case mixmonitorStop = "MIXMONITOR_STOP"
  case fromS = "XIVO_FROM_S"
  case incall = "XIVO_INCALL"
  case outcall = "XIVO_OUTCALL"
  case userForward = "XIVO_USER_FWD"
  case meetingName = "WAZO_MEETING_NAME"
  case conference = "WAZO_CONFERENCE"
  case userMissedCall = "WAZO_USER_MISSED_CALL"
  case userBlockedCall = "WAZO_USER_BLOCKED_CALL"
  case callLogDestination = "WAZO_CALL_LOG_DESTINATION"
  case callLogRequestedInternal = "WAZO_CALL_LOG_REQUESTED_INTERNAL"
  case originateAllLines = "WAZO_ORIGINATE_ALL_LINES"
  /// An event that is neither Asterisk's nor Wazo's.
  case other = ""

  private static let numbered: [EventKind] = [
    .chanStart, .chanEnd, .hangup, .answer, .appStart, .appEnd, .bridgeEnter, .bridgeExit, .parkStart, .parkEnd, .blindTransfer,
    .attendedTransfer, .userDefined, .linkedidEnd, .pickup, .forward, .localOptimize, .localOptimizeBegin, .streamBegin,
    .streamEnd, .dtmf,
  ]

  /// Whether it is a user event, whose name the dialplan chooses.
  private var isOfDialplan: Bool {
    rawValue.hasPrefix("XIVO_") || rawValue.hasPrefix("WAZO_") || rawValue.hasPrefix("MIXMONITOR_")
  }

  /// The kind and the name of a CEL with these columns (Interpretation, R7 to R9).
  /// - Returns: the name as Asterisk or the dialplan calls the event, also where the table has a
  ///   number
  static func of(eventtype: String, userdeftype: String) -> (kind: EventKind, name: String) {
    let written =
      Int(eventtype).map { numbered.indices.contains($0 - 1) ? numbered[$0 - 1].rawValue : eventtype } ?? eventtype
    if written == EventKind.userDefined.rawValue {
      let kind = EventKind(rawValue: userdeftype) ?? .other
      let isKnown = kind.isOfDialplan || kind == .hold || kind == .unhold
      return (isKnown ? kind : .other, userdeftype.isEmpty ? written : userdeftype)
    }
    let kind = EventKind(rawValue: written) ?? .other
    // A dialplan can name its event like one of Asterisk's. These three fill the column themselves.
    let isMimic = !userdeftype.isEmpty && ![.streamBegin, .streamEnd, .dtmf].contains(kind) && !kind.isOfDialplan
    return (isMimic ? .other : kind, written)
  }
}
