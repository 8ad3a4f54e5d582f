import CallLogs
import PostgreSQL
import Values

extension CELTable {
  /// Gives the CEL with the greatest id in `coverage` and its time in microseconds since 2000-01-01
  /// UTC, nil where the row has no time.
  /// - Throws: an error of PostgreSQL.
  public func newest(in coverage: IDSet, on connection: Connection) throws -> (id: Int64, time: Int64?)? {
    // The last covered ids may have no rows any more, so several ranges may need a look-up.
    for range in coverage.ranges.reversed() {
      let rows = try connection.query(
        "SELECT c.id::int8, \(instant ?? "eventtime::text") FROM \(name) c WHERE c.id >= $1 AND c.id < $2 ORDER BY c.id DESC LIMIT 1",
        [.int8(range.lowerBound), .int8(range.upperBound)], purpose: "Looking for the newest covered CEL")
      if rows.count == 1, let id = rows.int64(0, 0) { return (id, rows[0].bytes(1) { time($0) }) }
    }
    return nil
  }
}
