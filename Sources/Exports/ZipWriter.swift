internal import CArchive
import Files
import Foundation
import Values

/// A zip file with compressed members, written in one pass by libarchive. The memory does not grow
/// with the members. Members and files over 4 GB get the form that they need (Zip64).
final class ZipWriter {
  private let archive: OpaquePointer
  private let sink: Sink
  private var buffer: UnsafeMutableRawBufferPointer

  /// Where libarchive's bytes go.
  private final class Sink {
    let write: (UnsafeRawBufferPointer) throws -> Void
    var error: (any Error)?

    init(_ write: @escaping (UnsafeRawBufferPointer) throws -> Void) { self.write = write }
  }

  /// Starts a file.
  /// - Parameter write: gets the bytes of the file in their order
  /// - Throws: ``FileError``
  init(_ write: @escaping (UnsafeRawBufferPointer) throws -> Void) throws {
    guard let archive = archive_write_new() else { throw FileError(.inputOutput, "cannot start a zip file: out of memory") }
    self.archive = archive
    sink = Sink(write)
    buffer = .allocate(byteCount: 1 << 17, alignment: 16)
    try check(archive_write_set_format_zip(archive))
    try check(archive_write_set_format_option(archive, "zip", "compression", "deflate"))
    // Otherwise the end of the file is padded to whole blocks.
    try check(archive_write_set_bytes_in_last_block(archive, 1))
    let context = Unmanaged.passUnretained(sink).toOpaque()
    try check(
      archive_write_open(
        archive, context, nil,
        { _, context, bytes, count in
          guard let context, let bytes else { return -1 }
          let sink = Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
          do {
            try sink.write(UnsafeRawBufferPointer(start: bytes, count: count))
            return count
          } catch {
            sink.error = sink.error ?? error
            return -1
          }
        }, nil))
  }

  deinit {
    // A file that is not finished would get its end here.
    archive_write_fail(archive)
    archive_write_free(archive)
    buffer.deallocate()
  }

  /// Adds a member.
  /// - Parameters:
  ///   - name: its path in the zip file
  ///   - stop: called before each piece; its error ends the work
  /// - Throws: ``FileError``; every error of `stop` and of `write`
  func add(_ name: String, _ file: OpenedFile, stop: () throws -> Void) throws {
    guard let entry = archive_entry_new() else { throw FileError(.inputOutput, "cannot write a zip file: out of memory") }
    defer { archive_entry_free(entry) }
    archive_entry_set_pathname(entry, name)
    archive_entry_set_filetype(entry, UInt32(Foundation.S_IFREG))
    archive_entry_set_perm(entry, 0o600)
    archive_entry_set_size(entry, file.size)
    archive_entry_set_mtime(entry, time_t(file.modified.seconds), 0)
    try check(archive_write_header(archive, entry))
    var offset: Int64 = 0
    while offset < file.size {
      try stop()
      let wanted = Int(min(Int64(buffer.count), file.size - offset))
      let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: offset)
      guard count > 0 else { throw FileError(.damaged, "the file became shorter while it was read") }
      try append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      offset += Int64(count)
    }
    try check(archive_write_finish_entry(archive))
  }

  /// Writes the end of the file.
  /// - Throws: ``FileError``; every error of `write`
  func finish() throws { try check(archive_write_close(archive)) }

  private func append(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty {
      let count = archive_write_data(archive, rest.baseAddress, rest.count)
      guard count > 0 else { throw failure }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    }
  }

  private func check(_ code: Int32) throws {
    guard code >= ARCHIVE_WARN else { throw failure }
  }

  private var failure: any Error {
    if let error = sink.error { return error }
    let text = archive_error_string(archive).map { String(cString: $0) } ?? "unknown error"
    return FileError(.inputOutput, "cannot write a zip file: \(text)")
  }
}
