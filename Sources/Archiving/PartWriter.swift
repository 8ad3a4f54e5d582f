import Archive
import Files
import Foundation
import Runs
import Store
import Values

/// Writes one part and deletes its rows, in three steps: it commits a record of the intent; one
/// transaction reads, writes, verifies, deletes and commits; the manifest gets its name.
final class PartWriter {
  let context: RunContext
  let options: ArchiveJob.Options
  let folder: ArchiveFolder?
  let recovery: ArchiveRecovery
  let record: RunRecord
  /// A part that was read and written, and whose commit may not be certain yet.
  private var pending: (id: Int32, selection: Selection, effort: Effort)?

  init(
    _ context: RunContext, _ options: ArchiveJob.Options, _ folder: ArchiveFolder?, _ recovery: ArchiveRecovery,
    _ record: RunRecord
  ) {
    (self.context, self.options, self.folder, self.recovery, self.record) = (context, options, folder, recovery, record)
  }

  /// Seconds and bytes of one attempt.
  struct Effort {
    var writing = 0.0
    var verifying = 0.0
    var deleting = 0.0
    var bytes = 0
    var contentBytes = 0
    var rows: [FileContent: Int] = [:]
  }

  /// Writes the next part of a month. It tries again until nobody changes the rows meanwhile.
  /// - Returns: its rows; nil if there are none any more
  func write(_ source: any PartSource, _ month: Month, _ table: inout ArchiveJob.TableSummary) throws -> Selection? {
    var effort = Effort()
    let selection: Selection?
    do {
      selection = try again {
        if let done = try settled() {
          effort = done.effort
          return done.selection
        }
        effort = Effort()
        return folder == nil ? try deleteOnly(source, month, &effort) : try archive(source, month, &effort)
      }
    } catch {
      // Clean up after the attempt now if possible, else in the next run.
      _ = try? recovery.settle()
      throw error
    }
    guard let selection else { return nil }
    table.parts += 1
    for (content, count) in effort.rows { table.rows[content, default: 0] += count }
    if options.deletes { table.deleted += selection.ids.count }
    table.bytes += effort.bytes
    table.contentBytes += effort.contentBytes
    table.writing += effort.writing
    table.verifying += effort.verifying
    table.deleting += effort.deleting
    return selection
  }

  /// Settles the remains of an attempt that was cut off.
  /// - Returns: its rows, if it turns out to be committed
  private func settled() throws -> (selection: Selection, effort: Effort)? {
    let finished = try recovery.settle()
    defer { pending = nil }
    return pending.flatMap { finished.contains($0.id) ? ($0.selection, $0.effort) : nil }
  }

  /// Retries after errors that allow it, and if rows changed while they were read and written.
  func again<T>(_ body: () throws -> T) throws -> T {
    var changes = 0
    while true {
      do {
        return try context.retry(body)
      } catch is PartChanged {
        changes += 1
        guard changes < 20 else {
          throw JobError(
            .busy, "the rows of a part changed 20 times while this run wrote it; try again when fewer calls change")
        }
      }
    }
  }

  // MARK: With files

