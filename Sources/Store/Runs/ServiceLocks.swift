import PostgreSQL

/// The advisory locks that the service takes.
public enum ServiceLocks {
  /// Closes the gate of every checkpoint until the end of the transaction. Then no chunk is about
  /// to commit a recording with a file that the service removes.
  /// - Throws: `PostgreSQLError`; `lockNotAvailable` after the session's `lock_timeout`
  public static func closeGates(on connection: Connection) throws(PostgreSQLError) {
    let purpose = "Waiting for runs that make call logs"
    let checkpoints = try connection.query("SELECT id FROM call_logd_checkpoint ORDER BY id", purpose: purpose)
    for id in checkpoints.compactMap({ $0.int64(0).flatMap { Int32(exactly: $0) } }) {
      _ = try connection.query(
        "SELECT pg_advisory_xact_lock($1, $2)", [.int4(AdvisoryLock.gate.rawValue), .int4(id)], purpose: purpose)
    }
  }

  /// Takes the lock of exports for the session, if it is free. One session at a time makes exports,
  /// sends their mails and purges them.
  /// - Returns: whether this session has the lock
  public static func takeExports(on connection: Connection) throws(PostgreSQLError) -> Bool {
    try connection.query(
      "SELECT pg_try_advisory_lock($1, 0)", [.int4(AdvisoryLock.exports.rawValue)], purpose: "Taking the lock of exports"
    ).bool(0, 0) == true
  }

  /// Gives the lock of exports back.
  public static func releaseExports(on connection: Connection) throws(PostgreSQLError) {
    _ = try connection.query(
      "SELECT pg_advisory_unlock($1, 0)", [.int4(AdvisoryLock.exports.rawValue)], purpose: "Giving the lock of exports back")
  }
}
