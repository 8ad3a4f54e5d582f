import CallLogs
import Values

/// A stored call log as listings, exports and the API show it (Interpretation, R112): one row, its
/// main participants, the details of its destination, and its recordings.
///
/// The texts are in memory that the view does not own (see ``Text``). The view must not outlive
/// that memory.
public struct CallLogView {
  /// A recording of the call.
  public struct Recording {
    /// Its uuid.
    public var uuid: UUIDValue
    /// Its start, in microseconds since 2000-01-01 UTC.
    public var start: Int64
    /// Its end, in microseconds since 2000-01-01 UTC.
    public var end: Int64
    /// Whether its audio file is deleted.
    public var isDeleted: Bool

    /// Creates a recording.
    public init(uuid: UUIDValue, start: Int64, end: Int64, isDeleted: Bool) {
      (self.uuid, self.start, self.end, self.isDeleted) = (uuid, start, end, isDeleted)
    }
  }

  /// The result of a call. The raw value is its name in exports.
  public enum Status: String, CaseIterable, Sendable {
    /// Caller and callee talked.
    case answered
    /// The callee had blocked the caller's number.
    case blocked
    /// The call ended in a mailbox.
    case voicemail
    /// None of the above.
    case unknown
  }

  /// The user and the line of a participant.
  public struct Party: Equatable, Sendable {
    /// The user.
    public var user: UUIDValue
    /// The line; nil where there is none.
    public var line: Int64?

    /// Creates a party.
    public init(user: UUIDValue, line: Int64?) { (self.user, self.line) = (user, line) }
  }

  /// The id.
  public var id: Int64
  /// The tenant.
  public var tenant: UUIDValue
  /// The start of the call, in microseconds since 2000-01-01 UTC.
  public var start: Int64
  /// The time of the answer, in microseconds since 2000-01-01 UTC; nil where nobody answered.
  public var answer: Int64?
  /// The end of the call, in microseconds since 2000-01-01 UTC; nil where it is unknown.
  public var end: Int64?
  /// Whether the callee had blocked the caller's number.
  public var isBlocked = false
  /// Whether the call ended in a mailbox.
  public var reachedVoicemail = false
  /// `inbound`, `internal` or `outbound`.
  public var direction: Text = .null
  /// The conversation_id.
  public var conversationID: Text = .null
  /// The caller's `userfield`.
  public var userField: Text = .null

  /// The number that the call reached.
  public var destinationExtension: Text = .null
  /// The name of the party that the call reached.
  public var destinationName: Text = .null
  /// The internal extension that the call reached.
  public var destinationInternalExtension: Text = .null
  /// The context of that extension.
  public var destinationInternalContext: Text = .null
  /// The user that the call reached.
  public var destination: Party?
  /// The name of the party that was requested first.
  public var requestedName: Text = .null
  /// The dialled number.
  public var requestedExtension: Text = .null
  /// The context in which it was dialled.
  public var requestedContext: Text = .null
  /// The requested internal extension.
  public var requestedInternalExtension: Text = .null
  /// The context of that extension.
  public var requestedInternalContext: Text = .null
  /// The requested user.
  public var requestedUser: UUIDValue?
  /// The caller's number.
  public var sourceExtension: Text = .null
  /// The caller's name.
  public var sourceName: Text = .null
  /// The caller's name before any rewriting.
  public var sourceInternalName: Text = .null
  /// The caller's internal extension.
  public var sourceInternalExtension: Text = .null
  /// The context of that extension.
  public var sourceInternalContext: Text = .null
  /// The calling user.
  public var source: Party?

  /// The tags of all participants, each once, in byte order.
  public private(set) var tags: [Text] = []
  /// Whether the tags stay hidden: a user who lists the own calls does not see them.
  public var hidesTags = false
  /// Keys and values of the destination's details.
  public var destinationDetails: [(key: Text, value: Text)] = []
  /// The recordings in the order of their start.
  public var recordings: [Recording] = []

  /// Creates a call log without further details.
  public init(id: Int64, tenant: UUIDValue, start: Int64) {
    (self.id, self.tenant, self.start) = (id, tenant, start)
  }

  /// Adds the tags of a participant.
  public mutating func add(tags more: [Text]) {
    for tag in more {
      let place = tags.firstIndex { $0 >= tag } ?? tags.endIndex
      if place == tags.endIndex || tags[place] != tag { tags.insert(tag, at: place) }
    }
  }

  /// Whether the call was answered.
  public var isAnswered: Bool { answer != nil }

  /// The result of the call. The first that applies counts: blocked, answered, voicemail.
  public var status: Status {
    if isBlocked { return .blocked }
    if isAnswered { return .answered }
    return reachedVoicemail ? .voicemail : .unknown
  }

  /// The time from the answer to the end in microseconds, at least 0; nil where one of them is
  /// unknown.
  public var talk: Int64? {
    guard let answer, let end else { return nil }
    let (difference, overflows) = end.subtractingReportingOverflow(answer)
    return overflows ? (end > answer ? .max : 0) : max(0, difference)
  }

  /// The time from the answer to the end in whole seconds, rounded down; nil where one of them is
  /// unknown.
  public var duration: Int64? { talk.map { $0 / 1_000_000 } }

  /// Appends the file name of a recording, for example `2026-03-02T08_00_03UTC-17-….wav`.
  func appendFileName(of recording: Recording, to out: inout [UInt8]) {
    // Whole seconds, rounded down.
    let micros = recording.start % 1_000_000
    let start = out.count
    TimestampText.appendWallClock(recording.start &- (micros < 0 ? micros + 1_000_000 : micros), isShort: true, to: &out)
    for index in start..<out.count where out[index] == UInt8(ascii: ":") { out[index] = UInt8(ascii: "_") }
    out.append(contentsOf: "UTC-\(id)-".utf8)
    recording.uuid.forEachCharacter { out.append($0) }
    out.append(contentsOf: ".wav".utf8)
  }
}
