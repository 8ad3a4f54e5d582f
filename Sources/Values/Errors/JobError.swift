/// Why a job ended without doing what was asked, with the exit code that says so.
public struct JobError: ReportedError, CustomStringConvertible {
  /// The exit code of the program.
  public let exitReason: ExitReason
  /// What happened, where, and what to do about it.
  public let message: String

  /// A failure with that exit code.
  public init(_ exitReason: ExitReason, _ message: String) {
    self.exitReason = exitReason
    self.message = message
  }

  /// The message.
  public var report: String { message }

  /// The message.
  public var description: String { message }
}
