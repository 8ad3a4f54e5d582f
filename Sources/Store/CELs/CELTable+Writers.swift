import PostgreSQL
import Values

/// Who may still commit a row with an id that is missing.
///
/// A row with a lower id can become visible after one with a higher id: ids are given out when a row is made, rows are seen when their transaction ends. What tells is the lock: whoever has taken an id
/// from the sequence for this table holds RowExclusiveLock on it (or on the partition that he writes to) since before he took it, and until his transaction ends. A transaction id tells less: a statement takes its
/// id from the sequence before its transaction has one.
extension CELTable {
  /// A transaction that may have rows of this table that nobody else sees yet.
  public struct Writer: Hashable, Sendable {
    /// `pg_locks.virtualtransaction`.
    public let transaction: String
    /// Whether it was prepared for a commit in two phases: then no process has it any more.
    public let isPrepared: Bool
  }

  /// Marks a session as one that inserts no CELs: the lock that it holds while it links them makes nobody wait.
  ///
  /// A session that will insert CELs must not be marked. Nor is one behind a pooler, whose server process may serve a writer next.
  public static func markSession(_ connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "SELECT pg_advisory_lock_shared($1, 0) WHERE pg_backend_pid() = $2",
      [.int4(AdvisoryLock.mark.rawValue), .int4(connection.backendProcessID)], purpose: "Marking the session")
  }

  /// The locks of writers as `held`, from one look at `pg_locks`; sessions of ours aside.
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

  /// Everybody who holds the lock of a writer on the table, or on a table that it inherits from or that inherits from it; sessions of ours aside.
  ///
  /// A server that has become a standby shows no writers: there is one then that does not go away.
  public func writers(on connection: Connection) throws(PostgreSQLError) -> Set<Writer> {
    try CELTable.writers(of: identity.table, on: connection)
  }

  /// The same for any table, by its oid.
  static func writers(of table: Int64, on connection: Connection) throws(PostgreSQLError) -> Set<Writer> {
    let rows = try connection.query(
      "\(CELTable.heldQuery) SELECT virtualtransaction, pid IS NULL FROM held UNION ALL SELECT 'standby', true WHERE pg_is_in_recovery()",
      [.int8(table)], purpose: "Looking for open writers")
    return Set(rows.map { Writer(transaction: $0.string(0) ?? "", isPrepared: $0.bool(1) == true) })
  }

  /// What this role may see of a transaction that may have rows that nobody else sees yet.
  public struct OpenWriter: Hashable, Sendable {
    /// Which it is.
    public let writer: Writer
    /// The server's process; nil for a prepared transaction.
    public let processID: Int64?
    /// The name of a prepared transaction, by which it is committed or rolled back.
    public let preparedAs: String?
    /// The user.
    public let user: String?
    /// What the client calls itself.
    public let application: String?
    /// The client's address; nil for a socket of the same machine.
    public let client: String?
    /// When the transaction began (when it was prepared, for a prepared one); nil where this role may not see it.
    public let since: Timestamp?
    /// Seconds since then, by the server's clock.
    public let age: Int64?
  }

  /// The same as ``writers(on:)``, for people: the oldest first.
  public func openWriters(on connection: Connection) throws(PostgreSQLError) -> [OpenWriter] {
    try CELTable.openWriters(of: identity.table, on: connection)
  }

  /// The same for any table, by its oid.
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
  /// Such as `process 4711 (user asterisk, application cel_pgsql, from 10.0.0.5, for 75 s)`.
  public var description: String {
    let name = processID.map { "process \($0)" } ?? preparedAs.map { "prepared transaction '\($0)'" } ?? "a prepared transaction"
    let known = [
      user.map { "user \($0)" }, application.map { "application \($0)" }, client.map { "from \($0)" }, age.map { "for \($0) s" },
    ].compactMap { $0 }
    return known.isEmpty ? name : "\(name) (\(known.joined(separator: ", ")))"
  }
}

extension Set<CELTable.Writer> {
  /// Those of these writers that are still at work, as a later look shows. A transaction that is prepared in the meantime changes its looks, so that every prepared one counts.
  public func left(of later: Set<CELTable.Writer>) -> Set<CELTable.Writer> {
    later.filter { $0.isPrepared || contains($0) }
  }
}
