import CZstd

/// What is known of the zstd library and its format without opening a stream.
public enum Zstandard {
  /// The version of libzstd in use, for example `1.5.4`.
  public static var version: String {
    String(cString: ZSTD_versionString())
  }

  /// The compression levels that libzstd knows. Negative ones are faster and compress less; above 19 a reader needs up
  /// to 128 MB of memory.
  public static var levels: ClosedRange<Int> {
    Int(ZSTD_minCLevel())...Int(ZSTD_maxCLevel())
  }

  /// The logarithms of window sizes that libzstd can read here, for ``Decompressor``.
  public static var windowLogs: ClosedRange<Int> {
    let bounds = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax)
    guard ZSTD_isError(bounds.error) == 0, bounds.lowerBound <= bounds.upperBound else { return 10...27 }
    return Int(bounds.lowerBound)...Int(bounds.upperBound)
  }

  /// Whether data that begins with `prefix` is a zstd stream: its first four bytes are those of a frame or of a
  /// skippable frame. Fewer than four bytes give `false`.
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

/// The memory that a stream's output goes through, allocated once.
///
/// A class of its own so that it is freed even when the stream's initializer throws half-way.
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

  /// Gives what is there to `sink` and starts again at the beginning.
  func drain(to sink: (UnsafeRawBufferPointer) throws -> Void) throws -> Int {
    guard filled > 0 else { return 0 }
    let count = filled
    filled = 0
    try sink(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    return count
  }
}

/// Where in its life a stream is. After any error it is `closed`: what libzstd or the sink holds by then is not known.
enum StreamState {
  case open, closed
}
