import Logging
import PostgreSQL
import Store

/// The connections of one worker. After one of them was lost, ``reconnect()`` makes all of them anew.
public final class Databases {
  /// The database of the call logs.
  public private(set) var logs: Connection
  /// The database of the CELs; the same connection where it is the same database, so that both change in one transaction.
  public private(set) var cels: Connection
  /// A second connection to the database of the call logs, for what must not wait for the end of a chunk's transaction (new tenants).
  public private(set) var side: Connection

  private let settings: Settings
  private let interruption: Interruption
  private let log: Logger
  /// What a new session needs, in the order in which it is to be done.
  private var preparations: [(Databases) throws -> Void] = []

  /// Whether CELs and call logs are in one database.
  public let isOne: Bool

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
    (self.settings, self.interruption, self.log) = (settings, interruption, log)
    func connect(_ uri: String?) throws -> Connection { try Databases.connect(uri, settings, interruption, log) }
    logs = try connect(settings.logs)
    side = try connect(settings.logs)
    guard let uri = settings.cels, uri != settings.logs else {
      (cels, isOne) = (logs, true)
      return
    }
    let other = try connect(uri)
    // Two ways to write one database are common (Wazo's files do it); what counts is where they lead.
    isOne = try Databases.isSame(other, logs)
    cels = isOne ? logs : other
    if isOne { other.close() }
  }

  /// Ends what is left of the connections and makes them anew, ready for work.
  /// - Throws: `PostgreSQLError` where that does not succeed (yet).
  package func reconnect() throws {
    close()
    logs = try Databases.connect(settings.logs, settings, interruption, log)
    side = try Databases.connect(settings.logs, settings, interruption, log)
    cels = isOne ? logs : try Databases.connect(settings.cels, settings, interruption, log)
    for prepare in preparations { try prepare(self) }
  }

  /// Does something after each ``reconnect()``.
  package func prepareNext(_ preparation: @escaping (Databases) throws -> Void) { preparations.append(preparation) }

  /// One connection, with what every session of the program needs.
  package static func connect(_ uri: String?, _ settings: Settings, _ interruption: Interruption, _ log: Logger) throws
    -> Connection
  {
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
    // Two more such limits, which only newer servers know.
    _ = try connection.query(
      "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout')",
      purpose: "Lifting the limits of sessions")
    // What one database has committed, another one relies on: a role's or database's own `off` would let a commit be lost in a crash. `remote_apply` is more than `on`.
    _ = try connection.query(
      "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') <> 'remote_apply'",
      purpose: "Making commits durable")
    try CELTable.markSession(connection)
    return connection
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
