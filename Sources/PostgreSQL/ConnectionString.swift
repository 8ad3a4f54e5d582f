internal import CLibPQ

/// Reads connection strings. Messages never quote a string that libpq cannot read or probably
/// misreads, because any part of it may be the password.
enum ConnectionString {
  private static let secrets: Set<String> = ["password", "sslpassword", "passfile", "scram_client_key", "scram_server_key"]

  /// The values in a string, by keyword.
  /// - Throws: `PostgreSQLError` of kind `connection` for an unreadable string
  static func parse(_ text: String) throws(PostgreSQLError) -> [String: String] {
    var complaint: UnsafeMutablePointer<CChar>?
    guard let list = PQconninfoParse(text, &complaint) else {
      let reason = complaint.map { String(cString: $0).onOneLine.withoutQuotedParts } ?? "out of memory"
      PQfreemem(complaint)
      throw unreadable(reason)
    }
    defer { PQconninfoFree(list) }
    let options = collect(list)
    // An unescaped "@" or "/" in a password moves the end of the password into the host, the port
    // or the database's name.
    let isSplitWrong =
      options["host", default: ""].dropFirst().contains("@")
      || !options["port", default: ""].allSatisfy { $0.isNumber || $0 == "," }
      || (text.hasPrefix("postgresql://") && options["dbname", default: ""].contains("@"))
    if isSplitWrong {
      throw unreadable("host, port and database cannot be told apart (in a password, write @ as %40, / as %2F and : as %3A)")
    }
    return options
  }

  /// The keywords with a value in libpq's list.
  static func collect(_ list: UnsafeMutablePointer<PQconninfoOption>) -> [String: String] {
    var options: [String: String] = [:]
    var entry = list
    while let keyword = entry.pointee.keyword {
      if let value = entry.pointee.val { options[String(cString: keyword)] = String(cString: value) }
      entry += 1
    }
    return options
  }

  /// The URI without secrets.
  static func show(_ options: [String: String]) -> String {
    var text = "postgresql://"
    if let user = options["user"] { text += user + "@" }
    let host = options["host"] ?? options["hostaddr"] ?? ""
    let isFolder = host.hasPrefix("/")
    if !isFolder { text += host }
    if let port = options["port"] { text += ":" + port }
    text += "/" + (options["dbname"] ?? "")
    let shown: Set<String> = ["user", "port", "dbname", isFolder ? "" : "host"]
    let rest = options.filter { !secrets.contains($0.key) && !shown.contains($0.key) }.sorted { $0.key < $1.key }
    if !rest.isEmpty { text += "?" + rest.map { "\($0.key)=\($0.value)" }.joined(separator: "&") }
    return text
  }

  private static func unreadable(_ reason: String) -> PostgreSQLError {
    PostgreSQLError(
      kind: .connection, connectionFailure: .other, purpose: "Reading the connection string", message: reason,
      hint: "the form is postgresql://user:password@host:5432/database")
  }
}

extension String {
  /// The text on one line, for messages.
  var onOneLine: String {
    split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}
