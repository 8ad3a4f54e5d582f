import PrivateServer
import ServiceSupport
import Store
import TestSupport
import Testing
import Values

@testable import Service

@Suite("While the database is away or slow", .fewAtOnce, .timeLimit(.minutes(5)))
struct DatabaseAwayTests {
  private static func isRefusal(_ answer: Answer, _ id: String) -> Bool {
    answer.status == 503 && answer.errorID == id && answer.headers["retry-after"] != nil
  }

  /// Asks until the answer is 200, and checks that each one before it says to try again.
  private static func untilWell(_ service: ServiceUnderTest, _ token: String) async throws {
    for _ in 0..<3000 {
      let answer = try await service.ask(as: token, "/cdr")
      if answer.status == 200 { return }
      #expect(isRefusal(answer, "database-unreachable"), "\(answer.status) \(answer.text)")
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("the service did not come back")
  }

  @Test("Sessions that the server ends, and a database without connections, are refusals for a while and no more")
  func connections() async throws {
    try await withService { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      #expect(try await service.ask(as: token, "/cdr").status == 200)
      let end =
        "pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'service-tests' AND datname = current_database()"
      #expect(try !database.rows(end).isEmpty)
      // A list is asked for a second time where its session was ended.
      #expect(try await service.ask(as: token, "/cdr").status == 200)
      try allowConnections(false, to: database)
      _ = try database.rows(end)
      for path in ["/cdr", "/cdr?limit=0", "/cdr/1", "/retention", "/exports/\(uuid(1))"] {
        let answer = try await service.ask(as: token, path)
        #expect(DatabaseAwayTests.isRefusal(answer, "database-unreachable"), "\(path): \(answer.status) \(answer.text)")
      }
      // What needs no database is served.
      #expect(try await service.ask(as: token, "/status").status == 200)
      try allowConnections(true, to: database)
      try await DatabaseAwayTests.untilWell(service, token)
    }
  }

  @Test("A server that is started again is used again, without a restart of the service")
  func restart() async throws {
    let server = try PrivateServer(settings: ["fsync": "off"])
    defer { server.stop() }
    let database = try TestDatabase(on: server)
    try Migrator(database.admin).migrate(program: "tests")
    let tokens = try TokensOfTest()
    defer { tokens.remove() }
    let token = try tokens.file.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
    let service = try await ServiceUnderTest.start(database.uri, tokens.authenticator)
    try await DatabaseAwayTests.untilWell(service, token)
    for mode in [PrivateServer.StopMode.fast, .immediate] {
      let restart = Task { try await onThread { try server.restart(mode: mode) } }
      for _ in 0..<20 {
        let answer = try await service.ask(as: token, "/cdr")
        #expect(answer.status == 200 || DatabaseAwayTests.isRefusal(answer, "database-unreachable"), "\(answer.text)")
        try await Task.sleep(for: .milliseconds(5))
      }
      try await restart.value
      try await DatabaseAwayTests.untilWell(service, token)
    }
    await service.stop()
  }

  @Test("A list that takes too long is refused, and says how to ask for less")
  func timeout() async throws {
    try await withService(settings: { $0.timeouts.list = .milliseconds(200) }) { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      #expect(try await service.ask(as: token, "/cdr").status == 200)
      try database.run("BEGIN; LOCK TABLE call_logd_call_log IN ACCESS EXCLUSIVE MODE")
      for path in ["/cdr", "/cdr?format=csv", "/cdr/1"] {
        let answer = try await service.ask(as: token, path)
        #expect(DatabaseAwayTests.isRefusal(answer, "query-timeout"), "\(path): \(answer.status) \(answer.text)")
      }
      try database.run("ROLLBACK")
      #expect(try await service.ask(as: token, "/cdr").status == 200)
    }
  }

  @Test("What does not fit into the queue is refused, and the rest is served")
  func full() async throws {
    try await withService(settings: {
      $0.connections = (1, 1, 1)
      $0.queue.length = 1
      $0.managementPort = 0
    }) { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      #expect(try await service.ask(as: token, "/cdr/1").status == 404)
      try database.run("BEGIN; LOCK TABLE call_logd_call_log IN ACCESS EXCLUSIVE MODE")
      let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
        for _ in 0..<8 { group.addTask { try await service.ask(as: token, "/cdr/1") } }
        var answers: [Answer] = []
        for try await answer in group {
          answers.append(answer)
          // One runs, one waits.
          if answers.count == 6 { try database.run("ROLLBACK") }
        }
        return answers
      }
      #expect(answers.prefix(6).allSatisfy { DatabaseAwayTests.isRefusal($0, "service-busy") })
      let metrics = try await service.metrics()
      // A lock that is waited for too long would be a refusal, too, but not one of the queue.
      #expect(metrics.value("wazo_call_logd_database_refused_total", ["lanes": "list"]) == 6)
      #expect(try await service.ask(as: token, "/cdr/1").status == 404)
    }
  }
}

/// Whether a database takes new connections. Its own sessions cannot change that.
func allowConnections(_ isOn: Bool, to database: TestDatabase) throws {
  _ = try PrivateServer.shared.psql("ALTER DATABASE \(database.name) WITH ALLOW_CONNECTIONS \(isOn)")
}
