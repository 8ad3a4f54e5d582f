/// The parts of libpq's verbose report on a failed connection. The language varies; the layout is
/// fixed: `FATAL:  28P01: text`, then lines such as `HINT:  text`, and at the end the place in the
/// server's source.
struct ConnectionReport {
  var sqlState: SQLState?
  var message = ""
  var detail: String?
  var hint: String?

  init(_ text: String) {
    var lines = text.split(separator: "\n").map(String.init)
    lines.removeAll { $0.contains(/\.[cly]:\d+$/) }
    // With several hosts there are several reports. The last one counts.
    if let last = lines.lastIndex(where: { $0.contains(ConnectionReport.code) }) {
      lines.removeFirst(last)
    }
    for line in lines {
      if let found = line.firstMatch(of: ConnectionReport.code) {
        sqlState = SQLState(rawValue: String(found.1))
        message = String(line[found.range.upperBound...])
      } else if line.hasPrefix("DETAIL:") {
        detail = line.dropFirst("DETAIL:".count).description.onOneLine
      } else if line.hasPrefix("HINT:") {
        hint = line.dropFirst("HINT:".count).description.onOneLine
      } else {
        message += message.isEmpty ? line : " " + line
      }
    }
    message = message.onOneLine
  }

  /// Two blanks, the SQLSTATE, a colon. A Regex is not Sendable, so each use makes a new one.
  private static var code: Regex<(Substring, Substring)> { #/:  ([0-9A-Z]{5}): /# }
}
