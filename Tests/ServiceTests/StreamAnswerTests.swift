import Foundation
import ServiceSupport
import TestSupport
import Testing
import Values

@testable import Service

@Suite("Streams over HTTP", .fewAtOnce, .timeLimit(.minutes(5)), .serialized)
struct StreamAnswerTests {
  private static let rows = 12_000

  /// Far more than sockets and the pieces of a stream hold.
  private static func fill(_ database: TestDatabase) throws {
    try database.run(
      """
      INSERT INTO call_logd_tenant VALUES ('\(uuid(0))');
      INSERT INTO call_logd_call_log (id, date, date_end, tenant_uuid, source_name, destination_name, requested_name)
      SELECT id, timestamptz '2024-01-01Z' + id * interval '1 second', '2024-03-01Z', '\(uuid(0))', repeat('a', 250),
        repeat('b', 250), repeat('c', 250) FROM generate_series(1, \(rows)) AS id
      """)
  }

  private static func request(_ token: String) -> String {
    "GET /1.0/cdr?format=csv&limit=0 HTTP/1.1\r\nHost: a\r\nX-Auth-Token: \(token)\r\n\r\n"
  }

  /// Serves a long list with one connection for streams.
  private static func withStream(
    _ edit: @escaping (inout CallLogServiceSettings) -> Void = { _ in },
    _ body: (ServiceUnderTest, TestDatabase, String) async throws -> Void
  ) async throws {
    try await withService(settings: {
      $0.connections = (2, 1, 1)
      edit(&$0)
    }) { service, database, tokens in
      try fill(database)
      try await body(
        service, database, try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"]))
    }
  }

  private static let busy = """
    count(*) FROM pg_stat_activity WHERE application_name = 'service-tests' AND datname = current_database()
      AND backend_type = 'client backend' AND state <> 'idle'
    """

  /// A client in the middle of a stream, which the lane cannot end, for nobody takes it.
  private static func client(_ service: ServiceUnderTest, _ token: String) async throws -> (RawClient, [UInt8]) {
    let port = service.port
    return try await onThread {
      let client = try RawClient(port, buffer: 1 << 14)
      client.send(request(token))
      return (client, client.receive(100) ?? [])
    }
  }

  @Test("A client that goes away in the middle frees the lane and the server's backend, and lists never wait for it")
  func gone() async throws {
    try await StreamAnswerTests.withStream { service, database, token in
      for _ in 0..<3 {
        let (client, first) = try await StreamAnswerTests.client(service, token)
        #expect(String(decoding: first, as: UTF8.self).hasPrefix("HTTP/1.1 200"))
        #expect(try await service.ask(as: token, "/cdr?limit=3").ids.count == 3)
        // The service looks after its counts at times.
        try await until { (try? database.value(StreamAnswerTests.busy)) == "1" }
        client.goAway()
        try await until { (try? database.value(StreamAnswerTests.busy)) == "0" }
      }
      // The only lane for streams is free.
      #expect(try await service.ask(as: token, "/cdr?limit=0&from_id=\(StreamAnswerTests.rows - 4)").ids.count == 5)
    }
  }

  @Test("A client that goes away before the first byte frees the lane, too")
  func goneEarly() async throws {
    try await withService(settings: { $0.connections = (1, 1, 1) }) { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      #expect(try await service.ask(as: token, "/cdr").status == 200)
      try database.run(
        """
        INSERT INTO call_logd_tenant VALUES ('\(uuid(0))');
        INSERT INTO call_logd_call_log (id, date, tenant_uuid) VALUES (1, '2024-01-01Z', '\(uuid(0))');
        ALTER TABLE call_logd_call_log RENAME TO call_logs;
        CREATE VIEW call_logd_call_log AS SELECT * FROM call_logs WHERE pg_sleep(300) IS NOT NULL
        """)
      let sleeping = "count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
      for isReset in [false, true] {
        let port = service.port
        let client = try await onThread {
          let client = try RawClient(port)
          client.send(StreamAnswerTests.request(token))
          return client
        }
        try await until { (try? database.value(sleeping)) == "1" }
        if isReset { client.reset() } else { client.goAway() }
        // Without it the server's limit for statements would end it, much later.
        var isFree = false
        for _ in 0..<1500 where !isFree {
          isFree = try database.value(sleeping) == "0"
          try await Task.sleep(for: .milliseconds(10))
        }
        #expect(isFree)
      }
    }
  }

  @Test("A client that reads slowly gets everything")
  func slow() async throws {
    try await StreamAnswerTests.withStream { service, _, token in
      let port = service.port
      let answer = try await onThread {
        let client = try RawClient(port, buffer: 1 << 16)
        client.send(StreamAnswerTests.request(token))
        return client.receiveAll(pause: 300)
      }
      let body = try #require(unchunked(answer ?? []))
      #expect(body.count { $0 == UInt8(ascii: "\n") } == StreamAnswerTests.rows + 1)
      #expect(try await service.ask(as: token, "/cdr?format=csv&limit=0").body == body)
    }
  }

  @Test("An error in the middle never looks like an end")
  func broken() async throws {
    try await StreamAnswerTests.withStream { service, database, token in
      for _ in 0..<3 {
        let (client, first) = try await StreamAnswerTests.client(service, token)
        let ended = try database.rows(
          """
          pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'service-tests'
            AND datname = current_database() AND state <> 'idle'
          """)
        #expect(ended == ["true"])
        let rest = try await onThread { client.receiveAll() }
        let answer = first + (try #require(rest))
        #expect(String(decoding: answer.prefix(15), as: UTF8.self) == "HTTP/1.1 200 OK")
        #expect(unchunked(answer) == nil)
      }
      #expect(try await service.ask(as: token, "/cdr?limit=0&from_id=\(StreamAnswerTests.rows)").ids.count == 1)
    }
  }

  @Test("The end of the service waits for streams, and cuts off those that nobody reads")
  func end() async throws {
    try await StreamAnswerTests.withStream({
      $0.grace = .milliseconds(500)
      // A reader may be as slow as it likes otherwise.
      $0.streams.idle = .seconds(3600)
    }) { service, _, token in
      let (client, first) = try await StreamAnswerTests.client(service, token)
      await service.stop()
      let rest = try await onThread { client.receiveAll() }
      let answer = first + (try #require(rest))
      #expect(unchunked(answer) == nil)
    }
    try await StreamAnswerTests.withStream({ $0.grace = .seconds(60) }) { service, _, token in
      let (client, first) = try await StreamAnswerTests.client(service, token)
      let rest = Task { try await onThread { client.receiveAll() } }
      await service.stop()
      let answer = first + (try await rest.value ?? [])
      #expect(unchunked(answer)?.count { $0 == UInt8(ascii: "\n") } == StreamAnswerTests.rows + 1)
    }
  }
}
