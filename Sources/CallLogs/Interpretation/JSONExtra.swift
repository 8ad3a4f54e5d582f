/// The JSON in a CEL's `extra`, read only as far as call logs need: is it JSON at all, is it an object, and the text under a few keys.
///
/// The grammar is RFC 8259's, checked to the end, so that a broken text is told from one that lacks a key. Of repeated keys the last counts.
struct JSONExtra {
  enum Kind {
    /// NULL, empty, or a JSON value that counts as nothing: `{}`, `[]`, `""`, `0`, `null`, `false`.
    case missing
    /// Not JSON.
    case malformed
    case object, array, string
    /// A number other than 0, or `true`.
    case scalar
  }

  /// The value of a key.
  enum Value {
    case absent
    case text(Text)
    /// A JSON value that counts as nothing, other than the empty string.
    case nothing
    /// Any other value that is not text.
    case other
  }

  private(set) var kind = Kind.missing
  private(set) var first = Value.absent
  private(set) var second = Value.absent
  /// Whether a U+0000 was dropped from a value.
  private(set) var droppedNUL = false
  /// Whether half a surrogate pair in a value became U+FFFD.
  private(set) var replacedSurrogate = false

  /// Reads `extra`, looking for two top-level keys.
  init(_ extra: Text, _ arena: TextArena, keys first: Text, _ second: Text = .null) {
    guard !extra.isEmpty else { return }
    var scanner = JSONScanner(text: extra, arena: arena)
    scanner.skipSpace()
    if scanner.peek == 0x7B {
      kind = readObject(&scanner, first, second)
    } else {
      switch scanner.value(decode: false) {
      case nil: kind = .malformed
      case .text(let text)?: kind = text.isEmpty ? .missing : .string
      case .nothing?, .absent?: kind = .missing
      case .other?: kind = scanner.lastWasArray ? .array : .scalar
      }
    }
    scanner.skipSpace()
    if !scanner.isAtEnd { kind = .malformed }
    droppedNUL = scanner.droppedNUL
    replacedSurrogate = scanner.replacedSurrogate
  }

  private mutating func readObject(_ scanner: inout JSONScanner, _ firstKey: Text, _ secondKey: Text) -> Kind {
    scanner.advance()
    scanner.skipSpace()
    if scanner.take(0x7D) { return .missing }
    while true {
      scanner.skipSpace()
      guard let key = scanner.string(decode: true) else { return .malformed }
      scanner.skipSpace()
      guard scanner.take(0x3A) else { return .malformed }
      scanner.skipSpace()
      let isFirst = key == firstKey
      let isSecond = !isFirst && !secondKey.isNull && key == secondKey
      guard let value = scanner.value(decode: isFirst || isSecond) else { return .malformed }
      if isFirst { first = value } else if isSecond { second = value }
      scanner.skipSpace()
      if scanner.take(0x2C) { continue }
      return scanner.take(0x7D) ? .object : .malformed
    }
  }
}

/// A cursor over JSON text.
struct JSONScanner {
  private let text: Text
  // Unowned: a scanner lives shorter than the text, whose memory is the arena's; not counting saves two atomic operations to an event.
  private unowned(unsafe) let arena: TextArena
  private var at = 0
  private var depth = 0
  /// Whether the last value read was an array with something in it.
  private(set) var lastWasArray = false
  private(set) var droppedNUL = false
  private(set) var replacedSurrogate = false

  init(text: Text, arena: TextArena) {
    self.text = text
    self.arena = arena
  }

  var peek: UInt8 { at < text.count ? text[at] : 0 }
  var isAtEnd: Bool { at == text.count }

  mutating func advance() { at += 1 }

  @inline(__always)
  mutating func take(_ byte: UInt8) -> Bool {
    guard at < text.count, text[at] == byte else { return false }
    at += 1
    return true
  }

  @inline(__always)
  mutating func skipSpace() {
    while at < text.count, text[at] <= 0x20, text[at] == 0x20 || text[at] == 0x0A || text[at] == 0x0D || text[at] == 0x09 {
      at += 1
    }
  }

  /// Reads any value; nil if it is malformed. Strings are decoded only on demand.
  mutating func value(decode: Bool) -> JSONExtra.Value? {
    lastWasArray = false
    switch peek {
    case 0x22: return string(decode: decode).map { .text($0) }
    case 0x7B, 0x5B: return container()
    case 0x74: return literal("true") ? .other : nil
    case 0x66: return literal("false") ? .nothing : nil
    case 0x6E: return literal("null") ? .nothing : nil
    default: return number()
    }
  }

  private mutating func literal(_ word: Text) -> Bool {
    guard text.has(word, at: at) else { return false }
    at += word.count
    return true
  }

  private mutating func container() -> JSONExtra.Value? {
    // Deeper than any real payload; a bound on the recursion that input can cause.
    guard depth < 200 else { return nil }
    depth += 1
    defer { depth -= 1 }
    let isObject = peek == 0x7B
    let close: UInt8 = isObject ? 0x7D : 0x5D
    at += 1
    skipSpace()
    if take(close) { return .nothing }
    while true {
      skipSpace()
      if isObject {
        guard string(decode: false) != nil else { return nil }
        skipSpace()
        guard take(0x3A) else { return nil }
        skipSpace()
      }
      guard value(decode: false) != nil else { return nil }
      skipSpace()
      if take(0x2C) { continue }
      guard take(close) else { return nil }
      lastWasArray = !isObject
      return .other
    }
  }

  private mutating func digits() -> Bool {
    let from = at
    while at < text.count, text[at] &- 0x30 < 10 { at += 1 }
    return at > from
  }

