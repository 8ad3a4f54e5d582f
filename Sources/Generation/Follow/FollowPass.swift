import Foundation
import PostgreSQL
import Runs
import Store
import Values

/// Covers what is new, again and again, with the same connections and the same worker.
struct FollowPass {
  private(set) var context: RunContext
  private let record: RunRecord
  private let owner: Owner
  private var worker: ChunkWorker
  private var mirror: CheckpointMirror
  private var directoryTime = ContinuousClock.now

  init(_ context: RunContext, _ record: RunRecord) throws {
    (self.context, self.record) = (context, record)
    owner = try Owner(context)
    mirror = CheckpointMirror(context)
    worker = try context.retry { try ChunkWorker(context, run: record, remakes: false) }
    let mirror = mirror
    try context.retry { try mirror.compare(context) }
    try AwaitedLearning(context).run()
  }

  /// Frees what this process has claimed.
  func end() { try? Claims(context.checkpoint).releaseAll(owner: owner.number, on: context.databases.logs) }

  /// Reads users and lines again if that was long ago.
  mutating func refresh(olderThan age: Duration) throws {
    guard ContinuousClock.now - directoryTime >= age else { return }
    context = try context.withFreshDirectory()
    // It also forgets writers that once took long.
    worker = try context.retry { try ChunkWorker(context, run: record, remakes: false) }
    directoryTime = .now
  }

  /// Covers the ids of a scope.
  /// - Parameters:
  ///   - others: other ids to cover, where they are not covered
  ///   - committed: called after each chunk with the call logs that it wrote
  /// - Returns: the counts of all chunks
  mutating func run(_ scope: Scope, and others: [Range<Int64>], committed: (Int) -> Void) throws -> Counters {
    let context = context
    try context.retry { try context.makeRecordedLinks() }
    let plan = try context.retry { try Plan(scope, context) }
    var counters = Counters()
    let ranges = others + plan.ranges
    guard !ranges.isEmpty else { return counters }
    let chunkSize = context.settings.chunkSize
    let queue = WorkQueue(ranges, chunkSize: chunkSize, remakes: false)
    while let claim = try queue.next(context, owner: owner.number, run: record) {
      try context.retry { try context.reached(.afterClaim) }
      guard let done = try context.retry({ try worker.cover(claim, limit: chunkSize + chunkSize / 16 + 1) }) else {
        queue.giveBack(claim.ids)
        continue
      }
      queue.giveBack(done.covered.upperBound..<max(done.covered.upperBound, claim.ids.upperBound))
      counters.add(done.counters)
      mirror.write(done.checkpoint, isEnd: false)
      committed(done.counters.callLogsWritten)
      try context.retry { try context.makeRecordedLinks() }
    }
    return counters
  }

  /// Ends calls that never ended, forgets what is settled.
  func housekeeping() throws -> Counters {
    let tally = RunTally(mirror)
    try CloseSweep(context, record, tally).run()
    return tally.counters
  }
}
