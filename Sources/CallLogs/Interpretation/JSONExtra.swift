import Values

/// The JSON in a CEL's `extra`, as far as interpretation needs it: its validity, its kind, and the
/// texts of a few keys (Interpretation, R21).
///
/// The scanner checks the grammar of RFC 8259 to the end, so that malformed JSON differs from a
/// missing key. The last of equal keys counts.
struct JSONExtra {
  enum Kind {
    /// NULL, empty, or a JSON value that counts as missing: `{}`, `[]`, `""`, `0`, `null`, `false`.
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
    /// A JSON value that counts as missing, other than the empty string.
    case nothing
    /// Any other value that is not a text.
    case other
  }

  private(set) var kind = Kind.missing
  private(set) var first = Value.absent
  private(set) var second = Value.absent
  /// Whether a value contained U+0000, which was dropped.
  private(set) var droppedNUL = false
  /// Whether a value contained half of a surrogate pair, which became U+FFFD.
  private(set) var replacedSurrogate = false

  /// Reads `extra` and two of its top-level keys.
  init(_ extra: Text, _ arena: TextArena, keys first: Text, _ second: Text = .null) {
    guard !extra.isEmpty else { return }
    var scanner = JSONScanner(text: extra, arena: arena)
    scanner.skipSpace()
    if scanner.peek == UInt8(ascii: "{") {
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
    if scanner.take(UInt8(ascii: "}")) { return .missing }
    while true {
      scanner.skipSpace()
      guard let key = scanner.string(decode: true) else { return .malformed }
      scanner.skipSpace()
      guard scanner.take(UInt8(ascii: ":")) else { return .malformed }
      scanner.skipSpace()
      let isFirst = key == firstKey
      let isSecond = !isFirst && !secondKey.isNull && key == secondKey
      guard let value = scanner.value(decode: isFirst || isSecond) else { return .malformed }
      if isFirst { first = value } else if isSecond { second = value }
      scanner.skipSpace()
      if scanner.take(UInt8(ascii: ",")) { continue }
      return scanner.take(UInt8(ascii: "}")) ? .object : .malformed
    }
  }
}

/// A cursor over JSON text.
struct JSONScanner {
  private let text: Text
  // Unowned: the scanner lives shorter than the text, whose memory belongs to the arena. This saves
  // two atomic operations for each event.
  private unowned(unsafe) let arena: TextArena
  private var at = 0
  private var depth = 0
  /// Whether the latest value was an array with elements.
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
    while at < text.count, text[at] <= UInt8(ascii: " "),
      text[at] == UInt8(ascii: " ") || text[at] == UInt8(ascii: "\n") || text[at] == UInt8(ascii: "\r")
        || text[at] == UInt8(ascii: "\t")
    {
      at += 1
    }
  }

  /// Reads any value; nil if it is malformed. Decodes strings only if `decode` is true.
  mutating func value(decode: Bool) -> JSONExtra.Value? {
    lastWasArray = false
    switch peek {
    case UInt8(ascii: "\""): return string(decode: decode).map { .text($0) }
    case UInt8(ascii: "{"), UInt8(ascii: "["): return container()
    case UInt8(ascii: "t"): return literal("true") ? .other : nil
    case UInt8(ascii: "f"): return literal("false") ? .nothing : nil
    case UInt8(ascii: "n"): return literal("null") ? .nothing : nil
    default: return number()
    }
  }

  private mutating func literal(_ word: Text) -> Bool {
    guard text.has(word, at: at) else { return false }
    at += word.count
    return true
  }

  private mutating func container() -> JSONExtra.Value? {
    // Real payloads have fewer levels. The limit bounds the recursion.
    guard depth < 200 else { return nil }
    depth += 1
    defer { depth -= 1 }
    let isObject = peek == UInt8(ascii: "{")
    let close: UInt8 = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
    at += 1
    skipSpace()
    if take(close) { return .nothing }
    while true {
      skipSpace()
      if isObject {
        guard string(decode: false) != nil else { return nil }
        skipSpace()
        guard take(UInt8(ascii: ":")) else { return nil }
        skipSpace()
      }
      guard value(decode: false) != nil else { return nil }
      skipSpace()
      if take(UInt8(ascii: ",")) { continue }
      guard take(close) else { return nil }
      lastWasArray = !isObject
      return .other
    }
  }

  private mutating func digits() -> Bool {
    let from = at
    while at < text.count, text[at] &- UInt8(ascii: "0") < 10 { at += 1 }
    return at > from
  }

