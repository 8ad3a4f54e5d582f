extension Connection {
  /// A name in double quotes for SQL. A U+0000 is dropped, because no name can contain it.
  public static func quoteIdentifier(_ name: String) -> String {
    var quoted = "\""
    for character in name.unicodeScalars where character != "\0" {
      if character == "\"" { quoted += "\"\"" } else { quoted.unicodeScalars.append(character) }
    }
    return quoted + "\""
  }

  /// A quoted name, with its schema if there is one.
  public static func quoteQualifiedName(schema: String?, _ name: String) -> String {
    (schema.map { quoteIdentifier($0) + "." } ?? "") + quoteIdentifier(name)
  }

  /// A quoted name from a setting: `table` or `schema.table`. A part in double quotes may contain
  /// dots. The case of names does not change.
  public static func quoteQualifiedName(_ text: String) -> String {
    var parts = [""]
    var isQuoted = false
    for character in text.unicodeScalars {
      if character == "\"" {
        isQuoted.toggle()
      } else if character == ".", !isQuoted {
        parts.append("")
      } else {
        parts[parts.count - 1].unicodeScalars.append(character)
      }
    }
    return parts.map(quoteIdentifier).joined(separator: ".")
  }
}