  private func archive(_ source: any PartSource, _ month: Month, _ effort: inout Effort) throws -> Selection? {
    guard let folder else { return nil }
    let databases = context.databases
    let recorded = try ArchiveRecord.greatestPart(
      kind: source.kind.rawValue, month: "\(month)", folder: folder.root.path, on: databases.side)
    let part = PartName(kind: source.kind, month: month, number: max(try folder.greatestNumber(source.kind, month), recorded) + 1)
    let id = try ArchiveRecord.intend(
      kind: part.kind.rawValue, month: "\(month)", part: part.number, folder: folder.root.path,
      files: part.files + [part.manifest],
      home: recovery.home, run: record.id, deletes: options.deletes, on: databases.side)
    recovery.undeleted.insert(id)
    try context.reached(.afterIntent)
    let isApart = source.kind == .cel && !databases.isOne
    var manifest = ""
    var attempt = effort
    func work() throws -> Selection? {
      guard let selection = try source.select(month) else { return nil }
      guard let place = try folder.folder(of: part, creates: true) else { return nil }
      let written = try self.manifest(of: part, in: place, source, selection, &attempt)
      manifest = try written.json()
      // Everything but the name comes before the deletion: a full disk must not prevent the
      // manifest then.
      try place.prepare(manifest, as: part.manifest)
      try context.reached(.beforeVerify)
      let started = Date()
      try folder.checkInPlace()
      try folder.verify(written, of: part, checksIDs: false, stop: stopIfInterrupted)
      attempt.verifying = Date().timeIntervalSince(started)
      try context.reached(.afterVerify)
      pending = (id, selection, attempt)
      let counts = PartWriter.json(attempt.rows)
      if isApart, options.deletes {
        // Another commit deletes the rows of this part. From here on only the rows show whether
        // that happened.
        recovery.undeleted.remove(id)
        guard
          try ArchiveRecord.set(
            .written, of: id, ids: selection.ids.ranges, counts: counts, manifest: manifest, on: databases.side)
        else { throw PartChanged() }
      }
      try takePart(id, part, place, isApart && options.deletes ? .written : .intended)
      if options.deletes { try delete(source, selection, archive: id, attempt.rows, &attempt) }
      if !isApart { try complete(id, selection, counts, manifest) }
      try context.reached(.beforeCommit)
      return selection
    }
    let purpose = "Archiving \(source.kind.rawValue) of \(month)"
    var selection: Selection?
    if isApart {
      selection = try databases.logs.transaction(purpose: purpose) {
        let selection = try databases.cels.transaction(.repeatableRead, purpose: purpose, work)
        try context.reached(.afterRowsCommit)
        if let selection { try complete(id, selection, PartWriter.json(attempt.rows), manifest) }
        return selection
      }
    } else {
      selection = try source.connection.transaction(.repeatableRead, purpose: purpose, work)
    }
    try context.reached(.afterCommit)
    effort = attempt
    guard selection != nil else {
      // Somebody deleted them first.
      _ = try recovery.settle()
      return nil
    }
    try context.reached(.beforeManifest)
    guard let place = try folder.folder(of: part) else {
      throw FileError(
        .inputOutput, "the folder of \(folder.root.path)/\(part) is gone; bring it back, then the next run writes the manifest"
      )
    }
    try place.publishPrepared(part.manifest)
    try context.reached(.afterManifest)
    try ArchiveRecord.set(.published, of: id, on: databases.side)
    pending = nil
    return selection
  }

  /// Locks the record of the part until the end of the transaction, and checks that all of its
  /// files exist: another run that took this one for dead may have removed them.
  private func takePart(_ id: Int32, _ part: PartName, _ place: Folder, _ state: ArchiveRecord.State) throws {
    guard try ArchiveRecord.state(of: id, locked: true, on: context.databases.logs) == state else { throw PartChanged() }
    for name in part.files + [PartName.temporary(part.manifest)] where try !place.has(name) { throw PartChanged() }
  }

  private func complete(_ id: Int32, _ selection: Selection, _ counts: String, _ manifest: String) throws {
    guard
      try ArchiveRecord.set(
        .done, of: id, ids: selection.ids.ranges, counts: counts, manifest: manifest, on: context.databases.logs)
    else { throw PartChanged() }
    try count(selection, isArchived: true)
  }

  func count(_ selection: Selection, isArchived: Bool) throws {
    let noun = selection.tenants.isEmpty ? "cels" : "call_logs"
    var counts: [String] = []
    if isArchived { counts.append("\"\(noun)_archived\": \(selection.ids.count)") }
    if options.deletes { counts.append("\"\(noun)_purged\": \(selection.ids.count)") }
    try record.count("{" + counts.joined(separator: ", ") + "}", on: context.databases.logs)
  }

