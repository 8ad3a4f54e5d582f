import CZstd

/// Why a zstd stream could not be written or read.
///
/// Offsets are in bytes of the compressed input, counted from its beginning over all calls of ``Decompressor/write(_:to:)``; they
/// point at the block (or header) in which the fault was found. `message` is libzstd's own.
public enum ZstandardError: Error, Equatable, Sendable {
  /// At `offset`, where a frame should begin, stands something else: the file is no zstd file, or more was appended to it.
  case notZstandard(offset: UInt64)
  /// The data at `offset` cannot have been written by a compressor.
  case corrupt(message: String, offset: UInt64)
  /// The frame that ends at or after `offset` decompressed to other bytes than those that were compressed.
  case checksumMismatch(message: String, offset: UInt64)
  /// The input ended at `offset`, inside a frame.
  case truncated(offset: UInt64)
  /// The frame at `offset` needs more memory than 2^`maximumWindowLog` bytes.
  case windowTooLarge(maximumWindowLog: Int, offset: UInt64)
  /// A parameter has a value outside `allowed`.
  case invalidParameter(name: String, value: Int, allowed: ClosedRange<Int>)
  /// libzstd could not allocate memory.
  case outOfMemory
  /// The stream was used after `finish` or after it had thrown.
  case closed
  /// Another error of libzstd.
  case library(message: String)
}

extension ZstandardError: CustomStringConvertible {
  /// The error in words, with the offset where there is one.
  public var description: String {
    switch self {
    case .notZstandard(let offset):
      offset == 0
        ? "This is not zstd data: it does not begin with a zstd frame."
        : "What follows the last zstd frame, from byte \(offset), is not zstd data."
    case .corrupt(let message, let offset):
      "The zstd data is damaged at byte \(offset): \(message)."
    case .checksumMismatch(let message, let offset):
      "The zstd frame that ends near byte \(offset) is damaged: its content does not have the checksum it was written with (\(message))."
    case .truncated(let offset):
      "The zstd data is cut off: it ends at byte \(offset), inside a frame."
    case .windowTooLarge(let log, let offset):
      "The zstd frame at byte \(offset) needs a window of more than \(Self.size(log: log)). It was compressed with --long or --ultra; "
        + "compress it again without."
    case .invalidParameter(let name, let value, let allowed):
      "The zstd parameter \(name) cannot be \(value): allowed is \(allowed.lowerBound) to \(allowed.upperBound)."
    case .outOfMemory:
      "There is not enough memory for zstd."
    case .closed:
      "This zstd stream is closed: it was finished, or an error came before."
    case .library(let message):
      "zstd reports: \(message)."
    }
  }

  private static func size(log: Int) -> String {
    log >= 20 ? "\(1 << (log - 20)) MB" : "\(1 << log) bytes"
  }
}

extension ZstandardError {
  /// The error for a result of libzstd for which `ZSTD_isError` holds; `offset` is where its input began.
  init(result: Int, offset: UInt64, maximumWindowLog: Int) {
    let message = String(cString: ZSTD_getErrorName(result))
    switch ZSTD_getErrorCode(result) {
    case ZSTD_error_prefix_unknown: self = .notZstandard(offset: offset)
    case ZSTD_error_checksum_wrong: self = .checksumMismatch(message: message, offset: offset)
    case ZSTD_error_frameParameter_windowTooLarge:
      self = .windowTooLarge(maximumWindowLog: maximumWindowLog, offset: offset)
    case ZSTD_error_memory_allocation: self = .outOfMemory
    default: self = .corrupt(message: message, offset: offset)
    }
  }

  /// The error for a result of libzstd that has nothing to do with input.
  init(result: Int) {
    self =
      ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation
      ? .outOfMemory : .library(message: String(cString: ZSTD_getErrorName(result)))
  }
}
