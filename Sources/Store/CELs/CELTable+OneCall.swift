import CallLogs
import PostgreSQL
import Values

extension CELTable {
  /// Reads the CELs of one call, to be shown: those of its linkedids, then those of the linkedids
  /// on the same channels, until nothing new is found (Interpretation, R11). Each step is one
  /// look-up by an index.
  ///
  /// Without an index on uniqueid only the first linkedids are read: each look-up of a channel
  /// would scan the table.
  /// - Parameters:
  ///   - linkedids: where the reading begins
  ///   - most: rows that are read at most
  ///   - body: gets each row; its texts are valid while it runs
  /// - Returns: whether there are more rows than `most`
  /// - Throws: an error of PostgreSQL.
  public func readCall(
    _ linkedids: [String], most: Int, on connection: Connection, _ body: (CELColumns) -> Void
  ) throws -> Bool {
    let names = TextArena()
    var walk = CallWalk(self, names: names, on: connection)
    var channels = TextInterner()
    var known = 0
    var rows = 0
    var round = walk.fresh(linkedids.map { names.text($0) })
    while !round.isEmpty {
      // One more than may be, which tells that there are more.
      try forEachRow(ofLinkedids: round, limit: most - rows + 1, on: connection) { columns in
        rows += 1
        guard rows <= most else { return }
        if !columns.uniqueid.isEmpty { _ = channels.number(of: columns.uniqueid) { names.copy($0) } }
        body(columns)
      }
      guard rows <= most else { return true }
      guard !unindexedColumns.contains("uniqueid"), known < channels.count else { return false }
      let fresh = Array(channels.texts[known...])
      known = channels.count
      round = try walk.next(from: fresh)
    }
    return false
  }
}
