import Foundation
import ServiceSupport
import Store
import Synchronization
import TestSupport
import Testing
import UnixSignals
import Values

@testable import Service

@Suite("The end of the service", .fewAtOnce, .timeLimit(.minutes(5)), .serialized)
struct EndingTests {
  @Test("Running answers end, and new requests are refused")
  func running() async throws {
    try await withService { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      // A call log that is read slowly.
      try database.run(
        """
        INSERT INTO call_logd_tenant VALUES ('\(uuid(0))');
        INSERT INTO call_logd_call_log (id, date, tenant_uuid) VALUES (1, '2024-01-01Z', '\(uuid(0))');
        ALTER TABLE call_logd_call_log RENAME TO call_logs;
        CREATE VIEW call_logd_call_log AS SELECT * FROM call_logs WHERE pg_sleep(1) IS NOT NULL
        """)
      let running = Task { try await service.ask(as: token, "/cdr/1") }
      try await until {
        (try? database.value("count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"))
          == "1"
      }
      let end = Task { await service.stop() }
      // Whoever comes now is refused, or finds nobody.
      var isRefused = false
      for _ in 0..<400 where !isRefused {
        let answer = try? await service.ask("GET", "/api/api.yml")
        isRefused = answer.map { $0.status == 503 && $0.errorID == "service-ending" } ?? true
        try await Task.sleep(for: .milliseconds(2))
      }
      #expect(isRefused)
      #expect(try await running.value.status == 200)
      await end.value
    }
  }

  private final class Storm: Sendable {
    let isOver = Atomic<Bool>(false)
    let answered = Atomic<Int>(0)
  }

  @Test("Connections that arrive while it ends do no harm")
  func storm() async throws {
    let database = try TestDatabase(.empty)
    try Migrator(database.admin).migrate(program: "tests")
    let tokens = try TokensOfTest()
    defer { tokens.remove() }
    let token = try tokens.file.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
    for _ in 0..<6 {
      let service = try await ServiceUnderTest.start(database.uri, tokens.authenticator, signals: [.sigusr2])
      let port = service.port
      let storm = Storm()
      await withTaskGroup(of: Void.self) { group in
        for number in 0..<3 {
          group.addTask {
            _ = try? await onThread {
              while !storm.isOver.load(ordering: .relaxed) {
                guard let client = try? RawClient(port) else { continue }
                guard number > 0 else { continue }
                client.send("GET /1.0/api/api.yml HTTP/1.1\r\nHost: a\r\nX-Auth-Token: \(token)\r\n\r\n")
                if number == 1, client.receive() != nil { storm.answered.add(1, ordering: .relaxed) }
              }
            }
          }
        }
        try? await until { storm.answered.load(ordering: .relaxed) > 2 }
        // As the system ends a service, with a signal that no other test sends.
        kill(getpid(), SIGUSR2)
        await service.ended()
        storm.isOver.store(true, ordering: .relaxed)
      }
      #expect(storm.answered.load(ordering: .relaxed) > 2)
    }
  }
}
