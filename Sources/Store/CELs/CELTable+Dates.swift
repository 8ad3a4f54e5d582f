import PostgreSQL

extension CELTable {
  /// The ids between the least and the greatest CEL with an instant at or after `from` and before `to`; nil where there is none.
  ///
  /// A row's instant is what reading makes of `eventtime`, `cel_time_zone` included. Rows without one, `infinity` among them, lie in no range.
  /// - Parameters:
  ///   - from: the first moment; nil for no bound
  ///   - to: in the same; nil for no bound
  public func bounds(from: Int64?, to: Int64?, on connection: Connection) throws -> ClosedRange<Int64>? {
    guard let instant else { return try boundsByText(from: from, to: to, on: connection) }
    var conditions = [CELTable.isFollowed, "isfinite(eventtime)"]
    var parameters: [Parameter] = []
    for (time, sign, comparison) in [(from, "-", ">="), (to, "+", "<")] {
      guard let time else { continue }
      parameters.append(.timestamptz(time))
      let bound = "$\(parameters.count)::timestamptz"
      conditions.append("\(instant) \(comparison) \(bound)")
      // Whichever zones are meant, a wall clock is less than two days off: this much can be looked up in an index of the column.
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

  /// The same where the times are text: the server would refuse what is none, and does not know every form.
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
