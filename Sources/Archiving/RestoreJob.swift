import Archive
import CallLogs
import Files
import Foundation
import PostgreSQL
import Runs
import Store
import Values

/// `restore`: puts archived rows back into their tables. It verifies everything before it writes a
/// row, and leaves existing rows alone.
public struct RestoreJob {
  /// The options of a run.
  public struct Options: Sendable {
    /// The folder of the archive.
    public var folder: String
    /// The tables.
    public var kinds: [ArchiveKind]
    /// Which rows.
    public var filter = ArchiveRestore.Filter()
    /// Files whose parts are restored: absolute paths, or relative to the folder. Empty for all
    /// parts.
    public var files: [String] = []
    /// Whether a database that has archives of its own also accepts parts of another one.
    public var takesOtherDatabases = false
    /// Seconds for which `purge` leaves restored rows alone.
    public var keepFor = 30 * 86_400.0
    /// The command line, for the record.
    public var parameters = ""

    /// Makes options with these values.
    public init(folder: String, kinds: [ArchiveKind]) { (self.folder, self.kinds) = (folder, kinds) }
  }

  /// The result for one table.
  public struct TableSummary: Sendable {
    /// The table.
    public let kind: ArchiveKind
    /// Parts read.
    public var parts = 0
    /// Rows of the table that are back; in a dry run, the rows of the parts.
    public var restored = 0
    /// Rows that existed already and were left alone.
    public var existing = 0
  }

  private let context: RunContext
  private let options: Options
  private let progress: (String) -> Void

  /// Makes a job on these databases.
  /// - Parameter progress: called with a line on the step that was just done
  public init(_ context: RunContext, _ options: Options, progress: @escaping (String) -> Void = { _ in }) {
    (self.context, self.options, self.progress) = (context, options, progress)
  }

  /// Verifies the files, then restores the rows.
  /// - Throws: ``FileError`` for a damaged file, before any row is written; ``JobError`` (75) if
  ///   another archive, purge or restore is running, (78) if parts are another database's; errors
  ///   of the server
  public func run() throws -> [TableSummary] {
    let lock = try ArchiveLock(context)
    defer { lock.release() }
    let folder = try ArchiveFolder.existing(options.folder)
    return try context.recorded("restore", options.parameters) { record in
      let recovery = try ArchiveRecovery(context)
      try context.retry { _ = try recovery.settle() }
      try context.retry { try recovery.takeUpIfFree(options.folder) }
      let parts = try chosen(folder)
      try recovery.owners.check(parts, takesOthers: options.takesOtherDatabases, context)
      var journal = try ArchiveJournal(context, verb: "restore", parameters: options.parameters, run: record.id)
      try verify(parts, in: folder)
      var tables = options.kinds.map { TableSummary(kind: $0) }
      try moveSequences(past: parts)
      for (part, manifest) in parts {
        try stopIfInterrupted()
        guard let index = tables.firstIndex(where: { $0.kind == part.kind }) else { continue }
        tables[index].parts += 1
        // Includes parts that an interrupted run restored. Their rows are left alone, unless they
        // have gone since.
        let outcome = try again { try restore(part, manifest, folder, recovery.home, record) }
        tables[index].restored += outcome.restored
        tables[index].existing += outcome.existing
        if outcome.taken > 0 {
          context.log.warning(
            "\(part): rows whose ids belong to other calls now stay in the archive: \(outcome.taken)")
        }
        try journal.note(restored: part, rows: outcome.restored)
        progress("\(part): \(outcome.restored) rows restored, \(outcome.existing) were there")
      }
      try journal.end()
      return tables
    }
  }

  /// Verifies the files and counts the rows of the parts. Changes nothing.
  /// - Throws: the errors of ``run()``
  public func dryRun() throws -> [TableSummary] {
    let folder = try ArchiveFolder.existing(options.folder)
    let parts = try chosen(folder)
    try context.retry { try PartOwners(context) }.check(parts, takesOthers: options.takesOtherDatabases, context)
    try verify(parts, in: folder)
    return options.kinds.map { kind in
      var table = TableSummary(kind: kind)
      for (part, manifest) in parts where part.kind == kind {
        table.parts += 1
        table.restored += manifest.rows
      }
      return table
    }
  }

  private func verify(_ parts: [(PartName, Manifest)], in folder: ArchiveFolder) throws {
    for (part, manifest) in parts {
      try folder.verify(manifest, of: part, stop: stopIfInterrupted)
      for target in try targets(part, manifest) {
        try ArchiveRestore.check(target, on: part.kind == .cel ? context.databases.cels : context.databases.logs)
      }
      progress("\(part): verified")
    }
  }

  private func stopIfInterrupted() throws {
    if context.interruption.isRequested { throw context.retry.interrupted }
  }

