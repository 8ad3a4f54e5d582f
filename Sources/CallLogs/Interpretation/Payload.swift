import Values

/// The texts under the key `extra` of a user event, as Wazo's dialplan writes them.
enum Payload {
  /// Pairs of key and value, such as `type: user,uuid: …,name: Foo, Bar`. A key is a word before
  /// a colon, at the start or after a comma (Interpretation, R24).
  ///
  /// A value may contain a comma, unless the text after it looks like a key. The last of equal
  /// keys counts.
  struct Pairs {
    private var keys: [Text] = []
    private var values: [Text] = []

    /// The number of pairs.
    var count: Int { keys.count }

    /// No pairs.
    init() {}

    init(_ payload: Text) { read(payload) }

    /// Reads another payload and reuses the memory.
    mutating func read(_ payload: Text) {
      keys.removeAll(keepingCapacity: true)
      values.removeAll(keepingCapacity: true)
      var valueStart: Int?
      var at = 0
      while at < payload.count {
        guard let (matchStart, key, matchEnd) = Pairs.nextKey(payload, from: at) else { break }
        if let valueStart { values.append(payload[valueStart..<matchStart].trimmed.trimmedEnd(of: UInt8(ascii: ","))) }
        keys.append(key)
        valueStart = matchEnd
        at = matchEnd
      }
      if let valueStart { values.append(payload.from(valueStart).trimmed) }
    }

    /// The value of `key`; nil if it is absent.
    subscript(key: Text) -> Text? {
      keys.lastIndex(of: key).map { values[$0] }
    }

    /// The next match of `(?:^|,\s*)(\w+):` at or after `from`.
    private static func nextKey(_ text: Text, from: Int) -> (start: Int, key: Text, end: Int)? {
      var start = from
      while start < text.count {
        if start == 0, let end = wordBeforeColon(text, 0) { return (0, text[0..<end], end + 1) }
        guard let comma = text.firstIndex(of: UInt8(ascii: ","), from: start) else { return nil }
        var at = comma + 1
        while at < text.count, isASCIIWhitespace(text[at]) { at += 1 }
        if let end = wordBeforeColon(text, at) { return (comma, text[at..<end], end + 1) }
        start = comma + 1
      }
      return nil
    }

    private static func wordBeforeColon(_ text: Text, _ from: Int) -> Int? {
      var at = from
      while at < text.count, isWord(text[at]) { at += 1 }
      return at > from && at < text.count && text[at] == UInt8(ascii: ":") ? at : nil
    }
  }

  /// The tokens of a payload such as `a: 1,b: 2`, split at commas. Each has its key and the text
  /// between the first `: ` and the next one. nil if there are fewer than `count`, or one of the
  /// first `count` has no `: ` (Interpretation, R25).
  static func tokens(_ payload: Text, _ count: Int) -> [Token]? {
    var tokens: [Token] = []
    return read(payload, count, into: &tokens) ? tokens : nil
  }

  typealias Token = (key: Text, value: Text)

  /// Reads tokens as ``tokens(_:_:)`` does, into existing memory.
  /// - Returns: whether the payload has `count` tokens
  static func read(_ payload: Text, _ count: Int, into tokens: inout [Token]) -> Bool {
    tokens.removeAll(keepingCapacity: true)
    var start = 0
    while tokens.count < count {
      guard start <= payload.count else { return false }
      let end = payload.firstIndex(of: UInt8(ascii: ","), from: start) ?? payload.count
      let token = payload[start..<end]
      guard let colon = token.firstIndex(of: ": ") else { return false }
      let rest = token.from(colon + 2)
      tokens.append((token.to(colon).trimmed, rest.to(rest.firstIndex(of: ": ") ?? rest.count)))
      start = end + 1
    }
    return true
  }

  /// The parts of a forward's payload, `NUM:…,CONTEXT:…,NAME:…`. The name runs to the end.
  /// nil for another form (Interpretation, R35).
  static func forward(_ payload: Text) -> (number: Text, context: Text, name: Text)? {
    var found: (number: Text, context: Text, name: Text)?
    var from = 0
    // The last possible NUM: counts, as in a greedy search.
    while let at = payload.firstIndex(of: "NUM:", from: from) {
      from = at + 1
      guard let (number, afterNumber) = part(payload, at + 4, before: "CONTEXT:"),
        let (context, afterContext) = part(payload, afterNumber, before: "NAME:")
      else { continue }
      found = (number, context, payload.from(afterContext).trimmed(of: UInt8(ascii: " ")))
    }
    return found
  }

  /// The text from `from` to the first comma before `key`, and the end of the key. Spaces between
  /// comma and key are allowed.
  private static func part(_ text: Text, _ from: Int, before key: Text) -> (Text, Int)? {
    var search = from
    while let comma = text.firstIndex(of: UInt8(ascii: ","), from: search) {
      var at = comma + 1
      while at < text.count, text[at] == UInt8(ascii: " ") { at += 1 }
      if text.has(key, at: at) { return (text[from..<comma].trimmed(of: UInt8(ascii: " ")), at + key.count) }
      search = comma + 1
    }
    return nil
  }
}

extension TextArena {
  /// `text` with `%XX` decoded as UTF-8. Invalid bytes become U+FFFD, a malformed `%` and every `+`
  /// stay, and U+0000 is dropped (Interpretation, R26).
  /// - Parameters:
  ///   - invalid: set to true if bytes were invalid
  ///   - nul: set to true if a U+0000 was dropped
  func percentDecoded(_ text: Text, invalid: inout Bool, nul: inout Bool) -> Text {
    guard text.firstIndex(of: UInt8(ascii: "%")) != nil else { return text }
    let start = reserve(text.count)
    var count = 0
    var isPlain = true
    var index = 0
    while index < text.count {
      var byte = text[index]
      index += 1
      if byte == UInt8(ascii: "%"), index + 1 < text.count, let high = hex(text[index]), let low = hex(text[index + 1]) {
        byte = high << 4 | low
        index += 2
      }
      if byte == 0 || byte >= 0x80 { isPlain = false }
      start[count] = byte
      count += 1
    }
    giveBack(text.count - count)
    if isPlain { return Text(start: start, count: count) }
    return validText(UnsafeRawBufferPointer(start: start, count: count), invalid: &invalid, nul: &nul)
  }

  private func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
