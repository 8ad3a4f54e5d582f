import CallLogs
import Values

/// A stored call log as people and the API see it (specification, section 9.2): one row, with what matters of its participants, the details of its destination and its recordings.
///
/// The texts lie in somebody else's memory, as ``Text`` says, and a view must not outlive it.
public struct CallLogView {
  /// A recording of the call.
  public struct Recording {
    /// Its uuid.
    public var uuid: UUIDValue
    /// When it began.
    public var start: Int64
    /// When it ended.
    public var end: Int64
    /// Whether its audio was deleted.
    public var isDeleted: Bool

    /// A recording of these values.
    public init(uuid: UUIDValue, start: Int64, end: Int64, isDeleted: Bool) {
      (self.uuid, self.start, self.end, self.isDeleted) = (uuid, start, end, isDeleted)
    }
  }

  /// What became of a call. The raw value is how it is written.
  public enum Status: String, CaseIterable, Sendable {
    /// Caller and callee talked.
    case answered
    /// The callee had blocked the caller's number.
    case blocked
    /// It ended in a mailbox.
    case voicemail
    /// None of these.
    case unknown
  }

  /// The user and the line of a participant.
  public struct Party: Equatable, Sendable {
    /// The user.
    public var user: UUIDValue
    /// The line; nil where there is none.
    public var line: Int64?

    /// A party of these.
    public init(user: UUIDValue, line: Int64?) { (self.user, self.line) = (user, line) }
  }

  /// The id.
  public var id: Int64
  /// The tenant.
  public var tenant: UUIDValue
  /// When it began.
  public var start: Int64
  /// When it was answered; nil where it was not.
  public var answer: Int64?
  /// When it ended.
  public var end: Int64?
  /// Whether the callee had blocked the caller's number.
  public var isBlocked = false
  /// Whether it ended in a mailbox.
  public var reachedVoicemail = false
  /// `inbound`, `internal` or `outbound`.
  public var direction: Text = .null
  /// The conversation.
  public var conversationID: Text = .null
  /// The caller's `userfield`.
  public var userField: Text = .null

  /// The number that the call reached.
  public var destinationExtension: Text = .null
  /// Who the call reached.
  public var destinationName: Text = .null
  /// The extension that the call reached, inside.
  public var destinationInternalExtension: Text = .null
  /// The context of that extension.
  public var destinationInternalContext: Text = .null
  /// The user that the call reached.
  public var destination: Party?
  /// Who was asked for first.
  public var requestedName: Text = .null
  /// What was dialled.
  public var requestedExtension: Text = .null
  /// Where it was dialled.
  public var requestedContext: Text = .null
  /// The extension asked for, inside.
  public var requestedInternalExtension: Text = .null
  /// The context of that extension.
  public var requestedInternalContext: Text = .null
  /// The user that was asked for.
  public var requestedUser: UUIDValue?
  /// The caller's number.
  public var sourceExtension: Text = .null
  /// The caller's name.
  public var sourceName: Text = .null
  /// The caller's name before it was rewritten.
  public var sourceInternalName: Text = .null
  /// The caller's extension inside.
  public var sourceInternalExtension: Text = .null
  /// The context of that extension.
  public var sourceInternalContext: Text = .null
  /// The user who called.
  public var source: Party?

  /// The tags of all participants, each once and in the order of their bytes.
  public private(set) var tags: [Text] = []
  /// Whether its tags are not shown: a user who asks for the own calls does not see them.
  public var hidesTags = false
  /// Keys and values of what the call was for.
  public var destinationDetails: [(key: Text, value: Text)] = []
  /// The recordings, by their beginning.
  public var recordings: [Recording] = []

  /// A call log of which no more is known.
  public init(id: Int64, tenant: UUIDValue, start: Int64) {
    (self.id, self.tenant, self.start) = (id, tenant, start)
  }

  /// Adds tags of a participant.
  public mutating func add(tags more: [Text]) {
    for tag in more {
      let place = tags.firstIndex { $0 >= tag } ?? tags.endIndex
      if place == tags.endIndex || tags[place] != tag { tags.insert(tag, at: place) }
    }
  }

  /// Whether somebody answered.
  public var isAnswered: Bool { answer != nil }

  /// What became of it.
  public var status: Status {
    if isBlocked { return .blocked }
    if isAnswered { return .answered }
    return reachedVoicemail ? .voicemail : .unknown
  }

  /// Microseconds from the answer to the end, never below 0; nil unless both are known.
  public var talk: Int64? {
    guard let answer, let end else { return nil }
    let (difference, overflows) = end.subtractingReportingOverflow(answer)
    return overflows ? (end > answer ? .max : 0) : max(0, difference)
  }

  /// Whole seconds from the answer to the end, rounded down; nil unless both are known.
  public var duration: Int64? { talk.map { $0 / 1_000_000 } }

  /// The name under which a recording is downloaded: `2026-03-02T08_00_03UTC-17-….wav`.
  func appendFileName(of recording: Recording, to out: inout [UInt8]) {
    // Whole seconds, towards the past.
    let micros = recording.start % 1_000_000
    let start = out.count
    TimestampText.appendWallClock(recording.start &- (micros < 0 ? micros + 1_000_000 : micros), isShort: true, to: &out)
    for index in start..<out.count where out[index] == UInt8(ascii: ":") { out[index] = UInt8(ascii: "_") }
    out.append(contentsOf: "UTC-\(id)-".utf8)
    recording.uuid.forEachCharacter { out.append($0) }
    out.append(contentsOf: ".wav".utf8)
  }
}
