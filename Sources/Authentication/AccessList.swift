/// What a token may do: accesses in Wazo's language, such as `call-logd.cdr.read`.
///
/// An access is words with dots between them. In an access of the list, `*` stands for any
/// characters within a word, and `#` for any characters at all, dots included; neither needs to be
/// a word of its own. An access that begins with `!` takes away: it wins over every access that
/// gives, wherever it stands in the list.
///
/// Three whole words have a meaning. `me` also stands for the uuid of the token's user, and
/// `my_session` for that of its session. `edit` also stands for `update`: old policies say it so.
///
/// So `call-logd.#` gives `call-logd.cdr.read`, yet neither `call-logd` nor `call-logd2.cdr.read`;
/// and `call-logd.#.read` does not give `call-logd.read`, for both of its dots must be there.
public struct AccessList: Sendable {
  private let given: [AccessPattern]
  private let taken: [AccessPattern]

  /// The accesses of a token.
  /// - Parameters:
  ///   - accesses: each as Wazo writes it, in any order
  ///   - user: the uuid that `me` stands for beside the word itself; nil where the token has no
  ///     user
  ///   - session: the uuid that `my_session` stands for beside the word itself
  public init(_ accesses: [String], user: String? = nil, session: String? = nil) {
    let words = AccessPattern.Words(user: user, session: session)
    given = accesses.filter { !$0.hasPrefix("!") }.map { AccessPattern($0, words) }
    taken = accesses.filter { $0.hasPrefix("!") }.map { AccessPattern($0.dropFirst(), words) }
  }

  /// Whether it gives an access, which has no wildcards.
  public func allows(_ access: String) -> Bool {
    let bytes = Array(access.utf8)
    return !taken.contains { $0.matches(bytes) } && given.contains { $0.matches(bytes) }
  }
}

/// An access of a list, ready to be compared with others.
struct AccessPattern: Sendable {
  /// What the words with a meaning stand for.
  struct Words {
    let user: String?
    let session: String?

    /// The words that a word stands for; nil for one without a meaning.
    func meanings(of word: Substring) -> [String]? {
      switch word {
      case "me": ["me"] + [user].compactMap(\.self)
      case "my_session": ["my_session"] + [session].compactMap(\.self)
      case "edit": ["edit", "update"]
      default: nil
      }
    }
  }

  private enum Step: Sendable {
    case byte(UInt8)
    /// Any characters within a word.
    case withinWord
    /// Any characters.
    case anything
    /// One of these texts.
    case oneOf([[UInt8]])
  }

  private let steps: [Step]

  init(_ access: some StringProtocol, _ words: Words) {
    var steps: [Step] = []
    for (number, word) in access.split(separator: ".", omittingEmptySubsequences: false).enumerated() {
      if number > 0 { steps.append(.byte(UInt8(ascii: "."))) }
      if let meanings = words.meanings(of: Substring(word)) {
        steps.append(.oneOf(meanings.map { Array($0.utf8) }))
        continue
      }
      for byte in word.utf8 {
        switch byte {
        case UInt8(ascii: "*"): steps.append(.withinWord)
        case UInt8(ascii: "#"): steps.append(.anything)
        default: steps.append(.byte(byte))
        }
      }
    }
    self.steps = steps
  }

  /// Whether all of a text fits.
  ///
  /// All places that the steps so far can have come to are kept at once. So the time grows with
  /// pattern times text, whatever wildcards somebody writes; trying one after the other would take
  /// for ever on `#a#a#a#`.
  func matches(_ text: [UInt8]) -> Bool {
    var places = Array(repeating: false, count: text.count + 1)
    places[0] = true
    for step in steps {
      var next = Array(repeating: false, count: text.count + 1)
      for place in places.indices where places[place] {
        switch step {
        case .byte(let byte):
          if place < text.count, text[place] == byte { next[place + 1] = true }
        case .oneOf(let words):
          for word in words where text[place...].starts(with: word) { next[place + word.count] = true }
        case .withinWord:
          AccessPattern.spread(&next, from: place, over: text) {
            $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: "\n")
          }
        case .anything:
          AccessPattern.spread(&next, from: place, over: text) { $0 != UInt8(ascii: "\n") }
        }
      }
      places = next
    }
    return places[text.count]
  }

  /// Marks a place and those behind it, as long as the bytes between are such.
  private static func spread(_ places: inout [Bool], from start: Int, over text: [UInt8], while isSuch: (UInt8) -> Bool) {
    var place = start
    // What is marked already was spread from an earlier place, to the same end.
    while !places[place] {
      places[place] = true
      guard place < text.count, isSuch(text[place]) else { return }
      place += 1
    }
  }
}
