import PostgreSQL

extension CELTable {
  /// Gives the ids from the smallest to the greatest CEL of a time range; nil where there is none.
  ///
  /// The time of a row is its `eventtime` as the program reads it, with `cel_time_zone`. A row
  /// without a time, or with `infinity`, is in no range.
  /// - Parameters:
  ///   - from: the start of the range, in microseconds since 2000-01-01 UTC; nil for no bound
  ///   - to: the end of the range, which it excludes, in the same unit; nil for no bound
  /// - Throws: an error of PostgreSQL.
  public func bounds(from: Int64?, to: Int64?, on connection: Connection) throws -> ClosedRange<Int64>? {
    guard let instant else { return try boundsByText(from: from, to: to, on: connection) }
    var conditions = [CELTable.isFollowed, "isfinite(eventtime)"]
    var parameters: [Parameter] = []
    for (time, sign, comparison) in [(from, "-", ">="), (to, "+", "<")] {
      guard let time else { continue }
      parameters.append(.timestamptz(time))
      let bound = "$\(parameters.count)::timestamptz"
      conditions.append("\(instant) \(comparison) \(bound)")
      // In any time zone, a wall clock is less than two days away from UTC. This condition can use
      // an index on the column.
      if instant != "eventtime" {
        conditions.append("eventtime \(comparison) ((\(bound) AT TIME ZONE 'UTC') \(sign) interval '2 days')")
      }
    }
    let rows = try connection.query(
      "SELECT min(id)::int8, max(id)::int8 FROM \(name) WHERE \(conditions.joined(separator: " AND "))", parameters,
      purpose: "Looking up the CELs of a range of dates")
    guard let least = rows.int64(0, 0), let greatest = rows.int64(0, 1) else { return nil }
    return least...greatest
  }

  /// The same for times that are text. The server does not know all their forms, and would refuse
  /// invalid ones.
  private func boundsByText(from: Int64?, to: Int64?, on connection: Connection) throws -> ClosedRange<Int64>? {
    var bounds: ClosedRange<Int64>?
    try connection.stream(
      "SELECT id::int8, eventtime::text FROM \(name) WHERE \(CELTable.isFollowed)",
      purpose: "Looking up the CELs of a range of dates"
    ) { row in
      guard let id = row.int64(0), let time = row.bytes(1, { time($0) }), time >= from ?? Int64.min, to.map({ time < $0 }) ?? true
      else {
        return
      }
      bounds = bounds.map { min($0.lowerBound, id)...max($0.upperBound, id) } ?? id...id
    }
    return bounds
  }
}
