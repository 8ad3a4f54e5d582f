import Values

/// The direction of a call. The raw value is that of the table (Interpretation, R64 to R66).
public enum Direction: String, Sendable {
  /// From outside.
  case inbound
  /// Between users.
  case `internal`
  /// To the outside.
  case outbound
}

/// The role of a participant. The raw value is the label in the table's enum.
public enum Role: String, Sendable {
  /// The participant called.
  case source
  /// The participant was called.
  case destination
}

/// One call log. Its fields have the names of the columns of Wazo's table `call_logd_call_log`.
/// Texts that no event sets are NULL.
///
/// The rules of the fields: Interpretation, R28 to R92.
public struct CallLog {
  /// The smallest linkedid of the conversation.
  public var conversationID: Text = .null
  /// The beginning of the call: the caller's CHAN_START (Interpretation, R63).
  public var date: Timestamp = 0
  /// The time of the answer; nil without one (Interpretation, R59 to R61).
  public var dateAnswer: Int64?
  /// The end of the caller's channel; nil without one (Interpretation, R63).
  public var dateEnd: Int64?
  /// The tenant.
  public var tenant = UUIDValue(high: 0, low: 0)
  /// The direction.
  public var direction = Direction.internal
  /// Whether the callee had blocked the caller's number (Interpretation, R41).
  public var blocked = false
  /// Whether the call reached a mailbox (Interpretation, R67).
  public var reachedVoicemail = false
  /// The caller's `userfield`.
  public var userField: Text = .null
  /// The caller's name.
  public var sourceName: Text = .null
  /// The caller's number.
  public var sourceExten: Text = .null
  /// The caller's name at the start of the call, before the dialplan changed it.
  public var sourceInternalName: Text = .null
  /// The caller's internal extension.
  public var sourceInternalExten: Text = .null
  /// The context of the caller's internal extension.
  public var sourceInternalContext: Text = .null
  /// The identity of the caller's line (Interpretation, R29).
  public var sourceLineIdentity: Text = .null
  /// The name of the party that the caller asked for.
  public var requestedName: Text = .null
  /// The dialled number.
  public var requestedExten: Text = .null
  /// The context of the dialled number.
  public var requestedContext: Text = .null
  /// The internal extension that the caller asked for.
  public var requestedInternalExten: Text = .null
  /// The context of that internal extension.
  public var requestedInternalContext: Text = .null
  /// The name of the party that the call reached.
  public var destinationName: Text = .null
  /// The number that the call reached.
  public var destinationExten: Text = .null
  /// The internal extension that the call reached.
  public var destinationInternalExten: Text = .null
  /// The context of that internal extension.
  public var destinationInternalContext: Text = .null
  /// The identity of the line that was called last.
  public var destinationLineIdentity: Text = .null

  /// The number of its group.
  public var group = 0
  /// The indices of its participants in ``CallLogBatch/participants``.
  public var participants = 0..<0
  /// The indices of its destination details in ``CallLogBatch/destinationDetails``.
  public var destinationDetails = 0..<0
  /// The indices of its recordings in ``CallLogBatch/recordings``.
  public var recordings = 0..<0

  init() {}
}

/// A user who took part in a call (Interpretation, R73 to R77).
public struct Participant {
  /// Derived from the call and the participant's place in it (Interpretation, R102).
  public var uuid: UUIDValue
  /// The user's uuid.
  public var userUUID: UUIDValue
  /// The id of the participant's line; nil without a line.
  public var lineID: Int32?
  /// Caller or callee.
  public var role: Role
  /// The user's tags (Interpretation, R77).
  public var tags: [Text]
  /// Whether the user answered (Interpretation, R76).
  public var answered: Bool
  /// Whether the caller asked for this user.
  public var requested: Bool
}

/// One key with its value from the destination details (Interpretation, R69).
public struct DestinationDetail {
  /// Derived from the call and the key (Interpretation, R102).
  public var uuid: UUIDValue
  /// The key, one of those that Wazo's table allows.
  public var key: Text
  /// The value.
  public var value: Text
}

/// A recording of a call (Interpretation, R83 to R92).
public struct Recording {
  /// The uuid in the path; without one, derived from conversation and path (Interpretation, R87).
  public var uuid: UUIDValue
  /// The start of the recording.
  public var start: Timestamp
  /// The end of the recording.
  public var end: Int64
  /// The path of the file.
  public var path: Text
}

/// The result of interpreting a group.
public enum Outcome: Equatable, Sendable {
  /// The group has a call log, with this number in the batch of call logs.
  case callLog(Int)
  /// A linkedid has no LINKEDID_END (Interpretation, R15).
  case unfinished
  /// The events give no call, for this reason.
  case invalid(Invalidity)
  /// The call cannot be stored, for this reason.
  case refused(Refusal)
}

/// The reasons why the events of a complete group give no call (Interpretation, R93 to R95).
public enum Invalidity: String, Sendable {
  /// No event gives the call a date: there is no CHAN_START, or the caller of an originate never
  /// answered (Interpretation, R93).
  case noDate = "no event gives the call a beginning"
  /// The group has only channels that Asterisk makes for itself (Interpretation, R95).
  case nobodyCalled = "its channels are Asterisk's own, such as the announcer of a conference"
  /// The caller has neither a name nor a number (Interpretation, R94).
  case noSource = "the caller has neither a name nor a number"
}

/// The reasons why a call cannot be stored.
public enum Refusal: String, Sendable {
  /// The conversation_id is too long; it is never cut (Interpretation, R96).
  case conversationIDTooLong = "the linkedid is longer than the column conversation_id"
}

/// The call logs of a batch of CELs. Their parts are in shared arrays, so that a call log needs no
/// allocation.
public struct CallLogBatch {
  /// The call logs.
  public internal(set) var callLogs: [CallLog] = []
  /// The participants of all call logs.
  public internal(set) var participants: [Participant] = []
  /// The destination details of all call logs.
  public internal(set) var destinationDetails: [DestinationDetail] = []
  /// The recordings of all call logs.
  public internal(set) var recordings: [Recording] = []

  /// An empty batch.
  public init() {}

  /// Empties the batch but keeps its memory.
  public mutating func removeAll() {
    callLogs.removeAll(keepingCapacity: true)
    participants.removeAll(keepingCapacity: true)
    destinationDetails.removeAll(keepingCapacity: true)
    recordings.removeAll(keepingCapacity: true)
  }
}
