/// The 16 bytes of a UUID, as two numbers with the first byte on top.
public struct UUIDBytes: Hashable, Sendable, CustomStringConvertible {
  /// The first eight bytes.
  public var high: UInt64
  /// The last eight bytes.
  public var low: UInt64

  /// A UUID from its halves.
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// A UUID from its 32 hexadecimal digits, with or without hyphens in between; nil if it is none.
  public init?(_ text: some StringProtocol) {
    var (high, low, digits): (UInt64, UInt64, Int) = (0, 0, 0)
    for character in text.utf8 where character != UInt8(ascii: "-") {
      guard digits < 32, let digit = Character(UnicodeScalar(character)).hexDigitValue else { return nil }
      high = high << 4 | low >> 60
      low = low << 4 | UInt64(digit)
      digits += 1
    }
    guard digits == 32 else { return nil }
    self.init(high: high, low: low)
  }

  /// The usual form: lower case, five groups.
  public var description: String {
    var text = ""
    text.reserveCapacity(36)
    for digit in 0..<32 {
      if digit == 8 || digit == 12 || digit == 16 || digit == 20 { text += "-" }
      let half = digit < 16 ? high : low
      text += String(half >> UInt64(60 - digit % 16 * 4) & 0xF, radix: 16)
    }
    return text
  }
}
