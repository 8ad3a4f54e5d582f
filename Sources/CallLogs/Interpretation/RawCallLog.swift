import Values

/// The state while the events of a group are read (Interpretation, R28 to R62): the unfinished call
/// log, and the facts that later events depend on.
struct RawCallLog {
  /// A channel that takes part.
  struct Channel {
    let name: Text
    var role: Role?
    var answered: Bool?
    var requested: Bool?
    /// The name and number of the caller id at the start of a callee's channel.
    var callerID: (name: Text, number: Text)?

    // Set at the end, from the directory.
    var parsed: ChannelName?
    var tenant: UUIDValue?
    var mainExten: Text = .null
    var mainContext: Text = .null
  }

  /// A user whom an event names.
  struct Mention {
    let userUUID: Text
    /// nil if the text is not a UUID.
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

  /// A recording, possibly without an end yet.
  struct Take {
    var start: Int64
    var end: Int64?
    /// Whether a MIXMONITOR_STOP gave the end.
    var isFinal: Bool
    var path: Text
    var uuid: UUIDValue?
  }

  /// The destination details.
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
  /// Whether an event announced a type of destination. Only the first announcement counts as
  /// requested (Interpretation, R43).
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
  /// The extensions of meetings, which the filter empties like `s` (Interpretation, R30 and R39).
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

  /// The index of the channel of that name. A new channel is added.
  mutating func channel(_ name: Text) -> Int {
    let number = channelNumbers.number(of: name) { $0 }
    if number == channels.count { channels.append(Channel(name: name)) }
    return number
  }

  /// The index of the channel of that name, if it takes part.
  func knownChannel(_ name: Text) -> Int? { channelNumbers.find(name) }

  /// The filter of extensions (Interpretation, R30).
  func filtered(_ exten: Text) -> Text {
    if exten == "s" || (!hiddenMeetings.isEmpty && hiddenMeetings.contains(exten)) { return .empty }
    return exten
  }

  mutating func hide(_ exten: Text) { hiddenMeetings.append(exten) }

  /// Filters all six extensions (Interpretation, R45).
  mutating func filterExtensions() {
    log.sourceExten = filtered(log.sourceExten)
    log.sourceInternalExten = filtered(log.sourceInternalExten)
    log.requestedExten = filtered(log.requestedExten)
    log.requestedInternalExten = filtered(log.requestedInternalExten)
    log.destinationExten = filtered(log.destinationExten)
    log.destinationInternalExten = filtered(log.destinationInternalExten)
  }

  /// Notes a mention: updates the first mention of that user in that role, or adds one. nil leaves
  /// a value unchanged (Interpretation, R74).
  mutating func mention(_ userUUID: Text, _ role: Role, answered: Bool? = nil, requested: Bool? = nil) {
    if let known = mentions.firstIndex(where: { $0.userUUID == userUUID && $0.role == role }) {
      if let answered { mentions[known].answered = answered }
      if let requested { mentions[known].requested = requested }
    } else {
      mentions.append(Mention(userUUID: userUUID, role: role, answered: answered, requested: requested))
    }
  }
}
