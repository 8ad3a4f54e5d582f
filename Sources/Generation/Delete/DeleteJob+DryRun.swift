import PostgreSQL
import Store
import Values

extension DeleteJob {
  /// What a deletion removed, or would remove.
  public struct Summary: Sendable {
    /// Call logs.
    public var callLogs = 0
    /// Their participants.
    public var participants: Int64 = 0
    /// Their recordings: rows; no audio file is touched.
    public var recordings: Int64 = 0
    /// When the oldest of the calls began; nil where there is none.
    public var oldest: Timestamp?
    /// When the newest of them began, in the same.
    public var newest: Int64?
    /// CELs that were covered and are not any more.
    public var uncoveredCELs: Int64 = 0
    /// CELs that pointed to a call log.
    public var unlinkedCELs: Int64 = 0
    /// The ids that were covered, in no order.
    var uncovered: [Range<Int64>] = []

    /// Nothing deleted.
    public init() {}

    /// These call logs and what belongs to them.
    init(of logs: [CallLogTables.Stored], on connection: Connection) throws {
      callLogs = logs.count
      (participants, recordings) = try CallLogTables.countParts(ofCallLogs: logs.map(\.id), on: connection)
      oldest = logs.map(\.date).min()
      newest = logs.map(\.date).max()
    }

    mutating func add(_ other: Summary) {
      callLogs += other.callLogs
      participants += other.participants
      recordings += other.recordings
      oldest = [oldest, other.oldest].compactMap(\.self).min()
      newest = [newest, other.newest].compactMap(\.self).max()
      uncoveredCELs += other.uncoveredCELs
      unlinkedCELs += other.unlinkedCELs
      uncovered += other.uncovered
    }
  }

  /// What ``run(_:)`` would delete now. Changes nothing; the context need not have claimed anything.
  public func dryRun(_ extent: Extent) throws -> Summary {
    let (logs, cels) = (context.databases.logs, context.databases.cels)
    // One snapshot, in which the server refuses to write.
    return try logs.transaction(.readOnly, purpose: "Looking for what would be deleted") {
      let dates = try dates(of: extent)
      // Where the schema is not there yet, nothing is covered.
      let checkpoint = context.checkpoint.id == 0 ? nil : try Checkpoint.read(context.table.identity, on: logs)
      let coverage = checkpoint?.coverage ?? IDSet()
      var summary = Summary()
      var last: CallLogTables.Stored?
      while true {
        if context.interruption.isRequested { throw JobError(.interrupted, "interrupted; nothing was changed") }
        // In the same portions: from the CELs of each, all that lies in between is uncovered.
        let some = try CallLogTables.newest(batch, from: dates.from, to: dates.to, after: last, on: logs)
        guard !some.isEmpty else { break }
        last = some.last
        var portion = try Summary(of: some, on: logs)
        if extent != .all {
          if let range = try celRange(of: some) { portion.uncovered = coverage.parts(in: range) }
          portion.unlinkedCELs = try context.table.countLinked(to: some.map(\.id), on: cels)
        }
        summary.add(portion)
      }
      if extent == .all {
        summary.uncovered = coverage.ranges
        summary.unlinkedCELs = try context.table.countLinked(on: cels)
      }
      summary.uncoveredCELs = try context.table.count(in: IDSet(summary.uncovered).ranges, on: cels)
      return summary
    }
  }
}
