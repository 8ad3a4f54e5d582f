import PostgreSQL
import Values

/// CEL ids that one worker has claimed.
public struct Claim: Sendable {
  /// The row in `call_logd_claim`.
  public let id: Int64
  /// The ids.
  public let ids: Range<Int64>
}

/// The claims on one CEL table: the ids at work, and the workers that own them.
///
/// An owner holds an advisory lock in the session that does its work. If that lock is free, the
/// claim is abandoned: either the session committed its chunk, and the claim is gone with it, or
/// the server rolled it back.
public struct Claims: Sendable {
  /// The checkpoint's id.
  public let checkpoint: Int32

  /// Creates the claims on the table of that checkpoint.
  public init(_ checkpoint: Checkpoint) {
    self.checkpoint = checkpoint.id
  }

  /// A claim as other workers see it.
  public struct Standing: Sendable {
    /// The ids.
    public let ids: Range<Int64>
    /// The number of its owner.
    public let owner: Int32
    /// The run of its owner.
    public let run: Int32
  }

  // MARK: Owners

  /// Gives a number for a new owner.
  /// - Throws: an error of PostgreSQL.
  public static func newOwner(on connection: Connection) throws -> Int32 {
    let rows = try connection.query(
      "SELECT nextval('call_logd_claim_owner_seq')::int4", purpose: "Taking a number for a worker")
    return Int32(truncatingIfNeeded: rows.int64(0, 0) ?? 0)
  }

  /// Takes an owner's lock for this session. The result is false where another session holds it.
  public static func lock(owner: Int32, on connection: Connection) throws(PostgreSQLError) -> Bool {
    try connection.query(
      "SELECT pg_try_advisory_lock($1, $2)", [.int4(AdvisoryLock.worker.rawValue), .int4(owner)],
      purpose: "Taking a worker's lock"
    ).bool(0, 0) == true
  }

  /// The sessions that hold an owner's lock, without this session.
  public static func holders(ofOwner owner: Int32, on connection: Connection) throws -> LockHolders {
    try .ofAdvisory(.worker, owner, on: connection)
  }

  /// Ends the session that holds an owner's lock. Its client is gone, but the server might not
  /// notice that for hours.
  public static func endSession(ofOwner owner: Int32, on connection: Connection) throws(PostgreSQLError) {
    _ = try connection.query(
      """
      SELECT pg_terminate_backend(pid) FROM pg_locks
      WHERE locktype = 'advisory' AND classid = $1::int8::oid AND objid = $2::int8::oid AND objsubid = 2 AND pid <> pg_backend_pid()
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      """, [.int8(Int64(AdvisoryLock.worker.rawValue)), .int8(Int64(owner))], purpose: "Ending a session that was lost")
  }

  /// Removes the claims of owners that are gone.
  /// - Parameter own: the owner that this session belongs to
  /// - Returns: the runs of these owners.
  /// - Throws: an error of PostgreSQL.
  @discardableResult
  public func removeDead(own: Int32?, on connection: Connection) throws -> [Int32] {
    let owners = try connection.query(
      "SELECT DISTINCT owner, run_id FROM call_logd_claim WHERE checkpoint_id = $1 AND owner IS DISTINCT FROM $2 ORDER BY owner",
      [.int4(checkpoint), own.map { .int4($0) } ?? .null], purpose: "Looking up the owners of claims")
    var dead: [Int32] = []
    for row in owners {
      let owner = Int32(truncatingIfNeeded: row.int64(0) ?? 0)
      guard try Claims.lock(owner: owner, on: connection) else { continue }
      // Delete while the lock is held: an owner that reconnects takes its lock first and then
      // checks its claim.
      let result = Result {
        try connection.execute(
          "DELETE FROM call_logd_claim WHERE checkpoint_id = $1 AND owner = $2", [.int4(checkpoint), .int4(owner)],
          purpose: "Removing the claims of a worker that is gone")
      }
      _ = try connection.query(
        "SELECT pg_advisory_unlock($1, $2)", [.int4(AdvisoryLock.worker.rawValue), .int4(owner)],
        purpose: "Releasing a worker's lock")
      if try result.get() > 0 { dead.append(Int32(truncatingIfNeeded: row.int64(1) ?? 0)) }
    }
    return dead
  }

  // MARK: Claims

  /// Gives the coverage and the present claims, both of one moment.
  /// - Throws: ``StoreError`` (`wentBack`) where the checkpoint no longer exists.
  public func standing(on connection: Connection) throws -> (coverage: IDSet, claims: [Standing]) {
    let rows = try connection.query(
      """
      SELECT p.covered, lower(c.ids), upper(c.ids), c.owner, c.run_id
      FROM call_logd_checkpoint p LEFT JOIN call_logd_claim c ON c.checkpoint_id = p.id WHERE p.id = $1 ORDER BY c.ids
      """, [.int4(checkpoint)], purpose: "Looking up claims")
    guard rows.count > 0, let covered = rows.ranges(0, 0) else { throw Checkpoint.removed }
    let claims = rows.compactMap { row -> Standing? in
      guard let lower = row.int64(1), let upper = row.int64(2) else { return nil }
      return Standing(
        ids: lower..<upper, owner: Int32(truncatingIfNeeded: row.int64(3) ?? 0), run: Int32(truncatingIfNeeded: row.int64(4) ?? 0)
      )
    }
    return (IDSet(covered), claims)
  }

  /// Claims ids; nil where another worker has claimed some of them.
  /// - Throws: an error of PostgreSQL.
  public func take(_ ids: Range<Int64>, owner: Int32, run: Int32, on connection: Connection) throws -> Claim? {
    let rows = try connection.query(
      """
      INSERT INTO call_logd_claim (checkpoint_id, ids, owner, run_id) VALUES ($1, int8range($2, $3), $4, $5)
      ON CONFLICT DO NOTHING RETURNING id
      """, [.int4(checkpoint), .int8(ids.lowerBound), .int8(ids.upperBound), .int4(owner), .int4(run)],
      purpose: "Claiming CELs from id \(ids.lowerBound)")
    return rows.count == 1 ? rows.int64(0, 0).map { Claim(id: $0, ids: ids) } : nil
  }

  /// Releases a claim, in the transaction that covers its ids.
  /// - Returns: false where the claim is gone: another run took its owner for dead, and may be
  ///   working on the ids.
  /// - Throws: an error of PostgreSQL.
  public func release(_ claim: Claim, on connection: Connection) throws -> Bool {
    try connection.execute("DELETE FROM call_logd_claim WHERE id = $1", [.int8(claim.id)], purpose: "Giving a claim up") == 1
  }

  /// Whether a claim still exists. Its owner must hold its lock.
  public func stands(_ claim: Claim, on connection: Connection) throws -> Bool {
    try connection.query(
      "SELECT EXISTS (SELECT FROM call_logd_claim WHERE id = $1)", [.int8(claim.id)],
      purpose: "Checking whether a chunk is committed"
    ).bool(0, 0) == true
  }

  /// Releases every claim of an owner.
  public func releaseAll(owner: Int32, on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "DELETE FROM call_logd_claim WHERE checkpoint_id = $1 AND owner = $2", [.int4(checkpoint), .int4(owner)],
      purpose: "Giving claims up")
  }
}
