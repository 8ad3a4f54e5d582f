import Files
import Foundation
import Logging
import Values

/// The terminal: messages and progress on standard error, results on standard output.
package enum Console {
  /// Whether a person watches standard error.
  package static var isTerminal: Bool { isatty(2) == 1 }
  /// Whether a person reads standard output.
  package static var isOutputTerminal: Bool { isatty(1) == 1 }

  /// Writes what was asked for to standard output.
  /// - Throws: ``JobError`` (74) where not all of it can be written: a disk that is full must not pass for an answer.
  package static func result(_ text: String, terminator: String = "\n") throws(JobError) {
    var output = StandardOutput()
    try output.append { $0.append(contentsOf: (text + terminator).utf8) }
    try output.flush()
  }

  /// Writes a line to standard error.
  package static func error(_ message: String) { note("wazo-call-logs: \(message)") }

  /// Writes a line to standard error as it is.
  package static func note(_ line: String) {
    clearProgress()
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  /// Shows progress in place; nothing where nobody watches.
  package static func progress(_ text: String) {
    guard isTerminal else { return }
    FileHandle.standardError.write(Data(("\r\u{1B}[K" + text).utf8))
  }

  /// Takes the line of progress away.
  package static func clearProgress() {
    guard isTerminal else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
  }

  /// A log that writes to standard error, from that level on.
  package static func logger(_ level: Logger.Level) -> Logger {
    var logger = Logger(label: "wazo-call-logs") { _ in ConsoleLog() }
    logger.logLevel = level
    return logger
  }
}

/// Log lines as a person reads them: cron and journald add the time themselves.
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
