import Foundation

/// An ordinary file, open for reading. The descriptor is closed with the last reference.
public final class OpenedFile: Sendable {
  /// The descriptor. It is valid as long as this object.
  public let descriptor: Int32
  /// The size in bytes, when the file was opened.
  public let size: Int64
  /// The time of the last change: seconds since 1970 and nanoseconds.
  public let modified: (seconds: Int64, nanoseconds: Int64)
  /// The number of the file on its device. Another file under the same name has another one.
  public let inode: UInt64

  /// Takes an open descriptor over.
  /// - Returns: nil if it is not an ordinary file; the descriptor is closed then
  package init?(taking descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
    size = Int64(status.st_size)
    modified = (Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec))
    inode = UInt64(status.st_ino)
  }

  deinit { close(descriptor) }

  /// Reads bytes at an offset, and leaves the file's own position alone. So several threads can
  /// read at the same time.
  /// - Returns: the number of bytes; 0 at the end of the file
  /// - Throws: ``FileError`` (`inputOutput`)
  public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileError) -> Int {
    while true {
      let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileError.system("cannot read an open file") }
      return count
    }
  }
}

/// The outcome of an attempt to open a file below a folder.
public enum FileOpening: Sendable {
  /// The file is open.
  case opened(OpenedFile)
  /// There is no such file. A path that leads out of the folder, a symbolic link, and anything that
  /// is not an ordinary file count as missing, too.
  case missing
  /// The service may not read the file, or a folder on the way to it.
  case notPermitted
  /// The system refused for another reason.
  case failed(String)
}
