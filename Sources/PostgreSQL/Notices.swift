internal import CLibPQ
import Logging

/// The receiver of a connection's notices. libpq holds a plain pointer to it while the connection
/// exists.
final class NoticeSink {
  let log: Logger

  init(log: Logger) {
    self.log = log
  }

  /// Replaces libpq's own receiver, which prints to standard error.
  func attach(to connection: OpaquePointer) {
    PQsetNoticeReceiver(
      connection,
      { context, result in
        guard let context, let result else { return }
        Unmanaged<NoticeSink>.fromOpaque(context).takeUnretainedValue().receive(result)
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  private func receive(_ result: OpaquePointer) {
    let fields = ErrorFields(result)
    let text = (fields[.message] ?? "").onOneLine
    var metadata: Logger.Metadata = [:]
    if let code = fields[.sqlState] { metadata["sqlstate"] = "\(code)" }
    if let hint = fields[.hint] { metadata["hint"] = "\(hint)" }
    // The work that loses its connection reports the end of the session once, with the
    // consequences. So the notice needs no warning.
    let isFarewell = fields[.sqlState].map { SQLState.class("57") ~= SQLState(rawValue: $0) } ?? false
    let level = isFarewell ? .info : NoticeSink.level(of: fields[.severity] ?? "")
    log.log(level: level, "\(text)", metadata: metadata)
  }

  static func level(of severity: String) -> Logger.Level {
    switch severity {
    case "WARNING": .warning
    case "NOTICE": .notice
    case "INFO", "LOG": .info
    case let debug where debug.hasPrefix("DEBUG"): .debug
    default: .warning
    }
  }
}
