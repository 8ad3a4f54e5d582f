import Foundation
import Logging
import PostgreSQL
import PrivateServer
import TestSupport
import Testing

@Suite("Errors and notices")
struct ErrorTests {
  let recorder = LogRecorder(level: .trace)
  let connection: Connection

  init() throws {
    connection = try TestDatabase().connect(log: recorder.logger)
    try connection.script(
      """
      CREATE TABLE call (id int CONSTRAINT call_key PRIMARY KEY, name text NOT NULL, seconds int CONSTRAINT positive CHECK (seconds > 0));
      CREATE TABLE part (call int CONSTRAINT part_call REFERENCES call);
      INSERT INTO call VALUES (1, 'first', 1);
      """, purpose: "creating tables")
  }

  func fail(_ sql: String, _ parameters: [Parameter] = []) throws -> PostgreSQLError {
    let error = try postgreSQLError { try connection.execute(sql, parameters, purpose: "Storing call 7") }
    #expect(error.purpose == "Storing call 7" && connection.isUsable)
    return error
  }

  @Test("a constraint's violation names table, column and constraint")
  func constraints() throws {
    let unique = try fail("INSERT INTO call VALUES (1, 'x', 1)")
    #expect(unique.kind == .statement && unique.sqlState == .uniqueViolation)
    #expect(unique.schema == "public" && unique.table == "call" && unique.constraint == "call_key")
    #expect(unique.detail == "Key (id)=(1) already exists.")
    let null = try fail("INSERT INTO call VALUES (2)")
    #expect(null.sqlState == .notNullViolation && null.column == "name")
    #expect(try fail("INSERT INTO call VALUES (2, 'x', -1)").constraint == "positive")
    #expect(try fail("INSERT INTO part VALUES (9)").sqlState == .foreignKeyViolation)
  }

  @Test("each mistake has its code")
  func codes() throws {
    #expect(try fail("SELECT 1 / 0").sqlState == .divisionByZero)
    #expect(try fail("TABLE nowhere").sqlState == .undefinedTable)
    #expect(try fail("SELECT nothing FROM call").sqlState == .undefinedColumn)
    #expect(try fail("SELEKT").sqlState == .syntaxError)
    #expect(try fail("SELECT $1", [.text("a\0b")]).sqlState == .characterNotInRepertoire)
    #expect(try fail("SET statement_timeout = 'x'").sqlState == SQLState(rawValue: "22023"))
    let hint = try fail("SELECT nam FROM call").hint
    #expect(hint?.contains("call.name") == true)
  }

  @Test("codes match by themselves and by class")
  func patterns() throws {
    func match(_ state: SQLState?) -> String {
      switch state {
      case .uniqueViolation: "unique"
      case .class("23"): "constraint"
      case .class("22"): "data"
      default: "other"
      }
    }
    #expect(match(.uniqueViolation) == "unique" && match(.checkViolation) == "constraint")
    #expect(match(.divisionByZero) == "data" && match(.undefinedTable) == "other" && match(nil) == "other")
    #expect(SQLState.deadlockDetected.class == "40")
    let error = try fail("SELECT 1 / 0")
    switch error.sqlState {
    case .some(.class("22")): break
    default: Issue.record("division by zero is a data exception")
    }
  }

  @Test("the description is one line with purpose, place, message, code and hint")
  func description() throws {
    let text = try fail("SELECT nam FROM call").description
    #expect(text.hasPrefix("Storing call 7 failed (database \"\(connection.server.database)\" on /tmp/"))
    #expect(text.contains("as user \"postgres\""))
    #expect(text.contains("column \"nam\" does not exist [SQLSTATE 42703]; hint: "))
    #expect(!text.contains("\n"))
  }

