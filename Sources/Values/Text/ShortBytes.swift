// Copies and compares the short fields of CELs. Calls of memcpy and memcmp would take longer than
// the work itself.
//
// The functions take pointers, because both sides lie in larger memory whose bounds the callers
// know. Overlapping loads handle 2 to 16 bytes without a loop; no load reads beyond `count`.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Whether `count` bytes at `a` and `b` are equal.
@inlinable @inline(__always)
public func sameBytes(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
  let x = UnsafeRawPointer(a)
  let y = UnsafeRawPointer(b)
  @inline(__always) func same<T: BitwiseCopyable & Equatable>(_ type: T.Type, at offset: Int) -> Bool {
    x.loadUnaligned(fromByteOffset: offset, as: type) == y.loadUnaligned(fromByteOffset: offset, as: type)
  }
  if count >= 8 {
    if count > 32 { return memcmp(a, b, count) == 0 }
    var offset = 0
    while offset < count - 8 {
      if !same(UInt64.self, at: offset) { return false }
      offset += 8
    }
    return same(UInt64.self, at: count - 8)
  }
  if count >= 4 { return same(UInt32.self, at: 0) && same(UInt32.self, at: count - 4) }
  if count >= 2 { return same(UInt16.self, at: 0) && same(UInt16.self, at: count - 2) }
  return count == 0 || a[0] == b[0]
}

extension UnsafeMutablePointer<UInt8> {
  /// Copies `count` bytes.
  @inlinable @inline(__always)
  public func copyShort(from source: UnsafePointer<UInt8>, count: Int) {
    let from = UnsafeRawPointer(source)
    let to = UnsafeMutableRawPointer(self)
    func move<T: BitwiseCopyable>(_ type: T.Type, at offset: Int) {
      to.storeBytes(of: from.loadUnaligned(fromByteOffset: offset, as: type), toByteOffset: offset, as: type)
    }
    typealias Sixteen = SIMD2<UInt64>
    if count > 16 {
      if count > 64 { return to.copyMemory(from: from, byteCount: count) }
      var offset = 0
      while offset < count - 16 {
        move(Sixteen.self, at: offset)
        offset += 16
      }
      move(Sixteen.self, at: count - 16)
    } else if count >= 8 {
      move(UInt64.self, at: 0)
      move(UInt64.self, at: count - 8)
    } else if count >= 4 {
      move(UInt32.self, at: 0)
      move(UInt32.self, at: count - 4)
    } else if count >= 2 {
      move(UInt16.self, at: 0)
      move(UInt16.self, at: count - 2)
    } else if count == 1 {
      self[0] = source[0]
    }
  }
}
