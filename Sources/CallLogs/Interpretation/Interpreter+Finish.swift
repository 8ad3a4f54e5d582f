import Values

/// Post-processing, in the order of the specification's section 8, and the check whether there is a call at all.
extension Interpreter {
  mutating func finish(into results: inout CallLogBatch) -> Outcome {
    guard let date = raw.date else { return .invalid(.noDate) }
    raw.log.date = date
    // The source is settled before the directory is asked; what follows sets neither name nor number of it.
    if raw.log.sourceName.isEmpty, raw.log.sourceExten.isEmpty { return .invalid(.noSource) }
    keepOneChannelPerLine()
    raw.log.participants = addParticipants(to: &results)
    settleTenant()
    settleExtensions()
    settleVoicemail()
    raw.log.destinationDetails = addDetails(to: &results)
    raw.log.recordings = addRecordings(to: &results)
    fitColumns()
    results.callLogs.append(raw.log)
    return .callLog(results.callLogs.count - 1)
  }

  // MARK: 8.1 One channel per line

  private mutating func keepOneChannelPerLine() {
    for index in raw.channels.indices {
      let name = raw.channels[index].name
      let parsed = ChannelName(name)
      raw.channels[index].parsed = parsed
      if parsed == nil, let event = events.first(where: { $0.channame == name }) ?? events.first {
        tally.note(.unknownChannelName, event.id)
      }
    }
    guard hasLineWithTwoChannels else { return }
    sortedChannels.removeAll(keepingCapacity: true)
    sortedChannels.append(contentsOf: raw.channels.indices)
    let channels = raw.channels
    sortedChannels.sort { channels[$0].name < channels[$1].name }
    var isKept = [Bool](repeating: true, count: channels.count)
    var run = 0
    while run < sortedChannels.count {
      var end = run + 1
      if let line = channels[sortedChannels[run]].parsed {
        while end < sortedChannels.count, let next = channels[sortedChannels[end]].parsed, next.interface == line.interface,
          next.protocolName == line.protocolName
        { end += 1 }
      }
      if end > run + 1 {
        let members = sortedChannels[run..<end]
        let kept = members.last { channels[$0].answered == true } ?? members[end - 1]
        for member in members where member != kept { isKept[member] = false }
      }
      run = end
    }
    guard isKept.contains(false) else { return }
    raw.channels = channels.indices.filter { isKept[$0] }.map { channels[$0] }
  }

  /// Whether there may be such a line: looked for pair by pair, which for the few channels of most calls is less than sorting them.
  private var hasLineWithTwoChannels: Bool {
    guard raw.channels.count <= 12 else { return true }
    for index in raw.channels.indices.dropFirst() {
      guard let line = raw.channels[index].parsed else { continue }
      for other in 0..<index {
        if let known = raw.channels[other].parsed, known.interface == line.interface, known.protocolName == line.protocolName {
          return true
        }
      }
    }
    return false
  }

  // MARK: 8.2 Participants

  private mutating func addParticipants(to results: inout CallLogBatch) -> Range<Int> {
    let first = results.participants.count
    for index in raw.channels.indices {
      let channel = raw.channels[index]
      guard let role = channel.role, let parsed = channel.parsed, !parsed.isLocal,
        let line = directory.line(named: parsed.interface),
        let user = line.user
      else { continue }
      raw.channels[index].tenant = user.tenant
      raw.channels[index].mainExten = line.exten
      raw.channels[index].mainContext = line.context
      addParticipant(user, lineID: line.id, role: role, answered: channel.answered, to: &results)
    }
    let channelParticipants = first..<results.participants.count
    applyMentions(to: &results, channelParticipants)
    for index in first..<results.participants.count {
      results.participants[index].uuid = DerivedUUID.make(
        date: raw.log.date, conversationID: raw.log.conversationID, kind: .participant, ordinal: index - first)
    }
    return first..<results.participants.count
  }

