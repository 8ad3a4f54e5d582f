import Files
import Foundation
import Logging
import Values

/// The terminal: messages and progress on standard error, results on standard output.
package enum Console {
  /// Whether standard error is a terminal, so that progress is shown in place.
  package static var isTerminal: Bool { isatty(2) == 1 }
  /// Whether standard output is a terminal.
  package static var isOutputTerminal: Bool { isatty(1) == 1 }

  /// Writes a result to standard output.
  /// - Throws: ``JobError`` (74) if not everything could be written. A full disk must not pass for
  ///   a complete answer.
  package static func result(_ text: String, terminator: String = "\n") throws(JobError) {
    var output = StandardOutput()
    try output.append { $0.append(contentsOf: (text + terminator).utf8) }
    try output.flush()
  }

  /// Writes a message to standard error, with the program's name before it.
  package static func error(_ message: String) { note("wazo-call-logs: \(message)") }

  /// Writes a line to standard error, unchanged.
  package static func note(_ line: String) {
    clearProgress()
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  /// Shows progress on one line of the terminal. Does nothing if standard error is not a terminal.
  package static func progress(_ text: String) {
    guard isTerminal else { return }
    FileHandle.standardError.write(Data(("\r\u{1B}[K" + text).utf8))
  }

  /// Removes the line of progress.
  package static func clearProgress() {
    guard isTerminal else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
  }

  /// A logger that writes messages of `level` and above to standard error.
  package static func logger(_ level: Logger.Level) -> Logger {
    var logger = Logger(label: "wazo-call-logs") { _ in ConsoleLog() }
    logger.logLevel = level
    return logger
  }
}

/// Formats log lines for people. They carry no time, because cron and journald add it.
private struct ConsoleLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.warning

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let extra = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    let level = event.level == .notice ? "" : "\(event.level): "
    Console.note("wazo-call-logs: \(level)\(event.message)\(extra)")
  }
}
