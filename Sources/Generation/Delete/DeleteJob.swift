import Logging
import PostgreSQL
import Runs
import Store
import Values

/// `delete`: removes call logs and uncovers their CELs, so that a later run makes them again.
public struct DeleteJob {
  /// The call logs to delete.
  public enum Extent: Equatable, Sendable {
    /// All, of every tenant.
    case all
    /// Those that began in the last N days (24 hours each). Older ones stay.
    case lastDays(Int)
    /// Those that began at or after `from` and before `to`, in microseconds since 2000-01-01 UTC;
    /// nil for no bound.
    case dates(from: Int64?, to: Int64?)
  }

  /// The progress of a deletion.
  public struct Progress: Sendable {
    /// Call logs deleted so far.
    public var callLogs: Int
    /// How many there were; nil if nobody counted, since that takes as long as the search.
    public var total: Int64?
  }

  let context: RunContext
  private let progress: (Progress) -> Void
  /// Call logs in one transaction.
  let batch: Int

  /// Makes a job on these databases.
  /// - Parameters:
  ///   - batch: call logs in one transaction, 1 or more
  ///   - progress: called after each transaction
  public init(_ context: RunContext, batch: Int = 10_000, progress: @escaping (Progress) -> Void = { _ in }) {
    self.context = context
    self.batch = batch
    self.progress = progress
  }

  /// Checks for a database without the table of call logs: there is nothing to delete and nothing
  /// to prepare. Changes nothing.
  /// - Returns: the name of such a database; nil if the table exists
  /// - Throws: ``StoreError`` if there is no CEL table, either
  public static func databaseWithoutCallLogs(
    _ settings: RunContext.Settings, interruption: Interruption, log: Logger
  ) throws -> String? {
    let retry = Retry(seconds: settings.retryFor, interruption: interruption, log: log, databases: nil, hadServer: false)
    return try retry {
      let databases = try Databases(settings.databases, interruption: interruption, log: log)
      defer { databases.close() }
      if try CallLogTables.exist(on: databases.logs) { return nil }
      // A database without either table is the wrong one.
      _ = try CELTable.find(settings.celTable, timeZone: settings.celTimeZone, on: databases.cels)
      return databases.logs.server.database
    }
  }

  /// Deletes the call logs and the links to them, some thousands in each transaction.
  /// - Returns: what was deleted
  /// - Throws: ``JobError`` if the run was interrupted or retries ran out. Committed steps stay.
  public func run(_ extent: Extent) throws -> Summary {
    try context.recorded("delete", extent.parameters) { try run(extent, $0) }
  }

  private func run(_ extent: Extent, _ record: RunRecord) throws -> Summary {
    let dates = try context.retry { try self.dates(of: extent) }
    var summary = Summary()
    var greatest: Int32?
    let total = extent == .all ? try context.retry { try CallLogTables.count(on: context.databases.logs) } : nil
    while true {
      if context.interruption.isRequested {
        throw JobError(.interrupted, "interrupted after \(summary.callLogs) call logs; what is deleted is deleted for good")
      }
      let some = try context.retry { try deleteSome(extent, dates, record, &greatest) }
      summary.add(some)
      if some.callLogs == 0 { break }
      try context.retry { try context.makeRecordedLinks(always: true) }
      progress(Progress(callLogs: summary.callLogs, total: total))
    }
    if extent == .all { try unlinkTheRest(greatest, &summary) }
    // Outside of the transactions, for which others wait: the count is only information.
    let uncovered = IDSet(summary.uncovered).ranges
    summary.uncoveredCELs = try context.retry { try context.table.count(in: uncovered, on: context.databases.cels) }
    let last = try context.retry { try Checkpoint.read(context.table.identity, on: context.databases.logs) }
    if summary.callLogs > 0, let last {
      var mirror = CheckpointMirror(context)
      mirror.write(last, isEnd: true)
    }
    return summary
  }

  /// The dates of an extent, as of now.
  func dates(of extent: Extent) throws -> (from: Int64?, to: Int64?) {
    switch extent {
    case .all: (nil, nil)
    case .lastDays(let days): (try CallLogTables.time(daysAgo: days, on: context.databases.logs), nil)
    case .dates(let from, let to): (from, to)
    }
  }

