/// A call that begins with a pair of Local channels (Interpretation, R52 to R58).
extension Interpreter {
  /// Reads the events as far as possible. After an early return the remaining fields stay unset. A
  /// call without a date is invalid.
  mutating func readOriginate() {
    var starts: [CEL] = []
    for event in events where event.type == .chanStart {
      starts.append(event)
      if starts.count == 3 { break }
    }
    guard starts.count == 3 else { return }
    let (one, two, source) = (starts[0].uniqueid, starts[1].uniqueid, starts[2].uniqueid)
    guard let sourceAnswer = first(.answer, of: source), let sourceEnd = first(.chanEnd, of: source),
      let secondAnswer = first(.answer, of: two)
    else { return }
    raw.date = starts[0].time
    raw.log.dateEnd = sourceEnd.time
    raw.log.sourceName = sourceAnswer.cidName
    raw.log.sourceExten = sourceAnswer.cidNum
    raw.log.sourceLineIdentity = ChannelName.lineIdentity(sourceAnswer.channame, arena)
    raw.channels[raw.channel(sourceAnswer.channame)].role = .source
    raw.log.destinationExten = secondAnswer.cidNum

    for index in events.indices where events[index].type == .mixmonitorStart { startRecording(events[index], at: index) }
    for take in raw.takes.indices where raw.takes[take].end == nil { raw.takes[take].end = sourceEnd.time }

    if let application = first(.appStart, of: one) { raw.log.userField = application.userfield }
    for event in events where event.type == .appStart { readVoicemail(event) }

    guard readOriginateDestination(besides: [one, two, source]) else { return }

    if events.contains(where: { $0.type == .incall }) { raw.log.direction = .inbound }
    if events.contains(where: { $0.type == .outcall }) { raw.log.direction = .outbound }
    if let allLines = events.first(where: { $0.type == .originateAllLines }) { readAllLines(allLines) }
  }

  private func first(_ type: EventType, of uniqueid: Int32) -> CEL? {
    events.first { $0.type == type && $0.uniqueid == uniqueid }
  }

  /// The destination is the other channel that entered a bridge last (Interpretation, R56).
  /// - Returns: false if that channel never answered; the reading ends then
  private mutating func readOriginateDestination(besides known: [Int32]) -> Bool {
    var others: [Int32] = []
    for event in events
    where event.type == .chanStart && !known.contains(event.uniqueid) && !event.channame.hasIgnoringCase("local/")
      && !others.contains(event.uniqueid)
    {
      others.append(event.uniqueid)
    }
    guard !others.isEmpty, let entry = events.last(where: { $0.type == .bridgeEnter && others.contains($0.uniqueid) }) else {
      return true
    }
    guard let answer = first(.answer, of: entry.uniqueid) else { return false }
    raw.log.destinationName = answer.cidName
    raw.log.destinationExten = answer.cidNum
    raw.log.destinationLineIdentity = ChannelName.lineIdentity(answer.channame, arena)
    raw.channels[raw.channel(answer.channame)].role = .destination
    // The last entry counts: the earlier ones are those of Local channels, which Asterisk optimises
    // away (Interpretation, R61).
    raw.log.dateAnswer = entry.time
    return true
  }

  private mutating func readAllLines(_ event: CEL) {
    guard let text = payloadText(event) else { return }
    pairs.read(text)
    guard let user = pairs["user_uuid"], let tenant = pairs["tenant_uuid"] else {
      return tally.note(.unexpectedPayload, event.id)
    }
    setTenant(tenant, event)
    let channel = raw.channel(event.channame)
    raw.channels[channel].role = .source
    raw.channels[channel].requested = false
    raw.mention(user, .source, requested: !raw.hasRequestedType)
    raw.hasRequestedType = true
  }
}
