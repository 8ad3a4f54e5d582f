import CallLogs

/// Counts of the CELs that a run read. Each CEL is in exactly one of six classes. Flaws are counted
/// in addition.
public struct Counters: Sendable {
  /// CELs read.
  public var cels = 0
  /// CELs of conversations that have a call log after the run.
  public var callLog = 0
  /// CELs of conversations that lack a LINKEDID_END.
  public var unfinished = 0
  /// CELs that give no call.
  public var invalid = 0
  /// CELs of conversations whose newest CEL belongs to another range.
  public var left = 0
  /// CELs of SIP chats.
  public var chat = 0
  /// CELs of conversations that the database refused to store.
  public var refused = 0

  /// Call logs written.
  public var callLogsWritten = 0
  /// Call logs removed, because their CELs give none or a different one.
  public var callLogsRemoved = 0
  /// Conversations whose call logs were kept: another program made them, or some of their CELs are
  /// gone.
  public var conversationsKept = 0
  /// Of the kept ones, conversations whose first CELs are gone.
  public var conversationsPartlyGone = 0
  /// Of the kept ones, conversations whose call logs were purged.
  public var conversationsPurged = 0
  /// Conversations without LINKEDID_END that were old enough to be closed at their newest event
  /// (`close_after`).
  public var conversationsClosed = 0
  /// Conversations that the database refused to store.
  public var conversationsRefused = 0
  /// Flaws in CELs and texts.
  public var tally = Tally()

  /// Nothing counted.
  public init() {}

  /// Whether every CEL is in exactly one class.
  public var isBalanced: Bool { cels == callLog + unfinished + invalid + left + chat + refused }

  /// Adds the counts of another part of the run.
  public mutating func add(_ other: Counters) {
    cels += other.cels
    callLog += other.callLog
    unfinished += other.unfinished
    invalid += other.invalid
    left += other.left
    chat += other.chat
    refused += other.refused
    callLogsWritten += other.callLogsWritten
    callLogsRemoved += other.callLogsRemoved
    conversationsKept += other.conversationsKept
    conversationsPartlyGone += other.conversationsPartlyGone
    conversationsPurged += other.conversationsPurged
    conversationsClosed += other.conversationsClosed
    conversationsRefused += other.conversationsRefused
    tally.add(other.tally)
  }

  /// Key and value of every count that is not 0, in a fixed order; flaws under `flaw_` and their
  /// key.
  public var items: [(key: String, value: Int)] {
    var items = [
      ("cels", cels), ("cels_call_log", callLog), ("cels_unfinished", unfinished), ("cels_invalid", invalid), ("cels_left", left),
      ("cels_chat", chat), ("cels_refused", refused), ("call_logs_written", callLogsWritten),
      ("call_logs_removed", callLogsRemoved),
      ("conversations_kept", conversationsKept), ("conversations_partly_gone", conversationsPartlyGone),
      ("conversations_purged", conversationsPurged), ("conversations_closed", conversationsClosed),
      ("conversations_refused", conversationsRefused),
    ]
    items += tally.noted.map { ("flaw_" + $0.key, tally[$0]) }
    return items.filter { $0.1 != 0 }.map { (key: $0.0, value: $0.1) }
  }

  /// The counts as a JSON object.
  public var json: String { "{" + items.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}" }
}
