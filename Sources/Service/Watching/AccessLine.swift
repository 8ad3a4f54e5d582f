import Hummingbird

/// The line of the log for one request.
struct AccessLine: Sendable {
  private let method: String
  private let target: String
  private let address: String

  init(_ request: Request, path: String, query: String, address: String?) {
    method = request.method.rawValue
    let query = AccessLine.withoutToken(query)
    target = AccessLine.printable(query.isEmpty ? path : "\(path)?\(query)")
    self.address = address ?? "unix"
  }

  func text(status: Int, _ note: AccessNote) -> String {
    var text = "\(address) \"\(method) \(target)\" \(status)"
    if let rows = note.rows { text += " rows=\(rows)" }
    text += " ms=\((note.milliseconds * 10).rounded() / 10)"
    if let tenant = note.tenant { text += " tenant=\(tenant)" }
    return text
  }

  /// The query without the value of `token`. A name may be written with `%`, so that whatever could
  /// be that name is taken for it.
  static func withoutToken(_ query: String) -> String {
    query.split(separator: "&", omittingEmptySubsequences: false).map { pair in
      let name = pair.prefix { $0 != "=" }
      let isPlain = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
      return isPlain && name != "token" ? String(pair) : pair.contains("=") ? "\(isPlain ? name : "?")=…" : String(name)
    }.joined(separator: "&")
  }

  /// What a client sends must not end the line, or speak to a terminal.
  private static func printable(_ text: String) -> String {
    var printable = ""
    for scalar in text.unicodeScalars.prefix(2000) {
      if scalar.isASCII, scalar.value > 0x20, scalar.value != 0x7F, scalar != "\"" {
        printable.unicodeScalars.append(scalar)
      } else {
        printable += "\\u{\(String(scalar.value, radix: 16))}"
      }
    }
    return printable
  }
}
