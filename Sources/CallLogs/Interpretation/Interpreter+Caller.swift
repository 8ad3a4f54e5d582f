import Values

/// The caller's events (Interpretation, R28 to R45).
extension Interpreter {
  mutating func readCaller(_ event: CEL, at index: Int) {
    switch event.type {
    case .chanStart: callerStarts(event)
    case .chanEnd:
      raw.log.dateEnd = event.time
      for take in raw.takes.indices where raw.takes[take].end == nil { raw.takes[take].end = event.time }
      raw.filterExtensions()
    case .appStart: callerRunsApplication(event)
    case .answer:
      if raw.log.destinationExten.isEmpty { raw.log.destinationExten = event.cidNum }
      if raw.log.requestedExten.isEmpty { raw.log.requestedExten = raw.filtered(event.cidNum) }
    case .bridgeEnter, .bridgeStart: callerEntersBridge(event)
    case .mixmonitorStart: startRecording(event, at: index)
    case .fromS:
      raw.log.requestedExten = raw.filtered(event.exten)
      raw.log.requestedContext = event.context
      raw.log.destinationExten = raw.filtered(event.exten)
    case .incall: callComesIn(event)
    case .outcall: callGoesOut(event)
    case .userForward: callIsForwarded(event)
    case .conference: conferenceIsNamed(event)
    case .meetingName: meetingIsNamed(event)
    case .userMissedCall: userMissesCall(event)
    case .userBlockedCall: userBlocksCall(event)
    case .callLogDestination: destinationIsAnnounced(event)
    case .callLogRequestedInternal: _ = readRequestedInternal(event)
    case .mixmonitorStop, .originateAllLines, .linkedidEnd, .ignored, .unknown: break
    }
  }

  private mutating func callerStarts(_ event: CEL) {
    let exten = raw.filtered(event.exten)
    raw.date = event.time
    raw.log.sourceName = event.cidName
    raw.log.sourceInternalName = event.cidName
    raw.log.sourceExten = raw.filtered(event.cidNum)
    raw.log.requestedExten = exten
    raw.log.requestedContext = event.context
    raw.log.destinationExten = exten
    raw.log.sourceLineIdentity = ChannelName.lineIdentity(event.channame, arena)
    raw.channels[raw.channel(event.channame)].role = .source
  }

  private mutating func callerRunsApplication(_ event: CEL) {
    raw.log.userField = event.userfield
    readVoicemail(event)
    guard !raw.isForwarded else { return }
    let name = event.cidName
    let number = event.cidNum
    if !name.isEmpty { raw.log.sourceName = name }
    if !number.isEmpty { raw.log.sourceExten = raw.filtered(number) }
  }

  /// The answer is the caller's first entry into a bridge with another party. An ANSWER is not
  /// enough, because queues, voicemail and announcements answer too (Interpretation, R59).
  private mutating func callerEntersBridge(_ event: CEL) {
    let bridge = isHoldingBridge(event)
    if case .unreadable = bridge { return }
    if raw.log.sourceName.isEmpty { raw.log.sourceName = event.cidName }
    if raw.log.sourceExten.isEmpty { raw.log.sourceExten = raw.filtered(event.cidNum) }
    if raw.log.dateAnswer == nil, case .unknown = bridge { raw.log.dateAnswer = event.time }
  }

  private mutating func callComesIn(_ event: CEL) {
    switch payload(event) {
    case .missing: raw.log.direction = .inbound
    case .text(let tenant):
      raw.log.direction = .inbound
      setTenant(tenant, event)
    case .unusable: break
    }
  }

  private mutating func callGoesOut(_ event: CEL) {
    if raw.isForwarded {
      raw.details = .none
      raw.log.destinationExten = raw.filtered(event.cidNum)
      raw.log.destinationName = event.cidName
    } else {
      raw.log.direction = .outbound
    }
  }

  private mutating func callIsForwarded(_ event: CEL) {
    guard !event.extra.isNull else { return tally.note(.unexpectedPayload, event.id) }
    let json = extra(event, keys: "extra")
    var isReadable = true
    if case .malformed = json.kind {
      tally.note(.malformedJSON, event.id)
      isReadable = false
    }
    raw.isForwarded = true
    if isReadable, case .text(let text) = json.first, let forward = Payload.forward(text) {
      raw.log.destinationExten = raw.filtered(forward.number)
      if raw.firstForwardOpen {
        raw.log.requestedInternalExten = raw.filtered(forward.number)
        raw.log.requestedInternalContext = forward.context
        raw.log.requestedName = forward.name
      }
    }
    raw.firstForwardOpen = false
  }

