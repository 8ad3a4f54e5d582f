import Archive
import Foundation
import Runs
import Store
import Values

/// `archive` and `purge`: writes what is due into an archive's folder, part by part, and deletes it then. Nothing is deleted before its archive was written, synced, read back and verified.
public struct ArchiveJob {
  /// What is asked for.
  public struct Options: Sendable {
    /// The archive's folder; nil where nothing is to be archived, only deleted.
    public var folder: String?
    /// Whether the rows are deleted.
    public var deletes: Bool
    /// The tables.
    public var kinds: [ArchiveKind]
    /// Which rows are due.
    public var retention: Retention
    /// Whether audio files go by the recordings' own retention; only where rows are deleted.
    public var forgetsRecordings = false
    /// The folder of audio files; nil where none are removed, so that they wait for a purge that does.
    public var recordingsFolder: String?
    /// The tenant to which it is restricted; nil for all.
    public var tenant: UUIDValue?
    /// zstd's effort.
    public var level = 3
    /// Threads of libzstd beside the job's own.
    public var workers = 1
    /// Rows of the table in one part, which is one transaction.
    public var rows = 100_000
    /// Seconds to pause after a part.
    public var pause = 0.0
    /// Seconds after which no further part is begun; nil for no limit.
    public var runTime: Double?
    /// How it was asked for, for the record.
    public var parameters = ""

    /// Options of these values.
    public init(folder: String?, deletes: Bool, kinds: [ArchiveKind], retention: Retention) {
      (self.folder, self.deletes, self.kinds, self.retention) = (folder, deletes, kinds, retention)
    }
  }

  /// What became of one table's rows.
  public struct TableSummary: Sendable {
    /// The table.
    public let kind: ArchiveKind
    /// Parts written.
    public var parts = 0
    /// Rows by content of file that are in the archive now: written, or found there as they are.
    public var rows: [FileContent: Int] = [:]
    /// Rows among them that an earlier `archive` had written, and that had not changed.
    public var found = 0
    /// Rows of the table that were deleted.
    public var deleted = 0
    /// Length of the files written, in bytes; of a dry run 0.
    public var bytes = 0
    /// Length of what was compressed.
    public var contentBytes = 0
    /// When the oldest of the rows began; nil where there is none.
    public var oldest: Timestamp?
    /// When the newest did.
    public var newest: Int64?
    /// What was due and left alone.
    public var kept = KeptRows()
    /// Seconds of reading, compressing and writing.
    public var writing = 0.0
    /// Seconds of reading back.
    public var verifying = 0.0
    /// Seconds of deleting.
    public var deleting = 0.0
    /// The share of what is due that is done, from 0 to 1; an estimate.
    public var share = 0.0
    /// Seconds since the table was begun.
    public var seconds = 0.0

    mutating func add(_ selection: Selection) {
      oldest = [oldest, selection.dates.lowerBound].compactMap(\.self).min()
      newest = [newest, selection.dates.upperBound].compactMap(\.self).max()
    }
  }

  /// What a run did, or would do.
  public struct Summary: Sendable {
    /// By table.
    public var tables: [TableSummary] = []
    /// Of the recordings' own retention; nil where it was not asked for.
    public var recordings: RecordingsSummary?
    /// Of audio files; nil where none are removed.
    public var audio: AudioSummary?
    /// Whether the time was up before everything was done.
    public var isCutShort = false
  }

  let context: RunContext
  let options: Options
  private let progress: (TableSummary) -> Void

  /// A job on these databases.
  /// - Parameter progress: called after each part
  public init(_ context: RunContext, _ options: Options, progress: @escaping (TableSummary) -> Void = { _ in }) {
    (self.context, self.options, self.progress) = (context, options, progress)
  }

  private var verb: String { options.deletes ? "purge" : "archive" }

