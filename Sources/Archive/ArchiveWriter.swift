import Compression
import Crypto
import Files
import Foundation

/// Writes one file of an archive. It compresses and hashes the rows, makes the file durable, and
/// then gives it its name.
public final class ArchiveWriter {
  /// The sizes and hashes of a file.
  public struct Written: Sendable {
    /// The length of the file in bytes.
    public let bytes: Int
    /// The SHA-256 of the file in hexadecimal digits.
    public let sha256: String
    /// The length of the uncompressed content in bytes.
    public let contentBytes: Int
    /// The SHA-256 of the uncompressed content in hexadecimal digits.
    public let contentSha256: String
  }

  private let file: DurableFile
  private let compressor: Compressor
  private var hash = SHA256()
  private var contentHash = SHA256()
  /// Rows come one by one, but libzstd and the hash are faster with larger pieces.
  private var pending: [UInt8] = []
  private static let pieceLength = 1 << 17

  /// Creates a file under a temporary name.
  /// - Parameters:
  ///   - level: zstd's compression level
  ///   - workers: additional threads of libzstd
  /// - Throws: ``FileError`` where the file cannot be created.
  public init(_ name: String, in folder: Folder, level: Int, workers: Int) throws(FileError) {
    do {
      compressor = try Compressor(level: level, workers: workers)
    } catch {
      throw FileError(.inputOutput, "cannot compress \(folder.path)/\(name): \(error)")
    }
    file = try DurableFile(name, temporary: PartName.temporary(name), in: folder, isSole: true)
    pending.reserveCapacity(ArchiveWriter.pieceLength * 2)
  }

  /// Adds content.
  /// - Throws: ``FileError`` where it cannot be written.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    pending.append(contentsOf: bytes)
    if pending.count >= ArchiveWriter.pieceLength { try compressPending() }
  }

  /// Completes the file, makes it durable and gives it its name.
  /// - Throws: ``FileError``. Then at most a file with the temporary name is left.
  public func finish() throws -> Written {
    try compressPending()
    try compressor.finish(to: writeOut)
    // The verification that follows should read the file from the disk, not from the cache.
    try file.finish(.new, leavesCache: true)
    return Written(
      bytes: Int(compressor.bytesWritten), sha256: hash.finalize().hexadecimal, contentBytes: Int(compressor.bytesRead),
      contentSha256: contentHash.finalize().hexadecimal)
  }

  private func compressPending() throws {
    try pending.withUnsafeBytes { bytes in
      contentHash.update(bufferPointer: bytes)
      try compressor.write(bytes, to: writeOut)
    }
    pending.removeAll(keepingCapacity: true)
  }

  private func writeOut(_ bytes: UnsafeRawBufferPointer) throws {
    hash.update(bufferPointer: bytes)
    try file.write(bytes)
  }
}

extension Folder {
  /// Writes a small file durably under a temporary name. Only the final name is missing then.
  /// - Throws: ``FileError`` where it cannot be written.
  public func prepare(_ content: String, as name: String) throws(FileError) {
    let file = try DurableFile(name, temporary: PartName.temporary(name), in: self)
    try file.write(content)
    try file.prepare()
    // The temporary name must be durable, too: rows may be deleted once it exists.
    try sync()
  }

  /// Gives a prepared file its name. An existing file of that name stays.
  /// - Throws: ``FileError`` where the name is taken, or the system refuses.
  public func publishPrepared(_ name: String) throws(FileError) { try publish(PartName.temporary(name), as: name) }

  /// Writes a small file durably, and gives it its name when it is complete. An existing file of
  /// that name stays.
  /// - Throws: ``FileError`` where the name is taken, or the file cannot be written.
  public func write(_ content: String, as name: String) throws(FileError) {
    try prepare(content, as: name)
    try publishPrepared(name)
  }
}

extension Digest {
  var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: self.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
