/// Whatever went wrong between this program and a PostgreSQL server.
public struct PostgreSQLError: Error, Sendable, CustomStringConvertible {
  /// What an error means for the connection and for what was being done.
  public enum Kind: String, Sendable {
    /// No connection came about; see `connectionFailure`.
    case connection
    /// The server refused a statement; the connection remains usable.
    case statement
    /// The connection broke; what the open transaction did is undone.
    case connectionLost
    /// The statement was given up because an interruption was requested.
    case cancelled
    /// The connection broke while COMMIT ran: nobody knows yet whether the transaction holds.
    case commitUnknown
    /// What arrived, or was asked for, does not fit the protocol or the place it was used in.
    case `protocol`
  }

  /// Why no connection came about.
  public enum ConnectionFailure: String, Sendable {
    /// No server answered there: wrong host or port, not started, a firewall, or it is just starting.
    case unreachable
    /// The server was reached and does not let this user in.
    case authentication
    /// The server has no such database.
    case noSuchDatabase
    /// Anything else, for instance too many connections or a bad setting.
    case other
  }

  /// What the error means for the connection.
  public var kind: Kind
  /// Why no connection came about; only with `Kind.connection`.
  public var connectionFailure: ConnectionFailure?
  /// The server's code; nil where the error arose on this side.
  public var sqlState: SQLState?
  /// What was being done, such as "reading CELs 1 to 20000".
  public var purpose: String
  /// What the server, or libpq, said.
  public var message: String
  /// The server's detail; it may hold values of rows.
  public var detail: String?
  /// The server's advice.
  public var hint: String?
  /// Where in the server it happened (function, line of a COPY); it may hold values of rows.
  public var context: String?
  /// The schema of the table below.
  public var schema: String?
  /// The table the error is about.
  public var table: String?
  /// The column the error is about.
  public var column: String?
  /// The constraint that does not hold.
  public var constraint: String?
  /// Which server, database and user; never a password.
  public var server: ServerDescription

  /// An error from its parts.
  public init(
    kind: Kind, connectionFailure: ConnectionFailure? = nil, sqlState: SQLState? = nil, purpose: String, message: String,
    detail: String? = nil, hint: String? = nil, context: String? = nil, schema: String? = nil, table: String? = nil,
    column: String? = nil, constraint: String? = nil, server: ServerDescription = ServerDescription()
  ) {
    self.kind = kind
    self.connectionFailure = connectionFailure
    self.sqlState = sqlState
    self.purpose = purpose
    self.message = message
    self.detail = detail
    self.hint = hint
    self.context = context
    self.schema = schema
    self.table = table
    self.column = column
    self.constraint = constraint
    self.server = server
  }

  /// One sentence: what was being done, where, what the server said, and its hint. It holds no bound values: neither the
  /// server's detail nor what it quotes from a value it could not read.
  public var description: String {
    var text = purpose.isEmpty ? "A statement" : purpose
    switch kind {
    case .commitUnknown: text += " ended without an answer to COMMIT, so it may or may not be stored"
    case .cancelled: text += " was interrupted"
    default: text += " failed"
    }
    if !server.isEmpty { text += " (\(server))" }
    text += ": " + messageWithoutValues
    if let sqlState { text += " [SQLSTATE \(sqlState)]" }
    if let hint { text += "; hint: \(hint)" }
    return text
  }

  /// Data exceptions (class 22) quote the value they are about; the encoding's name (22021) is all that is safe to show.
  private var messageWithoutValues: String {
    guard let sqlState, sqlState.class == "22", sqlState != .characterNotInRepertoire else { return message }
    return message.withoutQuotedParts
  }
}

extension String {
  /// The text with everything between its first and last double quote replaced: a quoted value may hold quotes itself.
  var withoutQuotedParts: String {
    guard let first = firstIndex(of: "\""), let last = lastIndex(of: "\""), first < last else { return self }
    return self[..<first] + "\"…\"" + self[index(after: last)...]
  }
}
