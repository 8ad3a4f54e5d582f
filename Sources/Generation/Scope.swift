import Values

/// The CELs that a run covers.
public enum Scope: Equatable, Sendable {
  /// All CELs above the greatest covered id, then some history, newest first: the nightly run. If
  /// nothing is covered yet, the newest 20,000 CELs, as with Wazo's program.
  case nightly
  /// The newest N uncovered CELs. SIP chats do not count.
  case newest(Int)
  /// Uncovered ids between the least and the greatest CEL of the last N days (24 hours each).
  case days(Int)
  /// Uncovered ids between the least and the greatest CEL with a time at or after `from` and before
  /// `to`, in microseconds since 2000-01-01 UTC; nil for no bound.
  case dates(from: Int64?, to: Int64?)
  /// Uncovered ids between two ids, both included; nil for no bound.
  case ids(from: Int64?, to: Int64?)
  /// All CELs above the greatest covered id, or from the id `from` on where nothing is covered.
  /// Then some history, newest first. It is a pass of the follower.
  case following(from: Int64, history: Int)
}

extension Scope {
  /// The verb of such a run.
  var verb: String {
    switch self {
    case .nightly, .newest, .days: "generate"
    case .ids, .dates: "backfill"
    case .following: "follow"
    }
  }

  /// The command line of such a run, for the record.
  var parameters: String {
    switch self {
    case .nightly, .following: ""
    case .newest(let count): "-c \(count)"
    case .days(let days): "-d \(days)"
    case .dates(let from, let to):
      [from.map { "--from \(TimestampText.text($0))" }, to.map { "--to \(TimestampText.text($0))" }].compactMap { $0 }.joined(
        separator: " ")
    case .ids(let from, let to):
      [from.map { "--from-id \($0)" }, to.map { "--to-id \($0)" }].compactMap { $0 }.joined(separator: " ")
    }
  }
}
