import Logging
import PostgreSQL
import Values

/// Whether a connection is a session of its own. Workers, runs and chunks are told to be alive by locks that belong to a session; a pooler that hands the session on after each transaction
/// leaves them behind with somebody else.
package enum SessionCheck {
  /// Checks the connections of a run.
  /// - Throws: ``JobError`` (78) where one leads to a transaction pooler.
  package static func run(_ databases: Databases, cels uri: String?, log: Logger) throws {
    try check(databases.logs, beside: { databases.side }, key: "db_uri")
    guard !databases.isOne else { return }
    var other: Connection?
    defer { other?.close() }
    try check(
      databases.cels,
      beside: {
        let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "wazo-call-logs"), log: log)
        other = connection
        return connection
      }, key: "cel_db_uri")
  }

  private static func check(_ connection: Connection, beside other: () throws -> Connection, key: String) throws {
    // A server tells a client the number of its process; a pooler makes one up, for it does not know yet which process that will be.
    guard try process(connection) != connection.backendProcessID, try !isOwn(connection, beside: other()) else { return }
    throw JobError(
      .configuration,
      "\(key) leads to a pooler that gives a session to somebody else after each transaction (\(connection.server)), such as PgBouncer with pool_mode = transaction: the locks of a run would be lost; set \(key) to the server itself, or to a pool with pool_mode = session"
    )
  }

  /// Whether the server keeps one process for this connection alone, also while another connection is at work.
  private static func isOwn(_ connection: Connection, beside other: Connection) throws -> Bool {
    let own = try process(connection)
    // A pooler gives the process that was free last, or the one that was free for longest: either shows in one of these.
    for _ in 0..<2 where try process(connection) != own || process(other) == own { return false }
    return try other.transaction(purpose: "Looking whether sessions are shared") {
      try process(other) != own && process(connection) == own
    }
  }

  private static func process(_ connection: Connection) throws -> Int32 {
    let rows = try connection.query("SELECT pg_backend_pid()", purpose: "Looking which process serves this connection")
    return Int32(truncatingIfNeeded: rows.int64(0, 0) ?? 0)
  }
}
