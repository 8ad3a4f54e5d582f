/// A connection string of keywords and values, read by libpq's rules: blanks around `=` are
/// allowed, values may be in single quotes, and a backslash escapes any character of a value.
///
/// Source: PostgreSQL documentation, libpq, "Keyword/Value Connection Strings".
struct KeywordString {
  /// Keywords with their values, as written in the text.
  private(set) var pairs: [(keyword: Substring, value: Substring)] = []
  /// The unread end of the text.
  private var rest: Substring

  /// nil if libpq would refuse the text.
  init?(_ text: String) {
    self.init(partly: text)
    guard rest.isEmpty else { return nil }
  }

  private init(partly text: String) {
    rest = text[...]
    while true {
      var position = rest.drop(while: \.isWhitespace)
      if position.isEmpty {
        rest = position
        return
      }
      let keyword = position.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
      position = position.dropFirst(keyword.count).drop(while: \.isWhitespace)
      guard !keyword.isEmpty, position.first == "=" else { return }
      position = position.dropFirst().drop(while: \.isWhitespace)
      guard let value = Self.value(at: position) else { return }
      pairs.append((keyword, value))
      rest = position.dropFirst(value.count)
    }
  }

  /// The value at the beginning of `text`, with its quotes; nil if a quote is not closed.
  private static func value(at text: Substring) -> Substring? {
    let quoted = text.first == "'"
    var index = quoted ? text.index(after: text.startIndex) : text.startIndex
    while index < text.endIndex {
      let character = text[index]
      if character == "\\" {
        index = text.index(after: index)
        if index == text.endIndex { break }
      } else if quoted ? character == "'" : character.isWhitespace {
        return text[..<(quoted ? text.index(after: index) : index)]
      }
      index = text.index(after: index)
    }
    return quoted ? nil : text
  }

  /// `text` without its secrets. Everything from the first unreadable part on is hidden.
  static func redact(_ text: String) -> String {
    let string = KeywordString(partly: text)
    var parts: [String] = []
    for (keyword, value) in string.pairs {
      guard let part = DatabaseURI.redact(keyword: keyword, value: value) else {
        return (parts + [DatabaseURI.mask]).joined(separator: " ")
      }
      parts.append(part)
    }
    return (parts + (string.rest.isEmpty ? [] : [DatabaseURI.mask])).joined(separator: " ")
  }
}
