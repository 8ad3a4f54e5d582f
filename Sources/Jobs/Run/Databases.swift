import Logging
import PostgreSQL
import Store

/// The connections of one worker.
public final class Databases {
  /// The database of the call logs.
  public let logs: Connection
  /// The database of the CELs; the same connection where it is the same database, so that both change in one transaction.
  public let cels: Connection
  /// A second connection to the database of the call logs, for what must not wait for the end of a chunk's transaction (new tenants).
  public let side: Connection

  /// Whether CELs and call logs are in one database.
  public var isOne: Bool { logs === cels }

  /// How to connect.
  public struct Settings: Sendable {
    /// The database of the call logs; nil leaves it to libpq's own variables.
    public var logs: String?
    /// The database of the CELs; nil for the same one.
    public var cels: String?
    /// How long to wait for a connection, seconds.
    public var connectTimeout: Int
    /// How long a statement waits for a lock, milliseconds.
    public var lockTimeout: Int

    /// Settings of these values.
    public init(logs: String?, cels: String?, connectTimeout: Int = 10, lockTimeout: Int = 5000) {
      (self.logs, self.cels, self.connectTimeout, self.lockTimeout) = (logs, cels, connectTimeout, lockTimeout)
    }
  }

  /// Connects to both databases.
  /// - Throws: `PostgreSQLError` where one cannot be reached.
  public init(_ settings: Settings, interruption: Interruption, log: Logger) throws {
    func connect(_ uri: String?) throws -> Connection {
      var parameters = ConnectionParameters(uri: uri, applicationName: "wazo-call-logs")
      parameters.connectTimeout = settings.connectTimeout
      parameters.options["lock_timeout"] = "\(settings.lockTimeout)ms"
      // A role's or database's own limits are for people's queries, not for a job that bounds its transactions itself.
      parameters.options["idle_in_transaction_session_timeout"] = "0"
      parameters.options["statement_timeout"] = "0"
      // Every statement is a look-up by index of a bounded number of rows, also on a table that was just filled and never analysed.
      parameters.options["enable_seqscan"] = "off"
      parameters.options["max_parallel_workers_per_gather"] = "0"
      parameters.options["jit"] = "off"
      let connection = try Connection(parameters, log: log)
      interruption.register(connection)
      try CELTable.markSession(connection)
      return connection
    }
    logs = try connect(settings.logs)
    side = try connect(settings.logs)
    if let uri = settings.cels, uri != settings.logs {
      let other = try connect(uri)
      // Two ways to write one database are common (Wazo's files do it); what counts is where they lead.
      cels = try Databases.isSame(other, logs) ? logs : other
      if cels === logs { other.close() }
    } else {
      cels = logs
    }
  }

  /// Ends the connections; open transactions are undone.
  public func close() {
    logs.close()
    side.close()
    cels.close()
  }

  private static func isSame(_ a: Connection, _ b: Connection) throws -> Bool {
    let sql = """
      SELECT (SELECT system_identifier FROM pg_control_system()), (SELECT oid::int8 FROM pg_database WHERE datname = current_database()),
             pg_is_in_recovery(), current_user::text
      """
    let x = try a.query(sql, purpose: "Looking up which database this is")
    let y = try b.query(sql, purpose: "Looking up which database this is")
    return x.int64(0, 0) == y.int64(0, 0) && x.int64(0, 1) == y.int64(0, 1) && x.bool(0, 2) == y.bool(0, 2)
      && x.string(0, 3) == y.string(0, 3)
  }
}
