import PostgreSQL
import Store

/// `delete`: removes call logs and uncovers their CELs, so that they can be made again.
public struct DeleteJob {
  /// Which call logs go.
  public enum Extent: Equatable, Sendable {
    /// All of every tenant.
    case all
    /// Those that began in the last so many days (24 hours each) before now; older ones stay.
    case lastDays(Int)
  }

  private let context: RunContext
  private let progress: (Int) -> Void
  private static let batch: Int32 = 10_000

  /// A job on these databases.
  /// - Parameter progress: called after each transaction with the number of call logs deleted so far
  public init(_ context: RunContext, progress: @escaping (Int) -> Void = { _ in }) {
    self.context = context
    self.progress = progress
  }

  /// Deletes, some thousands of call logs and the links to them in one transaction each.
  /// - Returns: how many call logs were deleted.
  public func run(_ extent: Extent) throws -> Int {
    let cutoff: Int64?
    switch extent {
    case .all: cutoff = nil
    case .lastDays(let days): cutoff = try CallLogTables.time(daysAgo: days, on: context.databases.logs)
    }
    var deleted = 0
    while true {
      if context.interruption.isRequested {
        throw JobError(.interrupted, "interrupted after \(deleted) call logs; what is deleted is deleted for good")
      }
      let count = try context.retry { try deleteSome(extent, since: cutoff) }
      if count == 0 { break }
      deleted += count
      try context.retry { try makeRecordedLinks() }
      progress(deleted)
    }
    if extent == .all { try forgetEverything() }
    if deleted > 0, let last = try Checkpoint.read(context.table.identity, on: context.databases.logs) {
      var mirror = CheckpointMirror(context)
      mirror.write(last, isEnd: true)
    }
    return deleted
  }

  private func deleteSome(_ extent: Extent, since cutoff: Int64?) throws -> Int {
    // A link that is recorded but not made yet would be made after the call log is gone.
    try makeRecordedLinks()
    let count = try context.databases.logs.transaction(purpose: "Deleting call logs") {
      let locked = try context.checkpoint.locked(on: context.databases.logs)
      let logs = try CallLogTables.newest(Int(DeleteJob.batch), since: cutoff, on: context.databases.logs)
      guard !logs.isEmpty else { return 0 }
      let ids = logs.map(\.id)
      if extent == .all {
        // All at once, so that also after an interruption nothing that is covered hangs together with what is not.
        try uncoverEverything(locked)
      } else {
        try uncover(logs)
      }
      try unlink(ids)
      try CallLogTables.delete(ids, on: context.databases.logs)
      return ids.count
    }
    return count
  }

  private func makeRecordedLinks() throws {
    guard !context.databases.isOne else { return }
    while try context.checkpoint.makeRecordedLinks(in: context.table, cels: context.databases.cels, logs: context.databases.logs)
    {}
  }

  /// Uncovers the CELs of these call logs and what lies in between. Conversations that reach out of it are noted: of them the chunk that covers it again does not see all.
  private func uncover(_ logs: [CallLogTables.Stored]) throws {
    let (table, databases) = (context.table, context.databases)
    guard
      let range = try table.celRange(
        ofConversations: logs.map(\.conversationID).filter { !$0.isEmpty }, callLogs: logs.map(\.id), on: databases.cels)
    else { return }
    try context.checkpoint.noteReaching(try table.linkedids(reachingBeyond: range, on: databases.cels), on: databases.logs)
    try context.checkpoint.uncover([range.lowerBound..<range.upperBound + 1], on: databases.logs)
  }

  private func uncoverEverything(_ locked: Checkpoint) throws {
    if !locked.coverage.isEmpty { try context.checkpoint.uncover(locked.coverage.ranges, on: context.databases.logs) }
    try context.checkpoint.forgetAllReaching(on: context.databases.logs)
  }

  private func unlink(_ ids: [Int32]) throws {
    guard context.table.canSetCallLogID else { return }
    if context.databases.isOne, context.linksCELs { return try context.table.unlink(ids, on: context.databases.cels) }
    // Without links there may be no right to change CELs, and mostly nothing to change.
    let linked = try context.table.linked(to: ids, on: context.databases.cels)
    guard !linked.isEmpty else { return }
    if context.databases.isOne {
      try context.table.unlink(ids, on: context.databases.cels)
    } else {
      try context.checkpoint.recordLinks(linked, to: Array(repeating: 0, count: linked.count), on: context.databases.logs)
    }
  }

  /// After `delete -A` no CEL points anywhere and none is covered, as in the original.
  private func forgetEverything() throws {
    if try context.table.hasLinks(on: context.databases.cels) {
      while try context.retry({ try context.table.unlinkSome(Int(DeleteJob.batch) * 5, on: context.databases.cels) }) > 0 {
        if context.interruption.isRequested {
          throw JobError(.interrupted, "interrupted; every call log is deleted, some CELs still point to them")
        }
      }
    }
    try context.databases.logs.transaction(purpose: "Uncovering every CEL") {
      try uncoverEverything(try context.checkpoint.locked(on: context.databases.logs))
    }
  }
}