  private mutating func addParticipant(
    _ user: Directory.User, lineID: Int32?, role: Role, answered: Bool?, requested: Bool = false, to results: inout CallLogBatch
  ) {
    if user.tagsWereCut, let event = events.first { tally.note(.cutText, event.id) }
    results.participants.append(
      Participant(
        uuid: UUIDValue(high: 0, low: 0), userUUID: user.uuid, lineID: lineID, role: role, tags: user.tags,
        answered: answered ?? false,
        requested: requested))
  }

  /// A user who was named by events as often as channels of theirs took part: paired in order. Named but without a channel: added. Any other count: left alone.
  private mutating func applyMentions(to results: inout CallLogBatch, _ channelParticipants: Range<Int>) {
    for first in raw.mentions.indices {
      guard let uuid = raw.mentions[first].uuid, !raw.mentions[..<first].contains(where: { $0.uuid == uuid }) else { continue }
      let mentions = raw.mentions[first...].count { $0.uuid == uuid }
      let places = results.participants[channelParticipants].count { $0.userUUID == uuid }
      if places == 0 {
        guard let user = directory.user(uuid), let last = raw.mentions.last(where: { $0.uuid == uuid }) else { continue }
        addParticipant(
          user, lineID: user.firstLineID, role: last.role, answered: false, requested: last.requested ?? false, to: &results)
      } else if places == mentions {
        var place = channelParticipants.lowerBound
        for index in first..<raw.mentions.count where raw.mentions[index].uuid == uuid {
          while results.participants[place].userUUID != uuid { place += 1 }
          // A channel only ever says that it was answered; where it said nothing the participant holds false.
          if raw.mentions[index].answered == true { results.participants[place].answered = true }
          results.participants[place].requested = raw.mentions[index].requested ?? false
          place += 1
        }
      }
    }
  }

  // MARK: 8.3 Tenant

  private mutating func settleTenant() {
    if let tenant = raw.tenant {
      raw.log.tenant = tenant
    } else if let tenant = raw.channels.lazy.compactMap(\.tenant).first {
      raw.log.tenant = tenant
    } else if !raw.log.requestedContext.isEmpty, let tenant = directory.tenant(ofContext: raw.log.requestedContext) {
      raw.log.tenant = tenant
    } else {
      raw.log.tenant = defaultTenant
    }
  }

  // MARK: 8.4 Extensions

  private mutating func settleExtensions() {
    for channel in raw.channels where channel.role == .source && !channel.mainExten.isNull {
      if raw.log.sourceInternalExten.isEmpty || raw.log.sourceInternalContext.isEmpty {
        raw.log.sourceInternalExten = channel.mainExten
        raw.log.sourceInternalContext = channel.mainContext
      }
    }
    for channel in raw.channels where channel.role == .destination && !channel.mainExten.isNull {
      if channel.answered == true || raw.log.destinationInternalExten.isEmpty || raw.log.destinationInternalContext.isEmpty {
        raw.log.destinationInternalExten = channel.mainExten
        raw.log.destinationInternalContext = channel.mainContext
      }
      if raw.log.requestedInternalExten.isEmpty || raw.log.requestedInternalContext.isEmpty {
        raw.log.requestedInternalExten = channel.mainExten
        raw.log.requestedInternalContext = channel.mainContext
      }
    }
  }

  // MARK: 8.5 Voicemail

  private mutating func settleVoicemail() {
    guard raw.log.reachedVoicemail, raw.log.dateAnswer == nil, !raw.voicemailNumber.isEmpty else { return }
    let found = directory.voicemail(number: raw.voicemailNumber, context: raw.voicemailContext, tenant: raw.log.tenant)
    guard let found else { return }
    raw.details = .voicemail(id: arena.text(String(found.id)), name: found.name)
  }

