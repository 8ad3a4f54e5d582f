import Files
import Foundation

extension RecordingsFolder {
  /// The folder, or the reason why nothing can be removed from it.
  public static func find(_ path: String) -> Result<RecordingsFolder, FileError> {
    do throws(FileError) {
      let folder = try RecordingsFolder(path)
      guard try folder.isEmpty() else { return .success(folder) }
      // In an empty folder every file would count as gone, and its path would be forgotten.
      return .failure(FileError(.inputOutput, "the recordings folder \(path) is empty; its disk may not be mounted"))
    } catch {
      return .failure(error)
    }
  }

  /// Opens a file below this folder for reading. No symbolic link below the folder is followed.
  /// - Parameter file: its absolute path, as bytes
  public func open(_ file: [UInt8]) -> FileOpening {
    guard case .success(let place) = inside(file) else { return .missing }
    var folder = root
    defer { if folder != root { close(folder) } }
    for name in place.folder {
      let bytes = name.map { CChar(bitPattern: $0) } + [0]
      let next = openat(folder, bytes, RecordingsFolder.onlyPath | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
      let error = errno
      if folder != root { close(folder) }
      folder = root
      guard next >= 0 else { return RecordingsFolder.opening(error) }
      folder = next
    }
    // Without O_NONBLOCK, a pipe would keep the service waiting for a writer.
    let descriptor = openat(folder, place.name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { return RecordingsFolder.opening(errno) }
    return OpenedFile(taking: descriptor).map { .opened($0) } ?? .missing
  }

  /// Opens a file below a folder, which is opened first.
  /// - Parameter path: the folder; a folder that does not exist has no files
  public static func open(_ file: [UInt8], below path: String) -> FileOpening {
    do throws(FileError) {
      return try RecordingsFolder(path).open(file)
    } catch {
      return error.code == 0 ? .failed(error.description) : opening(error.code)
    }
  }

  /// O_PATH of open(2), which needs no permission to list the folder. Swift's Glibc lacks the
  /// name.
  private static let onlyPath: Int32 = 0o10_000_000

  private static func opening(_ error: Int32) -> FileOpening {
    switch error {
    // ENXIO: a socket, or a pipe without a reader.
    case ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EISDIR, ENXIO: .missing
    case EACCES, EPERM: .notPermitted
    default: .failed(String(cString: strerror(error)))
    }
  }
}
