import Archive
import Foundation
import Logging
import Values

/// Locks on folders of archives. A run holds them until its process ends, whatever happens to its
/// connections. They keep out runs of every database.
///
/// The lock in the database ends with its session. But a run that lost its session may still be
/// writing files, so nobody else may remove any until its process is gone.
final class FolderLocks {
  private var held: [ArchiveFolder] = []
  private let log: Logger
  private let lock: (Int32, Int32) -> Int32

  /// - Parameter lock: the system call; tests replace it
  init(_ log: Logger, lock: @escaping (Int32, Int32) -> Int32 = { flock($0, $1) }) { (self.log, self.lock) = (log, lock) }

  /// Opens a folder and locks it.
  /// - Throws: ``JobError`` (75) if another process has locked it; ``FileError``
  func open(_ path: String, creates: Bool = false) throws -> ArchiveFolder {
    let folder = try ArchiveFolder(path, creates: creates)
    if try isHeld(folder) { return folder }
    switch try folder.root.lock(lock) {
    case .held: break
    case .busy:
      throw JobError(
        .busy,
        "another archive or purge, of this or of another database, is at work in \(path); try again when it has ended. A folder is for one database; archive_dir sets another one"
      )
    case .unknown:
      log.warning(
        "the file system of \(path) has no locks. See to it that only one archive or purge works in this folder at a time"
      )
    }
    held.append(folder)
    return folder
  }

  /// Locks a folder while the closure runs. If that is not possible, the closure does not run.
  func ifFree(_ path: String, _ body: (ArchiveFolder) throws -> Void) throws {
    let folder = try ArchiveFolder(path)
    if try isHeld(folder) { return try body(folder) }
    guard case .held = try folder.root.lock(lock) else { return }
    held.append(folder)
    defer { held.removeAll { $0.root === folder.root } }
    try body(folder)
  }

  private func isHeld(_ folder: ArchiveFolder) throws -> Bool {
    try held.contains { try $0.root.isSame(as: folder.root) }
  }
}