  private mutating func addDetails(to results: inout CallLogBatch) -> Range<Int> {
    let first = results.destinationDetails.count
    switch raw.details {
    case .none: break
    case .conference(let id):
      addDetail("type", "conference", to: &results)
      addDetail("conference_id", id, to: &results)
    case .user(let uuid, let name):
      addDetail("type", "user", to: &results)
      addDetail("user_uuid", uuid, to: &results)
      addDetail("user_name", name, to: &results)
    case .meeting(let uuid, let name):
      addDetail("type", "meeting", to: &results)
      addDetail("meeting_uuid", uuid, to: &results)
      addDetail("meeting_name", name, to: &results)
    case .group(let id, let label):
      addDetail("type", "group", to: &results)
      addDetail("group_id", id, to: &results)
      addDetail("group_label", label, to: &results)
    case .voicemail(let id, let name):
      addDetail("type", "voicemail", to: &results)
      addDetail("voicemail_id", id, to: &results)
      addDetail("voicemail_name", name, to: &results)
    }
    return first..<results.destinationDetails.count
  }

  private mutating func addDetail(_ key: Text, _ value: Text, to results: inout CallLogBatch) {
    let uuid = DerivedUUID.make(date: raw.log.date, conversationID: raw.log.conversationID, kind: .destination, path: key)
    results.destinationDetails.append(DestinationDetail(uuid: uuid, key: key, value: fit(value)))
  }

  // MARK: 8.6 Recordings

  /// Recordings of a call that nobody answered are dropped. Those with equal uuid are one: paused and resumed.
  private mutating func addRecordings(to results: inout CallLogBatch) -> Range<Int> {
    let first = results.recordings.count
    guard !raw.takes.isEmpty, raw.log.dateAnswer != nil || raw.channels.contains(where: { $0.answered == true }) else {
      return first..<first
    }
    for take in raw.takes {
      guard let end = take.end else { continue }
      let uuid =
        take.uuid
        ?? DerivedUUID.make(date: raw.log.date, conversationID: raw.log.conversationID, kind: .recording, path: take.path)
      if let known = results.recordings[first...].firstIndex(where: { $0.uuid == uuid }) {
        results.recordings[known].start = min(results.recordings[known].start, take.start)
        results.recordings[known].end = max(results.recordings[known].end, end)
      } else {
        results.recordings.append(Recording(uuid: uuid, start: take.start, end: end, path: take.path))
      }
    }
    return first..<results.recordings.count
  }

  // MARK: Columns

  /// Cuts what is longer than its column (specification, section 9.1: varchar(255)).
  private mutating func fitColumns() {
    raw.log.sourceName = fit(raw.log.sourceName)
    raw.log.sourceExten = fit(raw.log.sourceExten)
    raw.log.sourceLineIdentity = fit(raw.log.sourceLineIdentity)
    raw.log.requestedExten = fit(raw.log.requestedExten)
    raw.log.requestedContext = fit(raw.log.requestedContext)
    raw.log.destinationName = fit(raw.log.destinationName)
    raw.log.destinationExten = fit(raw.log.destinationExten)
    raw.log.destinationLineIdentity = fit(raw.log.destinationLineIdentity)
    raw.log.userField = fit(raw.log.userField)
  }

  private mutating func fit(_ text: Text) -> Text {
    guard text.count > 255 else { return text }
    let fitting = text.cut(toCodePoints: 255)
    if fitting.count < text.count, let event = events.first { tally.note(.cutText, event.id) }
    return fitting
  }
}

extension CallLogBatch {
  /// The uuid of a recording whose own one another call has.
  /// - Parameters:
  ///   - date: the call's start
  ///   - path: the recording's path
  public static func otherRecordingUUID(date: Int64, conversationID: Text, path: Text) -> UUIDValue {
    DerivedUUID.make(date: date, conversationID: conversationID, kind: .otherRecording, path: path)
  }

  /// Gives every recording that `isTaken` says belongs to another call a uuid derived from conversation and path. Made so that the rest of the call can be stored.
  /// - Returns: how many were changed.
  public mutating func deriveUUIDs(ofCallLog number: Int, where isTaken: (UUIDValue) -> Bool) -> Int {
    let log = callLogs[number]
    var changed = 0
    for index in log.recordings where isTaken(recordings[index].uuid) {
      recordings[index].uuid = CallLogBatch.otherRecordingUUID(
        date: log.date, conversationID: log.conversationID, path: recordings[index].path)
      changed += 1
    }
    return changed
  }
}
