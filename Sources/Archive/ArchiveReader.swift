import Compression
import Crypto
import Files
import Foundation

/// Reads files of an archive and compares them with their manifest.
public enum ArchiveReader {
  /// Reads a whole file and compares its length, both SHA-256, zstd's checksum, the number of rows
  /// and the names of the columns (`Archive.docc`, Format, "What is checked on reading").
  /// - Parameters:
  ///   - sink: receives the CSV in pieces of any size. They are verified only when this function
  ///     returns.
  ///   - stop: called between pieces; its error ends the reading
  /// - Throws: ``FileError`` that names the file and the damage; errors of `sink` and `stop`.
  public static func read(
    _ file: Manifest.File, in folder: Folder, stop: () throws -> Void = {},
    sink: (UnsafeRawBufferPointer) throws -> Void = { _ in }
  ) throws {
    let path = "\(folder.path)/\(file.name)"
    func damaged(_ what: String) -> FileError { FileError(.damaged, "\(path) \(what)") }
    guard let descriptor = try folder.openFile(file.name) else { throw damaged("is missing") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError.system("cannot inspect \(path)") }
    guard Int(status.st_size) == file.bytes else {
      throw damaged("has \(status.st_size) bytes in place of \(file.bytes): it was cut off or changed")
    }
    let decompressor: Decompressor
    do {
      decompressor = try Decompressor()
    } catch {
      throw FileError(.inputOutput, "cannot read \(path): \(error)")
    }
    var (hash, contentHash, records) = (SHA256(), SHA256(), CSVRecords())
    var contentBytes = 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    do {
      while true {
        try stop()
        let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
        if count == 0 { break }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw FileError.system("cannot read \(path)") }
        let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        hash.update(bufferPointer: piece)
        try decompressor.write(piece) { content in
          // A few compressed bytes can expand to any number of bytes.
          guard content.count <= file.contentBytes - contentBytes else {
            throw damaged("holds more rows than the \(file.contentBytes) bytes in its manifest")
          }
          contentHash.update(bufferPointer: content)
          records.add(content)
          contentBytes += content.count
          try sink(content)
        }
      }
      try decompressor.finish()
    } catch let error as ZstandardError {
      throw damaged("is damaged. \(error)")
    }
    guard hash.finalize().hexadecimal == file.sha256.lowercased() else {
      throw damaged("does not have the SHA-256 in its manifest")
    }
    guard contentBytes == file.contentBytes, contentHash.finalize().hexadecimal == file.contentSha256.lowercased() else {
      throw damaged("holds other rows than its manifest says")
    }
    guard records.isComplete, records.count - 1 == file.rows else {
      throw damaged("holds \(max(0, records.count - 1)) rows in place of the \(file.rows) in its manifest")
    }
    guard records.header == CSVRecords.header(of: file.columns) else {
      throw damaged("has other columns in its first line than its manifest says")
    }
  }
}
