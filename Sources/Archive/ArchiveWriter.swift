import Compression
import Crypto
import Files
import Foundation

/// Writes one file of an archive: compressed, hashed, made durable, and only then given its name.
public final class ArchiveWriter {
  /// What was written.
  public struct Written: Sendable {
    /// Length of the file in bytes.
    public let bytes: Int
    /// SHA-256 of the file in hexadecimal digits.
    public let sha256: String
    /// Length of what was compressed.
    public let contentBytes: Int
    /// SHA-256 of what was compressed.
    public let contentSha256: String
  }

  private let file: DurableFile
  private let compressor: Compressor
  private var hash = SHA256()
  private var contentHash = SHA256()
  /// Rows come one by one; libzstd and the hash take them by the piece.
  private var pending: [UInt8] = []
  private static let pieceLength = 1 << 17

  /// Begins a file under a temporary name.
  /// - Parameters:
  ///   - level: zstd's effort
  ///   - workers: threads of libzstd beside this one
  /// - Throws: ``FileError``
  public init(_ name: String, in folder: Folder, level: Int, workers: Int) throws(FileError) {
    do {
      compressor = try Compressor(level: level, workers: workers)
    } catch {
      throw FileError(.inputOutput, "cannot compress \(folder.path)/\(name): \(error)")
    }
    file = try DurableFile(name, temporary: PartName.temporary(name), in: folder, isSole: true)
    pending.reserveCapacity(ArchiveWriter.pieceLength * 2)
  }

  /// Takes the next bytes of content.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    pending.append(contentsOf: bytes)
    if pending.count >= ArchiveWriter.pieceLength { try compressPending() }
  }

  /// Ends the file, makes it durable and gives it its name.
  /// - Throws: ``FileError``; then nothing is left of it but the temporary name, if that.
  public func finish() throws -> Written {
    try compressPending()
    try compressor.finish(to: writeOut)
    // What is read back shall come from the disk where that is possible.
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
  /// Writes a small file durably under a temporary name, so that nothing but its own name is missing.
  public func prepare(_ content: String, as name: String) throws(FileError) {
    let file = try DurableFile(name, temporary: PartName.temporary(name), in: self)
    try file.write(content)
    try file.prepare()
    // Its temporary name must last, too: where it is there, rows may be deleted.
    try sync()
  }

  /// Gives a prepared file its name; what has that name is not replaced.
  public func publishPrepared(_ name: String) throws(FileError) { try publish(PartName.temporary(name), as: name) }

  /// Writes a small file durably, and gives it its name when it is whole; one of that name is not replaced.
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
