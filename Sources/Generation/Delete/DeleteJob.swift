import Logging
import PostgreSQL
import Runs
import Store
import Values

/// `delete`: removes call logs and uncovers their CELs, so that they can be made again.
public struct DeleteJob {
  /// Which call logs go.
  public enum Extent: Equatable, Sendable {
    /// All of every tenant.
    case all
    /// Those that began in the last so many days (24 hours each) before now; older ones stay.
    case lastDays(Int)
    /// Those that began at or after `from` and before `to`; nil for no bound.
    case dates(from: Int64?, to: Int64?)
  }

  /// How far a deletion has come.
  public struct Progress: Sendable {
    /// Call logs deleted so far.
    public var callLogs: Int
    /// How many there were; nil where that was not counted, as it would take as long as finding them.
    public var total: Int64?
  }

  let context: RunContext
  private let progress: (Progress) -> Void
  /// Call logs in one transaction.
  let batch: Int

  /// A job on these databases.
  /// - Parameters:
  ///   - batch: call logs in one transaction, 1 or more
  ///   - progress: called after each transaction
  public init(_ context: RunContext, batch: Int = 10_000, progress: @escaping (Progress) -> Void = { _ in }) {
    self.context = context
    self.batch = batch
    self.progress = progress
  }

  /// Whether the database has no table of call logs, so that there is nothing to delete and nothing to prepare for it. Changes nothing.
  /// - Returns: the database's name; nil where there is such a table
  /// - Throws: ``StoreError`` where there is no table of CELs, either
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

  /// Deletes, some thousands of call logs and the links to them in one transaction each.
  /// - Returns: what was deleted.
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
    // Here and not in the transactions: it is for information only, and others wait for those.
    let uncovered = IDSet(summary.uncovered).ranges
    summary.uncoveredCELs = try context.retry { try context.table.count(in: uncovered, on: context.databases.cels) }
    let last = try context.retry { try Checkpoint.read(context.table.identity, on: context.databases.logs) }
    if summary.callLogs > 0, let last {
      var mirror = CheckpointMirror(context)
      mirror.write(last, isEnd: true)
    }
    return summary
  }

  /// The range of dates that an extent comes to now.
  func dates(of extent: Extent) throws -> (from: Int64?, to: Int64?) {
    switch extent {
    case .all: (nil, nil)
    case .lastDays(let days): (try CallLogTables.time(daysAgo: days, on: context.databases.logs), nil)
    case .dates(let from, let to): (from, to)
    }
  }

  /// - Parameter greatest: set to the last id that a call log had when all were gone
  private func deleteSome(
    _ extent: Extent, _ dates: (from: Int64?, to: Int64?), _ record: RunRecord, _ greatest: inout Int32?
  ) throws -> Summary {
    // A link that is recorded but not made yet would be made after the call log is gone.
    try context.makeRecordedLinks(always: true)
    let some = try context.databases.logs.transaction(purpose: "Deleting call logs") {
      try context.checkpoint.closeGate(on: context.databases.logs)
      let locked = try context.checkpoint.locked(on: context.databases.logs)
      let logs = try CallLogTables.newest(batch, from: dates.from, to: dates.to, on: context.databases.logs)
      guard !logs.isEmpty else {
        var none = Summary()
        // Here, where no chunk is under way: what a generate makes from now on is after this deletion.
        if extent == .all {
          none.uncovered = try uncoverEverything(locked)
          greatest = try CallLogTables.lastID(on: context.databases.logs)
        }
        return none
      }
      let ids = logs.map(\.id)
      var some = try Summary(of: logs, on: context.databases.logs)
      if extent == .all {
        // All at once, so that also after an interruption nothing that is covered hangs together with what is not.
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

  /// Uncovers the CELs of these call logs and what lies in between. Conversations that reach out of it are noted: of them the chunk that covers it again does not see all.
  /// - Returns: the range of ids, covered or not.
  private func uncover(_ logs: [CallLogTables.Stored]) throws -> ClosedRange<Int64>? {
    let (table, databases) = (context.table, context.databases)
    guard let range = try celRange(of: logs) else { return nil }
    try context.checkpoint.noteReaching(try table.linkedids(reachingBeyond: range, on: databases.cels), on: databases.logs)
    try context.checkpoint.uncover([range.lowerBound..<range.upperBound + 1], on: databases.logs)
    return range
  }

  /// The ids between the least and the greatest CEL of these call logs.
  func celRange(of logs: [CallLogTables.Stored]) throws -> ClosedRange<Int64>? {
    try context.table.celRange(
      ofConversations: logs.map(\.conversationID).filter { !$0.isEmpty }, callLogs: logs.map(\.id), on: context.databases.cels)
  }

  /// - Returns: what was covered.
  private func uncoverEverything(_ locked: Checkpoint) throws -> [Range<Int64>] {
    if !locked.coverage.isEmpty { try context.checkpoint.uncover(locked.coverage.ranges, on: context.databases.logs) }
    try context.checkpoint.forgetAllReaching(on: context.databases.logs)
    return locked.coverage.ranges
  }

  /// - Returns: how many CELs pointed to these call logs.
  private func unlink(_ ids: [Int32]) throws -> Int {
    guard context.table.canSetCallLogID else { return 0 }
    if context.databases.isOne, context.linksCELs { return try context.table.unlink(ids, on: context.databases.cels) }
    // What a chunk has recorded before the gate was closed may not be made yet.
    let recorded = context.databases.isOne ? [:] : try context.checkpoint.recordedLinks(on: context.databases.logs)
    // Without links there may be no right to change CELs, and mostly nothing to change.
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

  /// After `delete -A` no CEL points to a call log that is gone, whoever deleted it.
  /// - Parameter last: the last id that a call log had when all were gone
  private func unlinkTheRest(_ last: Int32?, _ summary: inout Summary) throws {
    guard try context.retry({ try context.table.hasLinks(on: context.databases.cels) }) else { return }
    // In another database nothing tells which call logs there are; what is made since then has greater ids.
    let greatest = context.databases.isOne ? nil : last ?? 0
    var isAny = false
    while true {
      if context.interruption.isRequested {
        throw JobError(.interrupted, "interrupted; every call log is deleted, some CELs still point to them")
      }
      let count = try context.retry {
        try context.databases.logs.transaction(purpose: "Unlinking CELs") {
          try context.checkpoint.closeGate(on: context.databases.logs)
          let locked = try context.checkpoint.locked(on: context.databases.logs)
          let count = try context.table.unlinkSome(batch * 5, upTo: greatest, on: context.databases.cels)
          isAny = isAny || count > 0
          // A chunk that came in between has taken them for calls that have their call logs.
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
  /// How it is asked for, for the record.
  fileprivate var parameters: String {
    switch self {
    case .all: "-A"
    case .lastDays(let days): "-d \(days)"
    case .dates(let from, let to): Scope.dates(from: from, to: to).parameters
    }
  }
}