  /// Archives, and deletes where that is asked for.
  /// - Throws: ``JobError`` (75) where another archive, purge or restore is running, (78) where the folder is another database's; ``FileError`` where the files cannot be written or are not what was written; what the server says.
  public func run() throws -> Summary {
    let lock = try ArchiveLock(context)
    defer { lock.release() }
    let recovery = try ArchiveRecovery(context)
    try recovery.owners.check(options.folder)
    return try context.recorded(verb, options.parameters) { record in
      var journal = try ArchiveJournal(context, verb: verb, parameters: options.parameters, run: record.id)
      try context.retry { _ = try recovery.settle() }
      try context.retry { try context.makeRecordedLinks(always: true) }
      try context.retry { try RestoredRows.forgetOld(on: context.databases.logs) }
      let folder = try options.folder.map { try recovery.locks.open($0, creates: true) }
      if let folder { try context.retry { try recovery.takeUp(folder) } }
      let end = options.runTime.map { Date().addingTimeInterval($0) }
      let removal = options.deletes ? options.recordingsFolder.map { AudioRemoval(context, $0, record) } : nil
      // What an earlier purge has left.
      try removal?.workOff()
      var summary = Summary()
      for kind in options.kinds where kind == .callLogs {
        try run(kind, folder, recovery, record, removal, &journal, &summary, end)
      }
      if options.deletes, options.forgetsRecordings {
        let recordings = try forgetRecordings(removal, record) {
          try checkInterruption("recordings")
          summary.isCutShort = summary.isCutShort || end.map { Date() >= $0 } ?? false
          return !summary.isCutShort
        }
        try journal.note("recordings", rows: recordings.recordings)
        summary.recordings = recordings
      }
      for kind in options.kinds where kind != .callLogs {
        try run(kind, folder, recovery, record, removal, &journal, &summary, end)
      }
      try removal?.end()
      summary.audio = removal?.summary
      try journal.end()
      return summary
    }
  }

  private func run(
    _ kind: ArchiveKind, _ folder: ArchiveFolder?, _ recovery: ArchiveRecovery, _ record: RunRecord, _ removal: AudioRemoval?,
    _ journal: inout ArchiveJournal, _ summary: inout Summary, _ end: Date?
  ) throws {
    var table = TableSummary(kind: kind)
    let began = Date()
    var source = try context.retry { try self.source(kind) }
    let writer = PartWriter(context, options, folder, recovery, record)
    try takeCopies(&source, writer, removal, &table, &summary, end)
    while !summary.isCutShort, let month = try context.retry({ try source.nextMonth() }) {
      try checkInterruption(kind.rawValue, table.parts)
      if let done = try writer.write(source, month, &table) {
        source.advance(past: done)
        table.add(done)
        (table.share, table.seconds) = (source.share, Date().timeIntervalSince(began))
        progress(table)
        try journal.note(table, month)
        if kind == .callLogs { try removal?.workOff() }
        if options.pause > 0 { context.retry.pause(options.pause) }
      }
      summary.isCutShort = end.map { Date() >= $0 } ?? false
    }
    table.kept = source.kept
    summary.tables.append(table)
  }

  /// Rows that an earlier `archive` copied, and that have not changed since, are not written again.
  private func takeCopies(
    _ source: inout any PartSource, _ writer: PartWriter, _ removal: AudioRemoval?, _ table: inout TableSummary,
    _ summary: inout Summary, _ end: Date?
  ) throws {
    guard let folder = options.folder else { return }
    let copies = try context.retry {
      try ArchiveRecord.copies(kind: source.kind.rawValue, folder: folder, on: context.databases.logs)
    }
    var gone: [ArchiveRecord] = []
    for copy in copies where !summary.isCutShort {
      try checkInterruption(source.kind.rawValue, table.parts)
      guard try PartWriter.isThere(copy, writer.folder) else {
        gone.append(copy)
        continue
      }
      if let same = try writer.take(copy, source, &table) {
        if !options.deletes { source.besides = IDSet(source.besides.ranges + same.ids.ranges) }
        table.add(same)
        progress(table)
        if source.kind == .callLogs { try removal?.workOff() }
        if options.deletes, options.pause > 0 { context.retry.pause(options.pause) }
      }
      summary.isCutShort = end.map { Date() >= $0 } ?? false
    }
    try warn(of: gone, source, folder)
  }

