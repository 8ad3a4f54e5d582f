import PostgreSQL
import Values

/// The transactions that may still commit a row with a missing id.
///
/// A row with a lower id can become visible after a row with a higher id. A row gets its id when it
/// is made, and becomes visible when its transaction ends. Locks show such transactions: a writer
/// takes RowExclusiveLock on the table or its partition before it takes an id from the sequence,
/// and holds it until its transaction ends (PostgreSQL, "Explicit Locking"). Transaction ids do not
/// show them: a statement takes its id from the sequence before its transaction has an id.
extension CELTable {
  /// A transaction that may have rows of this table that other sessions cannot see yet.
  public struct Writer: Hashable, Sendable {
    /// `pg_locks.virtualtransaction`.
    public let transaction: String
    /// Whether it is prepared for a two-phase commit, and so belongs to no process.
    public let isPrepared: Bool
  }

  /// Marks a session that inserts no CELs. When it links CELs it takes the lock of a writer, but no
  /// run needs to wait for it.
  ///
  /// A session that will insert CELs must not be marked. A session behind a pooler is not marked
  /// either, because its server process may serve a writer next.
  public static func markSession(_ connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "SELECT pg_advisory_lock_shared($1, 0) WHERE pg_backend_pid() = $2",
      [.int4(AdvisoryLock.mark.rawValue), .int4(connection.backendProcessID)], purpose: "Marking the session")
  }

  /// SQL for the locks of writers as `held`, from one snapshot of `pg_locks`, without this
  /// program's sessions.
  private static let heldQuery = """
    \(familyQuery), locks AS MATERIALIZED (SELECT * FROM pg_locks),
    held AS (
      SELECT DISTINCT l.virtualtransaction, l.pid FROM locks l JOIN family f ON l.relation = f.relation
      WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (l.pid IS NULL OR l.pid <> pg_backend_pid() AND NOT EXISTS (
          SELECT FROM locks m WHERE m.pid = l.pid AND m.database = l.database AND m.locktype = 'advisory' AND m.granted
            AND m.classid = \(AdvisoryLock.mark.rawValue) AND m.objid = 0 AND m.objsubid = 2)))
    """

  /// Gives the transactions that hold the lock of a writer on the table, its parents or its
  /// children, without this program's sessions.
  ///
  /// A standby shows no writers. So a server that became a standby counts as one writer that never
  /// ends.
  public func writers(on connection: Connection) throws(PostgreSQLError) -> Set<Writer> {
    try CELTable.writers(of: identity.table, on: connection)
  }

  /// Gives the writers of any table, by its oid.
  static func writers(of table: Int64, on connection: Connection) throws(PostgreSQLError) -> Set<Writer> {
    let rows = try connection.query(
      "\(CELTable.heldQuery) SELECT virtualtransaction, pid IS NULL FROM held UNION ALL SELECT 'standby', true WHERE pg_is_in_recovery()",
      [.int8(table)], purpose: "Looking for open writers")
    return Set(rows.map { Writer(transaction: $0.string(0) ?? "", isPrepared: $0.bool(1) == true) })
  }

  /// A writer, as far as this role can see it.
  public struct OpenWriter: Hashable, Sendable {
    /// The transaction.
    public let writer: Writer
    /// The process id of the server process; nil for a prepared transaction.
    public let processID: Int64?
    /// The name of a prepared transaction, for COMMIT PREPARED or ROLLBACK PREPARED.
    public let preparedAs: String?
    /// The user.
    public let user: String?
    /// The client's `application_name`.
    public let application: String?
    /// The client's address; nil for a Unix socket.
    public let client: String?
    /// The start of the transaction, or the time of its preparation (microseconds since 2000-01-01
    /// UTC); nil where this role may not see it.
    public let since: Timestamp?
    /// The time since then in seconds, by the server's clock.
    public let age: Int64?
  }

  /// Gives the writers with details for a person, the oldest first.
  public func openWriters(on connection: Connection) throws(PostgreSQLError) -> [OpenWriter] {
    try CELTable.openWriters(of: identity.table, on: connection)
  }

  /// Gives the writers of any table, by its oid, with details.
  static func openWriters(of table: Int64, on connection: Connection) throws(PostgreSQLError) -> [OpenWriter] {
    let rows = try connection.query(
      """
      \(CELTable.heldQuery)
      SELECT h.virtualtransaction, h.pid::int8, x.gid, coalesce(x.owner, a.usename)::text, nullif(a.application_name, ''), host(a.client_addr),
             coalesce(x.prepared, a.xact_start),
             extract(epoch FROM clock_timestamp() - coalesce(x.prepared, a.xact_start))::int8
      FROM held h LEFT JOIN pg_stat_activity a ON a.pid = h.pid
      LEFT JOIN pg_prepared_xacts x ON h.pid IS NULL AND x.transaction IN (
        SELECT t.transactionid FROM locks t
        WHERE t.locktype = 'transactionid' AND t.pid IS NULL AND t.virtualtransaction = h.virtualtransaction)
      ORDER BY 7 NULLS LAST, 2
      """, [.int8(table)], purpose: "Looking up open writers")
    return rows.map { row in
      OpenWriter(
        writer: Writer(transaction: row.string(0) ?? "", isPrepared: row.isNull(1)), processID: row.int64(1),
        preparedAs: row.string(2), user: row.string(3), application: row.string(4), client: row.string(5),
        since: row.timestamp(6), age: row.int64(7))
    }
  }
}

extension CELTable.OpenWriter: CustomStringConvertible {
  /// For example `process 4711 (user asterisk, application cel_pgsql, from 10.0.0.5, for 75 s)`.
  public var description: String {
    let name = processID.map { "process \($0)" } ?? preparedAs.map { "prepared transaction '\($0)'" } ?? "a prepared transaction"
    let known = [
      user.map { "user \($0)" }, application.map { "application \($0)" }, client.map { "from \($0)" }, age.map { "for \($0) s" },
    ].compactMap { $0 }
    return known.isEmpty ? name : "\(name) (\(known.joined(separator: ", ")))"
  }
}

extension Set<CELTable.Writer> {
  /// Gives the ones of these writers that are still at work according to a later look-up. Preparing
  /// a transaction changes its identity, so every prepared transaction counts.
  public func left(of later: Set<CELTable.Writer>) -> Set<CELTable.Writer> {
    later.filter { $0.isPrepared || contains($0) }
  }
}