  @Test("no value gets into a description")
  func noValues() throws {
    let secret = "4155550123"
    let errors = [
      try fail("INSERT INTO call VALUES (1, $1, 1)", [.text(secret)]),
      try fail("INSERT INTO call VALUES (5, $1, -1)", [.text(secret)]),
      try fail("SELECT $1::text::uuid", [.text(secret)]), try fail("SELECT $1::text::timestamptz", [.text(secret + "\"")]),
      try fail("SELECT $1::text::int2", [.text("99" + secret)]), try fail("SELECT ($1::text || 'x')::json", [.text(secret)]),
      try fail("SELECT $1::text::inet", [.text(secret)]), try fail("SELECT $1", [.text(secret + "\0")]),
    ]
    for error in errors { #expect(!error.description.contains(secret), "\(error)") }
    #expect(errors.contains { ($0.detail ?? "").contains(secret) || $0.message.contains(secret) })
  }

  @Test("a terminated connection is lost, and says so at every later use")
  func terminated() throws {
    let admin = try TestDatabase.sibling(of: connection)
    _ = try admin.query(
      "SELECT pg_terminate_backend($1, 10000)", [.int4(connection.backendProcessID)], purpose: "terminating")
    let first = try postgreSQLError { try connection.execute("SELECT 1", purpose: "counting") }
    #expect(first.kind == .connectionLost)
    #expect(!connection.isUsable && !connection.inTransaction)
    #expect(try postgreSQLError { try connection.execute("SELECT 1", purpose: "counting") }.kind == .connectionLost)
  }

  @Test("a connection that is terminated in the middle of a COPY or a stream is lost; the process lives on")
  func terminatedInCopy() throws {
    let admin = try TestDatabase.sibling(of: connection)
    func terminate(_ victim: Connection) throws {
      _ = try admin.query("SELECT pg_terminate_backend($1, 10000)", [.int4(victim.backendProcessID)], purpose: "terminating")
    }
    let piece = Array("1\n".utf8) + [UInt8](repeating: UInt8(ascii: "\n"), count: 1 << 16)
    let lostIn = try postgreSQLError {
      try connection.copyIn("COPY part FROM STDIN", purpose: "writing") { copy in
        try terminate(connection)
        for _ in 0..<100 { try piece.withUnsafeBytes(copy.write) }
      }
    }
    #expect(lostIn.kind == .connectionLost)

    for isCopy in [true, false] {
      let other = try TestDatabase.sibling(of: admin)
      var isTerminated = false
      func step() throws {
        if !isTerminated { try terminate(other) }
        isTerminated = true
      }
      let endless = "SELECT generate_series(1, 10000000000)"
      let lost = try postgreSQLError {
        if isCopy {
          try other.copyOut("COPY (\(endless)) TO STDOUT", purpose: "reading") { _ in try step() }
        } else {
          try other.stream(endless, purpose: "reading") { _ in try step() }
        }
      }
      #expect(lost.kind == .connectionLost && !other.isUsable)
    }
  }

  @Test("a closed connection refuses statements, and closing twice does no harm")
  func closed() throws {
    connection.close()
    connection.close()
    let error = try postgreSQLError { try connection.query("SELECT 1", purpose: "counting") }
    #expect(error.kind == .connectionLost && error.message == "the connection was closed")
    #expect(!connection.isUsable && !connection.canceller.cancel())
  }

  @Test("what a server says before it ends a session is no warning of its own: who loses the connection tells of it")
  func farewell() throws {
    let recorder = LogRecorder(level: .trace)
    let connection = try TestDatabase().connect(log: recorder.logger)
    for state in ["57P01", "57P02"] {
      try connection.script("DO $$ BEGIN RAISE WARNING 'terminating' USING ERRCODE = '\(state)'; END $$", purpose: "A farewell")
    }
    #expect(recorder.lines.filter { $0.text == "terminating" }.map(\.level) == [.info, .info])
  }

  @Test("notices go to the log at their level")
  func notices() throws {
    for (severity, level) in [("warning", Logger.Level.warning), ("notice", .notice), ("info", .info), ("debug", .debug)] {
      try connection.script(
        "SET client_min_messages = debug1; DO $$ BEGIN RAISE \(severity) 'about %', '\(severity)'; END $$", purpose: "raising")
      #expect(recorder.lines.contains { $0.level == level && $0.text == "about \(severity)" })
    }
    try connection.script("DROP TABLE IF EXISTS nowhere", purpose: "dropping")
    #expect(recorder.lines.last?.text == "table \"nowhere\" does not exist, skipping")
  }

  @Test("a quoted name is one name whatever it contains")
  func quoting() throws {
    for name in ["cel", "Mixed Case", "quo\"te", "semi;colon", "it's", "dot.ted", "日本", "select"] {
      let quoted = Connection.quoteIdentifier(name)
      let rows = try connection.query("SELECT 1 AS \(quoted)", purpose: "naming")
      #expect(rows.columnNames == [name])
      #expect(Connection.quoteQualifiedName(quoted) == quoted || name.contains("\""))
    }
    #expect(Connection.quoteQualifiedName("public.call") == "\"public\".\"call\"")
    #expect(Connection.quoteQualifiedName("\"a.b\".c") == "\"a.b\".\"c\"")
    #expect(Connection.quoteQualifiedName(schema: nil, "cel") == "\"cel\"")
    #expect(Connection.quoteQualifiedName(schema: "x", "cel") == "\"x\".\"cel\"")
    #expect(Connection.quoteIdentifier("a\0b") == "\"ab\"")
  }

  @Test("a server that crashed is a lost connection, whatever it left to read")
  func crash() throws {
    let server = try PrivateServer()
    let uri = server.uri(database: "postgres")
    let (one, other) = (
      try Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet),
      try Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)
    )
    let pids = try [one, other].map {
      pid_t(truncatingIfNeeded: try $0.query("SELECT pg_backend_pid()::int8", purpose: "Testing").int64(0, 0) ?? 0)
    }
    // The server takes a session that was killed for a crash and ends all others, with a warning,
    // which stays unread here.
    kill(pids[0], SIGKILL)
    for _ in 0..<3000 where kill(pids[1], 0) == 0 { usleep(10_000) }
    for connection in [one, other] {
      let error = try postgreSQLError { try connection.transaction(purpose: "Testing") { 1 } }
      #expect(error.kind == .connectionLost && !connection.isUsable, "\(error) \(error.kind)")
    }
    // A server that is told to stop while it recovers takes its time.
    while (try? Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)) == nil { usleep(10_000) }
  }
}
