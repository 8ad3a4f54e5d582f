import CZlib

/// Compresses one stream of bytes into one gzip member, with its checksum and length at the end.
///
/// Two tasks must not use a compressor at the same time. Only ``finish(to:)`` writes the last
/// bytes; without it the member is truncated.
public final class GzipCompressor {
  /// The bytes read so far.
  public private(set) var bytesRead: UInt64 = 0
  /// The compressed bytes given to the sink so far.
  public private(set) var bytesWritten: UInt64 = 0

  /// Its address must never change: zlib's own state points back to it.
  private let stream: UnsafeMutablePointer<z_stream>
  private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 * 1024, alignment: 16)
  private var isOpen = true

  /// Opens a stream.
  /// - Parameter level: the compression level, 1 to 9; 6 is zlib's default
  /// - Throws: ``GzipError``
  public init(level: Int = 6) throws(GzipError) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // Window bits: 15 for the largest window, plus 16 for gzip's header and trailer. 8 is zlib's
    // default memory level.
    let result = deflateInit2_(
      stream, Int32(clamping: level), Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard result == Z_OK else { throw GzipError(result, stream.pointee) }
  }

  deinit {
    // Harmless if the stream was never opened.
    deflateEnd(stream)
    stream.deinitialize(count: 1)
    stream.deallocate()
    output.deallocate()
  }

  /// Compresses `input` and gives full output buffers to `sink`.
  /// - Parameters:
  ///   - input: bytes in pieces of any size; not kept after the call
  ///   - sink: receives compressed bytes, which are valid only during its call
  /// - Throws: ``GzipError``, and every error of `sink`; the stream is closed then
  public func write(_ input: UnsafeRawBufferPointer, to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    var rest = input[...]
    while !rest.isEmpty {
      // zlib's counters have 32 bits.
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      try deflate(piece, Z_NO_FLUSH, to: sink)
      rest = rest.dropFirst(piece.count)
    }
    bytesRead += UInt64(input.count)
  }

  /// Ends the member, gives the remaining output to `sink`, and closes the stream.
  /// - Throws: ``GzipError``, and every error of `sink`; the member is incomplete then
  public func finish(to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    try deflate(UnsafeRawBufferPointer(start: nil, count: 0), Z_FINISH, to: sink)
    isOpen = false
  }

  private func deflate(_ input: UnsafeRawBufferPointer, _ flush: Int32, to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    guard isOpen else { throw GzipError.closed }
    // The stream stays closed if an error follows.
    isOpen = false
    // zlib only reads from the pointer; its type lacks the const.
    stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(input.count)
    while true {
      stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(output.count)
      let result = CZlib.deflate(stream, flush)
      // Z_BUF_ERROR means that there was nothing to do.
      guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else { throw GzipError(result, stream.pointee) }
      let count = output.count - Int(stream.pointee.avail_out)
      if count > 0 {
        bytesWritten += UInt64(count)
        try sink(UnsafeRawBufferPointer(rebasing: output[..<count]))
      }
      if flush == Z_FINISH ? result == Z_STREAM_END : stream.pointee.avail_out > 0 { break }
    }
    stream.pointee.next_in = nil
    isOpen = true
  }
}

/// An error in writing a gzip stream.
public enum GzipError: Error, Equatable, CustomStringConvertible, Sendable {
  /// The stream was used after `finish`, or after an error.
  case closed
  /// zlib could not allocate memory.
  case outOfMemory
  /// Another error, with zlib's message.
  case library(String)

  init(_ result: Int32, _ stream: z_stream) {
    self =
      result == Z_MEM_ERROR ? .outOfMemory : .library(stream.msg.map { String(cString: $0) } ?? "error \(result)")
  }

  /// The error as a sentence.
  public var description: String {
    switch self {
    case .closed: "This gzip stream is closed: it is finished, or an earlier error ended it."
    case .outOfMemory: "There is not enough memory for gzip."
    case .library(let message): "zlib reports: \(message)."
    }
  }
}
