#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension Text {
  /// The first index of `byte` at or after `from`, or nil.
  @inlinable public func firstIndex(of byte: UInt8, from: Int = 0) -> Int? {
    guard let start, from < length else { return nil }
    guard let found = memchr(start + from, Int32(byte), length - from) else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(start)
  }

  /// The last index of `byte`, or nil.
  @inlinable public func lastIndex(of byte: UInt8) -> Int? {
    guard let start else { return nil }
    var index = length - 1
    while index >= 0 {
      if start[index] == byte { return index }
      index -= 1
    }
    return nil
  }

  /// The first index of `needle` at or after `from`, or nil.
  @inlinable public func firstIndex(of needle: Text, from: Int = 0) -> Int? {
    guard !needle.isEmpty else { return nil }
    var at = from
    while let candidate = firstIndex(of: needle[0], from: at) {
      if has(needle, at: candidate) { return candidate }
      at = candidate + 1
    }
    return nil
  }

  /// Whether the text begins with `prefix`.
  @inlinable public func hasPrefix(_ prefix: Text) -> Bool {
    guard length >= prefix.length, let start, let other = prefix.start else { return prefix.isEmpty }
    return sameBytes(start, other, prefix.length)
  }

  /// Whether the text has `part` at `index`.
  @inlinable public func has(_ part: Text, at index: Int) -> Bool {
    index <= length && from(index).hasPrefix(part)
  }

  /// Whether the text has `lowercase` at `index`, in any case. `lowercase` must be ASCII in lower
  /// case.
  @inlinable public func hasIgnoringCase(_ lowercase: Text, at index: Int = 0) -> Bool {
    guard index + lowercase.length <= length else { return false }
    for offset in 0..<lowercase.length where asciiLowercase(self[index + offset]) != lowercase[offset] { return false }
    return true
  }

  /// The text without ASCII white space at its ends.
  @inlinable public var trimmed: Text {
    var lower = 0
    var upper = length
    while lower < upper, isASCIIWhitespace(self[lower]) { lower += 1 }
    while upper > lower, isASCIIWhitespace(self[upper - 1]) { upper -= 1 }
    return self[lower..<upper]
  }

  /// The text without `byte` at its ends.
  @inlinable public func trimmed(of byte: UInt8) -> Text {
    var lower = 0
    while lower < length, self[lower] == byte { lower += 1 }
    return from(lower).trimmedEnd(of: byte)
  }

  /// The text without `byte` at its end.
  @inlinable public func trimmedEnd(of byte: UInt8) -> Text {
    var upper = length
    while upper > 0, self[upper - 1] == byte { upper -= 1 }
    return to(upper)
  }

  /// The number of code points. PostgreSQL counts the characters of `varchar(n)` in this way.
  @inlinable public var codePoints: Int {
    var count = 0
    for byte in bytes where byte & 0xC0 != 0x80 { count += 1 }
    return count
  }

  /// At most the first `limit` code points of the text.
  @inlinable public func cut(toCodePoints limit: Int) -> Text {
    guard length > limit else { return self }
    var seen = 0
    for index in 0..<length where self[index] & 0xC0 != 0x80 {
      if seen == limit { return to(index) }
      seen += 1
    }
    return self
  }

  /// The index of the last `count` code points; 0 if there are fewer.
  @inlinable public func startOfLast(_ count: Int) -> Int {
    var index = length
    var seen = 0
    while index > 0, seen < count {
      index -= 1
      if self[index] & 0xC0 != 0x80 { seen += 1 }
    }
    return index
  }

  /// The text as an unsigned decimal number; nil if it is empty, contains other bytes than digits,
  /// or is too large.
  @inlinable public var decimal: UInt64? {
    guard !isEmpty else { return nil }
    var value: UInt64 = 0
    for byte in bytes {
      guard byte &- UInt8(ascii: "0") < 10 else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(byte &- UInt8(ascii: "0")))
      guard !overflow, !carry else { return nil }
      value = sum
    }
    return value
  }
}

/// The lower case of an ASCII letter; any other byte unchanged.
@inlinable public func asciiLowercase(_ byte: UInt8) -> UInt8 { byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte }

/// Whether Python's `str.strip` removes the byte, in the ASCII range.
@inlinable public func isASCIIWhitespace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte &- 9 < 5 || byte &- 0x1C < 4 }

/// Whether the byte belongs to a word (`\w`): ASCII letters, digits, the underscore, and all bytes
/// of multi-byte characters.
@inlinable public func isWord(_ byte: UInt8) -> Bool {
  byte >= 0x80 || asciiLowercase(byte) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "_")
}
