import Foundation
import Values

/// The one durable write: a file appears under its name when it is whole and on the disk, whatever happens meanwhile.
///
/// The bytes go to a temporary file in the same folder. Then: fsync of the file, its name, fsync of the folder. A file that is given up
/// leaves nothing behind but the temporary name, if that.
package final class DurableFile {
  /// What becomes of a file that has the name already.
  package enum Naming {
    /// It stays, and naming fails.
    case new
    /// It is replaced.
    case replacing
  }

  /// The folder that the file goes to.
  package let folder: Folder
  /// The name that the file gets.
  package let name: String
  private let temporary: String
  private var descriptor: Int32

  /// Begins a file.
  /// - Parameters:
  ///   - temporary: the name until it is whole
  ///   - mode: who may read it
  ///   - isSole: whether a file of that temporary name is an error; else it is overwritten
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
    // Given up on the way.
    _ = try? folder.remove(temporary)
  }

  private var failed: FileError { .system("cannot write \(folder.path)/\(name)") }

  /// Writes all of it.
  /// - Throws: ``FileError``
  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try check(Descriptor.write(bytes, to: descriptor))
  }

  /// Writes a text.
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

  /// Gives the file to the owner of another one, and the rights that the other one has, where the system allows that.
  package func take(rightsOf other: stat) {
    if fchown(descriptor, other.st_uid, other.st_gid) == 0 { fchmod(descriptor, other.st_mode & 0o777) }
  }

  /// Makes the content durable under the temporary name.
  /// - Parameter leavesCache: whether the system should forget the content, so that it is read back from the disk
  /// - Throws: ``FileError``; then the file is gone
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

  /// Makes the content durable, and gives the file its name.
  /// - Throws: ``FileError``
  package func finish(_ naming: Naming, leavesCache: Bool = false) throws(FileError) {
    try prepare(leavesCache: leavesCache)
    switch naming {
    case .new: try folder.publish(temporary, as: name)
    case .replacing: try folder.replace(temporary, as: name)
    }
  }

  /// Replaces a small file, for its owner and group only; the folder is made if need be.
  /// - Throws: ``JobError`` with path and reason: 77 where a right is missing, else 74
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
