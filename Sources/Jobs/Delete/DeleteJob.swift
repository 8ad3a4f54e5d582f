import CallLogs
import Foundation
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
      let count = try deleteSome(since: cutoff)
      if count == 0 { break }
      deleted += count
      progress(deleted)
    }
    if extent == .all { try forgetEverything() }
    if deleted > 0, let last = try Checkpoint.read(context.table.identity, on: context.databases.logs) {
      var mirror = CheckpointMirror(context)
      mirror.write(last, isEnd: true)
    }
    return deleted
  }

  private func deleteSome(since cutoff: Int64?) throws -> Int {
    // A link that is recorded but not made yet would be made after the call log is gone.
    try makeRecordedLinks()
    let count = try context.databases.logs.transaction(purpose: "Deleting call logs") {
      _ = try context.checkpoint.locked(on: context.databases.logs)
      let logs = try CallLogTables.newest(Int(DeleteJob.batch), since: cutoff, on: context.databases.logs)
      guard !logs.isEmpty else { return 0 }
      let ids = logs.map(\.id)
      let cels = try context.table.celRange(
        ofConversations: logs.map(\.conversationID).filter { !$0.isEmpty }, callLogs: ids, on: context.databases.cels)
      if context.table.hasCallLogID {
        if context.databases.isOne {
          try context.table.unlink(ids, on: context.databases.cels)
        } else {
          let linked = try context.table.linked(to: ids, on: context.databases.cels)
          try context.checkpoint.recordLinks(linked, to: Array(repeating: 0, count: linked.count), on: context.databases.logs)
        }
      }
      try CallLogTables.delete(ids, on: context.databases.logs)
      if let cels { try context.checkpoint.uncover([cels.lowerBound..<cels.upperBound + 1], on: context.databases.logs) }
      return ids.count
    }
    try makeRecordedLinks()
    return count
  }

  private func makeRecordedLinks() throws {
    guard !context.databases.isOne else { return }
    while try context.checkpoint.makeRecordedLinks(in: context.table, cels: context.databases.cels, logs: context.databases.logs)
    {}
  }

  /// After `delete -A` no CEL points anywhere and none is covered, as in the original.
  private func forgetEverything() throws {
    if context.table.hasCallLogID {
      while try context.table.unlinkSome(Int(DeleteJob.batch) * 5, on: context.databases.cels) > 0 {
        if context.interruption.isRequested {
          throw JobError(.interrupted, "interrupted; every call log is deleted, some CELs still point to them")
        }
      }
    }
    try context.databases.logs.transaction(purpose: "Uncovering every CEL") {
      let locked = try context.checkpoint.locked(on: context.databases.logs)
      if !locked.coverage.isEmpty { try context.checkpoint.uncover(locked.coverage.ranges, on: context.databases.logs) }
      try context.checkpoint.forgetAllReaching(on: context.databases.logs)
    }
  }
}
