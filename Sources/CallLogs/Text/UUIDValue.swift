/// A UUID as two halves, the way the tables and the wire want it. (Foundation's type costs a conversation with strings on every row.)
public struct UUIDValue: Hashable, Sendable {
  /// The first eight bytes, big-endian.
  public let high: UInt64
  /// The last eight bytes, big-endian.
  public let low: UInt64

  /// A UUID of these halves.
  @inlinable public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The UUID written in `text` as 8-4-4-4-12 hexadecimal digits in either case; nil if it is written otherwise.
  public init?(_ text: Text) {
    guard text.count == 36 else { return nil }
    var halves: (UInt64, UInt64) = (0, 0)
    var digits = 0
    for index in 0..<36 {
      let byte = text[index]
      if index == 8 || index == 13 || index == 18 || index == 23 {
        guard byte == 0x2D else { return nil }
        continue
      }
      let value: UInt8
      switch byte {
      case 0x30...0x39: value = byte - 0x30
      case 0x61...0x66: value = byte - 0x61 + 10
      case 0x41...0x46: value = byte - 0x41 + 10
      default: return nil
      }
      if digits < 16 { halves.0 = halves.0 << 4 | UInt64(value) } else { halves.1 = halves.1 << 4 | UInt64(value) }
      digits += 1
    }
    (high, low) = halves
  }

  /// The UUID written in `string`; nil if it is not one.
  public init?(_ string: String) {
    var string = string
    let parsed = string.withUTF8 { UUIDValue(Text(UnsafeRawBufferPointer($0))) }
    guard let parsed else { return nil }
    self = parsed
  }

  /// Calls `body` with each of the 36 characters of the lower-case form.
  @inlinable public func forEachCharacter(_ body: (UInt8) -> Void) {
    for nibble in 0..<32 {
      if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 { body(0x2D) }
      let half = nibble < 16 ? high : low
      let value = UInt8(truncatingIfNeeded: half >> UInt64((15 - nibble % 16) * 4)) & 15
      body(value < 10 ? 0x30 + value : 0x61 + value - 10)
    }
  }
}

extension UUIDValue: CustomStringConvertible {
  /// The lower-case form, such as `11111111-1111-4111-8111-111111111111`.
  public var description: String {
    var characters: [UInt8] = []
    characters.reserveCapacity(36)
    forEachCharacter { characters.append($0) }
    return String(decoding: characters, as: UTF8.self)
  }
}

extension UUIDValue: Comparable {
  /// The order of the bytes, which is PostgreSQL's order of uuids.
  @inlinable public static func < (a: UUIDValue, b: UUIDValue) -> Bool {
    a.high == b.high ? a.low < b.low : a.high < b.high
  }
}
