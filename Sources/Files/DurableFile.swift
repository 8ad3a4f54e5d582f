import Foundation
import Values

/// A durable write: the file appears under its name only when it is complete and on the disk.
///
/// The bytes go to a temporary file in the same folder. Then come, in this order: fsync of the
/// file, the final name, fsync of the folder. An abandoned write leaves at most the temporary file
/// behind.
package final class DurableFile {
  /// How to treat an existing file of the same name.
  package enum Naming {
    /// The existing file stays, and ``DurableFile/finish(_:leavesCache:)`` fails.
    case new
    /// The new file replaces it.
    case replacing
  }

  /// The folder of the file.
  package let folder: Folder
  /// The final name of the file.
  package let name: String
  private let temporary: String
  private var descriptor: Int32

  /// Creates the temporary file.
  /// - Parameters:
  ///   - temporary: the name until the file is complete
  ///   - mode: the permissions of the file
  ///   - isSole: whether an existing file of the temporary name is an error; otherwise it is
  ///     overwritten
  /// - Throws: ``FileError``
  package init(_ name: String, temporary: String, in folder: Folder, mode: mode_t = 0o640, isSole: Bool = false)
    throws(FileError)
  {
    (self.folder, self.name, self.temporary) = (folder, name, temporary)
    descriptor = openat(
      folder.descriptor, temporary, O_WRONLY | O_CREAT | (isSole ? O_EXCL : O_TRUNC) | O_CLOEXEC | O_NOFOLLOW, mode)
    guard descriptor >= 0 else { throw failed }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    // The write was abandoned.
    _ = try? folder.remove(temporary)
  }

  private var failed: FileError { .system("cannot write \(folder.path)/\(name)") }

  /// Writes all bytes.
  /// - Throws: ``FileError``
  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try check(Descriptor.write(bytes, to: descriptor))
  }

  /// Writes a text as UTF-8.
  /// - Throws: ``FileError``
  package func write(_ text: String) throws(FileError) {
    let code = Array(text.utf8).withUnsafeBytes { Descriptor.write($0, to: descriptor) }
    try check(code)
  }

  private func check(_ code: Int32) throws(FileError) {
    guard code != 0 else { return }
    errno = code
    throw failed
  }

  /// Copies owner, group and permissions of another file to this one, as far as the system allows.
  package func take(rightsOf other: stat) {
    if fchown(descriptor, other.st_uid, other.st_gid) == 0 { fchmod(descriptor, other.st_mode & 0o777) }
  }

  /// Makes the content durable under the temporary name.
  /// - Parameter leavesCache: whether the system should drop the content from its cache, so that a
  ///   check reads it from the disk
  /// - Throws: ``FileError``; the file is removed then
  package func prepare(leavesCache: Bool = false) throws(FileError) {
    let isSynced = DurableStep.sync(descriptor, "\(folder.path)/\(temporary)")
    let code = errno
    if leavesCache { posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) }
    let closed = close(descriptor)
    if isSynced, closed == 0 {
      descriptor = -1
      return
    }
    if !isSynced { errno = code }
    let error = isSynced ? failed : .system("cannot sync \(folder.path)/\(name)")
    descriptor = -1
    _ = try? folder.remove(temporary)
    throw error
  }

  /// Makes the content durable and gives the file its final name.
  /// - Throws: ``FileError``
  package func finish(_ naming: Naming, leavesCache: Bool = false) throws(FileError) {
    try prepare(leavesCache: leavesCache)
    switch naming {
    case .new: try folder.publish(temporary, as: name)
    case .replacing: try folder.replace(temporary, as: name)
    }
  }

  /// Replaces a small file with `content`. Only owner and group can read the file. Creates the
  /// folder if it is missing.
  /// - Throws: ``JobError`` with path and reason: 77 if a permission is missing, otherwise 74
  package static func replace(_ name: String, in path: String, with content: String) throws(JobError) {
    do throws(FileError) {
      let folder = try Folder.root(path, creates: true)
      let file = try DurableFile(name, temporary: ".\(name).\(ProcessInfo.processInfo.processIdentifier)", in: folder)
      try file.write(content)
      try file.finish(.replacing)
    } catch {
      throw JobError(error.isRefusal ? .permission : .inputOutput, error.description)
    }
  }
}
