import Logging
import PostgreSQL
import Store

/// The connections of one worker. If one of them is lost, ``reconnect()`` replaces all of them.
public final class Databases {
  /// The database of the call logs.
  public private(set) var logs: Connection
  /// The database of the CELs. It is the same connection where it is the same database, so that
  /// both change in one transaction.
  public private(set) var cels: Connection
  /// A second connection to the database of the call logs, for writes that must not wait for the
  /// end of a chunk's transaction (new tenants).
  public private(set) var side: Connection

  private let settings: Settings
  private let interruption: Interruption
  private let log: Logger
  /// The steps that prepare a new session, in their order.
  private var preparations: [(Databases) throws -> Void] = []

  /// Whether CELs and call logs are in one database.
  public let isOne: Bool

  /// Parameters of the connections.
  public struct Settings: Sendable {
    /// The database of the call logs; with nil, libpq's own variables decide.
    public var logs: String?
    /// The database of the CELs; nil for the database of the call logs.
    public var cels: String?
    /// The time limit for connecting, in seconds.
    public var connectTimeout: Int
    /// The server's `lock_timeout`, in milliseconds.
    public var lockTimeout: Int

    /// Creates settings.
    public init(logs: String?, cels: String?, connectTimeout: Int = 10, lockTimeout: Int = 5000) {
      (self.logs, self.cels, self.connectTimeout, self.lockTimeout) = (logs, cels, connectTimeout, lockTimeout)
    }
  }

  /// Connects to both databases.
  /// - Throws: `PostgreSQLError` where one of them cannot be reached.
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
    // Two URIs can name one database (Wazo's files do that). The server's answer decides.
    isOne = try Databases.isSame(other, logs)
    cels = isOne ? logs : other
    if isOne { other.close() }
  }

  /// Closes the connections, makes new ones and prepares them.
  /// - Throws: `PostgreSQLError` where that fails. The caller may try again.
  package func reconnect() throws {
    close()
    logs = try Databases.connect(settings.logs, settings, interruption, log)
    side = try Databases.connect(settings.logs, settings, interruption, log)
    cels = isOne ? logs : try Databases.connect(settings.cels, settings, interruption, log)
    for prepare in preparations { try prepare(self) }
  }

  /// Registers a step that runs after each ``reconnect()``.
  package func prepareNext(_ preparation: @escaping (Databases) throws -> Void) { preparations.append(preparation) }

  /// Makes one connection with the options that every session of the program needs.
  /// - Throws: `PostgreSQLError` where the server cannot be reached or refuses.
  package static func connect(_ uri: String?, _ settings: Settings, _ interruption: Interruption, _ log: Logger) throws
    -> Connection
  {
    var parameters = ConnectionParameters(uri: uri, applicationName: "wazo-call-logs")
    parameters.connectTimeout = settings.connectTimeout
    parameters.options["lock_timeout"] = "\(settings.lockTimeout)ms"
    // Limits of a role or database are meant for people's queries. This program bounds its
    // transactions itself.
    parameters.options["idle_in_transaction_session_timeout"] = "0"
    parameters.options["statement_timeout"] = "0"
    // Every statement looks up a bounded number of rows by an index. The planner would not know
    // that on a table that was just filled and never analysed.
    parameters.options["enable_seqscan"] = "off"
    parameters.options["max_parallel_workers_per_gather"] = "0"
    parameters.options["jit"] = "off"
    let connection = try Connection(parameters, log: log)
    interruption.register(connection)
    // Only newer servers know these two limits.
    _ = try connection.query(
      "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout')",
      purpose: "Lifting the limits of sessions")
    // One database relies on a commit in the other. With `off`, set for a role or a database, a
    // crash could lose a commit. `remote_apply` is stricter than `on`, so it stays.
    _ = try connection.query(
      "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') <> 'remote_apply'",
      purpose: "Making commits durable")
    try CELTable.markSession(connection)
    return connection
  }

  /// Closes the connections; the server rolls open transactions back.
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
