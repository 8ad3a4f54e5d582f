internal import CLibPQ
import Logging

/// Where a connection's notices go. libpq holds a plain pointer to it for as long as the connection lives.
final class NoticeSink {
  let log: Logger

  init(log: Logger) {
    self.log = log
  }

  /// Takes the place of libpq's own receiver, which prints on stderr.
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
    // That the server ends the session is told by who loses the connection, once and with what comes of it.
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
