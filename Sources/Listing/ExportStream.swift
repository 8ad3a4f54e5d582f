import Compression
import Values

/// The path of an export's bytes: it collects, compresses and writes them.
struct ExportStream {
  private enum Compressing {
    case nothing
    case zstd(Compressor)
    case gzip(GzipCompressor)
  }

  /// Bytes that are not passed on yet.
  var pending: [UInt8] = []
  private let target: ExportTarget
  private let compressing: Compressing
  private static let pieceLength = 1 << 18

  init(_ target: ExportTarget, _ compression: ExportCompression) throws(JobError) {
    self.target = target
    do {
      compressing =
        switch compression {
        case .none: .nothing
        case .zstd: .zstd(try Compressor(level: 3, workers: 1))
        case .gzip: .gzip(try GzipCompressor())
        }
    } catch {
      throw JobError(.inputOutput, "cannot compress \(target.name): \(error)")
    }
  }

  /// Passes the pending bytes on if they fill a piece.
  mutating func passOn() throws {
    if pending.count >= ExportStream.pieceLength { try flush() }
  }

  /// Passes all pending bytes on and completes the output.
  mutating func finish() throws {
    try flush()
    switch compressing {
    case .nothing: break
    case .zstd(let compressor): try compressor.finish(to: target.write)
    case .gzip(let compressor): try compressor.finish(to: target.write)
    }
    try target.finish()
  }

  private mutating func flush() throws {
    try pending.withUnsafeBytes { bytes in
      switch compressing {
      case .nothing: try target.write(bytes)
      case .zstd(let compressor): try compressor.write(bytes, to: target.write)
      case .gzip(let compressor): try compressor.write(bytes, to: target.write)
      }
    }
    pending.removeAll(keepingCapacity: true)
  }
}
