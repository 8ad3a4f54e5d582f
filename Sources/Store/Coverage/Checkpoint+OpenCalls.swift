import PostgreSQL

extension Checkpoint {
  /// The number of calls without an end that have had no event since `time` (microseconds since
  /// 2000-01-01 UTC).
  public func openCalls(withoutEventSince time: Int64, on connection: Connection) throws(PostgreSQLError) -> Int64 {
    try connection.query(
      "SELECT count(DISTINCT conversation)::int8 FROM call_logd_open WHERE checkpoint_id = $1 AND newest_event < $2",
      [.int4(id), .timestamptz(time)], purpose: "Counting calls without recent events"
    ).int64(0, 0) ?? 0
  }
}
