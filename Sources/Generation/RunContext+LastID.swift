import CallLogs
import Runs

extension RunContext {
  /// Counts and reports the CEL with the greatest possible id. No chunk reads that row: a range of
  /// ids ends above its last one.
  func leaveLastIDOut(_ tally: RunTally) throws {
    guard try self.table.hasLastID(on: databases.cels) else { return }
    var counters = Counters()
    counters.tally.note(.lastID, .max)
    tally.add(counters)
    self.log.warning(
      "CEL \(Int64.max) of \(self.table.name) is left out: no coverage can hold the greatest possible id. Give the row another id, or delete it"
    )
  }
}
