import Archive
import Foundation
import Runs
import Store
import Values

/// `archive` and `purge`: writes the rows that are due into an archive, part by part, and `purge`
/// then deletes them. It deletes rows only after their archive was written, synced, read back and
/// verified.
public struct ArchiveJob {
  /// The options of a run.
  public struct Options: Sendable {
    /// The folder of the archive; nil to delete without an archive.
    public var folder: String?
    /// Whether the run deletes the rows.
    public var deletes: Bool
    /// The tables.
    public var kinds: [ArchiveKind]
    /// Which rows are due.
    public var retention: Retention
    /// Whether audio files follow the retention of recordings. Only with ``deletes``.
    public var forgetsRecordings = false
    /// The folder of audio files; nil to remove none, so that they wait for a later purge.
    public var recordingsFolder: String?
    /// The only tenant to work on; nil for all.
    public var tenant: UUIDValue?
    /// zstd's effort, 1 to 19.
    public var level = 3
    /// Threads of libzstd beside the job's own.
    public var workers = 1
    /// Rows of the table in one part, which is one transaction.
    public var rows = 100_000
    /// Seconds to pause after a part.
    public var pause = 0.0
    /// Seconds after which no further part begins; nil for no limit.
    public var runTime: Double?
    /// The command line, for the record.
    public var parameters = ""

    /// Makes options with these values.
    public init(folder: String?, deletes: Bool, kinds: [ArchiveKind], retention: Retention) {
      (self.folder, self.deletes, self.kinds, self.retention) = (folder, deletes, kinds, retention)
    }
  }

  /// The result for one table.
  public struct TableSummary: Sendable {
    /// The table.
    public let kind: ArchiveKind
    /// Parts written.
    public var parts = 0
    /// Rows that are in the archive now, by content of file: written, or found there unchanged.
    public var rows: [FileContent: Int] = [:]
    /// Rows among them that an earlier `archive` wrote and that have not changed.
    public var found = 0
    /// Rows of the table that were deleted.
    public var deleted = 0
    /// Bytes of the files written; 0 in a dry run.
    public var bytes = 0
    /// Bytes before compression.
    public var contentBytes = 0
    /// When the oldest of the rows began; nil if there is none.
    public var oldest: Timestamp?
    /// When the newest of the rows began, in microseconds since 2000-01-01 UTC; nil if there is
    /// none.
    public var newest: Int64?
    /// Rows that were due but stay.
    public var kept = KeptRows()
    /// Seconds of reading, compressing and writing.
    public var writing = 0.0
    /// Seconds of reading back.
    public var verifying = 0.0
    /// Seconds of deleting.
    public var deleting = 0.0
    /// The share of the due rows that is done, from 0 to 1; an estimate.
    public var share = 0.0
    /// Seconds since the run began with the table.
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
    /// The recordings that followed their own retention; nil if that was off.
    public var recordings: RecordingsSummary?
    /// The audio files; nil if the run removes none.
    public var audio: AudioSummary?
    /// Whether the time was up before everything was done.
    public var isCutShort = false
  }

  let context: RunContext
  let options: Options
  private let progress: (TableSummary) -> Void

  /// Makes a job on these databases.
  /// - Parameter progress: called after each part
  public init(_ context: RunContext, _ options: Options, progress: @escaping (TableSummary) -> Void = { _ in }) {
    (self.context, self.options, self.progress) = (context, options, progress)
  }

  private var verb: String { options.deletes ? "purge" : "archive" }

  /// Archives the rows, and deletes them if the options say so.
  /// - Throws: ``JobError`` (75) if another archive, purge or restore is running, (78) if the
  ///   folder is another database's; ``FileError`` if a file cannot be written or differs from what
  ///   was written; errors of the server
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
      // Files that an earlier purge left in the queue.
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

  /// Uses the copies of an earlier `archive`, so that unchanged rows are not written again.
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

  /// Warns of copies that have left the folder. The run archives their rows again.
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
      "copies that an earlier archive wrote are not in \(folder) any more: \(missed.count), such as \(first). This run archives their rows again"
    )
  }

  private func checkInterruption(_ name: String, _ parts: Int? = nil) throws {
    guard context.interruption.isRequested else { return }
    let place = parts.map { "after \($0) parts of" } ?? "in"
    throw JobError(
      context.interruption.signal == SIGTERM ? .terminated : .interrupted,
      "interrupted \(place) \(name); what is done is done, the next run goes on from there")
  }

  /// Counts what ``run()`` would do now. Changes nothing.
  /// - Throws: the errors of ``run()``
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
