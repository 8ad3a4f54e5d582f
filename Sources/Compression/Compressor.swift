import CZstd

/// Compresses one stream of bytes into one zstd frame with a content checksum.
///
/// Two tasks must not use a compressor at the same time. Output comes in pieces of about 128 KB.
/// Only ``finish(to:)`` writes the last bytes; without it the frame is truncated.
public final class Compressor {
  /// The compression level in use.
  public let level: Int
  /// The number of libzstd's threads beside the caller's. It is 0 if libzstd was built without
  /// threads.
  public let workers: Int
  /// The bytes read so far.
  public private(set) var bytesRead: UInt64 = 0
  /// The compressed bytes given to the sink so far.
  public private(set) var bytesWritten: UInt64 = 0

  private let context: OpaquePointer
  private let output = OutputBuffer(size: ZSTD_CStreamOutSize())
  private var state = StreamState.open

  /// Opens a stream.
  ///
  /// - Parameters:
  ///   - level: the compression level, one of ``Zstandard/levels``; 3 is libzstd's default, 19 is
  ///     slow and small
  ///   - workers: the number of threads beside the caller's; 0 compresses in the caller's thread.
  ///     The upper limit is libzstd's.
  /// - Throws: ``ZstandardError/invalidParameter(name:value:allowed:)``,
  ///   ``ZstandardError/outOfMemory``
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
    // With the default of four windows the caller waits for a large last job at the end of each
    // stream.
    if self.workers > 0 { _ = set(ZSTD_c_jobSize, 1 << 21) }
    self.level = level
    self.context = context
  }

  deinit {
    ZSTD_freeCCtx(context)
  }

  /// Compresses `input` and gives full output buffers to `sink`.
  ///
  /// - Parameters:
  ///   - input: bytes in pieces of any size; not kept after the call
  ///   - sink: receives compressed bytes, which are valid only during its call; it is called any
  ///     number of times, also zero
  /// - Throws: ``ZstandardError``, and every error of `sink`; the stream is closed then
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

  /// Ends the frame, gives the remaining output to `sink`, and closes the stream. A stream without
  /// input gives an empty frame.
  ///
  /// - Throws: ``ZstandardError``, and every error of `sink`; the frame is incomplete then
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

  /// One call of libzstd. It returns the number of bytes that are still to be flushed.
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