  /// Names copies that are not in the folder any more and whose rows are therefore archived again.
  private func warn(of gone: [ArchiveRecord], _ source: any PartSource, _ folder: String) throws {
    let missed = try gone.filter { copy in
      let same = try context.retry {
        try source.connection.transaction(.readOnly, purpose: "Looking what was archived") {
          try PartWriter.unchanged(copy, source)
        }
      }
      return same.map { !$0.ids.allSatisfy(source.besides.contains) } ?? false
    }
    guard let first = missed.first?.name else { return }
    context.log.warning(
      "copies that an earlier archive wrote are not in \(folder) any more: \(missed.count), such as \(first). Their rows are archived again"
    )
  }

  private func checkInterruption(_ name: String, _ parts: Int? = nil) throws {
    guard context.interruption.isRequested else { return }
    let place = parts.map { "after \($0) parts of" } ?? "in"
    throw JobError(
      context.interruption.signal == SIGTERM ? .terminated : .interrupted,
      "interrupted \(place) \(name); what is done is done, the next run goes on from there")
  }

  /// What ``run()`` would do now. Changes nothing.
  public func dryRun() throws -> Summary {
    try context.retry { try PartOwners(context).check(options.folder) }
    var summary = try context.retry {
      try context.databases.logs.transaction(.readOnly, purpose: "Looking what is due") {
        var summary = Summary()
        var audio = options.deletes ? try options.recordingsFolder.map { try AudioPreview(context, $0) } : nil
        if options.kinds.contains(.callLogs) { summary.tables.append(try preview(.callLogs, &audio)) }
        if options.deletes, options.forgetsRecordings { summary.recordings = try dryForget(&audio) }
        summary.audio = audio?.summary
        return summary
      }
    }
    if options.kinds.contains(.cel) {
      let table = try context.retry {
        try context.databases.cels.transaction(.readOnly, purpose: "Looking what is due") {
          var nothing: AudioPreview?
          return try preview(.cel, &nothing)
        }
      }
      summary.tables.append(table)
    }
    return summary
  }

  private func preview(_ kind: ArchiveKind, _ audio: inout AudioPreview?) throws -> TableSummary {
    var table = TableSummary(kind: kind)
    var source = try source(kind)
    func add(_ selection: Selection) throws {
      for content in kind.contents { table.rows[content, default: 0] += try source.count(content, selection) }
      if options.deletes { table.deleted += selection.ids.count }
      table.add(selection)
      try audio?.forget(selection.ids)
    }
    if let folder = options.folder {
      let archive = try? ArchiveFolder(folder)
      for copy in try ArchiveRecord.copies(kind: kind.rawValue, folder: folder, on: context.databases.logs)
      where try PartWriter.isThere(copy, archive) {
        guard let same = try PartWriter.unchanged(copy, source) else { continue }
        try add(same)
        table.found += same.ids.count
        source.besides = IDSet(source.besides.ranges + same.ids.ranges)
      }
    }
    while let month = try source.nextMonth() {
      guard let selection = try source.select(month) else { break }
      try add(selection)
      table.parts += 1
      source.advance(past: selection)
    }
    table.kept = source.kept
    return table
  }

  private func source(_ kind: ArchiveKind) throws -> any PartSource {
    let now = try CallLogTables.now(on: context.databases.logs)
    return switch kind {
    case .callLogs:
      try CallLogSource(context, options.retention, tenant: options.tenant, now: now, limit: options.rows)
    case .cel: try CELSource(context, options.retention, now: now, limit: options.rows)
    }
  }
}
