/// An error that ends a job, with its message and exit code.
public struct JobError: ReportedError, CustomStringConvertible {
  /// The exit code of the program.
  public let exitReason: ExitReason
  /// What happened, where, and what to do.
  public let message: String

  /// An error with that reason and message.
  public init(_ exitReason: ExitReason, _ message: String) {
    self.exitReason = exitReason
    self.message = message
  }

  /// The message.
  public var report: String { message }

  /// The message.
  public var description: String { message }
}
