import Archive
import Crypto
import Files
import Foundation
import Store

/// Copies: parts that an earlier `archive` wrote.
extension PartWriter {
  /// Uses a copy if its rows are still the same to the byte.
  /// - Returns: its rows; nil if they are not the same
  func take(_ copy: ArchiveRecord, _ source: any PartSource, _ table: inout ArchiveJob.TableSummary) throws -> Selection? {
    guard let folder, recovery.owners.isOwn(copy.home), let part = copy.name else { return nil }
    var effort = Effort()
    let isApart = source.kind == .cel && !context.databases.isOne
    let selection: Selection? = try again {
      // Looked up in each attempt: after a lost connection it is another one.
      let rows = source.kind == .cel ? context.databases.cels : context.databases.logs
      effort = Effort()
      var attempt = effort
      func work() throws -> Selection? {
        guard let selection = try PartWriter.unchanged(copy, source), let json = copy.manifest else { return nil }
        let manifest = try Manifest(json: Array(json.utf8), of: part)
        guard try folder.manifest(of: part) == manifest else {
          throw FileError(.damaged, "\(folder.root.path)/\(part) differs from the record in the database")
        }
        let started = Date()
        try folder.checkInPlace()
        try folder.verify(manifest, of: part, checksIDs: false, stop: stopIfInterrupted)
        attempt.verifying = Date().timeIntervalSince(started)
        for file in manifest.files { attempt.rows[file.content] = file.rows }
        if options.deletes {
          try delete(source, selection, archive: copy.id, attempt.rows, &attempt)
          if !isApart { try noteDeleted(copy, selection) }
        }
        try context.reached(.beforeCommit)
        return selection
      }
      let selection: Selection?
      if isApart {
        // Whatever happens between the two commits, the rows are in the archive.
        selection = try context.databases.logs.transaction(purpose: "Purging what was archived") {
          let selection = try rows.transaction(.repeatableRead, purpose: "Purging what was archived", work)
          if let selection, options.deletes { try noteDeleted(copy, selection) }
          return selection
        }
      } else {
        selection = try rows.transaction(.repeatableRead, purpose: "Purging what was archived", work)
      }
      if selection != nil { try context.reached(.afterCommit) }
      effort = attempt
      return selection
    }
    guard let selection else { return nil }
    for (content, count) in effort.rows { table.rows[content, default: 0] += count }
    table.found += selection.ids.count
    if options.deletes { table.deleted += selection.ids.count }
    table.verifying += effort.verifying
    table.deleting += effort.deleting
    return selection
  }

  /// Whether the folder still has the copy. Somebody may have moved it to other storage.
  static func isThere(_ copy: ArchiveRecord, _ folder: ArchiveFolder?) throws -> Bool {
    guard let part = copy.name, let place = try folder?.folder(of: part) else { return false }
    return try place.has(part.manifest)
  }

  private func noteDeleted(_ copy: ArchiveRecord, _ selection: Selection) throws {
    guard try ArchiveRecord.setDeleted(copy.id, on: context.databases.logs) else { throw PartChanged() }
    try count(selection, isArchived: false)
  }

  /// The rows of a copy, if all of them exist, are due, and equal the archive to the byte; nil
  /// otherwise.
  static func unchanged(_ copy: ArchiveRecord, _ source: any PartSource) throws -> Selection? {
    guard let part = copy.name, let json = copy.manifest, let manifest = try? Manifest(json: Array(json.utf8), of: part),
      let selection = try source.select(copy.ids, rows: manifest.rows)
    else { return nil }
    for file in manifest.files {
      let columns = try source.columns(file.content)
      guard columns.columns.map(\.name) == file.columns.map(\.name), columns.columns.map(\.type) == file.columns.map(\.type)
      else {
        return nil
      }
      var hash = SHA256()
      _ = try source.copyOut(file.content, columns, selection) { hash.update(bufferPointer: $0) }
      guard hash.finalize().map({ ($0 < 16 ? "0" : "") + String($0, radix: 16) }).joined() == file.contentSha256 else {
        return nil
      }
    }
    return selection
  }
}