  /// The selected parts, by month. The newest of a month comes first: if two parts hold the same
  /// row, the newer version is restored.
  private func chosen(_ folder: ArchiveFolder) throws -> [(PartName, Manifest)] {
    let contents = try folder.contents()
    if contents.parts.isEmpty { throw ArchiveFolder.noPart(in: options.folder) }
    var names = contents.parts.filter { options.kinds.contains($0.kind) }
    if !options.files.isEmpty {
      var wanted: Set<PartName> = []
      for file in options.files { wanted.insert(try part(file, contents.parts, folder)) }
      names = names.filter(wanted.contains)
      for part in wanted where !options.kinds.contains(part.kind) {
        throw JobError(.usage, "\(part) is of the table \(part.kind.rawValue), which --table leaves out")
      }
    }
    names = names.filter { part in
      // CELs of a call may lie in the months after its beginning.
      (options.filter.to.map { part.month.start < $0 } ?? true)
        && (part.kind == .cel || options.filter.from.map { part.month.end > $0 } ?? true)
    }
    names.sort { ($0.kind.rawValue, $0.month, -$0.number) < ($1.kind.rawValue, $1.month, -$1.number) }
    var parts: [(PartName, Manifest)] = []
    for name in names {
      let manifest = try folder.manifest(of: name)
      if let tenant = options.filter.tenant, !manifest.tenants.contains(tenant.description) { continue }
      if let from = options.filter.from, let dates = manifest.dates, dates.upperBound < from { continue }
      if let to = options.filter.to, let dates = manifest.dates, dates.lowerBound >= to { continue }
      parts.append((name, manifest))
    }
    return parts
  }

  private func part(_ file: String, _ parts: [PartName], _ folder: ArchiveFolder) throws -> PartName {
    let pieces = file.split(separator: "/").map(String.init)
    guard !pieces.contains(".."), let name = pieces.last else {
      throw JobError(.usage, "\(file) is not the path of a file in the archive")
    }
    let found = parts.filter { part in
      (part.files + [part.manifest]).contains(name) && (pieces.count < 4 || pieces.suffix(4).dropLast() == part.folders[...])
    }
    guard found.count == 1, let part = found.first else {
      throw FileError(
        .damaged,
        "\(file) does not belong to a part with a manifest in \(folder.root.path); `wazo-call-logs archives list` lists the parts"
      )
    }
    return part
  }

  private func targets(_ part: PartName, _ manifest: Manifest) throws -> [ArchiveRestore.Target] {
    try manifest.files.map { file in
      let target = ArchiveRestore.Target(
        table: file.content.part?.rawValue ?? context.table.name, columns: file.columns.map(\.name))
      for column in file.content.neededColumns where !target.columns.contains(column) {
        throw FileError(.damaged, "the manifest \(part) has no column \(column) in \(file.name)")
      }
      return target
    }
  }

  /// Moves the sequences of ids past those that come back, before the first row does. Then waits
  /// for everyone who took one of these ids before. So the server refuses no row of Asterisk or of
  /// Wazo's daemon because its id came back meanwhile.
  private func moveSequences(past parts: [(PartName, Manifest)]) throws {
    for kind in options.kinds {
      let greatest = parts.filter { $0.0.kind == kind }.compactMap { $0.1.files.first?.greatestId }.max()
      func connection() -> Connection { kind == .cel ? context.databases.cels : context.databases.logs }
      let found = try context.retry { kind == .cel ? IDSequence(of: context.table) : try IDSequence(ofCallLogs: connection()) }
      guard let greatest, let sequence = found else { continue }
      let writers = try context.retry { try sequence.raise(to: greatest, on: connection()) }
      let deadline = Date().addingTimeInterval(max(context.retry.seconds, 1))
      while true {
        let left = writers.isEmpty ? [] : try context.retry { try sequence.left(of: writers, on: connection()) }
        guard let first = left.first else { break }
        try stopIfInterrupted()
        guard Date() < deadline else {
          throw JobError(
            .busy,
            "\(first) has been writing to the restored table for longer than \(Int(context.retry.seconds)) seconds and may have taken ids of archived rows. Nothing was restored; try again when it has ended"
          )
        }
        context.retry.pause(0.05)
      }
    }
  }

  /// Retries after errors that allow it, and if somebody wrote a row of the same id at the same
  /// time.
  private func again<T>(_ body: () throws -> T) throws -> T {
    var conflicts = 0
    while true {
      do {
        return try context.retry(body)
      } catch let error as PostgreSQLError where error.sqlState == .uniqueViolation && conflicts < 5 {
        conflicts += 1
        context.log.info("somebody wrote a row of the same id at the same time; trying again: \(error)")
      }
    }
  }

