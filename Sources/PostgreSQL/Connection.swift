internal import CLibPQ
import Logging

/// One connection to a server. It blocks; use it on one thread at a time. Notices go to the log.
///
/// The session speaks UTF-8, with ISO dates and standard strings. Every statement takes a purpose, such as "reading CELs 1 to
/// 20000": what an error message says was being done.
public final class Connection {
  /// The server's version as a number: 150018 is 15.18.
  public let serverVersion: Int
  /// Which server, database and user, for messages.
  public let server: ServerDescription
  /// The server's process, as in `pg_stat_activity.pid`.
  public let backendProcessID: Int32
  /// The encoding of the database, such as `UTF8` or `SQL_ASCII`.
  public let serverEncoding: String
  /// Cancels the running statement from another thread.
  public let canceller: Canceller
  /// Called with purpose and SQL of every statement before it is sent, also those of `transaction` and `savepoint`.
  public var trace: ((_ purpose: String, _ sql: String) -> Void)?

  /// nil once closed.
  private(set) var handle: OpaquePointer?
  let log: Logger
  private let notices: NoticeSink
  var interruption: Interruption?
  /// What a COPY or stream in progress is for; its closure cannot run other statements here.
  private var purposeInProgress: String?
  /// Set when the server said that it ends the connection.
  var isLost = false

  /// Connects.
  ///
  /// - Throws: `PostgreSQLError` of kind `connection`, which says in `connectionFailure` why; of kind `statement` if the
  ///   server refuses one of the options.
  public init(_ parameters: ConnectionParameters, log: Logger) throws(PostgreSQLError) {
    let sink = NoticeSink(log: log)
    let handle = try ConnectionAttempt.connect(parameters, notices: sink)
    self.handle = handle
    self.log = log
    notices = sink
    server = ServerDescription(connection: handle)
    serverVersion = Int(PQserverVersion(handle))
    backendProcessID = PQbackendPID(handle)
    serverEncoding = PQparameterStatus(handle, "server_encoding").map { String(cString: $0) } ?? ""
    canceller = Canceller(connection: handle)
    // An error from here on runs deinit, which closes the connection.
    try set(parameters.options)
  }

  deinit { close() }

  /// Whether statements can be sent: neither closed nor known to be broken.
  public var isUsable: Bool {
    guard let handle else { return false }
    return !isLost && PQstatus(handle) == CONNECTION_OK
  }

  /// Whether a transaction is open, a failed one included.
  public var inTransaction: Bool {
    guard let handle else { return false }
    let status = PQtransactionStatus(handle)
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || (status == PQTRANS_ACTIVE && isInTransactionBlock)
  }

  /// Whether `transaction` has one open; it tells during a COPY, when libpq does not.
  var isInTransactionBlock = false

  /// Ends the connection; the server undoes an open transaction. Closing twice does no harm.
  public func close() {
    canceller.close()
    interruption?.remove(canceller)
    if let handle { PQfinish(handle) }
    handle = nil
  }

  /// The settings a session starts with, and those asked for. They are set here and not at start-up, so that the `options` of
  /// a URI or PGOPTIONS stay in force.
  private func set(_ options: [String: String]) throws(PostgreSQLError) {
    var settings = ["DateStyle": "ISO", "standard_conforming_strings": "on"]
    settings.merge(options) { _, asked in asked }
    let sorted = settings.sorted { $0.key < $1.key }
    let calls = sorted.indices.map { "set_config($\($0 * 2 + 1), $\($0 * 2 + 2), false)" }
    try execute(
      "SELECT " + calls.joined(separator: ", "), sorted.flatMap { [.text($0.key), .text($0.value)] },
      purpose: "Setting up the connection")
  }

  // MARK: Statements

  /// What comes before every statement. A shielded one runs although an interruption was requested.
  func begin(_ sql: String, purpose: String, shielded: Bool = false) throws(PostgreSQLError) -> OpaquePointer {
    guard let handle else {
      throw PostgreSQLError(kind: .connectionLost, purpose: purpose, message: "the connection was closed", server: server)
    }
    if let purposeInProgress {
      throw PostgreSQLError(
        kind: .protocol, purpose: purpose, message: "the connection is busy with another statement: \(purposeInProgress)",
        server: server)
    }
    guard canceller.begin(shielded: shielded) else {
      throw PostgreSQLError(kind: .cancelled, purpose: purpose, message: "an interruption was requested", server: server)
    }
    trace?(purpose, sql)
    log.trace("\(purpose)", metadata: ["sql": "\(sql)"])
    purposeInProgress = purpose
    return handle
  }

  /// What comes after every statement.
  func end() {
    purposeInProgress = nil
    canceller.end()
  }
}

extension ServerDescription {
  /// What libpq knows about where a connection leads.
  init(connection: OpaquePointer) {
    self.init(
      host: ServerDescription.text(PQhost(connection)), port: ServerDescription.text(PQport(connection)),
      database: ServerDescription.text(PQdb(connection)), user: ServerDescription.text(PQuser(connection)))
  }

  private static func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
    pointer.map { String(cString: $0) } ?? ""
  }
}
