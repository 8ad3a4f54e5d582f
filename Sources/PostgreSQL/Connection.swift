internal import CLibPQ
import Logging

/// One connection to a server. Its calls block, and only one thread at a time may use it. The
/// server's notices go to the log.
///
/// The session uses UTF-8, ISO dates and standard strings. Every statement has a purpose for error
/// messages, such as "reading CELs 1 to 20000".
public final class Connection {
  /// The server's version as a number: 150018 is 15.18.
  public let serverVersion: Int
  /// The server, the database and the user, for messages.
  public let server: ServerDescription
  /// The id of the server's process, as in `pg_stat_activity.pid`.
  public let backendProcessID: Int32
  /// The encoding of the database, such as `UTF8` or `SQL_ASCII`.
  public let serverEncoding: String
  /// Cancels the running statement from another thread.
  public let canceller: Canceller
  /// Called before every statement with its purpose and SQL, also for those of `transaction` and
  /// `savepoint`.
  public var trace: ((_ purpose: String, _ sql: String) -> Void)?

  /// nil after closing.
  private(set) var handle: OpaquePointer?
  let log: Logger
  private let notices: NoticeSink
  var interruption: Interruption?
  /// The purpose of the running COPY or stream. Its closure cannot run other statements here.
  private var purposeInProgress: String?
  /// Whether the server has announced that it ends the connection.
  var isLost = false

  /// Connects to the server.
  ///
  /// - Throws: a `PostgreSQLError` of kind `connection`, with the reason in `connectionFailure`; of
  ///   kind `statement` if the server refuses one of the options
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
    // If this throws, deinit closes the connection.
    try set(parameters.options)
  }

  deinit { close() }

  /// Whether statements can be sent: the connection is open and not known to be broken.
  public var isUsable: Bool {
    guard let handle else { return false }
    return !isLost && PQstatus(handle) == CONNECTION_OK
  }

  /// Whether a transaction is open, also a failed one.
  public var inTransaction: Bool {
    guard let handle else { return false }
    let status = PQtransactionStatus(handle)
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || (status == PQTRANS_ACTIVE && isInTransactionBlock)
  }

  /// Whether `transaction` has a transaction open. It is also correct during a COPY, when libpq
  /// does not report it.
  var isInTransactionBlock = false

  /// Closes the connection. The server rolls an open transaction back. Closing again has no effect.
  public func close() {
    canceller.close()
    interruption?.remove(canceller)
    if let handle { PQfinish(handle) }
    handle = nil
  }

  /// Sets the session's defaults and the options. This happens after connecting, so that the
  /// `options` of a URI or PGOPTIONS stay in force.
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

  /// Comes before every statement and claims the connection for it. A shielded statement runs even
  /// after an interruption was requested.
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

  /// Ends the work of a statement.
  func end() {
    purposeInProgress = nil
    canceller.end()
  }
}

extension ServerDescription {
  /// The address of a connection, as libpq knows it.
  init(connection: OpaquePointer) {
    self.init(
      host: ServerDescription.text(PQhost(connection)), port: ServerDescription.text(PQport(connection)),
      database: ServerDescription.text(PQdb(connection)), user: ServerDescription.text(PQuser(connection)))
  }

  private static func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
    pointer.map { String(cString: $0) } ?? ""
  }
}
