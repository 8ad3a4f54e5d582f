import CZstd

/// Decompresses a zstd stream: any number of frames in a row, with skippable frames among them. It
/// verifies the checksums of frames that have them.
///
/// Two tasks must not use a decompressor at the same time. Only ``finish()`` reports whether the
/// stream was complete.
public final class Decompressor {
  /// The decompressor refuses windows of more than 2^`maximumWindowLog` bytes.
  public let maximumWindowLog: Int
  /// The compressed bytes read so far.
  public private(set) var bytesRead: UInt64 = 0
  /// The decompressed bytes given to the sink so far.
  public private(set) var bytesWritten: UInt64 = 0

  private let context: OpaquePointer
  private let output = OutputBuffer(size: ZSTD_DStreamOutSize())
  private var state = StreamState.open
  /// The number of bytes that libzstd needs next; 0 between frames.
  private var wanted = 0

  /// Opens a stream.
  ///
  /// - Parameter maximumWindowLog: the limit of a frame's memory as a power of two, one of
  ///   ``Zstandard/windowLogs``; 27 is 128 MB and reads everything that zstd writes without
  ///   `--long`
  /// - Throws: ``ZstandardError/invalidParameter(name:value:allowed:)``,
  ///   ``ZstandardError/outOfMemory``
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

  /// Decompresses `input` and gives all output to `sink`.
  ///
  /// The output of a frame is verified only when the frame has ended without an error.
  ///
  /// - Parameters:
  ///   - input: compressed bytes in pieces of any size; not kept after the call
  ///   - sink: receives decompressed bytes, which are valid only during its call; it is called any
  ///     number of times, also zero
  /// - Throws: ``ZstandardError``, and every error of `sink`; the stream is closed then
  public func write(_ input: UnsafeRawBufferPointer, to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    guard state == .open else { throw ZstandardError.closed }
    do {
      var rest = input[...]
      while !rest.isEmpty {
        // Only as many bytes as libzstd needs, so that an error's offset is that of its block:
        // libzstd does not report the offset itself.
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
  /// - Throws: ``ZstandardError/truncated(offset:)`` if the input ended inside a frame, or was
  ///   empty (the zstd tool refuses empty files too); ``ZstandardError/closed``
  public func finish() throws(ZstandardError) {
    guard state == .open else { throw .closed }
    state = .closed
    guard wanted == 0, bytesRead > 0 else { throw .truncated(offset: bytesRead) }
  }

  /// Passes `portion`, which is not empty, to libzstd until it neither reads nor writes more.
  /// Returns the number of bytes read.
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
      // If the output buffer is full, libzstd may hold more output, unless it reports the end of
      // the frame.
    } while source.pos < source.size || (outputWasFull && wanted != 0)
    return source.pos
  }
}
