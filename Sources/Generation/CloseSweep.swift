import Runs
import Store
import Values

/// Ends calls without an event for `close_after` whose CELs are all covered. No chunk will reach
/// these any more (Interpretation, R98).
struct CloseSweep {
  private let context: RunContext
  private let record: RunRecord
  private let tally: RunTally
  /// Linkedids in one transaction.
  private static let batch = 500

  init(_ context: RunContext, _ record: RunRecord, _ tally: RunTally) {
    (self.context, self.record, self.tally) = (context, record, tally)
  }

  /// Does nothing if `close_after` is off.
  func run() throws {
    guard let seconds = context.settings.closeAfter else { return }
    let before = try context.retry { try CallLogTables.time(secondsAgo: seconds, on: context.databases.logs) }
    var whole = try context.retry { try WholeConversations(context, remakesLinked: false) }
    var last = ""
    while true {
      if context.interruption.isRequested { throw context.retry.interrupted }
      let linkedids = try context.retry {
        try context.checkpoint.openCalls(before: before, after: last, limit: CloseSweep.batch, on: context.databases.logs)
      }
      guard let greatest = linkedids.last else { return }
      let counters = try context.retry { try close(linkedids, &whole) }
      try context.retry { try context.makeRecordedLinks() }
      tally.add(counters)
      last = greatest
    }
  }

  private func close(_ linkedids: [String], _ whole: inout WholeConversations) throws -> Counters {
    try context.databases.logs.transaction(purpose: "Closing \(linkedids.count) calls that never ended") {
      var counters = Counters()
      try context.checkpoint.shareGate(on: context.databases.logs)
      let coverage = try context.checkpoint.locked(on: context.databases.logs).coverage
      let names = TextArena()
      try whole.begin()
      try whole.make(linkedids.map { names.text($0) }, turn: .newest(coverage), covered: coverage, counters: &counters)
      try whole.store.recordLinks()
      try whole.store.noteMade()
      counters.tally.add(whole.interpreter.takeTally())
      try context.checkpoint.count(counters.json, on: context.databases.logs)
      try record.count(counters.json, on: context.databases.logs)
      return counters
    }
  }
}
