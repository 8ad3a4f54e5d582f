import CallLogs
import Runs
import Store
import Values

/// `regenerate --conversation`: remakes the call log of one conversation from all its CELs,
/// whichever program made it before. ``GenerateJob`` remakes ranges.
public struct RegenerateJob {
  private let context: RunContext

  /// Makes a job on these databases.
  public init(_ context: RunContext) {
    self.context = context
  }

  /// Remakes the conversation of a linkedid, or of the call log with that id, in one transaction.
  /// The coverage stays as it is.
  /// - Throws: ``JobError`` (65) if there is no such conversation, (75) if retries ran out
  public func run(_ conversation: String) throws -> Counters {
    try context.recorded("regenerate", "--conversation \(conversation)") { record in
      var whole = try context.retry { try WholeConversations(context, remakesLinked: true) }
      let linkedids = try context.retry { try find(conversation) }
      return try context.retry {
        try context.makeRecordedLinks()
        return try remake(linkedids, conversation, &whole, record)
      }
    }
  }

  private func find(_ conversation: String) throws -> [String] {
    guard let id = Int32(conversation),
      let known = try CallLogTables.conversation(ofCallLog: id, on: context.databases.logs)
    else { return [conversation] }
    return known.isEmpty ? try context.table.linkedids(ofCallLog: id, on: context.databases.cels) : [known]
  }

  private func remake(_ linkedids: [String], _ conversation: String, _ whole: inout WholeConversations, _ record: RunRecord)
    throws
    -> Counters
  {
    let counters = try context.databases.logs.transaction(purpose: "Making conversation \(conversation) anew") {
      var counters = Counters()
      try context.checkpoint.shareGate(on: context.databases.logs)
      let coverage = try context.checkpoint.locked(on: context.databases.logs).coverage
      let names = TextArena()
      try whole.begin()
      try whole.make(linkedids.map { names.text($0) }, turn: .ours, covered: coverage, counters: &counters)
      guard !whole.isEmpty else {
        throw JobError(
          .badInput,
          "\(context.table.name) has no CEL with linkedid \(conversation), and no call log with the id \(conversation) has CELs there"
        )
      }
      try whole.store.recordLinks()
      try whole.store.noteMade()
      counters.tally.add(whole.interpreter.takeTally())
      try context.checkpoint.count(counters.json, on: context.databases.logs)
      try record.count(counters.json, on: context.databases.logs)
      return counters
    }
    try context.makeRecordedLinks()
    return counters
  }
}
