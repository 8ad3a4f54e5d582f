/// Memory for the texts of one batch. Its blocks never move, so a ``Text`` stays valid until the
/// arena is emptied or freed.
///
/// Only one thread may use an arena at a time.
public final class TextArena {
  @usableFromInline var blocks: [(start: UnsafeMutablePointer<UInt8>, count: Int)] = []
  // Unchecked: only one thread at a time uses the arena, and no method calls back. The check would
  // cost as much as the work.
  @exclusivity(unchecked) @usableFromInline var next: UnsafeMutablePointer<UInt8>?
  @exclusivity(unchecked) @usableFromInline var room = 0
  @usableFromInline let blockSize: Int

  /// An empty arena with blocks of `blockSize` bytes.
  public init(blockSize: Int = 256 * 1024) {
    self.blockSize = max(blockSize, 64)
  }

  deinit {
    for block in blocks { block.start.deallocate() }
  }

  @usableFromInline var allocated = 0

  /// The size of all blocks in bytes, used or not.
  public var capacity: Int { allocated }

  /// Frees all texts but keeps one block, so that a next batch of similar size allocates little.
  @inlinable public func removeAll() {
    while blocks.count > 1 || (blocks.first?.count ?? 0) > blockSize, let block = blocks.popLast() {
      allocated -= block.count
      block.start.deallocate()
    }
    next = blocks.first?.start
    room = blocks.first?.count ?? 0
  }

  /// Reserves uninitialised memory of `count` bytes. ``giveBack(_:)`` returns the unused part.
  @inlinable public func reserve(_ count: Int) -> UnsafeMutablePointer<UInt8> {
    if let next, room >= count {
      self.next = next + count
      room -= count
      return next
    }
    let size = max(count, blockSize)
    let start = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
    blocks.append((start, size))
    allocated += size
    next = start + count
    room = size - count
    return start
  }

  /// Returns the last `count` bytes of the latest reservation.
  @inlinable public func giveBack(_ count: Int) {
    next = next.map { $0 - count }
    room += count
  }

  /// A copy of `bytes`.
  @inlinable public func text(_ bytes: UnsafeRawBufferPointer) -> Text {
    guard let source = bytes.baseAddress, bytes.count > 0 else { return .empty }
    let start = reserve(bytes.count)
    UnsafeMutableRawPointer(start).copyMemory(from: source, byteCount: bytes.count)
    return Text(start: start, count: bytes.count)
  }

  /// A copy of `string`.
  @inlinable public func text(_ string: String) -> Text {
    var string = string
    return string.withUTF8 { text(UnsafeRawBufferPointer($0)) }
  }

  /// A copy of `string`; NULL for nil.
  @inlinable public func text(_ string: String?) -> Text {
    string.map { text($0) } ?? .null
  }

  /// A copy of `text` in this arena; NULL stays NULL.
  @inlinable public func copy(_ text: Text) -> Text {
    text.isNull ? .null : self.text(UnsafeRawBufferPointer(text.bytes))
  }

  /// The text `a` followed by `b`.
  @inlinable public func joined(_ a: Text, _ b: Text) -> Text {
    let start = reserve(a.count + b.count)
    if let source = a.start { start.update(from: source, count: a.count) }
    if let source = b.start { (start + a.count).update(from: source, count: b.count) }
    return Text(start: start, count: a.count + b.count)
  }
}
