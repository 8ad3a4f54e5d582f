import PostgreSQL

extension Checkpoint {
  /// How many calls without their end have had no event since `time`.
  public func openCalls(withoutEventSince time: Int64, on connection: Connection) throws(PostgreSQLError) -> Int64 {
    try connection.query(
      "SELECT count(DISTINCT conversation)::int8 FROM call_logd_open WHERE checkpoint_id = $1 AND newest_event < $2",
      [.int4(id), .timestamptz(time)], purpose: "Counting calls that have been silent for long"
    ).int64(0, 0) ?? 0
  }
}
