import Values

/// Something about a database that a person has to put right before the job can run.
public struct StoreError: ReportedError, CustomStringConvertible {
  /// What kind of obstacle.
  public enum Kind: Sendable {
    /// A table, column, index or encoding is not as it must be.
    case configuration
    /// The CELs are not those that the coverage speaks of.
    case wentBack
    /// Another process holds what this one needs.
    case busy
    /// What was read is not what it should be.
    case damaged
  }

  /// What kind of obstacle.
  public let kind: Kind
  /// What is wrong, where, and how to mend it.
  public let description: String

  /// An obstacle of that kind.
  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }

  /// The description.
  public var report: String { description }

  /// 75 where another process is at work, 65 for what cannot be read, else 78.
  public var exitReason: ExitReason {
    switch kind {
    case .busy: .busy
    case .damaged: .badInput
    case .configuration, .wentBack: .configuration
    }
  }
}
