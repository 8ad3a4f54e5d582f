import Logging
import Synchronization

/// A log that nobody reads.
package let quiet = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }

/// Keeps what is logged.
package final class LogRecorder: Sendable {
  /// A line of the log.
  package typealias Line = (level: Logger.Level, text: String)

  private let kept = Mutex<[Line]>([])
  private let level: Logger.Level

  /// Nothing kept yet.
  /// - Parameter level: what is below it is not even made
  package init(level: Logger.Level = .info) { self.level = level }

  /// What was logged, in order.
  package var lines: [Line] { kept.withLock { $0 } }

  /// The lines of level warning and above.
  package var warnings: [String] { lines.filter { $0.level >= .warning }.map(\.text) }

  /// The lines of level info.
  package var infos: [String] { lines.filter { $0.level == .info }.map(\.text) }

  /// A logger that is kept here.
  package var logger: Logger {
    Logger(label: "recorded") { _ in Handler(recorder: self, logLevel: level) }
  }

  private struct Handler: LogHandler {
    let recorder: LogRecorder
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    init(recorder: LogRecorder, logLevel: Logger.Level) { (self.recorder, self.logLevel) = (recorder, logLevel) }

    func log(event: LogEvent) {
      recorder.kept.withLock { $0.append((event.level, event.message.description)) }
    }
  }
}
