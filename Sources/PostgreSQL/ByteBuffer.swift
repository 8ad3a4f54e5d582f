/// A growing buffer of bytes with one owner. It stores without bounds checks and doubles when full.
struct ByteBuffer: ~Copyable {
  private(set) var base: UnsafeMutableRawPointer
  private(set) var count = 0
  private(set) var capacity: Int

  init(capacity: Int = 256) {
    self.capacity = max(64, capacity)
    base = .allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit { base.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  @inline(__always)
  mutating func reserve(_ more: Int) {
    if capacity - count < more { grow(more) }
  }

  @inline(never)
  private mutating func grow(_ more: Int) {
    let wider = max(capacity * 2, count + more)
    let fresh = UnsafeMutableRawPointer.allocate(byteCount: wider, alignment: 16)
    fresh.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = fresh
    capacity = wider
  }

  /// Appends an integer in big-endian order, as in PostgreSQL's protocol.
  @inline(__always)
  mutating func append<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
    reserve(MemoryLayout<T>.size)
    base.storeBytes(of: value.bigEndian, toByteOffset: count, as: T.self)
    count += MemoryLayout<T>.size
  }

  @inline(__always)
  mutating func append(_ source: UnsafeRawBufferPointer) {
    guard let start = source.baseAddress, source.count > 0 else { return }
    reserve(source.count)
    (base + count).copyMemory(from: start, byteCount: source.count)
    count += source.count
  }

  /// Appends an integer, for which room is already reserved.
  @inline(__always)
  mutating func appendReserved<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
    base.storeBytes(of: value.bigEndian, toByteOffset: count, as: T.self)
    count += MemoryLayout<T>.size
  }

  mutating func overwrite(_ value: Int32, at offset: Int) {
    base.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Int32.self)
  }

  mutating func removeAll(keepingCapacity keep: Bool) {
    count = 0
    if !keep {
      base.deallocate()
      capacity = 256
      base = .allocate(byteCount: capacity, alignment: 16)
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Reads a big-endian integer. The caller has checked the bounds.
  @inline(__always)
  func integer<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type = T.self) -> T {
    T(bigEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
  }
}
