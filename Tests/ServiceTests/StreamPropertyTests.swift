import API
import Authentication
import Foundation
import PostgreSQL
import ServiceSupport
import Store
import TestSupport
import Testing
import Values

@testable import Service

@Suite("Streams of call logs while many write", .fewAtOnce, .timeLimit(.minutes(5)))
struct StreamPropertyTests {
  private static let tenants = 4
  private static let conversationsOfEach = 20

  /// A writer with conversations of its own. It takes ids early, commits late, or not at all; it
  /// makes call logs again, as Wazo's daemon does: with new ids.
  private static func write(_ database: Connection, _ number: Int, _ random: inout Seeded, until end: ContinuousClock.Instant) {
    var connection = database
    defer { connection.close() }
    while .now < end {
      do {
        try transaction(connection, number, &random)
      } catch {
        // Somebody ended the session.
        guard let again = try? connection.sibling() else { continue }
        connection.close()
        connection = again
      }
    }
  }

  private static func transaction(_ connection: Connection, _ number: Int, _ random: inout Seeded) throws {
    func run(_ sql: String) throws { try connection.script(sql, purpose: "Writing") }
    func pause() { Thread.sleep(forTimeInterval: Double(random.below(random.oneIn(20) ? 700 : 30)) / 1000) }
    try run("BEGIN")
    let count = 1 + random.below(random.oneIn(10) ? 60 : 4)
    let ids = try connection.query(
      "SELECT nextval('call_logd_call_log_id_seq') FROM generate_series(1, \(count))", purpose: "Taking ids"
    ).compactMap { $0.int64(0) }
    pause()
    for id in ids {
      let conversation = random.below(conversationsOfEach)
      if random.oneIn(20) { try run("DELETE FROM call_logd_call_log WHERE conversation_id = '\(number).\(conversation)'") }
      try run(
        """
        INSERT INTO call_logd_call_log (id, date, tenant_uuid, conversation_id) VALUES
          (\(id), '2024-05-01Z', '\(uuid(random.below(tenants)))', '\(number).\(conversation)')
        """)
      if random.oneIn(10) { pause() }
    }
    pause()
    try run(random.oneIn(6) ? "ROLLBACK" : "COMMIT")
  }

  /// A client that goes away and comes again, now here, now there.
  private final class Reader: Sendable {
    let token: String
    /// The tenants that it sees.
    let tenants: Range<Int>
    let events = Locked<[StreamClient.Event]>([])

    init(_ token: String, _ tenants: Range<Int>) { (self.token, self.tenants) = (token, tenants) }

    /// Comes and goes until it has all that is expected after the end of the writing.
    func read(_ services: [ServiceUnderTest], _ start: Seeded, _ expected: @escaping @Sendable () -> Set<Int64>?) async throws {
      var random = start
      // The place before the first call log.
      var lastID = "0"
      var tries = 0
      let query = tenants.count > 1 ? "?recurse=true" : ""
      while tries < 50 {
        let client = try await StreamClient.open(random.pick(services), token, query, lastID: lastID)
        guard client.status == 200 else {
          // The database was away for a moment.
          await client.close()
          try await Task.sleep(for: .milliseconds(100))
          continue
        }
        try await Task.sleep(for: .milliseconds(random.below(random.oneIn(4) ? 1500 : 300)))
        await client.close()
        if let place = client.lastID { lastID = place }
        events.with { $0 += client.events }
        let expected = expected()
        if expected != nil { tries += 1 }
        if let expected, expected.isSubset(of: Set(events.with { $0.map(\.callLog) })) { return }
      }
    }
  }

