/// Why a program ends, with its exit code: those of sysexits(3), and 128 plus the signal.
///
/// The manual's page "Troubleshooting" lists them.
public enum ExitReason: Int32, Sendable {
  /// The command line asks for something that does not exist or is not allowed.
  case usage = 64
  /// The input cannot be read.
  case badInput = 65
  /// The database cannot be reached.
  case unavailable = 69
  /// A fault in the program.
  case fault = 70
  /// An I/O error or a full disk, here or at the server.
  case inputOutput = 74
  /// Another job that excludes this one is running, or retries ran out.
  case busy = 75
  /// A missing permission or a wrong password.
  case permission = 77
  /// A missing table or column, or a setting that is missing or wrong.
  case configuration = 78
  /// Interrupted by SIGINT; the state is safe.
  case interrupted = 130
  /// The reader of standard output went away (SIGPIPE).
  case brokenPipe = 141
  /// Interrupted by SIGTERM; the state is safe.
  case terminated = 143
}
