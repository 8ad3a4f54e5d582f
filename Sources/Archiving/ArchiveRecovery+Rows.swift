import Archive
import CallLogs
import Files
import Store

/// Recovery of parts whose record is lost: their files and the table show what happened.
extension ArchiveRecovery {
  /// A part with complete files.
  struct Found {
    let manifest: Manifest
    /// The manifest as it is in the file.
    let json: String
    let ids: [Range<Int64>]
    /// Rows of the part that are in the table.
    let present: Int64

    var wanted: Int64 { ids.reduce(0) { $0 + Int64($1.count) } }
    /// Whether every row is in the table.
    var areThere: Bool { present >= wanted }

    var counts: String {
      PartWriter.json(Dictionary(manifest.files.map { ($0.content, $0.rows) }, uniquingKeysWith: { $1 }))
    }
  }

  /// Reads the files of a part, and counts its rows in the table.
  /// - Returns: nil if the files differ from the manifest and the rows are in the table for certain
  /// - Throws: ``FileError`` if the files differ from the manifest and the place of the rows is
  ///   unknown
  func look(_ whole: (json: [UInt8], isPublished: Bool), _ part: PartName, _ folder: ArchiveFolder) throws -> Found? {
    let databases = context.databases
    let (manifest, ids): (Manifest, [Range<Int64>])
    do {
      manifest = try Manifest(json: whole.json, of: part)
      ids = try folder.ids(manifest, of: part, stop: stopIfInterrupted).ranges
    } catch let error as FileError where error.kind == .damaged {
      // In one database the same commit deletes the rows and records that.
      if part.kind != .cel || databases.isOne { return nil }
      let names = part.files + [whole.isPublished ? part.manifest : PartName.temporary(part.manifest)]
      throw FileError(
        .damaged,
        "the run that wrote \(folder.root.path)/\(part) was cut off, and this run cannot find out whether its CELs are still in the table: \(error). Nothing is removed. Bring the files back as they were, or move them away if the CELs are in the table: \(names.joined(separator: ", "))"
      )
    }
    let present =
      part.kind == .cel
      ? try databases.cels.transaction(purpose: "Looking whether CELs are deleted") {
        try context.table.countLocked(in: ids, on: databases.cels)
      }
      : try ArchiveRecord.countCallLogs(in: ids, on: databases.side)
    return Found(manifest: manifest, json: String(decoding: whole.json, as: UTF8.self), ids: ids, present: present)
  }

  func warn(of found: Found, _ part: PartName, _ folder: ArchiveFolder, isPublished: Bool) {
    let name = "\(folder.root.path)/\(part)"
    if found.areThere {
      context.log.warning(
        "\(name) is complete, but this database had it on record only as begun: the database went back in time. The rows are in the table, so the part counts as a copy of them"
      )
    } else {
      context.log.warning(
        "\(name) is \(isPublished ? "on record" : "completed") now: \(found.wanted - found.present) of its \(found.wanted) rows are not in the table any more, and no purge of them is on record: this database went back in time, or somebody else deleted them. `wazo-call-logs restore` brings the rows back"
      )
    }
  }

  /// Completes parts of this database without a record, which remain if the database went back to a
  /// time before they began. Reports and leaves alone those whose rows are in the table.
  /// - Parameter folder: a folder that this run has locked
  func takeUp(_ folder: ArchiveFolder) throws {
    let side = context.databases.side
    var left: [String] = []
    var isSettled = true
    for part in try folder.contents().unpublished {
      guard let whole = try folder.anyManifest(of: part), !whole.isPublished,
        let ownership = Manifest.Ownership(json: whole.json),
        owners.isPresent(ownership, part.kind),
        try !ArchiveRecord.claims(
          kind: part.kind.rawValue, month: "\(part.month)", part: part.number, folder: folder.root.path,
          manifest: String(decoding: whole.json, as: UTF8.self), on: side)
      else { continue }
      guard let found = try look(whole, part, folder), !found.areThere else {
        left.append("\(part)")
        continue
      }
      try side.transaction(purpose: "Recording a part that was found") {
        let id = try ArchiveRecord.intend(
          kind: part.kind.rawValue, month: "\(part.month)", part: part.number, folder: folder.root.path,
          files: part.files + [part.manifest], home: home, run: Int32(clamping: found.manifest.run), deletes: true, on: side)
        _ = try ArchiveRecord.set(
          .done, of: id, deletes: true, ids: found.ids, counts: found.counts, manifest: found.json, on: side)
      }
      warn(of: found, part, folder, isPublished: false)
      isSettled = false
    }
    if !left.isEmpty {
      context.log.warning(
        "\(folder.root.path) holds parts that were never completed and are not on record. Their rows are in the table, so you can remove their files: \(left.prefix(5).joined(separator: ", "))\(left.count > 5 ? " and \(left.count - 5) more" : "")"
      )
    }
    if !isSettled { _ = try settle() }
  }

  /// Does the same if no other run is at work in the folder.
  func takeUpIfFree(_ path: String) throws {
    guard try !ArchiveFolder(path).contents().unpublished.isEmpty else { return }
    try locks.ifFree(path, takeUp)
  }

  private func stopIfInterrupted() throws {
    if context.interruption.isRequested { throw context.retry.interrupted }
  }
}
