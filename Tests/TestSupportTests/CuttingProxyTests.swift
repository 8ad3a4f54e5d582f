import Foundation
import PostgreSQL
import PrivateServer
import TestSupport
import Testing

@Suite("The proxy of the tests")
struct CuttingProxyTests {
  private let database: TestDatabase
  private let proxy: CuttingProxy

  init() throws {
    database = try TestDatabase(.empty)
    try database.run("CREATE TABLE t (line text)")
    proxy = try CuttingProxy(to: try PrivateServer.shared)
  }

  private func connect() throws -> Connection {
    try Connection(ConnectionParameters(uri: proxy.uri(database: database.name), applicationName: "cut"), log: quiet)
  }

  @Test("lets everything through: statements, megabytes in and out, requests to cancel")
  func transparent() throws {
    let (connection, other) = (try connect(), try connect())
    let line = [UInt8](String(repeating: "x", count: 9_999).utf8) + [10]
    try connection.copyIn("COPY t FROM STDIN", purpose: "Copying") { copy in
      for _ in 0..<300 { try line.withUnsafeBytes { try copy.write($0) } }
    }
    var bytes = 0
    _ = try other.copyOut("COPY t TO STDOUT", purpose: "Copying") { bytes += $0.count }
    #expect(bytes == 3_000_000)
    #expect(try other.query("SELECT $1 + 1", [.int8(41)], purpose: "Adding").int64(0, 0) == 42)
    #expect(proxy.connections == 2 && proxy.statements >= 3 && proxy.cuts.isEmpty)

    let canceller = connection.canceller
    let cancelling = Repeating {
      canceller.cancel()
      return 0.05
    }
    let error = #expect(throws: PostgreSQLError.self) {
      try connection.execute("SELECT pg_sleep(60)", purpose: "Sleeping")
    }
    cancelling.stop()
    #expect(error?.sqlState == .queryCanceled && proxy.connections == 2)
  }

  @Test("cuts before a COMMIT, which then is none, or after it, which then holds", arguments: CuttingProxy.Moment.allCases)
  func commit(moment: CuttingProxy.Moment) throws {
    proxy.cut(moment, at: "COMMIT", passing: 2)
    let connection = try connect()
    func add(_ line: String) throws {
      try connection.transaction(purpose: "Adding") {
        try connection.execute("INSERT INTO t VALUES ($1)", [.text(line)], purpose: "Adding")
      }
    }
    try add("first")
    let error = #expect(throws: PostgreSQLError.self) { try add("second") }
    #expect(error?.kind == .commitUnknown && proxy.cuts == ["COMMIT"])
    // What was not waited for may still be under way.
    try waitUntil("the session has ended") {
      try database.value("count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'cut'") == "0"
    }
    #expect(try database.rows("line FROM t ORDER BY 1") == (moment == .before ? ["first"] : ["first", "second"]))
    // Once: then all goes through again.
    let another = try connect()
    #expect(try another.query("SELECT 1", purpose: "Going on").count == 1)
    #expect(proxy.connections == 2)
  }

  @Test("cuts at a statement with parameters, too", arguments: CuttingProxy.Moment.allCases)
  func prepared(moment: CuttingProxy.Moment) throws {
    proxy.cut(moment, at: "INSERT")
    let connection = try connect()
    let error = #expect(throws: PostgreSQLError.self) {
      try connection.execute("INSERT INTO t VALUES ($1)", [.text("x")], purpose: "Adding")
    }
    #expect(error?.kind == .connectionLost)
    try waitUntil("the session has ended") {
      try database.value("count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'cut'") == "0"
    }
    #expect(try database.value("count(*) FROM t") == (moment == .before ? "0" : "1"))
  }

  @Test("ends its connections when it goes")
  func closes() throws {
    var other: CuttingProxy? = try CuttingProxy(to: try PrivateServer.shared)
    let uri = try #require(other?.uri(database: database.name))
    let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "cut"), log: quiet)
    other = nil
    #expect(throws: PostgreSQLError.self) { try connection.execute("SELECT 1", purpose: "Asking") }
    #expect(throws: PostgreSQLError.self) { try Connection(ConnectionParameters(uri: uri, applicationName: "cut"), log: quiet) }
  }
}
