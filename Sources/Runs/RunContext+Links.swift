extension RunContext {
  /// Makes the links that are recorded for the CELs' database; nothing where it is the same database, in which they were made with the call logs. Before a chunk is read, and after.
  /// - Parameter always: also where this run makes no links of its own, for those that it takes back
  package func makeRecordedLinks(always: Bool = false) throws {
    guard !databases.isOne, always || self.linksCELs else { return }
    while try self.checkpoint.makeRecordedLinks(
      in: self.table, cels: databases.cels, logs: databases.logs, before: { try reached(.beforeOldLinks) },
      made: { try reached(.afterOldLinks) })
    {}
  }
}
