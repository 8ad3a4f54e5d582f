import Archive
import Foundation
import Store
import Values

/// The recordings' own retention: audio files go, call logs and the rows of recordings stay, without a path.
extension ArchiveJob {
  /// What became of recordings, or would.
  public struct RecordingsSummary: Equatable, Sendable {
    /// Call logs with recordings that were due.
    public var callLogs = 0
    /// Recordings that lost their path.
    public var recordings = 0
    /// Recordings that were due and are left alone, as their call logs were restored not long ago.
    public var keptRestored: Int64 = 0
    /// When the oldest of the calls began; nil where there is none.
    public var oldest: Timestamp?
    /// When the newest did.
    public var newest: Int64?

    mutating func add(_ due: [CallLogTables.DueRecordings]) {
      callLogs += due.count
      recordings += due.reduce(0) { $0 + $1.recordings }
      let dates = due.map(\.date)
      oldest = [oldest, dates.min()].compactMap(\.self).min()
      newest = [newest, dates.max()].compactMap(\.self).max()
    }
  }

  /// Recordings in one transaction: short ones, for chunks of `generate` wait meanwhile.
  private static let batch = 10_000

  /// Which call logs' recordings are due, and which of them are kept.
  private struct Rule {
    let cutoffs: CallLogTables.Cutoffs
    let kept: IDSet
    var summary = RecordingsSummary()

    init(_ job: ArchiveJob) throws {
      let logs = job.context.databases.logs
      let now = try CallLogTables.now(on: logs)
      cutoffs = try job.options.retention.due(.recordings, only: job.options.tenant, now: now, on: logs).cutoffs
      kept = try RestoredRows.kept(kind: ArchiveKind.callLogs.rawValue, on: logs)
      summary.keptRestored = try CallLogTables.countDueRecordings(cutoffs, among: kept.ranges, on: logs)
    }
  }

  /// Forgets the paths of recordings that are due; their files are removed after each commit.
  /// - Parameter goesOn: whether there is time for more
  func forgetRecordings(_ removal: AudioRemoval?, _ record: RunRecord, goesOn: () throws -> Bool) throws -> RecordingsSummary {
    var rule = try context.retry { try Rule(self) }
    var last: Int32 = 0
    while try goesOn() {
      // Forgotten, and not known yet whether that is committed.
      var pending: [CallLogTables.DueRecordings] = []
      let greatest = try context.retry {
        let page = try forget(rule.cutoffs, rule.kept, after: last, record) { due in
          // All of them are due still, or none.
          if due.first?.callLog != pending.first?.callLog { rule.summary.add(pending) }
          pending = due
        }
        if !page.due.isEmpty { try context.reached(.afterCommit) }
        return page.last
      }
      rule.summary.add(pending)
      guard let greatest else { break }
      last = greatest
      guard !pending.isEmpty else { continue }
      try removal?.workOff()
      if options.pause > 0 { context.retry.pause(options.pause) }
    }
    return rule.summary
  }

  /// - Parameter begins: called with what was found, before it is changed
  private func forget(
    _ cutoffs: CallLogTables.Cutoffs, _ kept: IDSet, after last: Int32, _ record: RunRecord,
    _ begins: ([CallLogTables.DueRecordings]) -> Void
  ) throws -> (due: [CallLogTables.DueRecordings], last: Int32?) {
    let logs = context.databases.logs
    return try logs.transaction(.repeatableRead, purpose: "Forgetting audio files") {
      let page = try CallLogTables.dueRecordings(
        cutoffs, after: last, besides: kept.ranges, limit: min(options.rows, ArchiveJob.batch), on: logs)
      begins(page.due)
      guard !page.due.isEmpty else { return page }
      // A chunk that makes such a call log again would bring the path back.
      try context.checkpoint.closeGate(on: logs)
      let count = try AudioList.forget(ofCallLogs: page.due.map { Int64($0.callLog) }, run: record.id, on: logs)
      try context.reached(.afterForget)
      try record.count("{\"recordings_forgotten\": \(count)}", on: logs)
      try context.reached(.beforeCommit)
      return page
    }
  }

  /// What ``forgetRecordings(_:_:goesOn:)`` would do. Changes nothing.
  func dryForget(_ preview: inout AudioPreview?) throws -> RecordingsSummary {
    var rule = try Rule(self)
    // What goes with its call log does not go once more.
    let besides = IDSet(rule.kept.ranges + (preview?.forgotten.ranges ?? []))
    var last: Int32 = 0
    while true {
      let page = try CallLogTables.dueRecordings(
        rule.cutoffs, after: last, besides: besides.ranges, limit: min(options.rows, ArchiveJob.batch),
        on: context.databases.logs)
      guard let greatest = page.last else { return rule.summary }
      last = greatest
      rule.summary.add(page.due)
      try preview?.forget(page.due.map { Int64($0.callLog) })
    }
  }
}