  /// - Parameter greatest: set to the last id of a call log, once all are gone
  private func deleteSome(
    _ extent: Extent, _ dates: (from: Int64?, to: Int64?), _ record: RunRecord, _ greatest: inout Int32?
  ) throws -> Summary {
    // A recorded link would be made after its call log is gone.
    try context.makeRecordedLinks(always: true)
    let some = try context.databases.logs.transaction(purpose: "Deleting call logs") {
      try context.checkpoint.closeGate(on: context.databases.logs)
      let locked = try context.checkpoint.locked(on: context.databases.logs)
      let logs = try CallLogTables.newest(batch, from: dates.from, to: dates.to, on: context.databases.logs)
      guard !logs.isEmpty else {
        var none = Summary()
        // No chunk is at work here, so every later call log is newer than this deletion.
        if extent == .all {
          none.uncovered = try uncoverEverything(locked)
          greatest = try CallLogTables.lastID(on: context.databases.logs)
        }
        return none
      }
      let ids = logs.map(\.id)
      var some = try Summary(of: logs, on: context.databases.logs)
      if extent == .all {
        // In one step, so that an interruption leaves no covered CELs beside uncovered ones of
        // one call.
        some.uncovered = try uncoverEverything(locked)
      } else if let range = try uncover(logs) {
        some.uncovered = locked.coverage.parts(in: range)
      }
      try context.reached(.beforeDelete)
      some.unlinkedCELs = Int64(try unlink(ids))
      some.callLogs = try CallLogTables.delete(ids, on: context.databases.logs)
      try record.count("{\"call_logs_deleted\": \(some.callLogs)}", on: context.databases.logs)
      try context.reached(.afterDelete)
      try context.reached(.beforeCommit)
      return some
    }
    if some.callLogs > 0 { try context.reached(.afterCommit) }
    return some
  }

  /// Uncovers the CELs of these call logs and all ids between them. Notes the conversations that
  /// reach out of that range: the chunk that covers it again does not see all of them.
  /// - Returns: the range of ids, covered or not.
  private func uncover(_ logs: [CallLogTables.Stored]) throws -> ClosedRange<Int64>? {
    let (table, databases) = (context.table, context.databases)
    guard let range = try celRange(of: logs) else { return nil }
    try context.checkpoint.noteReaching(try table.linkedids(reachingBeyond: range, on: databases.cels), on: databases.logs)
    try context.checkpoint.uncover([range.lowerBound..<range.upperBound + 1], on: databases.logs)
    return range
  }

  /// The ids from the least to the greatest CEL of these call logs.
  func celRange(of logs: [CallLogTables.Stored]) throws -> ClosedRange<Int64>? {
    try context.table.celRange(
      ofConversations: logs.map(\.conversationID).filter { !$0.isEmpty }, callLogs: logs.map(\.id), on: context.databases.cels)
  }

  /// - Returns: the ids that were covered.
  private func uncoverEverything(_ locked: Checkpoint) throws -> [Range<Int64>] {
    if !locked.coverage.isEmpty { try context.checkpoint.uncover(locked.coverage.ranges, on: context.databases.logs) }
    try context.checkpoint.forgetAllReaching(on: context.databases.logs)
    return locked.coverage.ranges
  }

  /// - Returns: how many CELs pointed to these call logs.
  private func unlink(_ ids: [Int32]) throws -> Int {
    guard context.table.canSetCallLogID else { return 0 }
    if context.databases.isOne, context.linksCELs { return try context.table.unlink(ids, on: context.databases.cels) }
    // A chunk may have recorded links before the gate was closed that are not made yet.
    let recorded = context.databases.isOne ? [:] : try context.checkpoint.recordedLinks(on: context.databases.logs)
    // A role that makes no links may lack the right to change CELs, and mostly there is nothing
    // to change.
    var linked = try context.table.linked(to: ids, on: context.databases.cels).filter { recorded[$0] == nil }
    let gone = Set(ids)
    linked += recorded.filter { gone.contains($0.value) }.keys
    guard !linked.isEmpty else { return 0 }
    if context.databases.isOne {
      return try context.table.unlink(ids, on: context.databases.cels)
    } else {
      linked.sort()
      try context.checkpoint.recordLinks(linked, to: Array(repeating: 0, count: linked.count), on: context.databases.logs)
      return linked.count
    }
  }

  /// Clears all links to deleted call logs after `delete -A`, whoever deleted them.
  /// - Parameter last: the last id of a call log, once all were gone
  private func unlinkTheRest(_ last: Int32?, _ summary: inout Summary) throws {
    guard try context.retry({ try context.table.hasLinks(on: context.databases.cels) }) else { return }
    // The other database does not say which call logs exist. Later call logs have greater ids.
    let greatest = context.databases.isOne ? nil : last ?? 0
    var isAny = false
    while true {
      if context.interruption.isRequested {
        throw JobError(.interrupted, "interrupted; every call log is deleted, but some CELs still point to them")
      }
      let count = try context.retry {
        try context.databases.logs.transaction(purpose: "Unlinking CELs") {
          try context.checkpoint.closeGate(on: context.databases.logs)
          let locked = try context.checkpoint.locked(on: context.databases.logs)
          let count = try context.table.unlinkSome(batch * 5, upTo: greatest, on: context.databases.cels)
          isAny = isAny || count > 0
          // A chunk in between took these CELs for calls that have their call logs.
          if isAny { _ = try uncoverEverything(locked) }
          return count
        }
      }
      if count == 0 { return }
      summary.unlinkedCELs += Int64(count)
    }
  }
}

extension DeleteJob.Extent {
  /// The command line of such a deletion, for the record.
  fileprivate var parameters: String {
    switch self {
    case .all: "-A"
    case .lastDays(let days): "-d \(days)"
    case .dates(let from, let to): Scope.dates(from: from, to: to).parameters
    }
  }
}
