import Values

/// The state while a group's events are read (specification, section 4.1): the call log so far, and what decides how later events are read.
struct RawCallLog {
  /// A channel that takes part.
  struct Channel {
    let name: Text
    var role: Role?
    var answered: Bool?
    var requested: Bool?
    /// Name and number of the caller id when a callee's channel started.
    var callerID: (name: Text, number: Text)?

    // Found in the directory afterwards.
    var parsed: ChannelName?
    var tenant: UUIDValue?
    var mainExten: Text = .null
    var mainContext: Text = .null
  }

  /// A user named by an event.
  struct Mention {
    let userUUID: Text
    /// Nil where the text is no uuid.
    let uuid: UUIDValue?
    let role: Role
    var answered: Bool?
    var requested: Bool?

    init(userUUID: Text, role: Role, answered: Bool?, requested: Bool?) {
      self.userUUID = userUUID
      uuid = UUIDValue(userUUID)
      self.role = role
      self.answered = answered
      self.requested = requested
    }
  }

  /// A recording that may still lack its end.
  struct Take {
    var start: Int64
    var end: Int64?
    /// Its end is a MIXMONITOR_STOP's.
    var isFinal: Bool
    var path: Text
    var uuid: UUIDValue?
  }

  /// What a call was for.
  enum Details {
    case none
    case conference(id: Text)
    case user(uuid: Text, name: Text)
    case meeting(uuid: Text, name: Text)
    case group(id: Text, label: Text)
    case voicemail(id: Text, name: Text)
  }

  var log = CallLog()
  var date: Int64?
  var tenant: UUIDValue?
  /// A destination kind was announced; the first one decides who was requested.
  var hasRequestedType = false
  var channels: [Channel] = []
  private var channelNumbers = TextInterner()
  var mentions: [Mention] = []
  var takes: [Take] = []
  var details = Details.none
  var firstBridgeOpen = true
  var firstForwardOpen = true
  var isAuthoritative = false
  var isForwarded = false
  var pendingMobiles: [Text] = []
  /// Extensions that are shown as empty: `s`, and those of meetings.
  private var hiddenMeetings: [Text] = []
  var voicemailNumber: Text = .null
  var voicemailContext: Text = .null

  mutating func reset() {
    log = CallLog()
    date = nil
    tenant = nil
    hasRequestedType = false
    channels.removeAll(keepingCapacity: true)
    channelNumbers.removeAll()
    mentions.removeAll(keepingCapacity: true)
    takes.removeAll(keepingCapacity: true)
    details = .none
    firstBridgeOpen = true
    firstForwardOpen = true
    isAuthoritative = false
    isForwarded = false
    pendingMobiles.removeAll(keepingCapacity: true)
    hiddenMeetings.removeAll(keepingCapacity: true)
    voicemailNumber = .null
    voicemailContext = .null
  }

  /// The place of the channel of that name, entered if it is new.
  mutating func channel(_ name: Text) -> Int {
    let number = channelNumbers.number(of: name) { $0 }
    if number == channels.count { channels.append(Channel(name: name)) }
    return number
  }

  /// The place of the channel of that name, if it takes part already.
  func knownChannel(_ name: Text) -> Int? { channelNumbers.find(name) }

  /// The extension filter.
  func filtered(_ exten: Text) -> Text {
    if exten == "s" || (!hiddenMeetings.isEmpty && hiddenMeetings.contains(exten)) { return .empty }
    return exten
  }

  mutating func hide(_ exten: Text) { hiddenMeetings.append(exten) }

  /// "Filter the call": the extension filter on all six extensions.
  mutating func filterExtensions() {
    log.sourceExten = filtered(log.sourceExten)
    log.sourceInternalExten = filtered(log.sourceInternalExten)
    log.requestedExten = filtered(log.requestedExten)
    log.requestedInternalExten = filtered(log.requestedInternalExten)
    log.destinationExten = filtered(log.destinationExten)
    log.destinationInternalExten = filtered(log.destinationInternalExten)
  }

  /// Enters what an event says of a user: into the first mention of that user in that role, else as a new one. Nil leaves a value as it was.
  mutating func mention(_ userUUID: Text, _ role: Role, answered: Bool? = nil, requested: Bool? = nil) {
    if let known = mentions.firstIndex(where: { $0.userUUID == userUUID && $0.role == role }) {
      if let answered { mentions[known].answered = answered }
      if let requested { mentions[known].requested = requested }
    } else {
      mentions.append(Mention(userUUID: userUUID, role: role, answered: answered, requested: requested))
    }
  }
}
