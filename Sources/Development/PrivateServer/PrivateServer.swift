import Foundation
import Synchronization

/// A private PostgreSQL server in a folder, which only a unix socket in that folder reaches.
///
/// It serves demonstrations, measurements and tests. It ends on `stop`, with its last reference,
/// and when the process ends or is killed. PostgreSQL refuses to run as root; for root it runs as
/// the system's user `postgres`.
public final class PrivateServer: Sendable {
  /// How to end a running server.
  public enum StopMode: Sendable {
    /// Undoes open transactions and writes the data.
    case fast
    /// Ends it as a power failure would: the next start recovers.
    case immediate

    var signal: Int32 { self == .fast ? SIGINT : SIGQUIT }
  }

  /// The folder with the socket, `server.log`, and the data folder.
  public let socketDirectory: String
  /// The port, which is a part of the socket's name.
  public let port = 5432
  /// The settings of the server, as in postgresql.conf.
  public let settings: [String: String]
  private let isTemporary: Bool
  let programs: ServerPrograms
  let account: Account
  private let process: Mutex<ServerProcess?>

  /// Starts a server, and creates its data folder on first use. Returns when it accepts
  /// connections.
  ///
  /// - Parameters:
  ///   - directory: an empty, absent or formerly used folder; nil for a temporary one that `stop`
  ///     removes. Its path must be short (a socket's name has room for 107 bytes).
  ///   - settings: as in postgresql.conf, such as `["fsync": "off"]`.
  /// - Throws: ``PrivateServerError``
  public convenience init(directory: String? = nil, settings: [String: String] = [:]) throws(PrivateServerError) {
    try self.init(directory: directory, settings: settings, isTemporary: directory == nil)
  }

  init(directory: String?, settings: [String: String], isTemporary: Bool) throws(PrivateServerError) {
    programs = try ServerPrograms.find(forData: directory.map { $0 + "/data" })
    account = try Account.forServer()
    self.settings = settings
    self.isTemporary = isTemporary
    socketDirectory = try ServerFolder.prepare(directory, account: account)
    process = Mutex(nil)
    do throws(PrivateServerError) {
      try ServerFolder.initialize(dataDirectory, programs: programs, account: account, sync: !isTemporary)
      try start()
    } catch {
      if isTemporary { ServerFolder.remove(socketDirectory) }
      throw error
    }
  }

  deinit { stop() }

  /// The folder with postgresql.conf and pg_hba.conf.
  public var dataDirectory: String { socketDirectory + "/data" }

  /// The server's log file.
  public var logFile: String { socketDirectory + "/server.log" }

  /// The server's process id while it runs.
  public var pid: Int32? { process.withLock { $0?.pid } }

  /// The variables by which libpq's programs find the server.
  public var environment: [String: String] {
    ["PGHOST": socketDirectory, "PGPORT": String(port), "PGUSER": "postgres", "PGDATABASE": "postgres"]
  }

  /// The URI of a database, for the superuser `postgres`.
  public func uri(database: String) -> String {
    let name = database.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? database
    let host = socketDirectory.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? socketDirectory
    return "postgresql:///\(name)?host=\(host)&user=postgres&port=\(port)"
  }

  /// Ends the server in the given mode and starts it again with the same settings.
  /// - Throws: ``PrivateServerError`` if it does not start
  public func restart(mode: StopMode = .fast) throws(PrivateServerError) {
    let running = process.withLock { $0.take() }
    running?.stop(signal: mode.signal)
    try start()
  }

  /// Ends the server and removes a temporary folder. A second call does nothing.
  public func stop() {
    let running = process.withLock { $0.take() }
    running?.stop(signal: SIGINT)
    if isTemporary { ServerFolder.remove(socketDirectory) }
  }

  private func start() throws(PrivateServerError) {
    if let other = ServerFolder.runningServer(of: dataDirectory) {
      throw PrivateServerError(
        "a server with process id \(other) already uses \(dataDirectory); stop it first (kill -INT \(other))")
    }
    var arguments = [programs.path("postgres"), "-D", dataDirectory]
    var configuration = [
      "listen_addresses": "", "unix_socket_directories": socketDirectory, "unix_socket_permissions": "0700",
      "port": String(port), "logging_collector": "off",
    ]
    configuration.merge(settings) { _, asked in asked }
    for (name, value) in configuration.sorted(by: { $0.key < $1.key }) { arguments += ["-c", "\(name)=\(value)"] }
    let started = try ServerProcess(
      account.wrap(arguments, endsWithParent: true), logFile: logFile, temporaryFolder: isTemporary ? socketDirectory : nil)
    do throws(PrivateServerError) {
      try waitUntilReady(started)
    } catch {
      started.stop(signal: SIGQUIT)
      throw error
    }
    process.withLock { $0 = started }
  }

  /// Waits for the server's note in postmaster.pid that it accepts connections, as `pg_ctl` does.
  private func waitUntilReady(_ started: ServerProcess) throws(PrivateServerError) {
    let limit = Date(timeIntervalSinceNow: 60)
    while ServerFolder.status(of: dataDirectory, pid: started.pid) != "ready" {
      guard started.isRunning else { throw failure("ended while starting") }
      guard Date() < limit else { throw failure("is not ready after 60 seconds") }
      usleep(20_000)
    }
  }

  private func failure(_ what: String) -> PrivateServerError {
    let log = (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? ""
    let tail = log.split(separator: "\n").suffix(12).joined(separator: "\n")
    return PrivateServerError("the server in \(dataDirectory) \(what); the end of its log:\n\(tail)")
  }

  // MARK: The shared server

  private static let sharedResult = Result { () throws(PrivateServerError) in
    try PrivateServer(settings: [
      "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200",
      "max_prepared_transactions": "20",
    ])
  }

  /// A server for all tests of a process. It starts on first use, is fast because its data need not
  /// be durable, and ends with the process.
  public static var shared: PrivateServer {
    get throws(PrivateServerError) { try sharedResult.get() }
  }

  // MARK: Programs

  /// Runs SQL or psql's commands in a database as the superuser, and returns the output (unaligned,
  /// rows only).
  ///
  /// - Throws: ``PrivateServerError`` with the message of psql if a statement fails. The rest is
  ///   not run then.
  @discardableResult
  public func psql(_ sql: String, database: String = "postgres") throws(PrivateServerError) -> String {
    let arguments = [programs.path("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", uri(database: database)]
    return try Command.run(arguments, name: "psql", input: sql)
  }
}
