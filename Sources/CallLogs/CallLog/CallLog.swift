import Values

/// Which way a call went. The raw value is what the table holds.
public enum Direction: String, Sendable {
  /// From outside.
  case inbound
  /// Between users.
  case `internal`
  /// To the outside.
  case outbound
}

/// What a participant was in a call. The raw value is the label of the table's enum.
public enum Role: String, Sendable {
  /// Who called.
  case source
  /// Who was called.
  case destination
}

/// One call log, its fields named as the columns of `call_logd_call_log`. Texts that were never set are NULL.
///
/// Source of the fields: specification, section 9.1.
public struct CallLog {
  /// The smallest linkedid of the conversation.
  public var conversationID: Text = .null
  /// When the call began.
  public var date: Timestamp = 0
  /// When the caller entered a bridge with somebody.
  public var dateAnswer: Int64?
  /// When the caller's channel ended.
  public var dateEnd: Int64?
  /// The tenant.
  public var tenant = UUIDValue(high: 0, low: 0)
  /// The direction.
  public var direction = Direction.internal
  /// Whether the callee had blocked the caller's number.
  public var blocked = false
  /// Whether the call ended in a mailbox.
  public var reachedVoicemail = false
  /// The caller's `userfield`.
  public var userField: Text = .null
  /// The caller's name.
  public var sourceName: Text = .null
  /// The caller's number.
  public var sourceExten: Text = .null
  /// The caller's name before it was rewritten.
  public var sourceInternalName: Text = .null
  /// The caller's extension inside.
  public var sourceInternalExten: Text = .null
  /// The context of that extension.
  public var sourceInternalContext: Text = .null
  /// The caller's line.
  public var sourceLineIdentity: Text = .null
  /// Who was asked for first.
  public var requestedName: Text = .null
  /// What was dialled.
  public var requestedExten: Text = .null
  /// Where it was dialled.
  public var requestedContext: Text = .null
  /// The extension asked for, inside.
  public var requestedInternalExten: Text = .null
  /// The context of that extension.
  public var requestedInternalContext: Text = .null
  /// Who the call reached.
  public var destinationName: Text = .null
  /// The number that the call reached.
  public var destinationExten: Text = .null
  /// The extension that the call reached, inside.
  public var destinationInternalExten: Text = .null
  /// The context of that extension.
  public var destinationInternalContext: Text = .null
  /// The line that was rung last.
  public var destinationLineIdentity: Text = .null

  /// The number of the group it was made from.
  public var group = 0
  /// Its participants, in ``CallLogBatch/participants``.
  public var participants = 0..<0
  /// Its destination details, in ``CallLogBatch/destinationDetails``.
  public var destinationDetails = 0..<0
  /// Its recordings, in ``CallLogBatch/recordings``.
  public var recordings = 0..<0

  init() {}
}

/// A user who took part in a call.
public struct Participant {
  /// A uuid derived from the call and the participant's place in it.
  public var uuid: UUIDValue
  /// The user.
  public var userUUID: UUIDValue
  /// The line that took part; nil where no line did and the user has none.
  public var lineID: Int32?
  /// Caller or callee.
  public var role: Role
  /// The user's tags.
  public var tags: [Text]
  /// Whether the user talked.
  public var answered: Bool
  /// Whether the call was for this user.
  public var requested: Bool
}

/// One key and value of what a call was for.
public struct DestinationDetail {
  /// A uuid derived from the call and the key.
  public var uuid: UUIDValue
  /// The key, one of those that the table allows.
  public var key: Text
  /// The value.
  public var value: Text
}

/// A recording of a call.
public struct Recording {
  /// The uuid: from the path where it has one, else derived from conversation and path.
  public var uuid: UUIDValue
  /// When it began.
  public var start: Timestamp
  /// When it ended.
  public var end: Int64
  /// Where the file lies.
  public var path: Text
}

/// Why a group has no call log.
public enum Outcome: Equatable, Sendable {
  /// It has one, with this number in the batch of call logs.
  case callLog(Int)
  /// A linkedid lacks its LINKEDID_END.
  case unfinished
  /// The events give no call: why.
  case invalid(Invalidity)
  /// It cannot be stored: why.
  case refused(Refusal)
}

/// Why the events of a complete group give no call (specification, section 8.7).
public enum Invalidity: String, Sendable {
  /// Nothing gave the call a date: no CHAN_START, or an originate that the caller never answered.
  case noDate = "nothing gives the call a beginning"
  /// Only channels that Asterisk makes for itself, such as the announcer of a conference.
  case nobodyCalled = "its channels are Asterisk's own, such as the announcer of a conference"
  /// Neither name nor number of the caller.
  case noSource = "the caller has neither a name nor a number"
}

/// Why a call cannot be stored.
public enum Refusal: String, Sendable {
  /// conversation_id is never cut.
  case conversationIDTooLong = "the linkedid is longer than the column conversation_id"
}

/// The call logs of a batch of CELs, their parts in shared arrays so that a call costs no allocation.
public struct CallLogBatch {
  /// The call logs.
  public internal(set) var callLogs: [CallLog] = []
  /// The participants of all of them.
  public internal(set) var participants: [Participant] = []
  /// The destination details of all of them.
  public internal(set) var destinationDetails: [DestinationDetail] = []
  /// The recordings of all of them.
  public internal(set) var recordings: [Recording] = []

  /// No call logs.
  public init() {}

  /// Empties the batch but keeps its room.
  public mutating func removeAll() {
    callLogs.removeAll(keepingCapacity: true)
    participants.removeAll(keepingCapacity: true)
    destinationDetails.removeAll(keepingCapacity: true)
    recordings.removeAll(keepingCapacity: true)
  }
}
