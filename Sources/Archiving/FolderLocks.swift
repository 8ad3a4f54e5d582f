import Archive
import Foundation
import Logging
import Values

/// Archive folders that a run has to itself until it ends, whatever becomes of its connections, and whatever database another run belongs to.
///
/// The lock in the database goes with the session that holds it. Files do not: who lost the session may still be writing them, so nobody else may remove any until that process is gone.
final class FolderLocks {
  private var held: [ArchiveFolder] = []
  private let log: Logger
  private let lock: (Int32, Int32) -> Int32

  /// - Parameter lock: the system's call, for tests another one
  init(_ log: Logger, lock: @escaping (Int32, Int32) -> Int32 = { flock($0, $1) }) { (self.log, self.lock) = (log, lock) }

  /// Opens a folder, and keeps others out of it.
  /// - Throws: ``JobError`` (75) where another process has it; ``FileError``
  func open(_ path: String, creates: Bool = false) throws -> ArchiveFolder {
    let folder = try ArchiveFolder(path, creates: creates)
    if try isHeld(folder) { return folder }
    switch try folder.root.lock(lock) {
    case .held: break
    case .busy:
      throw JobError(
        .busy,
        "another archive or purge, of this or of another database, is at work in \(path); try again when it has ended. An archive's folder is for one database: archive_dir sets another one"
      )
    case .unknown:
      log.warning(
        "the file system of \(path) knows no locks: nothing keeps a run of another database out of this folder, so see to it that only one archive or purge works in it at a time"
      )
    }
    held.append(folder)
    return folder
  }

  /// Keeps others out of a folder while the closure runs; where that cannot be done, the closure does not run.
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
