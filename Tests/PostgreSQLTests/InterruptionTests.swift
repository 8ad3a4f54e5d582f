import Foundation
import PostgreSQL
import PrivateServer
import TestSupport
import Testing

@Suite("Interruption")
struct InterruptionTests {
  let connection: Connection
  let admin: Connection

  init() throws {
    connection = try TestDatabase().connect()
    admin = try TestDatabase.sibling(of: connection)
    try connection.script("CREATE TABLE t (id int)", purpose: "creating a table")
  }

  /// Does something in another thread once the connection's statement runs at the server.
  func whenRunning(_ action: @escaping @Sendable () -> Void) throws {
    let database = connection.server.database
    let process = connection.backendProcessID
    let uri = try PrivateServer.shared.uri(database: database)
    Thread.detachNewThread {
      guard let watcher = try? Connection(ConnectionParameters(uri: uri), log: quiet) else { return }
      let sql = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'"
      while let rows = try? watcher.query(sql, [.int4(process)], purpose: "watching"), rows.int64(0, 0) == 0 { usleep(5000) }
      action()
    }
  }

  @Test("another thread cancels the running statement; by itself that is the statement's error")
  func cancel() throws {
    let canceller = connection.canceller
    try whenRunning { canceller.cancel() }
    let error = try postgreSQLError { try connection.execute("SELECT pg_sleep(600)", purpose: "sleeping") }
    #expect(error.kind == .statement && error.sqlState == .queryCanceled)
    #expect(connection.isUsable)
    #expect(!canceller.cancel(), "nothing runs")
    try connection.execute("SELECT 1", purpose: "going on")
  }

  @Test("a request cancels what registered connections run, and only theirs")
  func request() throws {
    let interruption = Interruption()
    interruption.register(connection)
    try whenRunning { interruption.request() }
    let error = try postgreSQLError { try connection.execute("SELECT pg_sleep(600)", purpose: "sleeping") }
    #expect(error.kind == .cancelled && error.sqlState == .queryCanceled)
    #expect(interruption.isRequested && interruption.signal == nil)
    #expect(error.description.hasPrefix("sleeping was interrupted"))
    try connection.execute("INSERT INTO t VALUES (1)", purpose: "cleaning up")
    #expect(try admin.query("TABLE t", purpose: "reading").count == 1)
  }

  @Test("a time-out without a request is the statement's error")
  func timeout() throws {
    Interruption().register(connection)
    try connection.script("SET statement_timeout = 50", purpose: "setting")
    let error = try postgreSQLError { try connection.execute("SELECT pg_sleep(600)", purpose: "sleeping") }
    #expect(error.kind == .statement && error.sqlState == .queryCanceled)
  }

  @Test("a request between two statements of a transaction undoes it; the next transaction runs")
  func betweenStatements() throws {
    let interruption = Interruption()
    interruption.register(connection)
    let error = try postgreSQLError {
      try connection.transaction(purpose: "inserting") {
        try connection.execute("INSERT INTO t VALUES (1)", purpose: "inserting")
        interruption.request()
        try connection.execute("INSERT INTO t VALUES (2)", purpose: "inserting more")
      }
    }
    #expect(error.kind == .cancelled && error.purpose == "inserting more")
    #expect(!connection.inTransaction)
    try connection.transaction(purpose: "cleaning up") {
      try connection.execute("INSERT INTO t VALUES (3)", purpose: "inserting")
    }
    #expect(try admin.query("TABLE t", purpose: "reading").map { $0.int64(0) } == [3])
  }

  @Test("a request after the last statement does not keep a transaction from being stored")
  func beforeCommit() throws {
    let interruption = Interruption()
    interruption.register(connection)
    try connection.transaction(purpose: "inserting") {
      try connection.execute("INSERT INTO t VALUES (1)", purpose: "inserting")
      interruption.request()
    }
    #expect(try admin.query("TABLE t", purpose: "reading").count == 1)
  }

  @Test("a request ends a COPY in both directions")
  func copies() throws {
    for isIn in [true, false] {
      let interruption = Interruption()
      interruption.register(connection)
      let error = try postgreSQLError {
        if isIn {
          try connection.copyIn("COPY t FROM STDIN", purpose: "copying") { copy in
            let line = Array("1\n".utf8)
            try line.withUnsafeBytes(copy.write)
            interruption.request()
            while true { try line.withUnsafeBytes(copy.write) }
          }
        } else {
          var isFirst = true
          try connection.copyOut("COPY (SELECT generate_series(1, 10000000000)) TO STDOUT", purpose: "copying") { _ in
            if isFirst { interruption.request() }
            isFirst = false
          }
        }
      }
      #expect(error.kind == .cancelled && connection.isUsable)
      interruption.unregister(connection)
    }
    #expect(try admin.query("TABLE t", purpose: "reading").isEmpty)
  }

  @Test("connections that are closed or no longer registered are left alone")
  func leftAlone() throws {
    let interruption = Interruption()
    interruption.register(admin)
    admin.close()
    interruption.register(connection)
    interruption.unregister(connection)
    try connection.transaction(purpose: "inserting") {
      interruption.request()
      try connection.execute("INSERT INTO t VALUES (1)", purpose: "inserting")
    }
    let canceller = admin.canceller
    #expect(!canceller.cancel())
  }

  @Test("the first signal requests the interruption, and which one it was can be read")
  func firstSignal() async {
    for name in ["INT", "TERM"] {
      await #expect(processExitsWith: .exitCode(42)) { [name = name as String] in
        let number = name == "INT" ? SIGINT : SIGTERM
        signal(number, SIG_DFL)
        let interruption = Interruption()
        Interruption.installSignalHandlers(interruption) { arrived in
          exit(interruption.isRequested && interruption.signal == arrived && arrived == number ? 42 : 1)
        }
        // Until the waiting thread has taken over, a thread that was there before would end the
        // process.
        while !handles(number) { usleep(1000) }
        kill(getpid(), number)
        sleep(60)
        exit(2)
      }
    }
  }

  @Test("a second signal ends the process at once")
  func secondSignal() async {
    await #expect(processExitsWith: .exitCode(128 + SIGTERM)) {
      signal(SIGTERM, SIG_DFL)
      Interruption.installSignalHandlers(Interruption()) { _ in kill(getpid(), SIGTERM) }
      while !handles(SIGTERM) { usleep(1000) }
      kill(getpid(), SIGTERM)
      sleep(60)
      exit(2)
    }
  }

  @Test("SIGINT stays ignored where the program was started so, and a closed pipe does not end the process")
  func ignored() async {
    await #expect(processExitsWith: .exitCode(42)) {
      signal(SIGINT, SIG_IGN)
      Interruption.installSignalHandlers(Interruption()) { _ in exit(1) }
      while !handles(SIGTERM) { usleep(1000) }
      kill(getpid(), SIGINT)
      var ends: [Int32] = [0, 0]
      pipe(&ends)
      close(ends[0])
      exit(write(ends[1], "x", 1) == -1 && errno == EPIPE ? 42 : 2)
    }
  }
}

/// Whether a signal has a handler.
private func handles(_ number: Int32) -> Bool {
  var action = sigaction()
  sigaction(number, nil, &action)
  return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) > 1
}
