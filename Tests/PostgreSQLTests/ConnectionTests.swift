import Foundation
import PrivateServer
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("Connecting")
struct ConnectionTests {
  let secret = "Zx9kQ7secret"

  func failure(_ parameters: ConnectionParameters) throws -> PostgreSQLError {
    let error = try postgreSQLError { try Connection(parameters, log: quiet) }
    #expect(error.kind == .connection)
    #expect(!error.description.contains("\n") && !error.description.contains("LOCATION"))
    return error
  }

  @Test("a session speaks UTF-8 with ISO dates, has its name and its options")
  func session() throws {
    let database = try TestDatabase()
    let connection = try database.connect(options: ["TimeZone": "America/Montreal", "lock_timeout": "1234", "wazo.mark": "it's"])
    func setting(_ name: String) throws -> String? {
      try connection.query("SELECT current_setting($1)", [.text(name)], purpose: "reading settings").string(0, 0)
    }
    #expect(try setting("client_encoding") == "UTF8" && setting("DateStyle") == "ISO, MDY")
    #expect(try setting("standard_conforming_strings") == "on" && setting("application_name") == "tests")
    #expect(try setting("TimeZone") == "America/Montreal" && setting("lock_timeout") == "1234ms")
    #expect(try setting("wazo.mark") == "it's")
    #expect(connection.serverVersion >= 140_000 && connection.serverEncoding == "UTF8")
    #expect(connection.server.database == database.name && connection.server.user == "postgres")
    let process = try connection.query("SELECT pg_backend_pid()", purpose: "asking").int64(0, 0)
    #expect(process == Int64(connection.backendProcessID))
  }

  @Test("an option the server does not know is an error of the statement that sets it")
  func badOption() throws {
    let error = try postgreSQLError { try TestDatabase().connect(options: ["no_such_setting": "1"]) }
    #expect(error.kind == .statement && error.sqlState == SQLState(rawValue: "42704"))
  }

