/// Why a job ended without doing what was asked, with the exit code that says so.
public struct JobError: Error, CustomStringConvertible {
  /// The kinds of failure, by the codes of sysexits(3).
  public enum Kind: Int32, Sendable {
    /// The command line asks for something that is not there or not allowed.
    case usage = 64
    /// The input cannot be read.
    case badInput = 65
    /// The database cannot be reached.
    case unavailable = 69
    /// A fault in the program.
    case fault = 70
    /// I/O error or disk full, here or at the server.
    case inputOutput = 74
    /// Another job that excludes this one is running, or retries ran out.
    case busy = 75
    /// Permission or password.
    case permission = 77
    /// A missing table or column, nothing set.
    case configuration = 78
    /// Interrupted by SIGINT; the state is safe.
    case interrupted = 130
    /// Interrupted by SIGTERM; the state is safe.
    case terminated = 143
  }

  /// The kind of failure.
  public let kind: Kind
  /// What happened, where, and what to do about it.
  public let message: String

  /// A failure of that kind.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The exit code of the program.
  public var exitCode: Int32 { kind.rawValue }

  /// The message.
  public var description: String { message }
}
