import PostgreSQL

/// A session or prepared transaction that holds a lock for which a session waits, as far as this
/// role can see it.
public struct LockHolder: Sendable {
  /// `pg_locks.virtualtransaction`, which differs between transactions.
  public let transaction: String
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
  /// The start of its transaction, or of its session if no transaction is open, as text; nil where
  /// this role may not see it.
  public let since: String?
  /// The run of this program that the session belongs to; nil where none is known.
  public var run: Run?

  /// A run of this program.
  public struct Run: Sendable {
    /// Its number in `call_logd_run`.
    public let id: Int32
    /// Such as `generate`.
    public let verb: String
    /// The host it runs on.
    public let host: String
    /// Its process id on that host.
    public let pid: Int32
  }
}

extension LockHolder: CustomStringConvertible {
  /// For example `the server's process 4711 (run 12, generate, process 815 on pbx; user asterisk,
  /// since 2025-03-01 10:00:00 UTC)`.
  public var description: String {
    let name =
      processID.map { "the server's process \($0)" } ?? preparedAs.map { "the prepared transaction '\($0)'" }
      ?? "a prepared transaction"
    let session = [
      user.map { "user \($0)" }, application.map { "application \($0)" }, client.map { "from \($0)" },
      since.map { "since \($0)" },
    ].compactMap { $0 }.joined(separator: ", ")
    let known = [run.map { "run \($0.id), \($0.verb), process \($0.pid) on \($0.host)" } ?? "", session].filter { !$0.isEmpty }
    return known.isEmpty ? name : "\(name) (\(known.joined(separator: "; ")))"
  }

  /// The statement with which an administrator ends it.
  var remedy: String {
    processID.map { "SELECT pg_terminate_backend(\($0)) ends it" } ?? preparedAs.map { "ROLLBACK PREPARED '\($0)' ends it" }
      ?? "ROLLBACK PREPARED ends it"
  }
}

/// The holders of a lock. Looking them up waits for no lock.
public struct LockHolders: Sendable {
  /// The holders, the oldest transaction first.
  public let all: [LockHolder]

  /// Creates a list of holders.
  public init(all: [LockHolder]) { self.all = all }

  /// The end of a sentence: the first three holders and how to end the first, or the fact that the
  /// lock is free now.
  public var description: String {
    guard let first = all.first else { return "free by now; try again" }
    let names = all.prefix(3).map(\.description).joined(separator: ", ") + (all.count > 3 ? " and \(all.count - 3) more" : "")
    return "held by \(names). Try again when it has ended; \(first.remedy)"
  }

  /// Gives the holders of one of the program's advisory locks in the database of this connection,
  /// without this session.
  /// - Throws: an error of PostgreSQL.
  static func ofAdvisory(_ lock: AdvisoryLock, _ object: Int32, on connection: Connection) throws -> LockHolders {
    try ofAdvisory(class: lock.rawValue, object, on: connection)
  }

  /// Gives the holders of any advisory lock with two numbers.
  /// - Throws: an error of PostgreSQL.
  package static func ofAdvisory(class lockClass: Int32, _ object: Int32, on connection: Connection) throws -> LockHolders {
    try find(
      "locktype = 'advisory' AND classid = $1::int8::oid AND objid = $2::int8::oid AND objsubid = 2",
      [unsigned(lockClass), unsigned(object)], on: connection)
  }

  /// Gives the holders of an advisory lock with one number.
  /// - Throws: an error of PostgreSQL.
  public static func ofAdvisory(_ key: Int64, on connection: Connection) throws -> LockHolders {
    try find(
      "locktype = 'advisory' AND classid = $1::int8::oid AND objid = $2::int8::oid AND objsubid = 1",
      [.int8(key >> 32 & 0xFFFF_FFFF), .int8(key & 0xFFFF_FFFF)], on: connection)
  }

  /// Gives the possible holders of the checkpoint's row: sessions with a lock on rows of the table
  /// in an open transaction. Sessions that hold or await a tuple lock are left out, because they
  /// wait for a row themselves.
  static func ofCheckpoint(on connection: Connection) throws -> LockHolders {
    try find(
      """
      locktype = 'relation' AND relation = 'call_logd_checkpoint'::regclass AND mode <> 'AccessShareLock' AND NOT EXISTS (
        SELECT FROM locks w
        WHERE w.pid = l.pid AND w.locktype = 'tuple' AND w.database = l.database AND w.relation = 'call_logd_checkpoint'::regclass)
      """, [], on: connection)
  }

