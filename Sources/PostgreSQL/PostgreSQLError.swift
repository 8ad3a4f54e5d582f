/// An error between the program and a PostgreSQL server.
public struct PostgreSQLError: Error, Sendable, CustomStringConvertible {
  /// The effect of an error on the connection and on its work.
  public enum Kind: String, Sendable {
    /// The connection could not be opened; `connectionFailure` gives the reason.
    case connection
    /// The server refused a statement. The connection remains usable.
    case statement
    /// The connection broke. The server rolls the open transaction back.
    case connectionLost
    /// An interruption ended the statement.
    case cancelled
    /// The connection broke during COMMIT. It is unknown whether the transaction is committed.
    case commitUnknown
    /// Received data, or a call, does not fit the protocol or the current state.
    case `protocol`
  }

  /// The reasons why a connection could not be opened.
  public enum ConnectionFailure: String, Sendable {
    /// No server answered: wrong host or port, server not started or still starting, or a firewall.
    case unreachable
    /// The server refused the user or the password.
    case authentication
    /// The server has no such database.
    case noSuchDatabase
    /// Another reason, for instance too many connections or a wrong setting.
    case other
  }

  /// The effect of the error on the connection.
  public var kind: Kind
  /// The reason why the connection could not be opened; only with `Kind.connection`.
  public var connectionFailure: ConnectionFailure?
  /// The server's code; nil for errors of this side.
  public var sqlState: SQLState?
  /// The current work, such as "reading CELs 1 to 20000".
  public var purpose: String
  /// The text of the server or of libpq.
  public var message: String
  /// The server's detail. It may contain values of rows.
  public var detail: String?
  /// The server's hint.
  public var hint: String?
  /// The context in the server (function, line of a COPY). It may contain values of rows.
  public var context: String?
  /// The schema of ``table``.
  public var schema: String?
  /// The table that the error concerns.
  public var table: String?
  /// The column that the error concerns.
  public var column: String?
  /// The violated constraint.
  public var constraint: String?
  /// The server, the database and the user; never a password.
  public var server: ServerDescription

  /// An error with these parts.
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

  /// One sentence: the work, the place, the server's text and its hint. It contains no values:
  /// neither the server's detail nor quotations of unreadable values.
  public var description: String {
    var text = purpose.isEmpty ? "A statement" : purpose
    switch kind {
    case .commitUnknown: text += " ended without an answer to COMMIT, so its work may or may not be stored"
    case .cancelled: text += " was interrupted"
    default: text += " failed"
    }
    if !server.isEmpty { text += " (\(server))" }
    text += ": " + messageWithoutValues
    if let sqlState { text += " [SQLSTATE \(sqlState)]" }
    if let hint { text += "; hint: \(hint)" }
    return text
  }

  /// Data exceptions (class 22) quote the faulty value. Only the encoding's name (22021) is safe to
  /// show.
  private var messageWithoutValues: String {
    guard let sqlState, sqlState.class == "22", sqlState != .characterNotInRepertoire else { return message }
    return message.withoutQuotedParts
  }
}

extension String {
  /// The text without everything between its first and last double quote: a quoted value may
  /// contain quotes itself.
  var withoutQuotedParts: String {
    guard let first = firstIndex(of: "\""), let last = lastIndex(of: "\""), first < last else { return self }
    return self[..<first] + "\"…\"" + self[index(after: last)...]
  }
}
