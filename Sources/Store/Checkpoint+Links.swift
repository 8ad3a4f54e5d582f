import PostgreSQL

/// Links to make where CELs and call logs are in two databases: `call_logd_link`.
extension Checkpoint {
  /// Records links that are to be made in the CELs' database.
  public func recordLinks(_ cels: [Int64], to callLogs: [Int32], on connection: Connection) throws(PostgreSQLError) {
    guard !cels.isEmpty else { return }
    try connection.execute(
      "INSERT INTO call_logd_link (checkpoint_id, cel_ids, call_log_ids) VALUES ($1, $2, $3)",
      [.int4(id), .int8Array(cels), .int4Array(callLogs)], purpose: "Recording \(cels.count) links for the CEL database")
  }

  /// Makes the oldest recorded links, then forgets them. Making them twice does no harm.
  /// - Parameters:
  ///   - before: called before links are made
  ///   - made: called when they are made and not forgotten yet
  /// - Returns: false where there were none.
  public func makeRecordedLinks(
    in table: CELTable, cels: Connection, logs: Connection, before: () throws -> Void = {}, made: () throws -> Void = {}
  ) throws -> Bool {
    try logs.transaction(purpose: "Making recorded links") {
      let rows = try logs.query(
        "SELECT id, cel_ids, call_log_ids FROM call_logd_link WHERE checkpoint_id = $1 ORDER BY id LIMIT 1 FOR UPDATE",
        [.int4(id)],
        purpose: "Reading recorded links")
      guard rows.count == 1, let row = rows.int64(0, 0), let ids = rows.integers(0, 1), let callLogs = rows.integers(0, 2) else {
        return false
      }
      try before()
      try table.link(ids, to: callLogs.map { Int32(truncatingIfNeeded: $0) }, on: cels)
      try made()
      try logs.execute("DELETE FROM call_logd_link WHERE id = $1", [.int8(row)], purpose: "Forgetting links that were made")
      return true
    }
  }
}
