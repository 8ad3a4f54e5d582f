import PostgreSQL
import PrivateServer
import TestSupport
import Testing

@Suite("Transactions")
struct TransactionTests {
  let connection: Connection

  init() throws {
    connection = try TestDatabase().connect()
    try connection.script("CREATE TABLE t (id int PRIMARY KEY)", purpose: "creating a table")
  }

  func insert(_ id: Int32) throws {
    try connection.execute("INSERT INTO t VALUES ($1)", [.int4(id)], purpose: "inserting \(id)")
  }

  var stored: [Int64?] {
    get throws { try connection.query("SELECT id FROM t ORDER BY id", purpose: "reading").map { $0.int64(0) } }
  }

  @Test("what returns is stored, with the closure's value")
  func commit() throws {
    let value = try connection.transaction(purpose: "inserting") {
      try insert(1)
      #expect(connection.inTransaction)
      return "kept"
    }
    #expect(value == "kept" && !connection.inTransaction)
    #expect(try stored == [1])
  }

  @Test("a rolled back transaction leaves nothing")
  func rollback() throws {
    expectStop {
      try connection.transaction(purpose: "inserting") {
        try insert(1)
        throw Stop()
      }
    }
    #expect(try stored == [] && !connection.inTransaction)
  }

  @Test("a transaction whose failure was swallowed is not reported as stored")
  func swallowed() throws {
    let error = try postgreSQLError {
      try connection.transaction(purpose: "inserting twice") {
        try insert(1)
        try? insert(1)
      }
    }
    #expect(error.kind == .statement && error.sqlState == .inFailedTransaction)
    #expect(try stored == [])
  }

  @Test("what COMMIT refuses is not stored")
  func deferred() throws {
    try connection.script(
      "CREATE TABLE child (id int REFERENCES t DEFERRABLE INITIALLY DEFERRED)", purpose: "creating a table")
    let error = try postgreSQLError {
      try connection.transaction(purpose: "inserting an orphan") {
        try connection.execute("INSERT INTO child VALUES (5)", purpose: "inserting")
      }
    }
    #expect(error.kind == .statement && error.sqlState == .foreignKeyViolation)
    #expect(try connection.query("TABLE child", purpose: "reading").isEmpty && connection.isUsable)
  }

  @Test("savepoints undo what is inside them and nothing else, nested too")
  func savepoints() throws {
    try connection.transaction(purpose: "inserting") {
      try insert(1)
      let doubled = try postgreSQLError {
        try connection.savepoint("it's \"mine\"") {
          try insert(2)
          expectStop {
            try connection.savepoint {
              try insert(3)
              throw Stop()
            }
          }
          try insert(1)
        }
      }
      #expect(doubled.sqlState == .uniqueViolation)
      try connection.savepoint { try insert(4) }
    }
    #expect(try stored == [1, 4])
  }

  @Test("a savepoint needs a transaction, and transactions do not nest")
  func misuse() throws {
    #expect(try postgreSQLError { try connection.savepoint {} }.sqlState == SQLState(rawValue: "25P01"))
    try connection.transaction(purpose: "outer") {
      #expect(try postgreSQLError { try connection.transaction(purpose: "inner") {} }.kind == .protocol)
      try insert(1)
    }
    #expect(try stored == [1])
  }

  @Test("a read-only transaction refuses to write and sees one state of the database")
  func readOnly() throws {
    let other = try TestDatabase.sibling(of: connection)
    try connection.transaction(.readOnly, purpose: "reading") {
      #expect(try stored == [])
      try other.execute("INSERT INTO t VALUES (9)", purpose: "inserting")
      #expect(try stored == [])
      #expect(try postgreSQLError { try connection.savepoint { try insert(1) } }.sqlState == .readOnly)
    }
    #expect(try stored == [9])
  }

  @Test("colliding transactions get the code that says they may be tried again")
  func serialization() throws {
    try insert(1)
    let other = try TestDatabase.sibling(of: connection)
    let error = try postgreSQLError {
      try connection.transaction(.repeatableRead, purpose: "updating") {
        _ = try stored
        try other.execute("UPDATE t SET id = 2", purpose: "updating")
        try connection.execute("UPDATE t SET id = 3", purpose: "updating")
      }
    }
    #expect(error.sqlState == .serializationFailure)
    #expect(try stored == [2])
  }

  @Test("a connection that breaks before COMMIT is answered leaves it unknown; one that broke earlier does not")
  func brokenCommit() throws {
    let admin = try TestDatabase.sibling(of: connection)
    func terminate() throws {
      let sql = "SELECT pg_terminate_backend($1, 10000)"
      #expect(try admin.query(sql, [.int4(connection.backendProcessID)], purpose: "terminating").bool(0, 0) == true)
    }
    let unknown = try postgreSQLError {
      try connection.transaction(purpose: "inserting") {
        try insert(1)
        try terminate()
      }
    }
    #expect(unknown.kind == .commitUnknown && !connection.isUsable)
    #expect(unknown.description.contains("may or may not be stored"))

    let second = try TestDatabase.sibling(of: admin)
    let lost = try postgreSQLError {
      try second.transaction(purpose: "inserting") {
        let sql = "SELECT pg_terminate_backend($1, 10000)"
        _ = try admin.query(sql, [.int4(second.backendProcessID)], purpose: "terminating")
        _ = try? second.execute("INSERT INTO t VALUES (2)", purpose: "inserting")
      }
    }
    #expect(lost.kind == .connectionLost)
    #expect(try admin.query("TABLE t", purpose: "reading").isEmpty)
  }

  @Test("the trace shows every statement with its purpose")
  func trace() throws {
    var statements: [String] = []
    connection.trace = { statements.append("\($0): \($1)") }
    try connection.transaction(purpose: "a job") { try connection.savepoint("s") { try insert(1) } }
    #expect(
      statements == [
        "a job: BEGIN ISOLATION LEVEL READ COMMITTED", "Setting a savepoint: SAVEPOINT \"s\"",
        "inserting 1: INSERT INTO t VALUES ($1)", "Setting a savepoint: RELEASE SAVEPOINT \"s\"", "a job: COMMIT",
      ])
  }
}

extension TestDatabase {
  /// Another connection to the same database.
  static func sibling(of connection: Connection) throws -> Connection {
    let uri = try PrivateServer.shared.uri(database: connection.server.database)
    return try Connection(ConnectionParameters(uri: uri), log: quiet)
  }
}
