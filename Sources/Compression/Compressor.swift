import CZstd

/// Compresses one stream of bytes into one zstd frame with a content checksum.
///
/// Not for use by two tasks at once. Output comes in pieces of about 128 KB; the last ones only with ``finish(to:)``, without
/// which what was written is a truncated frame.
public final class Compressor {
  /// The compression level in use.
  public let level: Int
  /// How many threads of libzstd compress beside the caller's. 0 when libzstd was built without threads, whatever was asked for.
  public let workers: Int
  /// Bytes taken in so far.
  public private(set) var bytesRead: UInt64 = 0
  /// Compressed bytes given to the sink so far.
  public private(set) var bytesWritten: UInt64 = 0

  private let context: OpaquePointer
  private let output = OutputBuffer(size: ZSTD_CStreamOutSize())
  private var state = StreamState.open

  /// Opens a stream.
  ///
  /// - Parameters:
  ///   - level: Effort, one of ``Zstandard/levels``; 3 is libzstd's default, 19 is slow and small.
  ///   - workers: Threads for compression beside the caller's; 0 compresses in the caller's thread. More than libzstd
  ///     allows counts as that many.
  /// - Throws: ``ZstandardError/invalidParameter(name:value:allowed:)``, ``ZstandardError/outOfMemory``.
  public init(level: Int = 3, workers: Int = 0) throws(ZstandardError) {
    guard Zstandard.levels.contains(level) else {
      throw .invalidParameter(name: "level", value: level, allowed: Zstandard.levels)
    }
    let bounds = ZSTD_cParam_getBounds(ZSTD_c_nbWorkers)
    let mostWorkers = ZSTD_isError(bounds.error) == 0 ? max(Int(bounds.upperBound), 0) : 0
    guard workers >= 0 else {
      throw .invalidParameter(name: "workers", value: workers, allowed: 0...mostWorkers)
    }
    guard let context = ZSTD_createCCtx() else { throw .outOfMemory }
    func set(_ parameter: ZSTD_cParameter, _ value: Int) -> Int {
      ZSTD_CCtx_setParameter(context, parameter, Int32(clamping: value))
    }
    for (parameter, value) in [(ZSTD_c_compressionLevel, level), (ZSTD_c_checksumFlag, 1)] {
      let result = set(parameter, value)
      guard ZSTD_isError(result) == 0 else {
        ZSTD_freeCCtx(context)
        throw ZstandardError(result: result)
      }
    }
    let used = min(workers, mostWorkers)
    self.workers = used > 0 && ZSTD_isError(set(ZSTD_c_nbWorkers, used)) == 0 ? used : 0
    // The default, four windows, leaves the caller waiting for a large last job at the end of each stream.
    if self.workers > 0 { _ = set(ZSTD_c_jobSize, 1 << 21) }
    self.level = level
    self.context = context
  }

  deinit {
    ZSTD_freeCCtx(context)
  }

  /// Compresses `input`, giving `sink` what fills the output buffer.
  ///
  /// - Parameters:
  ///   - input: Bytes in pieces of any size; not kept after the call.
  ///   - sink: Takes compressed bytes, valid only during its call. It may be called any number of times, or not at all.
  /// - Throws: ``ZstandardError`` or what `sink` throws; the stream is closed then.
  public func write(_ input: UnsafeRawBufferPointer, to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    try whileOpen {
      var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
      while source.pos < source.size {
        try step(&source, ZSTD_e_continue)
        if output.isFull { try drain(to: sink) }
      }
      bytesRead += UInt64(input.count)
    }
  }

  /// Ends the frame, giving `sink` all that is left, and closes the stream. A stream without input gives an empty frame.
  ///
  /// - Throws: ``ZstandardError`` or what `sink` throws; the frame is incomplete then.
  public func finish(to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    try whileOpen {
      var nothing = ZSTD_inBuffer(src: nil, size: 0, pos: 0)
      while try step(&nothing, ZSTD_e_end) > 0 {
        if output.isFull { try drain(to: sink) }
      }
      try drain(to: sink)
    }
    state = .closed
  }

  private func whileOpen(_ body: () throws -> Void) throws {
    guard state == .open else { throw ZstandardError.closed }
    do {
      try body()
    } catch {
      state = .closed
      throw error
    }
  }

  /// One call of libzstd; what it returns is what is still to be flushed.
  @discardableResult
  private func step(_ source: inout ZSTD_inBuffer, _ directive: ZSTD_EndDirective) throws(ZstandardError) -> Int {
    var target = ZSTD_outBuffer(dst: output.bytes.baseAddress, size: output.bytes.count, pos: output.filled)
    let result = ZSTD_compressStream2(context, &target, &source, directive)
    guard ZSTD_isError(result) == 0 else { throw ZstandardError(result: result) }
    output.filled = target.pos
    return result
  }

  private func drain(to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    bytesWritten += UInt64(try output.drain(to: sink))
  }
}
