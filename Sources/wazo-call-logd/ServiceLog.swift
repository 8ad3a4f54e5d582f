import Glibc
import Logging
import Service

/// Writes the log to standard error: a line for each message, with time and level.
struct ServiceLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  /// The level while debug messages are off.
  private let level: Logger.Level
  private let debug: DebugSwitch
  /// Set for copies that log less than the service.
  private var least: Logger.Level?

  private init(_ level: Logger.Level, _ debug: DebugSwitch) { (self.level, self.debug) = (level, debug) }

  /// A logger.
  static func logger(_ level: Logger.Level, debug: DebugSwitch) -> Logger {
    Logger(label: "wazo-call-logd") { _ in ServiceLog(level, debug) }
  }

  var logLevel: Logger.Level {
    get { least ?? (debug.isOn ? min(.debug, level) : level) }
    set { least = newValue }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let line = "\(ServiceLog.time()) \(event.level): \(event.message)\n"
    // One write for a line, so that lines of several threads do not mix.
    var bytes = Array(line.utf8)
    let count = bytes.count
    _ = bytes.withUnsafeMutableBytes { write(2, $0.baseAddress, count) }
  }

  /// Now, in UTC, to the millisecond.
  private static func time() -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var parts = tm()
    gmtime_r(&now.tv_sec, &parts)
    func digits(_ number: some BinaryInteger, _ count: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    return
      "\(parts.tm_year + 1900)-\(digits(parts.tm_mon + 1, 2))-\(digits(parts.tm_mday, 2))T\(digits(parts.tm_hour, 2)):\(digits(parts.tm_min, 2)):\(digits(parts.tm_sec, 2)).\(digits(now.tv_nsec / 1_000_000, 3))Z"
  }
}
