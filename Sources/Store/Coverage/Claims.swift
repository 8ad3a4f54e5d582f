import PostgreSQL
import Values

/// CEL ids that one worker is at work on.
public struct Claim: Sendable {
  /// The row in `call_logd_claim`.
  public let id: Int64
  /// The ids.
  public let ids: Range<Int64>
}

/// The claims on one CEL table: which ids somebody is at work on, and whether he still is.
///
/// An owner holds an advisory lock in the session that does the work. A claim whose owner's lock is free has nobody at work any more: what the session did is committed, and the
/// claim gone with it, or undone.
public struct Claims: Sendable {
  /// The checkpoint's id.
  public let checkpoint: Int32

  /// The claims on the table of that checkpoint.
  public init(_ checkpoint: Checkpoint) {
    self.checkpoint = checkpoint.id
  }

  /// A claim as everybody sees it.
  public struct Standing: Sendable {
    /// The ids.
    public let ids: Range<Int64>
    /// Whose it is.
    public let owner: Int32
    /// In which run.
    public let run: Int32
  }

  // MARK: Owners

  /// A number for a new owner.
  public static func newOwner(on connection: Connection) throws -> Int32 {
    let rows = try connection.query(
      "SELECT nextval('call_logd_claim_owner_seq')::int4", purpose: "Taking a number for a worker")
    return Int32(truncatingIfNeeded: rows.int64(0, 0) ?? 0)
  }

  /// Takes an owner's lock for this session; false where another session has it.
  public static func lock(owner: Int32, on connection: Connection) throws(PostgreSQLError) -> Bool {
    try connection.query(
      "SELECT pg_try_advisory_lock($1, $2)", [.int4(AdvisoryLock.worker.rawValue), .int4(owner)],
      purpose: "Taking a worker's lock"
    ).bool(0, 0) == true
  }

  /// Who has an owner's lock, this session aside.
  public static func holders(ofOwner owner: Int32, on connection: Connection) throws -> LockHolders {
    try .ofAdvisory(.worker, owner, on: connection)
  }

  /// Ends the session that holds an owner's lock: one that was lost, and that the server may take for alive for hours.
  public static func endSession(ofOwner owner: Int32, on connection: Connection) throws(PostgreSQLError) {
    _ = try connection.query(
      """
      SELECT pg_terminate_backend(pid) FROM pg_locks
      WHERE locktype = 'advisory' AND classid = $1::int8::oid AND objid = $2::int8::oid AND objsubid = 2 AND pid <> pg_backend_pid()
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      """, [.int8(Int64(AdvisoryLock.worker.rawValue)), .int8(Int64(owner))], purpose: "Ending a session that was lost")
  }

  /// Removes the claims of owners who are gone.
  /// - Parameter own: the owner that this session is
  /// - Returns: the runs that they belonged to.
  @discardableResult
  public func removeDead(own: Int32?, on connection: Connection) throws -> [Int32] {
    let owners = try connection.query(
      "SELECT DISTINCT owner, run_id FROM call_logd_claim WHERE checkpoint_id = $1 AND owner IS DISTINCT FROM $2 ORDER BY owner",
      [.int4(checkpoint), own.map { .int4($0) } ?? .null], purpose: "Looking up who has claims")
    var dead: [Int32] = []
    for row in owners {
      let owner = Int32(truncatingIfNeeded: row.int64(0) ?? 0)
      guard try Claims.lock(owner: owner, on: connection) else { continue }
      // While the lock is held: an owner who comes back takes it again before he looks whether his claim is still there.
      let result = Result {
        try connection.execute(
          "DELETE FROM call_logd_claim WHERE checkpoint_id = $1 AND owner = $2", [.int4(checkpoint), .int4(owner)],
          purpose: "Removing the claims of a worker who is gone")
      }
      _ = try connection.query(
        "SELECT pg_advisory_unlock($1, $2)", [.int4(AdvisoryLock.worker.rawValue), .int4(owner)],
        purpose: "Giving a worker's lock back")
      if try result.get() > 0 { dead.append(Int32(truncatingIfNeeded: row.int64(1) ?? 0)) }
    }
    return dead
  }

  // MARK: Claims

  /// What is covered and what is claimed now.
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

  /// Claims ids; nil where somebody has claimed some of them.
  public func take(_ ids: Range<Int64>, owner: Int32, run: Int32, on connection: Connection) throws -> Claim? {
    let rows = try connection.query(
      """
      INSERT INTO call_logd_claim (checkpoint_id, ids, owner, run_id) VALUES ($1, int8range($2, $3), $4, $5)
      ON CONFLICT DO NOTHING RETURNING id
      """, [.int4(checkpoint), .int8(ids.lowerBound), .int8(ids.upperBound), .int4(owner), .int4(run)],
      purpose: "Claiming CELs from id \(ids.lowerBound)")
    return rows.count == 1 ? rows.int64(0, 0).map { Claim(id: $0, ids: ids) } : nil
  }

  /// Gives a claim up, in the transaction that covers its ids.
  /// - Returns: false where it is gone: its owner was taken for dead, and another may be at work on the ids.
  public func release(_ claim: Claim, on connection: Connection) throws -> Bool {
    try connection.execute("DELETE FROM call_logd_claim WHERE id = $1", [.int8(claim.id)], purpose: "Giving a claim up") == 1
  }

  /// Whether a claim still stands. Its owner must hold his lock.
  public func stands(_ claim: Claim, on connection: Connection) throws -> Bool {
    try connection.query(
      "SELECT EXISTS (SELECT FROM call_logd_claim WHERE id = $1)", [.int8(claim.id)],
      purpose: "Looking whether a chunk is committed"
    ).bool(0, 0) == true
  }

  /// Gives up every claim of an owner.
  public func releaseAll(owner: Int32, on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "DELETE FROM call_logd_claim WHERE checkpoint_id = $1 AND owner = $2", [.int4(checkpoint), .int4(owner)],
      purpose: "Giving claims up")
  }
}
