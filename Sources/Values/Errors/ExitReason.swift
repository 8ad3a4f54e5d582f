/// The reasons for an end of the program, with their exit codes: those of sysexits(3), and 128 plus
/// the number of a signal.
///
/// The manual's page "Troubleshooting" lists them.
public enum ExitReason: Int32, Sendable {
  /// The command line is wrong.
  case usage = 64
  /// The input cannot be read.
  case badInput = 65
  /// The database cannot be reached.
  case unavailable = 69
  /// A fault in the program.
  case fault = 70
  /// An I/O error or a full disk, on this host or on the server.
  case inputOutput = 74
  /// Another run holds the lock, or the retries ran out.
  case busy = 75
  /// A missing permission or a wrong password.
  case permission = 77
  /// A table or column is missing, or a setting is missing or wrong.
  case configuration = 78
  /// SIGINT ended the run; the stored state is consistent.
  case interrupted = 130
  /// The reader of standard output closed the pipe (SIGPIPE).
  case brokenPipe = 141
  /// SIGTERM ended the run; the stored state is consistent.
  case terminated = 143
}
