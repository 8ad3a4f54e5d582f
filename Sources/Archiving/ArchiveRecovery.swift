import Archive
import Files
import Foundation
import Runs
import Store
import Values

/// Completes or undoes the parts that earlier runs left unfinished. It removes only files of a part
/// that is on record as begun and not completed, and only while its rows are in the table.
final class ArchiveRecovery {
  let context: RunContext
  /// The database in which this run records its parts.
  let home: ArchiveRecord.Home
  /// Tells parts of this database from those of others.
  let owners: PartOwners
  /// The folders that this run has locked.
  let locks: FolderLocks
  /// Parts that this process began and whose rows cannot be deleted while their record says
  /// "intended".
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
  /// - Throws: ``FileError`` if a folder of an archive is missing, because only its files can
  ///   decide whether they must stay; ``JobError`` (75) if another run holds the lock of archives
  ///   or the folder, because the parts are that run's
  func settle() throws -> Set<Int32> {
    guard try ArchiveRecord.hasLock(on: context.databases.side) else {
      throw ArchiveLock.busy(context.databases)
    }
    var finished: Set<Int32> = []
    // Another run may advance a part while this one waits for it. Then look again.
    for _ in 0..<10 where try settle(&finished) { return finished }
    throw JobError(.busy, "another run is changing parts of the archive; try again when it has ended")
  }

  /// - Returns: false if the state of a part changed since it was read from the record
  private func settle(_ finished: inout Set<Int32>) throws -> Bool {
    var isSettled = true
    for known in try ArchiveRecord.unfinished(on: context.databases.side) {
      guard owners.isOwn(known.home) else {
        context.log.warning(
          "part \(known.part) of \(known.kind) \(known.month) in \(known.folder) was begun in another database, of which this one is a copy; its files are left alone"
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

  /// Removes the files of an unfinished part, then its record. Completes the part instead if its
  /// rows are not in the table any more.
  ///
  /// A lost session may still be committing this very part. It holds the lock of the record, so
  /// this waits for it.
  /// - Returns: false if the part has advanced since
  private func undo(_ known: ArchiveRecord, _ part: PartName, _ folder: ArchiveFolder) throws -> Bool {
    let side = context.databases.side
    return try side.transaction(purpose: "Undoing a part that was not completed") {
      guard let state = try ArchiveRecord.state(of: known.id, locked: true, on: side) else { return true }
      guard state == known.state else { return false }
      // Ask again under the lock: its last holder may have deleted the rows.
      if state == .written, try isDeleted(known) { return false }
      // The two servers may differ: the one with the record lost its last commits, the one with the
      // rows lost none.
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
          "\(folder.root.path)/\(part) is complete, but this database has it on record only as begun: the database went back in time. Nothing is removed; its rows may be in the table and in the archive"
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
        throw FileError(.damaged, "\(folder.root.path)/\(part) differs from the record in the database")
      }
      // An interrupted rename may leave both names.
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

  /// Whether the rows of a part in another database are deleted. One commit deletes all of them.
  private func isDeleted(_ known: ArchiveRecord) throws -> Bool {
    let cels = context.databases.cels
    let wanted = known.ids.reduce(0) { $0 + Int64($1.upperBound - $1.lowerBound) }
    let left = try cels.transaction(purpose: "Looking whether CELs are deleted") {
      try context.table.countLocked(in: known.ids, on: cels)
    }
    if left == 0 { return true }
    if left < wanted, known.manifest != nil {
      // Somebody else deleted some of them since. The files have them.
      context.log.warning(
        "some CELs of part \(known.part) of \(known.kind) \(known.month) were deleted by somebody else; its files stay"
      )
      return true
    }
    return false
  }
}
