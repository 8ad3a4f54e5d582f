import Values

/// An obstacle in a database that a person must remove before the job can run.
public struct StoreError: ReportedError, CustomStringConvertible {
  /// The kind of obstacle.
  public enum Kind: Sendable {
    /// A table, column, index or encoding is not as it must be.
    case configuration
    /// The CELs are not the ones that the coverage is about.
    case wentBack
    /// Another process holds what this one needs.
    case busy
    /// Data that was read is not as it should be.
    case damaged
  }

  /// The kind of obstacle.
  public let kind: Kind
  /// What is wrong, where, and what to do.
  public let description: String

  /// Creates an obstacle of that kind.
  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }

  /// The description.
  public var report: String { description }

  /// 75 where another process is at work, 65 for damaged data, else 78.
  public var exitReason: ExitReason {
    switch kind {
    case .busy: .busy
    case .damaged: .badInput
    case .configuration, .wentBack: .configuration
    }
  }
}
