/// A UUID as two integers, as the tables and the wire protocol need it. Foundation's UUID would
/// cost a conversion through strings in every row.
public struct UUIDValue: Hashable, Sendable {
  /// The first eight bytes, big-endian.
  public let high: UInt64
  /// The last eight bytes, big-endian.
  public let low: UInt64

  /// A UUID from its two halves.
  @inlinable public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Reads 8-4-4-4-12 hexadecimal digits in either case; nil for any other text.
  public init?(_ text: Text) {
    guard text.count == 36, let start = text.start, start[8] == UInt8(ascii: "-"), start[13] == UInt8(ascii: "-"),
      start[18] == UInt8(ascii: "-"), start[23] == UInt8(ascii: "-")
    else { return nil }
    var isHexadecimal = true
    @inline(__always) func digits(_ from: Int, _ to: Int) -> UInt64 {
      var value: UInt64 = 0
      for index in from..<to {
        let digit = UUIDValue.digit(start[index])
        if digit > 15 { isHexadecimal = false }
        value = value << 4 | UInt64(digit & 15)
      }
      return value
    }
    let high = digits(0, 8) << 32 | digits(9, 13) << 16 | digits(14, 18)
    let low = digits(19, 23) << 48 | digits(24, 36)
    guard isHexadecimal else { return nil }
    self.init(high: high, low: low)
  }

  /// The value of a hexadecimal digit in either case; 16 or more for any other byte.
  @inline(__always)
  private static func digit(_ byte: UInt8) -> UInt8 {
    let decimal = byte &- UInt8(ascii: "0")
    if decimal < 10 { return decimal }
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? letter + 10 : 0xFF
  }

  /// Reads a UUID from a string; nil for any other text.
  public init?(_ string: String) {
    var string = string
    let parsed = string.withUTF8 { UUIDValue(Text(UnsafeRawBufferPointer($0))) }
    guard let parsed else { return nil }
    self = parsed
  }

  /// Calls `body` with each of the 36 characters in lower case.
  @inlinable public func forEachCharacter(_ body: (UInt8) -> Void) {
    for nibble in 0..<32 {
      if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 { body(UInt8(ascii: "-")) }
      let half = nibble < 16 ? high : low
      let value = UInt8(truncatingIfNeeded: half >> UInt64((15 - nibble % 16) * 4)) & 15
      body(value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10)
    }
  }
}

extension UUIDValue: CustomStringConvertible {
  /// The text in lower case, such as `11111111-1111-4111-8111-111111111111`.
  public var description: String {
    var characters: [UInt8] = []
    characters.reserveCapacity(36)
    forEachCharacter { characters.append($0) }
    return String(decoding: characters, as: UTF8.self)
  }
}

extension UUIDValue: Comparable {
  /// Compares the bytes. This is PostgreSQL's order of uuids.
  @inlinable public static func < (a: UUIDValue, b: UUIDValue) -> Bool {
    a.high == b.high ? a.low < b.low : a.high < b.high
  }
}
