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

  private let folder: Folder
  private let name: String
  private let temporary: String
  private let compressor: Compressor
  private var file: Int32
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
    (self.folder, self.name, temporary) = (folder, name, PartName.temporary(name))
    do {
      compressor = try Compressor(level: level, workers: workers)
    } catch {
      throw FileError(.inputOutput, "cannot compress \(folder.path)/\(name): \(error)")
    }
    file = openat(folder.descriptor, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o640)
    guard file >= 0 else { throw FileError.system("cannot write \(folder.path)/\(name)") }
    pending.reserveCapacity(ArchiveWriter.pieceLength * 2)
  }

  deinit {
    guard file >= 0 else { return }
    close(file)
    // Given up on the way.
    _ = try? folder.remove(temporary)
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
    guard DurableStep.sync(file, "\(folder.path)/\(temporary)") else {
      throw FileError.system("cannot sync \(folder.path)/\(name)")
    }
    // What is read back shall come from the disk where that is possible.
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
    let closed = close(file)
    file = -1
    guard closed == 0 else {
      let error = FileError.system("cannot write \(folder.path)/\(name)")
      _ = try? folder.remove(temporary)
      throw error
    }
    try folder.publish(temporary, as: name)
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
    var rest = bytes
    while !rest.isEmpty {
      let count = Foundation.write(file, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw FileError.system("cannot write \(folder.path)/\(name)") }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    }
  }
}

extension Folder {
  /// Writes a small file durably under a temporary name, so that nothing but its own name is missing.
  public func prepare(_ content: String, as name: String) throws(FileError) {
    let temporary = PartName.temporary(name)
    let file = openat(descriptor, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o640)
    guard file >= 0 else { throw FileError.system("cannot write \(path)/\(name)") }
    var rest = Array(content.utf8)[...]
    var isWritten = true
    while isWritten, !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      isWritten = count > 0
      rest = rest.dropFirst(max(count, 0))
    }
    isWritten = isWritten && DurableStep.sync(file, "\(path)/\(temporary)")
    guard close(file) == 0, isWritten else {
      let error = FileError.system("cannot write \(path)/\(name)")
      _ = try? remove(temporary)
      throw error
    }
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
