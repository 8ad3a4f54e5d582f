extension Connection {
  /// A name as SQL takes it whatever it contains: in double quotes. A U+0000, which no name can hold, is left out.
  public static func quoteIdentifier(_ name: String) -> String {
    var quoted = "\""
    for character in name.unicodeScalars where character != "\0" {
      if character == "\"" { quoted += "\"\"" } else { quoted.unicodeScalars.append(character) }
    }
    return quoted + "\""
  }

  /// A name with its schema, if it has one.
  public static func quoteQualifiedName(schema: String?, _ name: String) -> String {
    (schema.map { quoteIdentifier($0) + "." } ?? "") + quoteIdentifier(name)
  }

  /// A name as a setting gives it, `table` or `schema.table`, each part quoted. A part in double quotes may contain dots.
  /// Names are taken as they are written: nothing is changed to lower case.
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
