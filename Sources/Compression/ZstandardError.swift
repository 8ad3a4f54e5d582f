import CZstd

/// An error in writing or reading a zstd stream.
///
/// Offsets are in bytes of the compressed input, from its beginning over all calls of
/// ``Decompressor/write(_:to:)``. They are those of the faulty block or header. `message` is
/// libzstd's own text.
public enum ZstandardError: Error, Equatable, Sendable {
  /// There is no frame at `offset`: the file is not a zstd file, or other data was appended to it.
  case notZstandard(offset: UInt64)
  /// The data at `offset` is not valid zstd data.
  case corrupt(message: String, offset: UInt64)
  /// The content of the frame that ends at or after `offset` does not match its checksum.
  case checksumMismatch(message: String, offset: UInt64)
  /// The input ended at `offset`, inside a frame.
  case truncated(offset: UInt64)
  /// The frame at `offset` needs more memory than 2^`maximumWindowLog` bytes.
  case windowTooLarge(maximumWindowLog: Int, offset: UInt64)
  /// The value of a parameter is outside `allowed`.
  case invalidParameter(name: String, value: Int, allowed: ClosedRange<Int>)
  /// libzstd could not allocate memory.
  case outOfMemory
  /// The stream was used after `finish`, or after an error.
  case closed
  /// Another error, with libzstd's message.
  case library(message: String)
}

extension ZstandardError: CustomStringConvertible {
  /// The error as a sentence, with the offset if there is one.
  public var description: String {
    switch self {
    case .notZstandard(let offset):
      offset == 0
        ? "This is not zstd data: it does not begin with a zstd frame."
        : "The data after the last zstd frame, from byte \(offset) on, is not zstd data."
    case .corrupt(let message, let offset):
      "The zstd data is damaged at byte \(offset): \(message)."
    case .checksumMismatch(let message, let offset):
      "The zstd frame that ends near byte \(offset) is damaged: its content does not match its checksum (\(message))."
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
      "This zstd stream is closed: it is finished, or an earlier error ended it."
    case .library(let message):
      "zstd reports: \(message)."
    }
  }

  private static func size(log: Int) -> String {
    log >= 20 ? "\(1 << (log - 20)) MB" : "\(1 << log) bytes"
  }
}

extension ZstandardError {
  /// The error for a result of libzstd with `ZSTD_isError`; `offset` is the beginning of its input.
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

  /// The error for a result of libzstd that does not depend on input.
  init(result: Int) {
    self =
      ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation
      ? .outOfMemory : .library(message: String(cString: ZSTD_getErrorName(result)))
  }
}
