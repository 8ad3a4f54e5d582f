/// PostgreSQL's binary forms of `int8range` and `int8multirange`. `Int64.min` and `Int64.max` stand
/// for infinite bounds.
enum Multirange {
  private enum Flag {
    static let empty: UInt8 = 0x01
    static let lowerInclusive: UInt8 = 0x02
    static let upperInclusive: UInt8 = 0x04
    static let lowerInfinite: UInt8 = 0x08
    static let upperInfinite: UInt8 = 0x10
  }

  static func write(_ ranges: [Range<Int64>], to buffer: inout ByteBuffer) {
    let ranges = ranges.filter { !$0.isEmpty }
    buffer.append(Int32(ranges.count))
    for range in ranges {
      let isLowerInfinite = range.lowerBound == .min
      let isUpperInfinite = range.upperBound == .max
      buffer.append(Int32(1 + (isLowerInfinite ? 0 : 12) + (isUpperInfinite ? 0 : 12)))
      buffer.append((isLowerInfinite ? Flag.lowerInfinite : Flag.lowerInclusive) | (isUpperInfinite ? Flag.upperInfinite : 0))
      if !isLowerInfinite {
        buffer.append(Int32(8))
        buffer.append(range.lowerBound)
      }
      if !isUpperInfinite {
        buffer.append(Int32(8))
        buffer.append(range.upperBound)
      }
    }
  }

  /// The ranges of a multirange; nil if the bytes have another form.
  static func read(_ bytes: UnsafeRawBufferPointer) -> [Range<Int64>]? {
    guard bytes.count >= 4 else { return nil }
    let count = Int(bytes.integer(at: 0, as: Int32.self))
    guard count >= 0, count <= bytes.count / 5 else { return nil }
    var ranges: [Range<Int64>] = []
    ranges.reserveCapacity(count)
    var offset = 4
    for _ in 0..<count {
      guard offset + 4 <= bytes.count else { return nil }
      let length = Int(bytes.integer(at: offset, as: Int32.self))
      offset += 4
      guard length >= 0, length <= bytes.count - offset else { return nil }
      guard let range = readRange(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])) else { return nil }
      if !range.isEmpty { ranges.append(range) }
      offset += length
    }
    return ranges
  }

  /// One range, `0..<0` if it is empty; nil if the bytes have another form.
  static func readRange(_ bytes: UnsafeRawBufferPointer) -> Range<Int64>? {
    guard let flags = bytes.first else { return nil }
    if flags & Flag.empty != 0 { return 0..<0 }
    var (lower, upper, offset): (Int64, Int64, Int) = (.min, .max, 1)
    func bound() -> Int64? {
      guard offset + 12 <= bytes.count, bytes.integer(at: offset, as: Int32.self) == 8 else { return nil }
      defer { offset += 12 }
      return bytes.integer(at: offset + 4)
    }
    if flags & Flag.lowerInfinite == 0 {
      guard let value = bound() else { return nil }
      lower = flags & Flag.lowerInclusive != 0 ? value : value.clampedSuccessor
    }
    if flags & Flag.upperInfinite == 0 {
      guard let value = bound() else { return nil }
      upper = flags & Flag.upperInclusive != 0 ? value.clampedSuccessor : value
    }
    return lower <= upper ? lower..<upper : nil
  }
}

extension Int64 {
  fileprivate var clampedSuccessor: Int64 { self == .max ? .max : self + 1 }
}