  private mutating func conferenceIsNamed(_ event: CEL) {
    guard let text = payloadText(event) else { return }
    guard let at = text.firstIndex(of: "NAME: ") else { return tally.note(.unexpectedPayload, event.id) }
    raw.log.destinationName = text.from(at + 6)
  }

  private mutating func meetingIsNamed(_ event: CEL) {
    guard let name = payloadText(event) else { return }
    guard !raw.log.destinationExten.isNull else { return tally.note(.unexpectedPayload, event.id) }
    raw.log.destinationName = name
    if raw.log.destinationExten.hasPrefix("wazo-meeting-") { raw.hide(raw.log.destinationExten) }
  }

  private mutating func userMissesCall(_ event: CEL) {
    guard let text = payloadText(event) else { return }
    guard Payload.read(text, 6, into: &tokens) else { return tally.note(.unexpectedPayload, event.id) }
    let source = tokens[1].value
    let destination = tokens[2].value
    if !source.isEmpty { raw.mention(source, .source, answered: false) }
    if !destination.isEmpty { raw.mention(destination, .destination, answered: false) }
    setTenant(tokens[0].value, event)
    raw.log.destinationName = percentDecoded(tokens[5].value, event)
    raw.log.sourceName = percentDecoded(tokens[4].value, event)
    raw.log.sourceExten = event.cidNum
    raw.log.sourceLineIdentity = ChannelName.lineIdentity(event.channame, arena)
  }

  private mutating func userBlocksCall(_ event: CEL) {
    guard let text = payloadText(event) else { return }
    guard let blocked = BlockedCall(text) else { return tally.note(.unexpectedPayload, event.id) }
    raw.mention(blocked.user, .destination, answered: false)
    setTenant(blocked.tenant, event)
    raw.log.sourceName = percentDecoded(blocked.name, event)
    raw.log.sourceExten = percentDecoded(blocked.number, event)
    raw.log.sourceLineIdentity = ChannelName.lineIdentity(event.channame, arena)
    raw.log.blocked = true
  }

  private mutating func destinationIsAnnounced(_ event: CEL) {
    guard let text = payloadText(event) else { return }
    pairs.read(text)
    guard pairs.count > 0 else { return tally.note(.unexpectedPayload, event.id) }
    guard let type = pairs["type"] else { return }
    if type == "conference", let id = pairs["id"] {
      raw.details = .conference(id: id)
    } else if type == "user", let uuid = pairs["uuid"], let name = pairs["name"] {
      raw.details = .user(uuid: uuid, name: name)
      raw.mentions.append(RawCallLog.Mention(userUUID: uuid, role: .destination, answered: nil, requested: !raw.hasRequestedType))
      raw.log.destinationName = name
    } else if type == "meeting", let uuid = pairs["uuid"], let name = pairs["name"] {
      raw.details = .meeting(uuid: uuid, name: name)
    } else if type == "group", let id = pairs["id"], let label = pairs["label"] {
      raw.details = .group(id: id, label: label)
      raw.log.destinationName = label
    } else {
      // Other types, such as a queue, are not a flaw. A known type without one of its keys is.
      if type == "conference" || type == "user" || type == "meeting" || type == "group" {
        tally.note(.unexpectedPayload, event.id)
      }
      return
    }
    raw.hasRequestedType = true
    raw.isAuthoritative = true
  }
}

/// The payload of WAZO_USER_BLOCKED_CALL: by its keys, else by position (tenant, user, number,
/// name, blocked number). An early dialplan had another order and no tenant (Interpretation, R41).
private struct BlockedCall {
  var tenant: Text = .empty
  var user: Text
  var number: Text
  var name: Text

  init?(_ text: Text) {
    // No dialplan wrote fewer than four tokens.
    guard let tokens = Payload.tokens(text, 5) ?? Payload.tokens(text, 4) else { return nil }
    func value(_ key: Text) -> Text? { tokens.last { $0.key == key }?.value }
    if let number = value("blocked_caller_id_num"), let name = value("blocked_caller_id_name"),
      let user = value("destination_user_uuid")
    {
      self.user = user
      self.number = number
      self.name = name
      tenant = value("wazo_tenant_uuid") ?? .empty
    } else if tokens.count == 5 {
      tenant = tokens[0].value
      user = tokens[1].value
      number = tokens[2].value
      name = tokens[3].value
    } else {
      return nil
    }
  }
}
