extension RunContext {
  /// Makes the links that are recorded for the CELs' database, before and after a chunk is read.
  /// Where it is the same database, the chunk has made them together with the call logs.
  ///
  /// - Parameter always: true also where this run makes no links, because it takes links back
  /// - Throws: an error of PostgreSQL, or ``JobError`` where a lock is not to be had in time.
  package func makeRecordedLinks(always: Bool = false) throws {
    guard !databases.isOne, always || self.linksCELs else { return }
    while try self.checkpoint.makeRecordedLinks(
      in: self.table, cels: databases.cels, logs: databases.logs, before: { try reached(.beforeOldLinks) },
      made: { try reached(.afterOldLinks) })
    {}
  }
}
