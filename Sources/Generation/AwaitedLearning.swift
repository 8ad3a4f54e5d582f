import PostgreSQL
import Runs
import Store
import Values

/// Notes the awaited channels of CELs that an earlier version of the program covered.
///
/// That version noted none. So a call that comes after the upgrade could be made a second time,
/// beside the call that its early CELs belong to.
struct AwaitedLearning {
  private let context: RunContext
  /// CELs that are looked through, the newest ones. A call whose CELs come so late is unheard of,
  /// and to look through all history would hold a run up for minutes.
  private static let newest = 200_000

  init(_ context: RunContext) { self.context = context }

  /// Does it once for a checkpoint. Later runs ask one row whether it is done.
  func run() throws {
    let (logs, cels, table) = (context.databases.logs, context.databases.cels, context.table)
    guard try !context.retry({ try context.checkpoint.knowsAwaited(on: logs) }) else { return }
    context.log.info("noting once which channels the covered CELs await")
    try context.retry {
      try logs.transaction(purpose: "Noting awaited channels") {
        try context.checkpoint.shareGate(on: logs)
        // No chunk may cover CELs of such a channel meanwhile.
        let coverage = try context.checkpoint.locked(on: logs).coverage
        if let first = try table.threshold(ofNewest: AwaitedLearning.newest, in: coverage.ranges, on: cels) {
          let ids = coverage.ranges.compactMap { range in
            range.upperBound > first ? max(range.lowerBound, first)..<range.upperBound : nil
          }
          try context.checkpoint.noteAwaited(
            try table.awaited(in: ids, startsIn: coverage.ranges, on: cels), hasStarts: false, on: logs)
        }
        try context.checkpoint.noteKnowsAwaited(on: logs)
      }
    }
  }
}
