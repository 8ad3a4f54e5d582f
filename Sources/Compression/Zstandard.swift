import CZstd

/// Facts about the zstd library and its format that need no stream.
public enum Zstandard {
  /// The version of libzstd at run time, for example `1.5.4`.
  public static var version: String {
    String(cString: ZSTD_versionString())
  }

  /// The compression levels of libzstd. Negative ones are faster and compress less. Above 19 a
  /// reader needs up to 128 MB of memory.
  public static var levels: ClosedRange<Int> {
    Int(ZSTD_minCLevel())...Int(ZSTD_maxCLevel())
  }

  /// The base-2 logarithms of the window sizes that libzstd can read on this machine, for
  /// ``Decompressor``.
  public static var windowLogs: ClosedRange<Int> {
    let bounds = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax)
    guard ZSTD_isError(bounds.error) == 0, bounds.lowerBound <= bounds.upperBound else { return 10...27 }
    return Int(bounds.lowerBound)...Int(bounds.upperBound)
  }

  /// Whether data that begins with `prefix` is a zstd stream. Its first four bytes must be those of
  /// a frame or of a skippable frame. Fewer than four bytes give `false`.
  ///
  /// Source: RFC 8878, sections 3.1.1 and 3.1.2.
  public static func isFrame(_ prefix: some Sequence<UInt8>) -> Bool {
    var magic: UInt32 = 0
    var count: UInt32 = 0
    for byte in prefix.prefix(4) {
      magic |= UInt32(byte) << (8 * count)
      count += 1
    }
    return count == 4 && (magic == 0xFD2F_B528 || magic & 0xFFFF_FFF0 == 0x184D_2A50)
  }
}

/// The output memory of a stream, allocated once.
///
/// It is a separate class so that it is also freed when the stream's initializer throws.
final class OutputBuffer {
  let bytes: UnsafeMutableRawBufferPointer
  var filled = 0

  init(size: Int) {
    bytes = .allocate(byteCount: max(size, 1), alignment: 16)
  }

  deinit {
    bytes.deallocate()
  }

  var isFull: Bool { filled == bytes.count }

  /// Gives the buffered bytes to `sink` and empties the buffer. Returns their number.
  func drain(to sink: (UnsafeRawBufferPointer) throws -> Void) throws -> Int {
    guard filled > 0 else { return 0 }
    let count = filled
    filled = 0
    try sink(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    return count
  }
}

/// The state of a stream. It is `closed` after any error, because the state of libzstd and of the
/// sink is unknown then.
enum StreamState {
  case open, closed
}