  private func manifest(
    of part: PartName, in place: Folder, _ source: any PartSource, _ selection: Selection, _ effort: inout Effort
  ) throws -> Manifest {
    let started = Date()
    var files: [Manifest.File] = []
    for content in part.kind.contents {
      let columns = try source.columns(content)
      let writer = try ArchiveWriter(part.file(content), in: place, level: options.level, workers: options.workers)
      let rows = try source.copyOut(content, columns, selection) { try writer.write($0) }
      let written = try writer.finish()
      try context.reached(.afterFile)
      let isMain = content == part.kind.contents[0]
      files.append(
        Manifest.File(
          content: content, name: part.file(content), rows: rows, bytes: written.bytes, sha256: written.sha256,
          contentBytes: written.contentBytes, contentSha256: written.contentSha256, leastId: selection.ids.min(),
          greatestId: selection.ids.max(), leastDate: isMain ? TimestampText.text(selection.dates.lowerBound) : nil,
          greatestDate: isMain ? TimestampText.text(selection.dates.upperBound) : nil,
          columns: columns.columns.map { Manifest.Column(name: $0.name, type: $0.type) }))
      effort.rows[content] = rows
      effort.bytes += written.bytes
      effort.contentBytes += written.contentBytes
    }
    guard files.first?.rows == selection.ids.count else { throw PartChanged() }
    effort.writing = Date().timeIntervalSince(started)
    return Manifest(
      part: part, retention: source.words, tenants: selection.tenants.map(\.description),
      encoding: source.connection.serverEncoding == "SQL_ASCII" ? "SQL_ASCII" : "UTF8",
      database: source.connection.server.database, origin: recovery.owners.origin(source.kind), run: Int(record.id),
      program: context.settings.program,
      written: Date().ISO8601Format(), files: files)
  }

  func stopIfInterrupted() throws {
    if context.interruption.isRequested { throw context.retry.interrupted }
  }

  // MARK: Deleting

  /// Deletes exactly the rows that were read. Each child table has its own statement, and the
  /// counts are compared.
  func delete(
    _ source: any PartSource, _ selection: Selection, archive: Int32?, _ rows: [FileContent: Int]?, _ effort: inout Effort
  ) throws {
    let started = Date()
    try context.checkpoint.closeGate(on: context.databases.logs)
    try source.checkBeforeDeletion(selection, archive: archive)
    try context.reached(.beforePurge)
    if source.kind == .callLogs {
      // Queued in the same transaction, removed after the commit.
      try AudioList.add(ofCallLogs: selection.ids, run: record.id, on: source.connection)
      try context.reached(.afterForget)
    }
    for content in source.kind.contents.reversed() {
      let count = try source.delete(content, selection)
      if let rows { guard count == rows[content] else { throw PartChanged() } } else { effort.rows[content] = count }
    }
    try context.reached(.afterPurge)
    effort.deleting = Date().timeIntervalSince(started)
  }

  private func deleteOnly(_ source: any PartSource, _ month: Month, _ effort: inout Effort) throws -> Selection? {
    var attempt = effort
    func work() throws -> Selection? {
      guard let selection = try source.select(month) else { return nil }
      try delete(source, selection, archive: nil, nil, &attempt)
      guard attempt.rows[source.kind.contents[0]] == selection.ids.count else { throw PartChanged() }
      try context.reached(.beforeCommit)
      return selection
    }
    let (databases, purpose) = (context.databases, "Purging \(source.kind.rawValue) of \(month)")
    let selection: Selection?
    if source.kind == .cel, !databases.isOne {
      selection = try databases.logs.transaction(purpose: purpose) {
        let selection = try databases.cels.transaction(.repeatableRead, purpose: purpose, work)
        if let selection { try count(selection, isArchived: false) }
        return selection
      }
    } else {
      selection = try source.connection.transaction(.repeatableRead, purpose: purpose) {
        let selection = try work()
        if let selection { try count(selection, isArchived: false) }
        return selection
      }
    }
    try context.reached(.afterCommit)
    effort = attempt
    return selection
  }

  static func json(_ rows: [FileContent: Int]) -> String {
    "{" + rows.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\"\($0.key.rawValue)\": \($0.value)" }.joined(separator: ", ")
      + "}"
  }
}

extension ArchiveRecord {
  /// The part of the record; nil if the record cannot be read.
  var name: PartName? {
    guard let kind = ArchiveKind(rawValue: kind), let month = Month(month), part > 0 else { return nil }
    return PartName(kind: kind, month: month, number: part)
  }
}
