#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A piece of UTF-8 text that lies in other memory: a field of a CEL, a literal, or text made by a ``TextArena``.
///
/// It is a pointer and a length, so that fields are passed about, compared and written out without a copy or a reference count.
/// It can be NULL, as a column can.
///
/// A `Text` is good until its arena is emptied or goes away; then its bytes are overwritten or freed. Text of a literal lasts as long as
/// the program. So a `Text` must not outlive the batch that it came from, and it is not `Sendable`: a thread works on the texts of its
/// own arenas. ``StaticText`` holds literals that threads share.
public struct Text {
  /// Where the bytes lie; nil for NULL.
  public let start: UnsafePointer<UInt8>?
  @usableFromInline let length: Int

  /// Text at `start`, `count` bytes long. A nil start is NULL.
  @inlinable public init(start: UnsafePointer<UInt8>?, count: Int) {
    self.start = start
    self.length = count
  }

  /// The bytes of `buffer`, which must outlive the text.
  @inlinable public init(_ buffer: UnsafeRawBufferPointer) {
    self.init(start: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), count: buffer.count)
  }

  /// NULL.
  @inlinable public static var null: Text { Text(start: nil, count: 0) }

  /// The empty text, which is not NULL.
  @inlinable public static var empty: Text { "" }

  /// Whether this is NULL.
  @inlinable public var isNull: Bool { start == nil }

  /// Whether this is NULL or has no bytes: the two that the rules of call logs treat alike almost everywhere.
  @inlinable public var isEmpty: Bool { length == 0 }

  /// The number of bytes.
  @inlinable public var count: Int { length }

  /// The byte at `index`, which must be in 0 ..< count.
  @inlinable public subscript(index: Int) -> UInt8 {
    assert(index >= 0 && index < length)
    // A NULL has no valid index; 0 keeps a release build from reading through nil.
    return start.map { $0[index] } ?? 0
  }

  /// The bytes from `range.lowerBound` up to, not including, `range.upperBound`.
  @inlinable public subscript(range: Range<Int>) -> Text {
    assert(range.lowerBound >= 0 && range.upperBound <= length)
    return Text(start: start.map { $0 + range.lowerBound }, count: range.count)
  }

  /// The bytes from `lower` to the end.
  @inlinable public func from(_ lower: Int) -> Text { self[lower..<length] }

  /// The first `upper` bytes.
  @inlinable public func to(_ upper: Int) -> Text { self[0..<upper] }

  /// The bytes as a buffer; an empty one for NULL.
  @inlinable public var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: length) }

  /// A copy as a Swift string, with U+FFFD for what is not UTF-8. For messages and look-ups off the hot path.
  public var string: String { String(decoding: bytes, as: UTF8.self) }

  /// A copy as a Swift string, nil for NULL.
  public var optionalString: String? { isNull ? nil : string }
}

extension Text: ExpressibleByStringLiteral {
  /// A literal: its bytes are part of the program.
  @inlinable public init(stringLiteral literal: StaticString) {
    self.init(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
  }
}

extension Text: Hashable {
  /// Equal bytes; NULL equals only NULL.
  @inlinable public static func == (a: Text, b: Text) -> Bool {
    guard a.length == b.length else { return false }
    guard let x = a.start, let y = b.start else { return a.isNull == b.isNull }
    return x == y || sameBytes(x, y, a.length)
  }

  /// Feeds the bytes.
  @inlinable public func hash(into hasher: inout Hasher) {
    hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
  }

  /// A quick hash of the bytes for tables inside one batch; not stable between versions.
  @inlinable public var quickHash: UInt64 {
    var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: length)
    guard let start else { return hash }
    let raw = UnsafeRawPointer(start)
    var offset = 0
    while offset + 8 <= length {
      hash = (hash ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0xD6E8_FEB8_6659_FD93
      hash ^= hash >> 32
      offset += 8
    }
    var tail: UInt64 = 0
    while offset < length {
      tail = tail << 8 | UInt64(start[offset])
      offset += 1
    }
    hash = (hash ^ tail) &* 0xD6E8_FEB8_6659_FD93
    return hash ^ hash >> 29
  }
}

extension Text: Comparable {
  /// The order of the bytes, which for UTF-8 is the order of the code points. NULL comes first.
  @inlinable public static func < (a: Text, b: Text) -> Bool {
    guard let x = a.start, let y = b.start else { return a.isNull && !b.isNull }
    let order = memcmp(x, y, min(a.length, b.length))
    return order == 0 ? a.length < b.length : order < 0
  }
}

extension Text: CustomStringConvertible {
  /// The text itself, or `NULL`.
  public var description: String { isNull ? "NULL" : string }
}
