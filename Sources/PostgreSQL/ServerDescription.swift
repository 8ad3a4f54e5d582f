/// Which server, database and user a connection is for, for messages. It never holds a password.
public struct ServerDescription: Sendable, Hashable, CustomStringConvertible {
  /// Host name, address or socket folder.
  public var host: String
  /// The port, as text because libpq takes lists.
  public var port: String
  /// The database's name.
  public var database: String
  /// The user's name on the server.
  public var user: String

  /// A description from its parts; empty ones are left out of the text.
  public init(host: String = "", port: String = "", database: String = "", user: String = "") {
    self.host = host
    self.port = port
    self.database = database
    self.user = user
  }

  /// Whether nothing at all is known.
  public var isEmpty: Bool { host.isEmpty && database.isEmpty && user.isEmpty }

  /// Such as `database "asterisk" on localhost:5432 as user "asterisk"`.
  public var description: String {
    var parts: [String] = []
    if !database.isEmpty { parts.append("database \"\(database)\"") }
    if !host.isEmpty { parts.append("on \(host)" + (port.isEmpty ? "" : ":\(port)")) }
    if !user.isEmpty { parts.append("as user \"\(user)\"") }
    return parts.joined(separator: " ")
  }
}
