import PostgreSQL
import Runs
import Store
import Values

/// Forgets awaited channels for which no CEL waits any more, because their CELs were purged or
/// deleted by hand, and those whose CHAN_START is covered.
struct AwaitedSweep {
  private let context: RunContext
  /// Channels in one look-up.
  private static let batch = 10_000

  init(_ context: RunContext) { self.context = context }

  /// Mostly no channel is awaited, and the run asks only that. Without indexes each look-up would
  /// scan the whole table, and a standby may lag behind the notes; then nothing is forgotten.
  func run() throws {
    guard context.table.unindexedColumns.isEmpty, !context.table.isOnStandby else { return }
    var last = ""
    while true {
      if context.interruption.isRequested { throw context.retry.interrupted }
      let channels = try context.retry {
        try context.checkpoint.awaited(after: last, limit: AwaitedSweep.batch, on: context.databases.logs)
      }
      guard let greatest = channels.last else { return }
      let coverage = try context.retry {
        try Checkpoint.read(context.table.identity, on: context.databases.logs)?.coverage ?? IDSet()
      }
      let candidates = try context.retry { try settled(channels, coverage) }
      if !candidates.isEmpty { try context.retry { try forget(candidates) } }
      last = greatest
    }
  }

  private func settled(_ channels: [String], _ coverage: IDSet) throws -> [String] {
    let state = try context.table.state(ofAwaited: channels, on: context.databases.cels)
    return channels.filter { state.isSettled($0, covered: coverage.contains) }
  }

  /// Looks again under the lock: a worker may have covered a CEL of such a channel since.
  private func forget(_ channels: [String]) throws {
    try context.databases.logs.transaction(purpose: "Forgetting \(channels.count) awaited channels") {
      try context.checkpoint.shareGate(on: context.databases.logs)
      let coverage = try context.checkpoint.locked(on: context.databases.logs).coverage
      try context.checkpoint.forgetAwaited(BinaryArray(strings: settled(channels, coverage)), on: context.databases.logs)
    }
  }
}