  private func restore(
    _ part: PartName, _ manifest: Manifest, _ folder: ArchiveFolder, _ home: ArchiveRecord.Home, _ record: RunRecord
  ) throws -> ArchiveRestore.Outcome {
    guard let place = try folder.folder(of: part) else {
      throw FileError(.inputOutput, "the folder of \(folder.root.path)/\(part) is gone")
    }
    guard let main = manifest.files.first, main.rows > 0, let least = main.leastId, let greatest = main.greatestId,
      least <= greatest
    else { return ArchiveRestore.Outcome() }
    let targets = try targets(part, manifest)
    func feed(_ number: Int, _ sink: (UnsafeRawBufferPointer) throws -> Void) throws {
      // Reads and compares every byte again. If the file has changed, nothing of the part is
      // committed.
      try ArchiveReader.read(manifest.files[number], in: place, stop: stopIfInterrupted, sink: sink)
    }
    let filter = filter(for: manifest, part.kind)
    let (logs, purpose) = (context.databases.logs, "Restoring \(part)")
    func work(_ connection: Connection) throws -> ArchiveRestore.Outcome {
      try context.reached(.beforeRestore)
      let restore = try ArchiveRestore(on: connection)
      if manifest.encoding != "UTF8" { try restore.setEncoding(manifest.encoding) }
      let outcome: ArchiveRestore.Outcome
      if part.kind == .cel {
        outcome = try restore.cels(context.table, targets[0], filter: filter, ids: least...greatest, feed)
      } else {
        guard let dates = manifest.dates else { throw FileError(.damaged, "the manifest \(part) has no dates") }
        outcome = try restore.callLogs(
          targets, filter: filter, dates: dates, tenants: manifest.tenants.compactMap { UUIDValue($0) },
          feed)
      }
      try context.reached(.afterRestore)
      return outcome
    }
    func note(_ outcome: ArchiveRestore.Outcome, on connection: Connection) throws {
      try RestoredRows.note(kind: part.kind.rawValue, ids: outcome.ids, keptFor: options.keepFor, on: connection)
    }
    let outcome = try logs.transaction(purpose: purpose) {
      try context.checkpoint.closeGate(on: logs)
      var outcome: ArchiveRestore.Outcome
      if part.kind == .cel, !context.databases.isOne {
        outcome = try context.databases.cels.transaction(purpose: purpose) {
          let outcome = try work(context.databases.cels)
          // Before others can see the rows: a purge in between must not take them, and rows that
          // are not done must not count as done. The gate stays closed meanwhile.
          try context.databases.side.transaction(purpose: purpose) {
            try note(outcome, on: context.databases.side)
            try RestoredCELs(context, cels: context.databases.cels, logs: context.databases.side).settle(outcome.ids)
          }
          return outcome
        }
      } else {
        outcome = try work(logs)
        try note(outcome, on: logs)
        if part.kind == .cel {
          try RestoredCELs(context, cels: logs, logs: logs).settle(outcome.ids)
        } else {
          // What may have changed since is checked against the CELs: now, or when they come back.
          let older = try CallLogTables.notNewest(
            among: BinaryArray(strings: CallLogTables.conversations(of: outcome.ids, on: logs)), inPart: part.number,
            of: "\(part.month)", run: manifest.run, on: logs)
          try context.checkpoint.noteLate(BinaryArray(strings: older), on: logs)
          try CallLogTables.forgetPurged(ofCallLogs: outcome.ids, on: logs)
          try RestoredCELs(context, cels: context.databases.cels, logs: logs).settle(callLogs: outcome.ids)
        }
      }
      if filter.isEmpty {
        try ArchiveRecord.setCopied(
          kind: part.kind.rawValue, month: "\(part.month)", part: part.number, folder: options.folder, home: home, on: logs)
      }
      try record.count("{\"\(part.kind == .cel ? "cels" : "call_logs")_restored\": \(outcome.restored)}", on: logs)
      try context.reached(.beforeCommit)
      return outcome
    }
    try context.reached(.afterCommit)
    return outcome
  }

  /// The filter, without those bounds that the whole part satisfies anyway.
  private func filter(for manifest: Manifest, _ kind: ArchiveKind) -> ArchiveRestore.Filter {
    var filter = options.filter
    if let dates = manifest.dates {
      if let from = filter.from, dates.lowerBound >= from { filter.from = nil }
      if let to = filter.to, dates.upperBound < to { filter.to = nil }
    }
    if let tenant = filter.tenant, manifest.tenants == [tenant.description] { filter.tenant = nil }
    return filter
  }
}

extension Manifest {
  /// The time of the first and the last row; nil if that cannot be read.
  var dates: ClosedRange<Timestamp>? {
    func time(_ text: String?) -> Int64? {
      guard var text else { return nil }
      return text.withUTF8 { bytes in
        if case .instant(let time)? = TimestampText.parse(Text(UnsafeRawBufferPointer(bytes))) { return time }
        return nil
      }
    }
    guard let least = time(files.first?.leastDate), let greatest = time(files.first?.greatestDate), least <= greatest else {
      return nil
    }
    return least...greatest
  }
}
