import Values

/// The callees' events (Interpretation, R46 to R51).
extension Interpreter {
  mutating func readCallee(_ event: CEL, at index: Int) {
    switch event.type {
    case .chanStart: calleeStarts(event)
    case .chanEnd:
      // This also lengthens a recording that began on the caller's channel.
      for take in raw.takes.indices where !raw.takes[take].isFinal && (raw.takes[take].end ?? Int64.min) < event.time {
        raw.takes[take].end = event.time
      }
    case .appStart: readVoicemail(event)
    case .bridgeEnter, .bridgeStart: calleeEntersBridge(event)
    case .mixmonitorStart: startRecording(event, at: index)
    case .callLogRequestedInternal:
      if readRequestedInternal(event) { raw.log.requestedName = event.cidName }
    default: break
    }
  }

  private mutating func calleeStarts(_ event: CEL) {
    let name = event.channame
    let cidName = event.cidName
    let cidNum = event.cidNum
    raw.log.destinationLineIdentity = ChannelName.lineIdentity(name, arena)
    let channel = raw.channel(name)
    raw.channels[channel].callerID = (cidName, cidNum)
    if raw.log.direction == .outbound {
      raw.log.destinationName = .empty
      raw.log.requestedName = .empty
    } else if let mobile = MobileName.waiting(name) {
      if !raw.pendingMobiles.contains(mobile) { raw.pendingMobiles.append(mobile) }
    } else if let mobile = MobileName.registered(name), let pending = raw.pendingMobiles.firstIndex(of: mobile) {
      raw.pendingMobiles.remove(at: pending)
      raw.firstBridgeOpen = false
      if !raw.isAuthoritative {
        raw.log.destinationExten = cidNum
        raw.log.destinationName = cidName
      }
      raw.log.destinationInternalExten = cidNum
      raw.log.destinationInternalContext = event.context
    } else {
      if !raw.isAuthoritative {
        raw.log.destinationExten = cidNum
        raw.log.destinationName = cidName
      }
      if raw.log.requestedName.isEmpty { raw.log.requestedName = cidName }
    }
    raw.channels[channel].role = .destination
  }

  private mutating func calleeEntersBridge(_ event: CEL) {
    if case .unreadable = isHoldingBridge(event) { return }
    let channel = raw.channel(event.channame)
    raw.channels[channel].answered = true
    // The channel has a CHAN_START under another name: it was renamed since (Interpretation, R49).
    if raw.channels[channel].role == nil { raw.channels[channel].role = .destination }
    let cidNum = event.cidNum
    if raw.firstBridgeOpen, !raw.isAuthoritative || raw.isForwarded {
      if !cidNum.isEmpty, cidNum != "s" { raw.log.destinationExten = cidNum }
      raw.log.destinationName = event.cidName
      raw.firstBridgeOpen = false
    }
    let peers = event.peer
    guard !peers.isEmpty else { return }
    var start = 0
    while start < peers.count {
      let end = peers.firstIndex(of: UInt8(ascii: ","), from: start) ?? peers.count
      if end > start, let peer = raw.knownChannel(peers[start..<end]) { raw.channels[peer].answered = true }
      start = end + 1
    }
    guard !raw.isAuthoritative, let callerID = raw.channels[channel].callerID else { return }
    if !callerID.name.isEmpty { raw.log.destinationName = callerID.name }
    if !callerID.number.isEmpty {
      raw.log.destinationExten = callerID.number
      raw.log.destinationInternalExten = callerID.number
    }
  }
}

/// Names of channels for a mobile application that a push message wakes. A Local channel waits for
/// its registration, then its PJSIP channel rings (Interpretation, R46).
private enum MobileName {
  /// The line in `Local/LINE@wazo_wait_for_registration-…;2`.
  static func waiting(_ name: Text) -> Text? {
    let marker: Text = "@wazo_wait_for_registration-"
    guard name.hasPrefix("Local/"), name.count > 2, name.has(";2", at: name.count - 2) else { return nil }
    var last: Int?
    var from = 7
    while let at = name.firstIndex(of: marker, from: from) {
      if at + marker.count < name.count - 2 { last = at }
      from = at + 1
    }
    guard let last, !hasSpace(name.from(6)) else { return nil }
    return name[6..<last]
  }

  /// The line in `PJSIP/LINE-…`.
  static func registered(_ name: Text) -> Text? {
    guard name.hasPrefix("PJSIP/") else { return nil }
    var last: Int?
    // A dash at the very end does not count.
    for index in 7..<max(7, name.count - 1) where name[index] == UInt8(ascii: "-") { last = index }
    guard let last, !hasSpace(name.from(6)) else { return nil }
    return name[6..<last]
  }

  private static func hasSpace(_ text: Text) -> Bool { text.bytes.contains(where: isASCIIWhitespace) }
}