  private mutating func number() -> JSONExtra.Value? {
    let from = at
    _ = take(0x2D)
    if take(0x30) {
      if at < text.count, text[at] &- 0x30 < 10 { return nil }
    } else if !digits() {
      return nil
    }
    if take(0x2E), !digits() { return nil }
    let mantissaEnd = at
    if take(0x65) || take(0x45) {
      if !take(0x2B) { _ = take(0x2D) }
      guard digits() else { return nil }
    }
    for index in from..<mantissaEnd where text[index] &- 0x31 < 9 { return .other }
    return .nothing
  }

  /// Reads a string; without decoding its text is only good for telling whether it is empty.
  mutating func string(decode: Bool) -> Text? {
    guard take(0x22) else { return nil }
    let from = at
    var escaped = false
    while true {
      at = text.endOfPlainJSON(from: at)
      guard at < text.count else { return nil }
      switch text[at] {
      case 0x22:
        let raw = text[from..<at]
        at += 1
        if !escaped { return raw }
        if !decode { return checkEscapes(raw) ? raw : nil }
        return arena.unescaped(raw, droppedNUL: &droppedNUL, replacedSurrogate: &replacedSurrogate)
      case 0x5C:
        escaped = true
        at += 2
      default:
        return nil
      }
    }
  }

  private func checkEscapes(_ raw: Text) -> Bool {
    var index = 0
    while index < raw.count {
      if raw[index] != 0x5C {
        index += 1
        continue
      }
      guard index + 1 < raw.count, let length = JSONEscape.length(raw, at: index) else { return false }
      index += length
    }
    return true
  }
}

extension Text {
  /// The index at or after `from` of the first quote, backslash or control character, `count` if there is none.
  fileprivate func endOfPlainJSON(from: Int) -> Int {
    guard let start else { return length }
    let raw = UnsafeRawPointer(start)
    var at = from
    // Eight bytes at a time. Of each byte the top bit is set where it is less than 0x20, or equal to one of the two; a borrow can only mark bytes above one that is marked rightly.
    let ones: UInt64 = 0x0101_0101_0101_0101
    while at + 8 <= length {
      let bytes = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))
      let quote = bytes ^ (ones &* 0x22)
      let backslash = bytes ^ (ones &* 0x5C)
      let control = (bytes &- ones &* 0x20) & ~bytes
      let found = (control | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)) & (ones &* 0x80)
      if found != 0 { return at + found.trailingZeroBitCount / 8 }
      at += 8
    }
    while at < length {
      let byte = start[at]
      if byte < 0x20 || byte == 0x22 || byte == 0x5C { return at }
      at += 1
    }
    return length
  }
}

/// The escapes of JSON strings.
enum JSONEscape {
  /// The length of the escape at `index`, nil if it is none.
  static func length(_ raw: Text, at index: Int) -> Int? {
    switch raw[index + 1] {
    case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: 2
    case 0x75: unit(raw, at: index) == nil ? nil : 6
    default: nil
    }
  }

  /// The UTF-16 unit of the `\uXXXX` at `index`.
  static func unit(_ raw: Text, at index: Int) -> UInt32? {
    guard index + 6 <= raw.count, raw[index] == 0x5C, raw[index + 1] == 0x75 else { return nil }
    var value: UInt32 = 0
    for offset in 2..<6 {
      let byte = raw[index + offset]
      switch byte {
      case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
      case 0x61...0x66: value = value << 4 | UInt32(byte - 0x61 + 10)
      case 0x41...0x46: value = value << 4 | UInt32(byte - 0x41 + 10)
      default: return nil
      }
    }
    return value
  }
}

extension TextArena {
  /// The text that a JSON string stands for; nil if an escape is malformed. A lone surrogate becomes U+FFFD, U+0000 is dropped.
  fileprivate func unescaped(_ raw: Text, droppedNUL: inout Bool, replacedSurrogate: inout Bool) -> Text? {
    let start = reserve(raw.count)
    var out = 0
    var index = 0
    while index < raw.count {
      guard raw[index] == 0x5C else {
        start[out] = raw[index]
        out += 1
        index += 1
        continue
      }
      guard index + 1 < raw.count, let length = JSONEscape.length(raw, at: index) else {
        giveBack(raw.count)
        return nil
      }
      if length == 2 {
        start[out] = TextArena.shortEscape(raw[index + 1])
        out += 1
        index += 2
        continue
      }
      var scalar = JSONEscape.unit(raw, at: index) ?? 0xFFFD
      index += 6
      if scalar & 0xFC00 == 0xD800, let low = JSONEscape.unit(raw, at: index), low & 0xFC00 == 0xDC00 {
        scalar = 0x10000 + (scalar & 0x3FF) << 10 + (low & 0x3FF)
        index += 6
      }
      // A lone surrogate is no scalar; \u0000 cannot be stored.
      guard scalar != 0 else {
        droppedNUL = true
        continue
      }
      if Unicode.Scalar(scalar) == nil { replacedSurrogate = true }
      for byte in UTF8.encode(Unicode.Scalar(scalar) ?? "\u{FFFD}") ?? UTF8.encodedReplacementCharacter {
        start[out] = byte
        out += 1
      }
    }
    giveBack(raw.count - out)
    return Text(start: start, count: out)
  }

  private static func shortEscape(_ byte: UInt8) -> UInt8 {
    switch byte {
    case 0x62: 0x08
    case 0x66: 0x0C
    case 0x6E: 0x0A
    case 0x72: 0x0D
    case 0x74: 0x09
    default: byte
    }
  }
}
