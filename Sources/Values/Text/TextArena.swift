/// Memory for the text of one batch: blocks that never move, so that a ``Text`` stays valid until the arena goes or is emptied.
///
/// Used by one thread at a time.
public final class TextArena {
  @usableFromInline var blocks: [(start: UnsafeMutablePointer<UInt8>, count: Int)] = []
  // Unchecked: one thread at a time, and no method calls back; the check would cost as much as what is checked.
  @exclusivity(unchecked) @usableFromInline var next: UnsafeMutablePointer<UInt8>?
  @exclusivity(unchecked) @usableFromInline var room = 0
  @usableFromInline let blockSize: Int

  /// An empty arena that grows by blocks of `blockSize` bytes.
  public init(blockSize: Int = 256 * 1024) {
    self.blockSize = max(blockSize, 64)
  }

  deinit {
    for block in blocks { block.start.deallocate() }
  }

  @usableFromInline var allocated = 0

  /// The bytes of all blocks, used or not.
  public var capacity: Int { allocated }

  /// Forgets every text but keeps one block, so that the next batch of like size allocates little.
  @inlinable public func removeAll() {
    while blocks.count > 1 || (blocks.first?.count ?? 0) > blockSize, let block = blocks.popLast() {
      allocated -= block.count
      block.start.deallocate()
    }
    next = blocks.first?.start
    room = blocks.first?.count ?? 0
  }

  /// Uninitialised room for `count` bytes. What is not used of it may be given back with ``giveBack(_:)``.
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

  /// Takes back the last `count` bytes of the latest reservation.
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

  /// A copy of `string`, NULL for nil.
  @inlinable public func text(_ string: String?) -> Text {
    string.map { text($0) } ?? .null
  }

  /// A copy of `text` in this arena; NULL stays NULL.
  @inlinable public func copy(_ text: Text) -> Text {
    text.isNull ? .null : self.text(UnsafeRawBufferPointer(text.bytes))
  }

  /// `a` and `b` in one.
  @inlinable public func joined(_ a: Text, _ b: Text) -> Text {
    let start = reserve(a.count + b.count)
    if let source = a.start { start.update(from: source, count: a.count) }
    if let source = b.start { (start + a.count).update(from: source, count: b.count) }
    return Text(start: start, count: a.count + b.count)
  }
}
