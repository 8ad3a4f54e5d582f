import PostgreSQL

/// A session, or a prepared transaction, that holds a lock somebody waits for: what this role may see of it.
public struct LockHolder: Sendable {
  /// `pg_locks.virtualtransaction`: another one for each transaction.
  public let transaction: String
  /// The server's process; nil for a prepared transaction.
  public let processID: Int64?
  /// The name of a prepared transaction, by which it is committed or rolled back.
  public let preparedAs: String?
  /// The user.
  public let user: String?
  /// What the client calls itself.
  public let application: String?
  /// The client's address; nil for a socket of the server's machine.
  public let client: String?
  /// When its transaction began, or its session where it has no transaction open, as text; nil where this role may not see it.
  public let since: String?
  /// The run of this program that the session belongs to; nil where nothing tells.
  public var run: Run?

  /// A run of this program.
  public struct Run: Sendable {
    /// Its number in `call_logd_run`.
    public let id: Int32
    /// Such as `generate`.
    public let verb: String
    /// The machine it runs on.
    public let host: String
    /// Its process there.
    public let pid: Int32
  }
}

extension LockHolder: CustomStringConvertible {
  /// Such as `the server's process 4711 (run 12, generate, process 815 on pbx; user asterisk, since 2025-03-01 10:00:00 UTC)`.
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

  /// How a person ends it.
  var remedy: String {
    processID.map { "SELECT pg_terminate_backend(\($0)) ends it" } ?? preparedAs.map { "ROLLBACK PREPARED '\($0)' ends it" }
      ?? "ROLLBACK PREPARED ends it"
  }
}

/// Who holds a lock. Nothing here waits for a lock.
public struct LockHolders: Sendable {
  /// Those, the oldest transaction first.
  public let all: [LockHolder]

  /// These.
  public init(all: [LockHolder]) { self.all = all }

  /// As the end of a sentence: the first three and how to end the first, or that nobody holds it any more.
  public var description: String {
    guard let first = all.first else { return "held by nobody any more; try again" }
    let names = all.prefix(3).map(\.description).joined(separator: ", ") + (all.count > 3 ? " and \(all.count - 3) more" : "")
    return "held by \(names). Try again when it has ended; \(first.remedy)"
  }

  /// Who holds one of the program's advisory locks in the database of this connection, this session aside.
  static func ofAdvisory(_ lock: AdvisoryLock, _ object: Int32, on connection: Connection) throws -> LockHolders {
    try ofAdvisory(class: lock.rawValue, object, on: connection)
  }

  /// The same for any lock of two numbers.
  package static func ofAdvisory(class lockClass: Int32, _ object: Int32, on connection: Connection) throws -> LockHolders {
    try find(
      "locktype = 'advisory' AND classid = $1::int8::oid AND objid = $2::int8::oid AND objsubid = 2",
      [unsigned(lockClass), unsigned(object)], on: connection)
  }

  /// The same for one of a single number.
  public static func ofAdvisory(_ key: Int64, on connection: Connection) throws -> LockHolders {
    try find(
      "locktype = 'advisory' AND classid = $1::int8::oid AND objid = $2::int8::oid AND objsubid = 1",
      [.int8(key >> 32 & 0xFFFF_FFFF), .int8(key & 0xFFFF_FFFF)], on: connection)
  }

  /// Who may hold the checkpoint's row: whoever has taken a lock on rows of the table in a transaction that is open. Those who wait for a row hold its tuple's lock, or wait for that.
  static func ofCheckpoint(on connection: Connection) throws -> LockHolders {
    try find(
      """
      locktype = 'relation' AND relation = 'call_logd_checkpoint'::regclass AND mode <> 'AccessShareLock' AND NOT EXISTS (
        SELECT FROM locks w
        WHERE w.pid = l.pid AND w.locktype = 'tuple' AND w.database = l.database AND w.relation = 'call_logd_checkpoint'::regclass)
      """, [], on: connection)
  }

  /// Who may hold a lock on call logs, CELs or this program's own tables, or on rows of them: PostgreSQL does not tell afterwards for which one a statement waited in vain.
  /// - Parameters:
  ///   - celTable: the name of the CELs' table
  ///   - own: server processes of the one who asks
  public static func ofTables(_ celTable: String, besides own: [Int32], on connection: Connection) throws -> LockHolders {
    try find(
      """
      locktype = 'relation' AND mode <> 'AccessShareLock' AND (pid IS NULL OR pid <> ALL ($2::int4[])) AND (
        relation = to_regclass($1) OR relation IN (SELECT oid FROM pg_class WHERE relkind IN ('r', 'p') AND relname LIKE 'call\\_log%'))
      """, [.text(celTable), .int4Array(own)], on: connection)
  }

  /// The server shows the halves of keys as numbers without sign.
  private static func unsigned(_ key: Int32) -> Parameter { .int8(Int64(UInt32(bitPattern: key))) }

  /// - Parameter condition: on rows `l` of `pg_locks`; trusted SQL
  private static func find(_ condition: String, _ parameters: [Parameter], on connection: Connection) throws -> LockHolders {
    // Within a transaction the server shows sessions as they were when it was first asked.
    _ = try connection.query("SELECT pg_stat_clear_snapshot()", purpose: "Looking up who holds a lock")
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
      """, parameters, purpose: "Looking up who holds a lock")
    return LockHolders(
      all: try rows.map { row in
        LockHolder(
          transaction: row.string(0) ?? "", processID: row.int64(1), preparedAs: row.string(2), user: row.string(3),
          application: row.string(4), client: row.string(5), since: row.string(6),
          run: try run(lockedAs: row.int64(7), owner: row.int64(8), on: connection))
      })
  }

  /// The run whose lock a session holds, or that the claim of a worker belongs to whose lock it holds.
  private static func run(lockedAs id: Int64?, owner: Int64?, on connection: Connection) throws -> LockHolder.Run? {
    guard id != nil || owner != nil else { return nil }
    // A database whose schema is just being made, or that has CELs alone, knows of no runs.
    let exists = try connection.query("SELECT to_regclass('call_logd_claim') IS NOT NULL", purpose: "Looking for the schema")
    guard exists.bool(0, 0) == true else { return nil }
    let rows = try connection.query(
      """
      SELECT id, verb, host, pid FROM call_logd_run
      WHERE id = coalesce($1, (SELECT run_id FROM call_logd_claim WHERE owner = $2 LIMIT 1))
      """, [id.map { .int8($0) } ?? .null, owner.map { .int8($0) } ?? .null], purpose: "Looking up whose run a session is")
    guard rows.count == 1, let id = rows.int64(0, 0), let pid = rows.int64(0, 3) else { return nil }
    return LockHolder.Run(
      id: Int32(truncatingIfNeeded: id), verb: rows.string(0, 1) ?? "", host: rows.string(0, 2) ?? "",
      pid: Int32(truncatingIfNeeded: pid))
  }
}
