import PostgreSQL
import PrivateServer
import Simulation
import Synchronization

/// A database for one test, in the server that all tests share, with a connection of the superuser
/// to look at it and to change it.
package final class TestDatabase {
  /// What a database has at the start.
  package enum Kind: String, CaseIterable, Sendable {
    /// Nothing.
    case empty
    /// Wazo's CEL table and directory.
    case wazo
    /// A plain Asterisk's CEL table: in a schema of its own, integers as event types, no time zone,
    /// no indexes.
    case plain
  }

  /// Its name.
  package let name: String
  /// How the superuser reaches it.
  package let uri: String
  /// The superuser's connection.
  package let admin: Connection

  private static let number = Atomic<Int>(0)
  /// Whether it goes with the last reference; what is on a server of a test's own goes with the
  /// server.
  private let isDropped: Bool

  /// Makes one, from a template of that kind.
  package init(_ kind: Kind = .wazo) throws {
    name = TestDatabase.freshName()
    try TestDatabase.create(name, "TEMPLATE \(try TestDatabase.template(kind))")
    uri = try PrivateServer.shared.uri(database: name)
    admin = try Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)
    isDropped = true
  }

  /// Makes an empty one in another encoding than UTF8.
  package init(encoding: String) throws {
    name = TestDatabase.freshName()
    try TestDatabase.create(name, "TEMPLATE template0 ENCODING '\(encoding)' LOCALE 'C'")
    uri = try PrivateServer.shared.uri(database: name)
    admin = try Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)
    isDropped = true
  }

  /// One with Wazo's tables, on a server of the test's own; made where there is none of that name,
  /// so that a test can look at it again after the server was restarted.
  package init(on server: PrivateServer, name: String = "wazo") throws {
    self.name = name
    uri = server.uri(database: name)
    let isNew = try server.psql("SELECT count(*) FROM pg_database WHERE datname = '\(name)'").hasPrefix("0")
    if isNew { try server.createDatabase(name) }
    admin = try Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)
    isDropped = false
    if isNew { try admin.script(Schemas.wazoCEL + Schemas.wazoDirectory, purpose: "Making Wazo's tables") }
  }

  deinit {
    admin.close()
    guard isDropped else { return }
    try? TestDatabase.run("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
  }

  private static func freshName() -> String { "jobs_\(number.add(1, ordering: .relaxed).newValue)" }

  private static func create(_ name: String, _ how: String) throws { try run("CREATE DATABASE \(name) \(how)") }

  private static func run(_ sql: String) throws {
    let uri = try PrivateServer.shared.uri(database: "postgres")
    let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)
    defer { connection.close() }
    try connection.execute(sql, purpose: "Making a database")
  }

  private static let templates = Mutex<[Kind: String]>([:])

  private static func template(_ kind: Kind) throws -> String {
    try templates.withLock { known in
      if let name = known[kind] { return name }
      let name = "template_\(kind.rawValue)"
      try create(name, "TEMPLATE template0")
      let uri = try PrivateServer.shared.uri(database: name)
      let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)
      defer { connection.close() }
      switch kind {
      case .empty: break
      case .wazo: try connection.script(Schemas.wazoCEL + Schemas.wazoDirectory, purpose: "Making Wazo's tables")
      case .plain: try connection.script(Schemas.plainCEL, purpose: "Making Asterisk's table")
      }
      known[kind] = name
      return name
    }
  }

  /// Another connection of the superuser.
  package func connect() throws -> Connection {
    try Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)
  }

  /// Runs statements as the superuser.
  package func run(_ sql: String) throws { try admin.script(sql, purpose: "A test's statement") }

  /// The rows of a query, each as one text: columns are joined by `|`, NULL is `∅`.
  package func rows(_ sql: String) throws -> [String] {
    try admin.query("SELECT \(sql)", purpose: "A test's query").map { row in
      (0..<row.columnCount).map { column in
        row.isNull(column)
          ? "∅" : row.string(column) ?? row.int64(column).map(String.init) ?? row.bool(column).map(String.init) ?? "?"
      }.joined(separator: "|")
    }
  }

  /// The first row of a query.
  package func value(_ sql: String) throws -> String { try rows(sql).first ?? "no row" }
}