  @Test(
    "SQLAlchemy's forms of a URI connect, and a name in the URI wins",
    arguments: ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg", "postgresql+asyncpg"])
  func drivers(scheme: String) throws {
    let uri =
      try TestDatabase().uri.replacingOccurrences(of: "postgresql:", with: scheme + ":") + "&application_name=wazo-call-logd"
    let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "other"), log: quiet)
    let name = try connection.query("SELECT current_setting('application_name')", purpose: "asking").string(0, 0)
    #expect(name == "wazo-call-logd")
  }

  @Test("a keyword string connects, and the URI's own options stay in force")
  func keywords() throws {
    let database = try TestDatabase()
    let server = try PrivateServer.shared
    let text =
      "host='\(server.socketDirectory)' port=\(server.port) user=postgres dbname=\(database.name) options='-c work_mem=7MB'"
    let connection = try Connection(ConnectionParameters(uri: text, options: ["lock_timeout": "5"]), log: quiet)
    #expect(try connection.query("SHOW work_mem", purpose: "asking").string(0, 0) == "7MB")
  }

  @Test("no server: unreachable, by socket, port and name")
  func unreachable() throws {
    let socket = try failure(ConnectionParameters(uri: "postgresql://asterisk:\(secret)@/asterisk?host=/tmp/no-such-folder"))
    #expect(socket.connectionFailure == .unreachable && socket.sqlState == nil)
    #expect(socket.server.database == "asterisk" && socket.server.host == "/tmp/no-such-folder")
    let port = try failure(ConnectionParameters(uri: "postgresql://asterisk:\(secret)@127.0.0.1:1/asterisk"))
    #expect(port.connectionFailure == .unreachable && port.description.contains("127.0.0.1:1"))
    let name = try failure(ConnectionParameters(uri: "postgresql://asterisk:\(secret)@host.invalid/asterisk"))
    #expect(name.connectionFailure == .unreachable && name.description.contains("host.invalid"))
    for error in [socket, port, name] { #expect(!"\(error) \(error.message)".contains(secret)) }
  }

  @Test("a server that takes the connection and says nothing is given up")
  func silent() throws {
    let silent = try SilentListener()
    let error = try failure(
      ConnectionParameters(uri: "host=\(silent.folder) port=\(silent.port) user=x dbname=x", connectTimeout: 2))
    #expect(error.connectionFailure == .unreachable && error.message.contains("2 seconds"))
  }

  @Test("where one host refuses or does not answer, the next one is tried")
  func nextHost() throws {
    let server = try PrivateServer.shared
    let full = try FullListener()
    for (host, port) in [("/tmp/no-such-folder", 5432), ("127.0.0.1", full.port)] {
      let uri = "host=\(host),\(server.socketDirectory) port=\(port),\(server.port) user=postgres dbname=postgres"
      let connection = try Connection(ConnectionParameters(uri: uri, connectTimeout: 2), log: quiet)
      #expect(connection.server.host == server.socketDirectory)
    }
    let error = try failure(ConnectionParameters(uri: "host=127.0.0.1 port=\(full.port) user=x dbname=x connect_timeout=2"))
    #expect(error.connectionFailure == .unreachable && error.message == "no answer within 2 seconds")
  }

  @Test("without a URI, libpq's environment variables say where to connect")
  func environment() async throws {
    let database = try TestDatabase()
    let (name, variables) = (database.name, try PrivateServer.shared.environment)
    await #expect(processExitsWith: .success) { [name = name as String, variables = variables as [String: String]] in
      for (key, value) in variables { setenv(key, value, 1) }
      setenv("PGDATABASE", name, 1)
      setenv("PGAPPNAME", "from the environment", 1)
      let connection = try Connection(ConnectionParameters(), log: quiet)
      let rows = try connection.query("SELECT current_database()::text, current_setting('application_name')", purpose: "asking")
      guard rows.string(0, 0) == name, rows.string(0, 1) == "from the environment" else { exit(1) }
    }
  }

  @Test("a missing database and a missing user are told apart")
  func missing() throws {
    let server = try PrivateServer.shared
    let database = try failure(ConnectionParameters(uri: server.uri(database: "no such one")))
    #expect(database.connectionFailure == .noSuchDatabase && database.sqlState == .invalidCatalogName)
    #expect(database.message == "database \"no such one\" does not exist")
    let uri = "host=\(server.socketDirectory) port=\(server.port) user=nobody_known dbname=postgres"
    #expect(try failure(ConnectionParameters(uri: uri)).connectionFailure == .authentication)
  }

  @Test("a wrong password, none, and a user that pg_hba.conf shuts out are authentication failures that never show the password")
  func passwords() throws {
    let server = try PrivateServer(settings: ["fsync": "off"])
    defer { server.stop() }
    try server.psql("CREATE ROLE asterisk LOGIN PASSWORD '\(secret)'; CREATE ROLE shut LOGIN")
    let hba = server.dataDirectory + "/pg_hba.conf"
    try Data("local all asterisk scram-sha-256\nlocal all shut reject\nlocal all all trust\n".utf8).write(
      to: URL(fileURLWithPath: hba))
    try server.restart()

    func parameters(user: String, password: String?) -> ConnectionParameters {
      let host = "?host=\(server.socketDirectory.replacingOccurrences(of: "/", with: "%2F"))&port=\(server.port)"
      return ConnectionParameters(uri: "postgresql://\(user)\(password.map { ":" + $0 } ?? "")@/postgres\(host)")
    }
    let good = try Connection(parameters(user: "asterisk", password: secret), log: quiet)
    #expect(good.server.user == "asterisk" && !"\(good.server)".contains(secret))
    let broken = try postgreSQLError { try good.execute("SELECT 1 / 0", purpose: "dividing") }
    #expect(!"\(broken)".contains(secret))

    let wrong = try failure(parameters(user: "asterisk", password: secret + "x"))
    #expect(wrong.connectionFailure == .authentication && wrong.sqlState == .invalidPassword)
    #expect(!"\(wrong)".contains(secret) && !String(reflecting: wrong).contains(secret))
    #expect(try failure(parameters(user: "asterisk", password: nil)).connectionFailure == .authentication)
    let shut = try failure(parameters(user: "shut", password: secret))
    #expect(shut.connectionFailure == .authentication && shut.sqlState == .invalidAuthorization)
  }

  @Test(
    "no form of a connection string, readable or not, shows its password",
    arguments: [
      "postgresql://asterisk:PASSWORD@127.0.0.1:1/asterisk?application_name=wazo-call-logd",
      "postgresql+psycopg2://asterisk:PASSWORD@127.0.0.1:1/asterisk", "postgresql://asterisk:%zzPASSWORD@127.0.0.1:1/db",
      "postgresql://asterisk:x@PASSWORD@127.0.0.1:1/db", "postgresql://asterisk:12/PASSWORD@127.0.0.1:1/db",
      "postgresql://asterisk:PASSWORD/x@127.0.0.1:1/db", "postgresql://asterisk@127.0.0.1:1/db?password=PASSWORD",
      "postgresql://asterisk:PASSWORD@127.0.0.1:1/db?nonsense=1", "host=127.0.0.1 port=1 password=PASSWORD user=asterisk",
      "host=127.0.0.1 port=1 password=x PASSWORD user=asterisk", "host=127.0.0.1 port=1 password=x PASSWORD=y",
      "mysql://asterisk:PASSWORD@127.0.0.1/db", "host=127.0.0.1 port=1 password='PASSWORD", "asterisk:PASSWORD@127.0.0.1/db",
      "postgresql://asterisk:PASSWORD@[127.0.0.1/db", "postgresql://asterisk:PASSWORD@127.0.0.1:1x/db",
    ])
  func neverShown(form: String) throws {
    let parameters = ConnectionParameters(uri: form.replacingOccurrences(of: "PASSWORD", with: secret), connectTimeout: 2)
    let error = try failure(parameters)
    for text in ["\(error)", error.message, String(reflecting: error), parameters.redacted] {
      #expect(!text.contains(secret), "\(text)")
    }
  }

  @Test("the redacted URI keeps all but the password")
  func redacted() {
    func redact(_ uri: String?) -> String { ConnectionParameters(uri: uri).redacted }
    #expect(
      redact("postgresql+psycopg2://asterisk:\(secret)@db.example:5433/asterisk?application_name=wazo&sslpassword=\(secret)")
        == "postgresql://asterisk@db.example:5433/asterisk?application_name=wazo")
    #expect(redact("host=/run/postgresql password=\(secret) dbname=a") == "postgresql:///a?host=/run/postgresql")
    #expect(redact("nonsense \(secret)") == "(a connection string that cannot be read)")
    #expect(redact(nil) == "(libpq's environment and defaults)")
  }

  @Test("libpq's report is taken apart in any language, and the last of several decides")
  func reports() {
    let report = ConnectionReport(
      """
      connection to server at "a" (10.0.0.1), port 5432 failed: Connection refused
      \tIs the server running on that host and accepting TCP/IP connections?
      connection to server at "b" (10.0.0.2), port 5432 failed: FATAL:  3D000: la base de données « x » n'existe pas
      HINT:  Try another.
      EMPLACEMENT :  InitPostgres, postinit.c:885
      """)
    #expect(report.sqlState == .invalidCatalogName && report.message == "la base de données « x » n'existe pas")
    #expect(report.hint == "Try another.")
    let refused = ConnectionReport("connection to server at \"a\", port 1 failed: Connection refused\n\tIs it running?\n")
    #expect(refused.sqlState == nil)
    #expect(refused.message == "connection to server at \"a\", port 1 failed: Connection refused Is it running?")
  }
}

/// A unix socket that takes connections and never answers.
struct SilentListener: ~Copyable {
  let folder: String
  let port = 5432
  private let descriptor: Int32

  init() throws {
    folder = "/tmp/silent-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = Array("\(folder)/.s.PGSQL.\(port)".utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    #expect(result == 0 && listen(descriptor, 5) == 0)
  }

  deinit {
    close(descriptor)
    try? FileManager.default.removeItem(atPath: folder)
  }
}

/// A port whose queue is full: the kernel lets further connections wait.
struct FullListener: ~Copyable {
  let port: UInt16
  private let descriptors: [Int32]

  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    func call(_ body: (UnsafeMutablePointer<sockaddr>) -> Int32) -> Int32 {
      withUnsafeMutablePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) } }
    }
    #expect(call { bind(listener, $0, length) } == 0 && listen(listener, 0) == 0)
    #expect(call { getsockname(listener, $0, &length) } == 0)
    port = UInt16(bigEndian: address.sin_port)
    var all = [listener]
    for _ in 0..<4 {
      let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
      _ = call { connect(filler, $0, length) }
      all.append(filler)
    }
    descriptors = all
  }

  deinit { for descriptor in descriptors { close(descriptor) } }
}
