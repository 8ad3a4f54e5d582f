import CallLogs
import Runs

extension RunContext {
  /// Counts and names the CEL that has the greatest id there can be. Nothing else reads that row: the end of a range of ids lies above its last one.
  func leaveLastIDOut(_ tally: RunTally) throws {
    guard try self.table.hasLastID(on: databases.cels) else { return }
    var counters = Counters()
    counters.tally.note(.lastID, .max)
    tally.add(counters)
    self.log.warning(
      "CEL \(Int64.max) of \(self.table.name) is left out: that is the greatest id there can be, and no coverage can hold it; give the row another id, or delete it"
    )
  }
}
