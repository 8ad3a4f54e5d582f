/// The events of simulated CELs: Asterisk's own, then those of Wazo's dialplan.
enum CELEvent: UInt8, CaseIterable {
  case chanStart, answer, appStart, bridgeEnter, bridgeExit, hangup, chanEnd, linkedidEnd, pickup
  case blindTransfer, attendedTransfer
  case mixMonitorStart, mixMonitorStop
  case incall, outcall, userForward, destination, missedCall, blockedCall, conference, meetingName, allLines

  var name: StaticString {
    switch self {
    case .chanStart: "CHAN_START"
    case .answer: "ANSWER"
    case .appStart: "APP_START"
    case .bridgeEnter: "BRIDGE_ENTER"
    case .bridgeExit: "BRIDGE_EXIT"
    case .hangup: "HANGUP"
    case .chanEnd: "CHAN_END"
    case .linkedidEnd: "LINKEDID_END"
    case .pickup: "PICKUP"
    case .blindTransfer: "BLINDTRANSFER"
    case .attendedTransfer: "ATTENDEDTRANSFER"
    case .mixMonitorStart: "MIXMONITOR_START"
    case .mixMonitorStop: "MIXMONITOR_STOP"
    case .incall: "XIVO_INCALL"
    case .outcall: "XIVO_OUTCALL"
    case .userForward: "XIVO_USER_FWD"
    case .destination: "WAZO_CALL_LOG_DESTINATION"
    case .missedCall: "WAZO_USER_MISSED_CALL"
    case .blockedCall: "WAZO_USER_BLOCKED_CALL"
    case .conference: "WAZO_CONFERENCE"
    case .meetingName: "WAZO_MEETING_NAME"
    case .allLines: "WAZO_ORIGINATE_ALL_LINES"
    }
  }
}
