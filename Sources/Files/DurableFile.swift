import Foundation
import Values

/// The one durable write: a file is there whole, with its new or its old content, whatever happens meanwhile.
package enum DurableFile {
  /// Replaces `name` in `folder` (made if need be, for its owner only): temporary file in the same folder, fsync, rename, fsync of the folder.
  /// - Throws: ``JobError`` with path and reason.
  package static func replace(_ name: String, in folder: String, with content: String) throws(JobError) {
    let target = "\(folder)/\(name)"
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o750])
    } catch {
      throw JobError(.inputOutput, "cannot create the folder \(folder): \(error.localizedDescription)")
    }
    let temporary = "\(folder)/.\(name).\(ProcessInfo.processInfo.processIdentifier)"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o640)
    guard descriptor >= 0 else { throw failed("cannot write \(target)") }
    var isWritten = writeAll(content, descriptor) && fsync(descriptor) == 0
    isWritten = close(descriptor) == 0 && isWritten
    guard isWritten, rename(temporary, target) == 0 else {
      let error = failed("cannot write \(target)")
      unlink(temporary)
      throw error
    }
    let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw failed("cannot open the folder \(folder)") }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw failed("cannot sync the folder \(folder)") }
  }

  private static func failed(_ what: String) -> JobError {
    let code = errno
    return JobError(code == EACCES || code == EPERM ? .permission : .inputOutput, "\(what): \(String(cString: strerror(code)))")
  }

  private static func writeAll(_ content: String, _ descriptor: Int32) -> Bool {
    let code = Array(content.utf8).withUnsafeBytes { Descriptor.write($0, to: descriptor) }
    errno = code
    return code == 0
  }
}
