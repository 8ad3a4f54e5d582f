import Logging
import PostgreSQL
import Values

/// Checks that a connection has a server session to itself. Locks that belong to a session show
/// that workers, runs and chunks are alive. A pooler that hands the session on after each
/// transaction leaves these locks with another client.
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
    // A server tells a client the number of its process (PostgreSQL, "Frontend/Backend Protocol",
    // BackendKeyData). A pooler makes a number up, because it does not know the process yet.
    guard try process(connection) != connection.backendProcessID, try !isOwn(connection, beside: other()) else { return }
    throw JobError(
      .configuration,
      "\(key) leads to a pooler that hands a session to another client after each transaction (\(connection.server)), such as PgBouncer with pool_mode = transaction: a run would lose its locks; set \(key) to the server itself, or to a pool with pool_mode = session"
    )
  }

  /// Whether the server keeps one process for this connection, even while another connection is at
  /// work.
  private static func isOwn(_ connection: Connection, beside other: Connection) throws -> Bool {
    let own = try process(connection)
    // A pooler gives the most recently freed process or the longest idle one. One of these two
    // rounds shows either.
    for _ in 0..<2 where try process(connection) != own || process(other) == own { return false }
    return try other.transaction(purpose: "Checking whether sessions are shared") {
      try process(other) != own && process(connection) == own
    }
  }

  private static func process(_ connection: Connection) throws -> Int32 {
    let rows = try connection.query("SELECT pg_backend_pid()", purpose: "Looking up the server process of this connection")
    return Int32(truncatingIfNeeded: rows.int64(0, 0) ?? 0)
  }
}
