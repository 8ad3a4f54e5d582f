import CZstd

/// Decompresses a zstd stream: any number of frames one after the other, skippable frames among them. Checksums are
/// verified where frames have them.
///
/// Not for use by two tasks at once. Only ``finish()`` tells whether the stream was complete.
public final class Decompressor {
  /// A window larger than 2^`maximumWindowLog` bytes is refused.
  public let maximumWindowLog: Int
  /// Compressed bytes taken in so far.
  public private(set) var bytesRead: UInt64 = 0
  /// Decompressed bytes given to the sink so far.
  public private(set) var bytesWritten: UInt64 = 0

  private let context: OpaquePointer
  private let output = OutputBuffer(size: ZSTD_DStreamOutSize())
  private var state = StreamState.open
  /// What libzstd asks for next, in bytes; 0 between frames.
  private var wanted = 0

  /// Opens a stream.
  ///
  /// - Parameter maximumWindowLog: Limit of the memory that a frame may ask for, as a power of two, one of
  ///   ``Zstandard/windowLogs``; 27 is 128 MB and reads everything that zstd writes without `--long`.
  /// - Throws: ``ZstandardError/invalidParameter(name:value:allowed:)``, ``ZstandardError/outOfMemory``.
  public init(maximumWindowLog: Int = 27) throws(ZstandardError) {
    guard Zstandard.windowLogs.contains(maximumWindowLog) else {
      throw .invalidParameter(name: "maximumWindowLog", value: maximumWindowLog, allowed: Zstandard.windowLogs)
    }
    guard let context = ZSTD_createDCtx() else { throw .outOfMemory }
    let result = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Int32(clamping: maximumWindowLog))
    guard ZSTD_isError(result) == 0 else {
      ZSTD_freeDCtx(context)
      throw ZstandardError(result: result)
    }
    self.maximumWindowLog = maximumWindowLog
    self.context = context
  }

  deinit {
    ZSTD_freeDCtx(context)
  }

  /// Decompresses `input` and gives all that comes of it to `sink`.
  ///
  /// What `sink` gets of a frame is verified only when the frame ends without an error.
  ///
  /// - Parameters:
  ///   - input: Compressed bytes in pieces of any size; not kept after the call.
  ///   - sink: Takes decompressed bytes, valid only during its call. It may be called any number of times, or not at all.
  /// - Throws: ``ZstandardError`` or what `sink` throws; the stream is closed then.
  public func write(_ input: UnsafeRawBufferPointer, to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    guard state == .open else { throw ZstandardError.closed }
    do {
      var rest = input[...]
      while !rest.isEmpty {
        // No more than libzstd asks for at a time, so that an error's offset is that of its block: libzstd does not say how far it came.
        let portion = rest.prefix(max(wanted, 1))
        let taken = try step(UnsafeRawBufferPointer(rebasing: portion), to: sink)
        rest = rest.dropFirst(taken)
      }
      bytesWritten += UInt64(try output.drain(to: sink))
    } catch {
      state = .closed
      throw error
    }
  }

  /// Closes the stream.
  ///
  /// - Throws: ``ZstandardError/truncated(offset:)`` when the input ended inside a frame or there was none at all (an empty
  ///   file is no zstd file, the zstd tool says so too), ``ZstandardError/closed``.
  public func finish() throws(ZstandardError) {
    guard state == .open else { throw .closed }
    state = .closed
    guard wanted == 0, bytesRead > 0 else { throw .truncated(offset: bytesRead) }
  }

  /// Has libzstd read `portion`, which is not empty, until it neither takes nor gives more; tells how many bytes it took.
  private func step(_ portion: UnsafeRawBufferPointer, to sink: (UnsafeRawBufferPointer) throws -> Void) throws -> Int {
    var source = ZSTD_inBuffer(src: portion.baseAddress, size: portion.count, pos: 0)
    var outputWasFull = false
    repeat {
      var target = ZSTD_outBuffer(dst: output.bytes.baseAddress, size: output.bytes.count, pos: output.filled)
      let before = source.pos
      let result = ZSTD_decompressStream(context, &target, &source)
      guard ZSTD_isError(result) == 0 else {
        throw ZstandardError(result: result, offset: bytesRead, maximumWindowLog: maximumWindowLog)
      }
      bytesRead += UInt64(source.pos - before)
      wanted = result
      output.filled = target.pos
      outputWasFull = output.isFull
      if outputWasFull { bytesWritten += UInt64(try output.drain(to: sink)) }
      // With a full output buffer libzstd may hold more, unless it says that the frame is done.
    } while source.pos < source.size || (outputWasFull && wanted != 0)
    return source.pos
  }
}
