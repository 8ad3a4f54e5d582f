import Archive

/// Archive folders that a run has to itself until it ends, whatever becomes of its connections, and whatever database another run belongs to.
///
/// The lock in the database goes with the session that holds it. Files do not: who lost the session may still be writing them, so nobody else may remove any until that process is gone.
final class FolderLocks {
  private var held: [ArchiveFolder] = []

  /// Opens a folder, and keeps others out of it.
  /// - Throws: ``JobError`` (75) where another process has it; ``ArchiveError``
  func open(_ path: String, creates: Bool = false) throws -> ArchiveFolder {
    let folder = try ArchiveFolder(path, creates: creates)
    for other in held where try other.root.isSame(as: folder.root) { return folder }
    guard try folder.root.lock() else {
      throw JobError(
        .busy,
        "another archive or purge, of this or of another database, is at work in \(path); try again when it has ended. An archive's folder is for one database: archive_dir sets another one"
      )
    }
    held.append(folder)
    return folder
  }
}
