import PostgreSQL
import Values

extension Claims {
  /// A claim, and whether anybody is at work on it.
  public struct Seen: Sendable {
    /// The ids.
    public let ids: Range<Int64>
    /// Whose it is.
    public let owner: Int32
    /// In which run.
    public let run: Int32
    /// Since when.
    public let since: Timestamp
    /// Whether its owner's session is there; the next run takes over what is claimed by one who is gone.
    public let isAlive: Bool
  }

  /// The claims that stand, by ids. Takes no lock and waits for none.
  public func seen(on connection: Connection) throws(PostgreSQLError) -> [Seen] {
    let rows = try connection.query(
      """
      SELECT lower(c.ids), upper(c.ids), c.owner, c.run_id, c.claimed, EXISTS (
        SELECT FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.classid = $2::int8::oid AND l.objid = c.owner::int8::oid AND l.objsubid = 2 AND l.granted
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
      FROM call_logd_claim c WHERE c.checkpoint_id = $1 ORDER BY c.ids
      """, [.int4(checkpoint), .int8(Int64(AdvisoryLock.worker.rawValue))], purpose: "Looking up claims and whose they are")
    return rows.compactMap { row in
      guard let lower = row.int64(0), let upper = row.int64(1), let since = row.timestamp(4) else { return nil }
      return Seen(
        ids: lower..<upper, owner: Int32(truncatingIfNeeded: row.int64(2) ?? 0),
        run: Int32(truncatingIfNeeded: row.int64(3) ?? 0),
        since: since, isAlive: row.bool(5) == true)
    }
  }
}