  /// Gives the possible holders of a lock on call logs, CELs, this program's own tables, or rows of
  /// them. After a lock timeout PostgreSQL does not tell which lock the statement waited for.
  /// - Parameters:
  ///   - celTable: the name of the CEL table
  ///   - own: the caller's server processes, which are left out
  /// - Throws: an error of PostgreSQL.
  public static func ofTables(_ celTable: String, besides own: [Int32], on connection: Connection) throws -> LockHolders {
    try find(
      """
      locktype = 'relation' AND mode <> 'AccessShareLock' AND (pid IS NULL OR pid <> ALL ($2::int4[])) AND (
        relation = to_regclass($1) OR relation IN (SELECT oid FROM pg_class WHERE relkind IN ('r', 'p') AND relname LIKE 'call\\_log%'))
      """, [.text(celTable), .int4Array(own)], on: connection)
  }

  /// `pg_locks` shows the halves of keys as unsigned numbers.
  private static func unsigned(_ key: Int32) -> Parameter { .int8(Int64(UInt32(bitPattern: key))) }

  /// Looks the holders up.
  ///
  /// - Parameter condition: on rows `l` of `pg_locks`; trusted SQL
  private static func find(_ condition: String, _ parameters: [Parameter], on connection: Connection) throws -> LockHolders {
    // Within a transaction the server would repeat its first snapshot of the sessions.
    _ = try connection.query("SELECT pg_stat_clear_snapshot()", purpose: "Looking up the holders of a lock")
    let rows = try connection.query(
      """
      WITH locks AS MATERIALIZED (
        SELECT * FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())
          OR locktype = 'transactionid'),
      held AS (
        SELECT DISTINCT l.virtualtransaction, l.pid FROM locks l
        WHERE l.granted AND l.locktype <> 'transactionid' AND l.pid IS DISTINCT FROM pg_backend_pid() AND \(condition))
      SELECT h.virtualtransaction, h.pid::int8, x.gid, coalesce(x.owner, a.usename)::text, nullif(a.application_name, ''),
             host(a.client_addr),
             to_char(coalesce(x.prepared, a.xact_start, a.backend_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
             (SELECT m.objid::int8 FROM locks m WHERE m.pid = h.pid AND m.locktype = 'advisory' AND m.objsubid = 2 AND m.granted
                AND m.classid = \(AdvisoryLock.run.rawValue) LIMIT 1),
             (SELECT m.objid::int8 FROM locks m WHERE m.pid = h.pid AND m.locktype = 'advisory' AND m.objsubid = 2 AND m.granted
                AND m.classid = \(AdvisoryLock.worker.rawValue) LIMIT 1)
      FROM held h LEFT JOIN pg_stat_activity a ON a.pid = h.pid
      LEFT JOIN pg_prepared_xacts x ON h.pid IS NULL AND x.transaction IN (
        SELECT t.transactionid FROM locks t
        WHERE t.locktype = 'transactionid' AND t.pid IS NULL AND t.virtualtransaction = h.virtualtransaction)
      ORDER BY coalesce(x.prepared, a.xact_start, a.backend_start) NULLS LAST, 2
      """, parameters, purpose: "Looking up the holders of a lock")
    return LockHolders(
      all: try rows.map { row in
        LockHolder(
          transaction: row.string(0) ?? "", processID: row.int64(1), preparedAs: row.string(2), user: row.string(3),
          application: row.string(4), client: row.string(5), since: row.string(6),
          run: try run(lockedAs: row.int64(7), owner: row.int64(8), on: connection))
      })
  }

  /// Gives the run whose lock a session holds, or the run of the worker whose lock it holds.
  private static func run(lockedAs id: Int64?, owner: Int64?, on connection: Connection) throws -> LockHolder.Run? {
    guard id != nil || owner != nil else { return nil }
    // The database may have CELs only, or its schema is being created. Then it has no runs.
    let exists = try connection.query("SELECT to_regclass('call_logd_claim') IS NOT NULL", purpose: "Looking for the schema")
    guard exists.bool(0, 0) == true else { return nil }
    let rows = try connection.query(
      """
      SELECT id, verb, host, pid FROM call_logd_run
      WHERE id = coalesce($1, (SELECT run_id FROM call_logd_claim WHERE owner = $2 LIMIT 1))
      """, [id.map { .int8($0) } ?? .null, owner.map { .int8($0) } ?? .null], purpose: "Looking up the run of a session")
    guard rows.count == 1, let id = rows.int64(0, 0), let pid = rows.int64(0, 3) else { return nil }
    return LockHolder.Run(
      id: Int32(truncatingIfNeeded: id), verb: rows.string(0, 1) ?? "", host: rows.string(0, 2) ?? "",
      pid: Int32(truncatingIfNeeded: pid))
  }
}
