import Glibc
import PostgreSQL

/// A file that is open for reading. The descriptor closes with it.
final class OpenFile: Sendable {
  private let descriptor: Int32
  /// Bytes.
  let size: Int64
  /// When it was changed last, in seconds since 1970.
  let modified: Int
  /// What changes with the file (RFC 9110, 8.8.3).
  let tag: String

  /// Takes a descriptor over.
  /// - Returns: nil where it cannot be looked at; it is closed then
  init?(_ descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
    size = Int64(status.st_size)
    modified = status.st_mtim.tv_sec
    func hex(_ number: some BinaryInteger) -> String { String(UInt64(truncatingIfNeeded: number), radix: 16) }
    tag = "\"\(hex(status.st_ino))-\(hex(status.st_size))-\(hex(status.st_mtim.tv_sec))\(hex(status.st_mtim.tv_nsec))\""
  }

  deinit { close(descriptor) }

  /// Bytes from a place on; fewer than asked for only at the end of the file.
  func read(at place: Int64, _ count: Int) async throws -> [UInt8] {
    try await BlockingThread.run("file") { [self] in
      try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        while filled < count {
          let got = pread(descriptor, buffer.baseAddress?.advanced(by: filled), count - filled, off_t(place) + filled)
          if got == 0 { break }
          if got < 0 {
            if errno == EINTR { continue }
            throw ReadFailure(code: errno)
          }
          filled += got
        }
      }
    }
  }

  /// The file could not be read to its end.
  struct ReadFailure: Error {
    let code: Int32
  }
}