  private mutating func number() -> JSONExtra.Value? {
    let from = at
    _ = take(UInt8(ascii: "-"))
    if take(UInt8(ascii: "0")) {
      if at < text.count, text[at] &- UInt8(ascii: "0") < 10 { return nil }
    } else if !digits() {
      return nil
    }
    if take(UInt8(ascii: ".")), !digits() { return nil }
    let mantissaEnd = at
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard digits() else { return nil }
    }
    for index in from..<mantissaEnd where text[index] &- UInt8(ascii: "1") < 9 { return .other }
    return .nothing
  }

  /// Reads a string. Without decoding, the result only shows whether the string is empty.
  mutating func string(decode: Bool) -> Text? {
    guard take(UInt8(ascii: "\"")) else { return nil }
    let from = at
    var escaped = false
    while true {
      at = text.endOfPlainJSON(from: at)
      guard at < text.count else { return nil }
      switch text[at] {
      case UInt8(ascii: "\""):
        let raw = text[from..<at]
        at += 1
        if !escaped { return raw }
        if !decode { return checkEscapes(raw) ? raw : nil }
        return arena.unescaped(raw, droppedNUL: &droppedNUL, replacedSurrogate: &replacedSurrogate)
      case UInt8(ascii: "\\"):
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
      if raw[index] != UInt8(ascii: "\\") {
        index += 1
        continue
      }
      guard index + 1 < raw.count, let length = JSONEscape.count(raw, at: index) else { return false }
      index += length
    }
    return true
  }
}

extension Text {
  /// The first index at or after `from` of a quote, a backslash or a control character; `count` if
  /// there is none.
  fileprivate func endOfPlainJSON(from: Int) -> Int {
    guard let start else { return count }
    let raw = UnsafeRawPointer(start)
    var at = from
    // Eight bytes at a time. The top bit of each byte is set if the byte is less than 0x20, or
    // equal to a quote or a backslash. A borrow can only set bits above a byte that is marked
    // correctly.
    let ones: UInt64 = 0x0101_0101_0101_0101
    while at + 8 <= count {
      let bytes = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))
      let quote = bytes ^ (ones &* 0x22)
      let backslash = bytes ^ (ones &* 0x5C)
      let control = (bytes &- ones &* 0x20) & ~bytes
      let found = (control | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)) & (ones &* 0x80)
      if found != 0 { return at + found.trailingZeroBitCount / 8 }
      at += 8
    }
    while at < count {
      let byte = start[at]
      if byte < UInt8(ascii: " ") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return at }
      at += 1
    }
    return count
  }
}

/// The escapes of JSON strings.
enum JSONEscape {
  /// The length of the escape at `index`; nil if it is malformed.
  static func count(_ raw: Text, at index: Int) -> Int? {
    switch raw[index + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
      UInt8(ascii: "r"), UInt8(ascii: "t"):
      2
    case UInt8(ascii: "u"): unit(raw, at: index) == nil ? nil : 6
    default: nil
    }
  }

  /// The UTF-16 unit of the `\uXXXX` at `index`.
  static func unit(_ raw: Text, at index: Int) -> UInt32? {
    guard index + 6 <= raw.count, raw[index] == UInt8(ascii: "\\"), raw[index + 1] == UInt8(ascii: "u") else { return nil }
    var value: UInt32 = 0
    for offset in 2..<6 {
      let byte = raw[index + offset]
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
      default: return nil
      }
    }
    return value
  }
}

extension TextArena {
  /// The text of a JSON string; nil if an escape is malformed. Half of a surrogate pair becomes
  /// U+FFFD, U+0000 is dropped (Interpretation, R23).
  fileprivate func unescaped(_ raw: Text, droppedNUL: inout Bool, replacedSurrogate: inout Bool) -> Text? {
    let start = reserve(raw.count)
    var out = 0
    var index = 0
    while index < raw.count {
      guard raw[index] == UInt8(ascii: "\\") else {
        start[out] = raw[index]
        out += 1
        index += 1
        continue
      }
      guard index + 1 < raw.count, let count = JSONEscape.count(raw, at: index) else {
        giveBack(raw.count)
        return nil
      }
      if count == 2 {
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
      // Half of a surrogate pair is not a scalar. PostgreSQL cannot store U+0000.
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
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): UInt8(ascii: "\n")
    case UInt8(ascii: "r"): UInt8(ascii: "\r")
    case UInt8(ascii: "t"): UInt8(ascii: "\t")
    default: byte
    }
  }
}
