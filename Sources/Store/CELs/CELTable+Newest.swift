import CallLogs
import PostgreSQL
import Values

extension CELTable {
  /// The CEL with the greatest id in `coverage`, and its instant as a run reads it, nil where the row has none.
  public func newest(in coverage: IDSet, on connection: Connection) throws -> (id: Int64, time: Int64?)? {
    // Ids at the end of what is covered may have no rows any more, so that more than one range may have to be looked at.
    for range in coverage.ranges.reversed() {
      let rows = try connection.query(
        "SELECT c.id::int8, \(instant ?? "eventtime::text") FROM \(name) c WHERE c.id >= $1 AND c.id < $2 ORDER BY c.id DESC LIMIT 1",
        [.int8(range.lowerBound), .int8(range.upperBound)], purpose: "Looking for the newest covered CEL")
      if rows.count == 1, let id = rows.int64(0, 0) { return (id, rows[0].bytes(1) { time($0) }) }
    }
    return nil
  }
}
