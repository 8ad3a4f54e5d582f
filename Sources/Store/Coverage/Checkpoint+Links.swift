import CallLogs
import PostgreSQL

/// Links that wait in `call_logd_link`, where CELs and call logs are in two databases.
extension Checkpoint {

  /// Records links for the CELs' database.
  public func recordLinks(_ cels: [Int64], to callLogs: [Int32], on connection: Connection) throws(PostgreSQLError) {
    guard !cels.isEmpty else { return }
    try connection.execute(
      "INSERT INTO call_logd_link (checkpoint_id, cel_ids, call_log_ids) VALUES ($1, $2, $3)",
      [.int4(id), .int8Array(cels), .int4Array(callLogs)], purpose: "Recording \(cels.count) links for the CEL database")
  }

  /// Gives the recorded links that may not be made yet: the call log of each CEL, 0 for none. Read
  /// them before the CELs: the CELs show links that are made in between.
  ///
  /// Only a worker that has locked the checkpoint records links. So their order is the order of the
  /// commits, and the holder of the lock sees all of them.
  public func recordedLinks(on connection: Connection) throws(PostgreSQLError) -> [Int64: Int32] {
    let rows = try connection.query(
      "SELECT cel_ids, call_log_ids FROM call_logd_link WHERE checkpoint_id = $1 ORDER BY id", [.int4(id)],
      purpose: "Looking up recorded links")
    var links: [Int64: Int32] = [:]
    for row in rows {
      for (cel, callLog) in zip(row.integers(0) ?? [], row.integers(1) ?? []) { links[cel] = Int32(truncatingIfNeeded: callLog) }
    }
    return links
  }

  /// Makes the oldest recorded links and forgets them. Making links twice does no harm, as long as
  /// newer links are made later.
  /// - Parameters:
  ///   - before: called before the links are made
  ///   - made: called when the links are made and not yet forgotten
  /// - Returns: false where no links were recorded.
  /// - Throws: ``StoreError`` (`busy`) where another worker holds the lock of links for too long.
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
      try cels.transaction(purpose: "Making recorded links") {
        // A worker that lost its connection to the call logs may still be writing here. Wait for
        // it, then check that this worker still holds the row. Only the holder of the row makes its
        // links.
        try lockWait.once(
          "Waiting for other links", for: "the lock of links", on: cels, holders: { try .ofAdvisory(.links, id, on: cels) }
        ) {
          _ = try cels.query(
            "SELECT pg_advisory_xact_lock($1, $2)", [.int4(AdvisoryLock.links.rawValue), .int4(id)],
            purpose: "Waiting for other links")
        }
        _ = try logs.query("SELECT", purpose: "Checking that this worker still holds the recorded links")
        try table.link(ids, to: callLogs.map { Int32(truncatingIfNeeded: $0) }, on: cels)
      }
      try made()
      try logs.execute("DELETE FROM call_logd_link WHERE id = $1", [.int8(row)], purpose: "Forgetting links that were made")
      return true
    }
  }
}
