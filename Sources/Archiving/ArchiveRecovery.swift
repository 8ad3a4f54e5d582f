import Archive
import Files
import Foundation
import Runs
import Store
import Values

/// Brings to an end, or undoes, what runs before have begun. Only files of an intent without completion are ever removed, and only while its rows are in the table.
final class ArchiveRecovery {
  let context: RunContext
  /// Where intents of this database are made.
  let home: ArchiveRecord.Home
  /// Whose parts are whose.
  let owners: PartOwners
  /// The folders that this run has to itself.
  let locks: FolderLocks
  /// Parts that this very process began, and of which no row can be deleted while they are recorded as intended.
  var undeleted: Set<Int32> = []

  init(_ context: RunContext) throws {
    self.context = context
    locks = FolderLocks(context.log)
    (home, owners) = try context.retry {
      (try ArchiveRecord.Home.read(context.databases.logs), try PartOwners(context))
    }
  }

  /// Settles every part that is not published.
  /// - Returns: ids of those that are complete
  /// - Throws: ``FileError`` where an archive's folder is not there: whether its files can go or must stay is decided when it is; ``JobError`` (75) where the lock of archives, or the
  ///   folder, is another run's: then the parts are, too
  func settle() throws -> Set<Int32> {
    guard try ArchiveRecord.hasLock(on: context.databases.side) else {
      throw ArchiveLock.busy(context.databases)
    }
    var finished: Set<Int32> = []
    // A part may come on while it is waited for: then it is looked at once more.
    for _ in 0..<10 where try settle(&finished) { return finished }
    throw JobError(.busy, "parts of the archive are being changed by somebody else; try again when that has ended")
  }

  /// - Returns: false where a part was in another state than on record a moment before
  private func settle(_ finished: inout Set<Int32>) throws -> Bool {
    var isSettled = true
    for known in try ArchiveRecord.unfinished(on: context.databases.side) {
      guard owners.isOwn(known.home) else {
        context.log.warning(
          "part \(known.part) of \(known.kind) \(known.month) in \(known.folder) was begun in another database, of which this one is a copy: its files are left alone"
        )
        continue
      }
      guard let part = known.name else { continue }
      let folder = try locks.open(known.folder)
      switch known.state {
      case .intended: isSettled = try undo(known, part, folder) && isSettled
      case .written:
        if try isDeleted(known) {
          try finish(known, part, folder, &finished)
        } else {
          isSettled = try undo(known, part, folder) && isSettled
        }
      case .done: try finish(known, part, folder, &finished)
      case .published: break
      }
    }
    return isSettled
  }

  /// Removes the files of an intent, then the intent; or completes it where its rows are not in the table any more.
  ///
  /// A session that was lost may still be committing the very part: then it has the row's lock, and this waits for it.
  /// - Returns: false where it has come on since
  private func undo(_ known: ArchiveRecord, _ part: PartName, _ folder: ArchiveFolder) throws -> Bool {
    let side = context.databases.side
    return try side.transaction(purpose: "Undoing a part that was not completed") {
      guard let state = try ArchiveRecord.state(of: known.id, locked: true, on: side) else { return true }
      guard state == known.state else { return false }
      // Asked before the lock was had: who had it may have deleted the rows.
      if state == .written, try isDeleted(known) { return false }
      // The server that has the record may have lost its last commits, and the one that has the rows none.
      if let whole = try folder.anyManifest(of: part),
        whole.isPublished || state == .intended && !undeleted.contains(known.id),
        let found = try look(whole, part, folder), whole.isPublished || !found.areThere
      {
        _ = try ArchiveRecord.set(
          found.areThere ? .published : .done, of: known.id, deletes: !found.areThere, ids: found.ids, counts: found.counts,
          manifest: found.json, on: side)
        warn(of: found, part, folder, isPublished: whole.isPublished)
        return found.areThere
      }
      if try folder.removeUnfinished(part) {
        context.log.info("\(folder.root.path)/\(part) was not completed; its files are removed, its rows are in the table")
        try context.reached(.afterUndo)
      } else {
        context.log.warning(
          "\(folder.root.path)/\(part) is complete, though this database knows only that it was to be written: the database went back in time. Nothing is removed; its rows may be in the table and in the archive"
        )
      }
      try ArchiveRecord.forget(known.id, on: side)
      return true
    }
  }

  /// Gives the manifest its name.
  private func finish(_ known: ArchiveRecord, _ part: PartName, _ folder: ArchiveFolder, _ finished: inout Set<Int32>) throws {
    guard let manifest = known.manifest, let place = try folder.folder(of: part) else {
      throw FileError(
        .inputOutput,
        "the folder of \(folder.root.path)/\(part), whose rows are deleted, is not there; bring it back before the next run")
    }
    if let there = try place.read(part.manifest) {
      guard there == Array(manifest.utf8) else {
        throw FileError(.damaged, "\(folder.root.path)/\(part) is not what the database has on record of it")
      }
      // It may have both names.
      try place.remove(PartName.temporary(part.manifest))
    } else {
      for name in part.files where try !place.has(name) {
        throw FileError(
          .inputOutput, "\(place.path)/\(name), whose rows are deleted, is not there; bring it back before the next run")
      }
      if try place.read(PartName.temporary(part.manifest)) != Array(manifest.utf8) {
        try place.prepare(manifest, as: part.manifest)
      }
      try place.publishPrepared(part.manifest)
    }
    try ArchiveRecord.set(.published, of: known.id, on: context.databases.side)
    finished.insert(known.id)
  }

  /// Whether the rows of a part in another database are gone. All of them go in one commit.
  private func isDeleted(_ known: ArchiveRecord) throws -> Bool {
    let cels = context.databases.cels
    let wanted = known.ids.reduce(0) { $0 + Int64($1.upperBound - $1.lowerBound) }
    let left = try cels.transaction(purpose: "Looking whether CELs are deleted") {
      try context.table.countLocked(in: known.ids, on: cels)
    }
    if left == 0 { return true }
    if left < wanted, known.manifest != nil {
      // Somebody else deleted some of them since: the files have them.
      context.log.warning(
        "some CELs of part \(known.part) of \(known.kind) \(known.month) are gone from the table by other hands; its files are kept"
      )
      return true
    }
    return false
  }
}
