import Values

/// The types of CELs: Asterisk's own events, and the user events of Wazo's dialplan
/// (Interpretation, R7 to R10).
///
/// Sources of the names: Asterisk documentation, "Channel Event Logging", section "Events"; Wazo's
/// dialplan for `XIVO_` and `WAZO_`.
public enum EventType: UInt8, Sendable, CaseIterable {
  // Events of Asterisk that the interpreter reads.
  case chanStart, chanEnd, answer, appStart, bridgeEnter, bridgeStart, linkedidEnd
  case mixmonitorStart, mixmonitorStop
  case fromS, incall, outcall, userForward, meetingName, conference, userMissedCall, userBlockedCall
  case callLogDestination, callLogRequestedInternal, originateAllLines
  // Known events without a meaning for call logs. Their rows still hold a call together.
  case ignored
  // Unknown events, and user events with the name of an Asterisk event.
  case unknown

  /// Whether the interpreter may read the columns of such an event.
  @inlinable var isRead: Bool { rawValue < EventType.ignored.rawValue && self != .linkedidEnd }

  /// The type of a CEL with these `eventtype` and `userdeftype`.
  ///
  /// `eventtype` is a name, or a number of Asterisk 12 and later. A user event has its own name
  /// there, or `USER_DEFINED` with the name in `userdeftype` (`show_user_defined=yes`). A user
  /// event can have the name of an Asterisk event. Only `userdeftype` shows the difference, so an
  /// Asterisk event with a `userdeftype` counts as unknown. STREAM and DTMF events also fill that
  /// column, but have no meaning here. (Interpretation, R7 to R9)
  public static func of(_ eventtype: Text, userdeftype: Text) -> EventType {
    if let number = eventtype.decimal { return (1...21).contains(number) ? ofNumber(number, userdeftype) : .unknown }
    if eventtype == "USER_DEFINED" { return ofUserEvent(userdeftype) }
    if let known = ofAsterisk(eventtype) {
      return userdeftype.isEmpty || known == .ignored ? known : .unknown
    }
    return ofUserEvent(eventtype)
  }

  private static func ofNumber(_ number: UInt64, _ userdeftype: Text) -> EventType {
    let known: EventType
    switch number {
    case 1: known = .chanStart
    case 2: known = .chanEnd
    case 4: known = .answer
    case 5: known = .appStart
    case 7: known = .bridgeEnter
    case 13: return ofUserEvent(userdeftype)
    case 14: known = .linkedidEnd
    default: return .ignored
    }
    return userdeftype.isEmpty ? known : .unknown
  }

  private static func ofAsterisk(_ name: Text) -> EventType? {
    switch name.count {
    case 6:
      if name == "ANSWER" { return .answer }
      if name == "HANGUP" || name == "PICKUP" { return .ignored }
    case 8:
      if name == "CHAN_END" { return .chanEnd }
      if name == "TRANSFER" || name == "PARK_END" { return .ignored }
    case 9:
      if name == "APP_START" { return .appStart }
    case 10:
      if name == "CHAN_START" { return .chanStart }
      if name == "BRIDGE_END" || name == "PARK_START" || name == "STREAM_END" { return .ignored }
    case 11:
      if name == "BRIDGE_EXIT" { return .ignored }
    case 12:
      if name == "BRIDGE_ENTER" { return .bridgeEnter }
      if name == "LINKEDID_END" { return .linkedidEnd }
      if name == "BRIDGE_START" { return .bridgeStart }
      if name == "STREAM_BEGIN" { return .ignored }
    default:
      break
    }
    for other: Text in [
      "APP_END", "FORWARD", "DTMF", "BLINDTRANSFER", "ATTENDEDTRANSFER", "LOCAL_OPTIMIZE", "LOCAL_OPTIMIZE_BEGIN",
      "CONF_START", "CONF_END", "CONF_ENTER", "CONF_EXIT", "BRIDGE_UPDATE", "BRIDGE_TO_CONF", "3WAY_START", "3WAY_END",
    ] where other == name { return .ignored }
    return nil
  }

  private static func ofUserEvent(_ name: Text) -> EventType {
    if name.hasPrefix("MIXMONITOR_") {
      if name == "MIXMONITOR_START" { return .mixmonitorStart }
      if name == "MIXMONITOR_STOP" { return .mixmonitorStop }
    } else if name.hasPrefix("XIVO_") {
      if name == "XIVO_INCALL" { return .incall }
      if name == "XIVO_OUTCALL" { return .outcall }
      if name == "XIVO_USER_FWD" { return .userForward }
      if name == "XIVO_FROM_S" { return .fromS }
    } else if name.hasPrefix("WAZO_") {
      if name == "WAZO_CALL_LOG_DESTINATION" { return .callLogDestination }
      if name == "WAZO_CALL_LOG_REQUESTED_INTERNAL" { return .callLogRequestedInternal }
      if name == "WAZO_USER_MISSED_CALL" { return .userMissedCall }
      if name == "WAZO_USER_BLOCKED_CALL" { return .userBlockedCall }
      if name == "WAZO_MEETING_NAME" { return .meetingName }
      if name == "WAZO_CONFERENCE" { return .conference }
      if name == "WAZO_ORIGINATE_ALL_LINES" { return .originateAllLines }
    }
    return .unknown
  }
}
