import CallLogs
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

  /// The links that are recorded and may not be made yet: the call log of each CEL, 0 for none. To be read before the CELs: what is made in between shows there.
  ///
  /// They are recorded by who has locked the checkpoint, so that their order is that of the commits, and he who has it sees all.
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

  /// Makes the oldest recorded links, then forgets them. Making them twice does no harm, as long as newer ones are made after them.
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
      try cels.transaction(purpose: "Making recorded links") {
        // Who has lost his session with the call logs may still be at work here; newer links are made when he is done. After that nobody makes links whose row he has not locked.
        try lockWait.once(
          "Waiting for other links", for: "the lock of links", on: cels, holders: { try .ofAdvisory(.links, id, on: cels) }
        ) {
          _ = try cels.query(
            "SELECT pg_advisory_xact_lock($1, $2)", [.int4(AdvisoryLock.links.rawValue), .int4(id)],
            purpose: "Waiting for other links")
        }
        _ = try logs.query("SELECT", purpose: "Looking whether the links are still ours to make")
        try table.link(ids, to: callLogs.map { Int32(truncatingIfNeeded: $0) }, on: cels)
      }
      try made()
      try logs.execute("DELETE FROM call_logd_link WHERE id = $1", [.int8(row)], purpose: "Forgetting links that were made")
      return true
    }
  }
}
