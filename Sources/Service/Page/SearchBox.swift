/// What stands in the search box: plain words, and operators such as `from:101` or
/// `tag:"two words"`.
struct SearchBox: Sendable {
  /// A word or an operator.
  struct Term: Equatable, Sendable {
    /// As it was typed.
    let source: String
    /// What stands before the colon, in small letters; nil for a plain word.
    let key: String?
    /// The rest, without quotation marks.
    let value: String
  }

  let terms: [Term]
  /// The word whose quotation mark is not closed; nil where all are.
  let open: String?

  init(_ text: String) {
    var terms: [Term] = []
    var open: String?
    var rest = text[...]
    while true {
      rest = rest.drop { $0.isWhitespace }
      guard !rest.isEmpty else { break }
      var (key, value, isQuoted, wasQuoted) = (String?.none, "", false, false)
      let source = rest.prefix { character in
        if character == "\"" {
          (isQuoted, wasQuoted) = (!isQuoted, true)
        } else if character.isWhitespace, !isQuoted {
          return false
        } else if character == ":", key == nil, !wasQuoted, SearchBox.isName(value) {
          (key, value) = (value.lowercased(), "")
        } else {
          value.append(character)
        }
        return true
      }
      rest = rest[source.endIndex...]
      if isQuoted { open = String(source) }
      terms.append(Term(source: String(source), key: key, value: value))
    }
    (self.terms, self.open) = (terms, open)
  }

  /// The box without one of its terms.
  func text(without place: Int) -> String {
    terms.indices.filter { $0 != place }.map { terms[$0].source }.joined(separator: " ")
  }

  /// A term as somebody would type it; nil for a value that none can have.
  static func term(key: String, value: String) -> String? {
    guard !value.isEmpty, !value.contains("\""), !value.utf8.contains(0) else { return nil }
    return "\(key):" + (value.contains(where: \.isWhitespace) ? "\"\(value)\"" : value)
  }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.allSatisfy { $0.isASCII && $0.isLetter }
  }
}