  @Test("Each call log of the visible tenants comes at least once and in order for each call, and none of another tenant")
  func property() async throws {
    var random = Seeded()
    let database = try TestDatabase(.empty)
    try Migrator(database.admin).migrate(program: "tests")
    try database.addTenants(StreamPropertyTests.tenants)
    let tokens = try TokensOfTest()
    defer { tokens.remove() }
    var services: [ServiceUnderTest] = []
    for _ in 0..<2 {
      services.append(
        try await ServiceUnderTest.start(database.uri, tokens.authenticator) { settings in
          settings.events.poll = .milliseconds(40)
          settings.events.check = .milliseconds(300)
          settings.events.comment = .milliseconds(200)
        })
    }
    var readers: [Reader] = []
    for number in 0..<5 {
      let tenants = number < 2 ? 0..<StreamPropertyTests.tenants : number - 2..<number - 1
      let token = try tokens.file.create(
        name: "reader\(number)",
        tenants: tenants.count > 1 ? .all : .some(own: uuid(tenants.lowerBound), others: []),
        accesses: ["call-logd.cdr.stream.read"])
      readers.append(Reader(token, tenants))
    }
    let isWritten = Locked(false)
    let end = ContinuousClock.now + .seconds(12)
    let writers = (0..<5).map { number in
      let seed = random.next()
      let connection = Locked<Connection?>(try? database.connect())
      return { @Sendable () throws -> Void in
        var random = Seeded(seed: seed)
        guard let opened = connection.with({ $0.take() }) else { throw JobError(.fault, "no connection") }
        StreamPropertyTests.write(opened, number, &random, until: end)
      }
    }
    let killer = Seeded(seed: random.next())
    let killing = Task {
      var random = killer
      let admin = try Connection(ConnectionParameters(uri: database.uri, applicationName: "killer"), log: quiet)
      defer { admin.close() }
      while .now < end {
        try await Task.sleep(for: .milliseconds(200 + random.below(2000)))
        try admin.script(
          """
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND random() < 0.3
            AND application_name IN ('service-tests', 'tests') AND pid <> pg_backend_pid() AND state <> 'idle'
          """, purpose: "Ending sessions")
      }
    }
    let uri = database.uri
    let present: @Sendable (Range<Int>) throws -> Set<Int64> = { tenants in
      let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "looker"), log: quiet)
      defer { connection.close() }
      let list = tenants.map { "'\(uuid($0))'" }.joined(separator: ", ")
      let rows = try connection.query("SELECT id FROM call_logd_call_log WHERE tenant_uuid IN (\(list))", purpose: "Looking")
      return Set(rows.compactMap { $0.int64(0) })
    }
    let both = services
    try await withThrowingTaskGroup(of: Void.self) { group in
      for reader in readers {
        let seed = Seeded(seed: random.next())
        group.addTask {
          try await reader.read(both, seed) {
            isWritten.with { $0 } ? try? present(reader.tenants) : nil
          }
        }
      }
      group.addTask {
        let errors = await withCheckedContinuation { continuation in
          Thread.detachNewThread { continuation.resume(returning: atOnce(writers)) }
        }
        isWritten.with { $0 = true }
        #expect(errors.isEmpty)
      }
      try await group.waitForAll()
    }
    try await killing.value

    for reader in readers {
      let events = reader.events.with { $0 }
      let expected = try present(reader.tenants)
      #expect(expected.count > 50, "\(random)")
      let lost = expected.subtracting(events.map(\.callLog))
      #expect(lost.isEmpty, "\(lost.sorted()) did not come; \(random)")
      #expect(events.allSatisfy { $0.name == "call_log" }, "\(random)")
      let foreign = events.filter { event in !reader.tenants.contains { event.data.contains("\(uuid($0))") } }
      #expect(foreign.isEmpty, "\(random)")
      // Call logs that come again come in between; of each the first counts.
      var seen: Set<Int64> = []
      var latest: [String: Int64] = [:]
      for event in events where seen.insert(event.callLog).inserted {
        guard case .string(let conversation)? = JSONValue(json: Array(event.data.utf8))?["conversation_id"] else {
          Issue.record("no conversation in \(event.data)")
          continue
        }
        #expect(latest[conversation].map { $0 < event.callLog } ?? true, "\(conversation): \(event.callLog); \(random)")
        latest[conversation] = event.callLog
      }
    }
    for service in services {
      await service.stop()
      #expect(service.log.warnings.allSatisfy { !$0.contains("gap") })
    }
  }
}

extension Connection {
  /// Another one to the same database.
  fileprivate func sibling() throws -> Connection {
    try Connection(
      ConnectionParameters(
        uri: "postgresql:///\(server.database)?host=\(server.host)&user=\(server.user)&port=\(server.port)",
        applicationName: "tests"),
      log: quiet)
  }
}
