/// Writes JSON as bytes, commas set by itself. For the few shapes that call logs have; Codable would build a tree of every call first.
public struct JSONWriter {
  /// What was written so far.
  public private(set) var out: [UInt8]
  private var needsComma = false

  /// A writer that appends to `out`.
  public init(out: [UInt8] = []) {
    self.out = out
  }

  /// Begins an object or array: `{` or `[`.
  public mutating func open(_ bracket: Unicode.Scalar) {
    comma()
    out.append(UInt8(ascii: bracket))
    needsComma = false
  }

  /// Ends it.
  public mutating func close(_ bracket: Unicode.Scalar) {
    out.append(UInt8(ascii: bracket))
    needsComma = true
  }

  /// A key, whose value comes next.
  public mutating func key(_ key: Text) {
    comma()
    quote(key)
    out.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// A key with a text, `null` for NULL.
  public mutating func field(_ key: Text, _ value: Text) {
    self.key(key)
    if value.isNull { null() } else { quote(value) }
    needsComma = true
  }

  /// A key with a string.
  public mutating func string(_ key: Text, _ value: String?) {
    guard var value else { return field(key, .null) }
    value.withUTF8 { field(key, Text(UnsafeRawBufferPointer($0))) }
  }

  /// A key with `true` or `false`.
  public mutating func flag(_ key: Text, _ value: Bool) {
    self.key(key)
    out.append(contentsOf: (value ? "true" : "false").utf8)
    needsComma = true
  }

  /// A key with a number, `null` for nil.
  public mutating func number(_ key: Text, _ value: Int64?) {
    self.key(key)
    if let value { out.append(contentsOf: String(value).utf8) } else { null() }
    needsComma = true
  }

  /// A key with a time, `null` for nil.
  /// - Parameter isShort: leaves a fraction of zero out
  public mutating func time(_ key: Text, _ value: Int64?, isShort: Bool = false) {
    self.key(key)
    if let value {
      out.append(UInt8(ascii: "\""))
      TimestampText.appendWallClock(value, isShort: isShort, to: &out)
      out.append(contentsOf: "+00:00\"".utf8)
    } else {
      null()
    }
    needsComma = true
  }

  /// A key with a uuid, `null` for nil.
  public mutating func uuid(_ key: Text, _ value: UUIDValue?) {
    self.key(key)
    if let value {
      out.append(UInt8(ascii: "\""))
      value.forEachCharacter { out.append($0) }
      out.append(UInt8(ascii: "\""))
    } else {
      null()
    }
    needsComma = true
  }

  /// A number in an array.
  public mutating func element(_ value: Int64) {
    comma()
    out.append(contentsOf: String(value).utf8)
    needsComma = true
  }

  /// A text in an array.
  public mutating func element(_ value: Text) {
    comma()
    quote(value)
    needsComma = true
  }

  private mutating func comma() {
    if needsComma { out.append(UInt8(ascii: ",")) }
  }

  private mutating func null() { out.append(contentsOf: "null".utf8) }

  private mutating func quote(_ text: Text) {
    out.append(UInt8(ascii: "\""))
    for byte in text.bytes {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        out.append(UInt8(ascii: "\\"))
        out.append(byte)
      case 0..<0x20:
        out.append(contentsOf: "\\u00".utf8)
        out.append(JSONWriter.hex(byte >> 4))
        out.append(JSONWriter.hex(byte & 15))
      default: out.append(byte)
      }
    }
    out.append(UInt8(ascii: "\""))
  }

  private static func hex(_ nibble: UInt8) -> UInt8 { nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10 }
}
