/// The server, the database and the user of a connection, for messages. It never contains a
/// password.
public struct ServerDescription: Sendable, Hashable, CustomStringConvertible {
  /// The host name, the address or the folder of the socket.
  public var host: String
  /// The port. It is a text because libpq allows lists.
  public var port: String
  /// The database's name.
  public var database: String
  /// The user on the server.
  public var user: String

  /// A description with these parts. The text omits empty parts.
  public init(host: String = "", port: String = "", database: String = "", user: String = "") {
    self.host = host
    self.port = port
    self.database = database
    self.user = user
  }

  /// Whether all parts but the port are empty.
  public var isEmpty: Bool { host.isEmpty && database.isEmpty && user.isEmpty }

  /// For example `database "asterisk" on localhost:5432 as user "asterisk"`.
  public var description: String {
    var parts: [String] = []
    if !database.isEmpty { parts.append("database \"\(database)\"") }
    if !host.isEmpty { parts.append("on \(host)" + (port.isEmpty ? "" : ":\(port)")) }
    if !user.isEmpty { parts.append("as user \"\(user)\"") }
    return parts.joined(separator: " ")
  }
}
