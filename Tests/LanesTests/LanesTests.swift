import Lanes
import PostgreSQL
import Synchronization
import TestSupport
import Testing

@Suite("Lanes", .timeLimit(.minutes(2)))
struct LanesTests {
  private static func parameters(_ uri: String, timeout: Int? = nil) -> ConnectionParameters {
    var parameters = ConnectionParameters(uri: uri, applicationName: "lanes", connectTimeout: 2)
    if let timeout { parameters.options["statement_timeout"] = "\(timeout)" }
    return parameters
  }

  private static func lanes(
    _ database: TestDatabase, count: Int = 2, queue: Int = 64, wait: Duration = .seconds(30), timeout: Int? = nil
  ) -> Lanes {
    Lanes(
      LaneSettings(connection: parameters(database.uri, timeout: timeout), count: count, queue: queue, wait: wait), log: quiet)
  }

  private static func sleeps(_ database: TestDatabase) throws -> Int64 {
    try database.admin.query(
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep(60%' AND pid <> pg_backend_pid()",
      purpose: "Counting sleeps"
    ).int64(0, 0) ?? 0
  }

  @Test("Each of many callers gets its own answer, from no more connections than there are lanes")
  func answers() async throws {
    let database = try TestDatabase(.empty)
    let lanes = LanesTests.lanes(database, count: 3, queue: 200)
    let answers = try await withThrowingTaskGroup(of: (Int64, Int64, Int32).self) { group in
      for number in Int64(0)..<100 {
        group.addTask {
          try await lanes.run { connection in
            let answer = try connection.query("SELECT $1::int8 * 2", [.int8(number)], purpose: "Doubling").int64(0, 0)
            return (number, answer ?? -1, connection.backendProcessID)
          }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers.count == 100)
    #expect(answers.allSatisfy { $0.0 * 2 == $0.1 })
    #expect(Set(answers.map(\.2)).count <= 3)
    await lanes.close(grace: .seconds(5))
    #expect(lanes.counts.ended == 100)
  }

  @Test("Work beyond the queue's length is refused at once, and so is work that waits too long")
  func refusals() async throws {
    let database = try TestDatabase(.empty)
    let lanes = LanesTests.lanes(database, count: 1, queue: 2, wait: .milliseconds(300))
    let held = Task { try await lanes.run { try $0.execute("SELECT pg_sleep(60)", purpose: "Sleeping") } }
    while lanes.counts.running == 0 { await Task.yield() }
    let waiting = (0..<2).map { _ in Task { try await lanes.run { _ in 1 } } }
    while lanes.counts.waiting < 2 { await Task.yield() }
    await #expect(throws: LaneError.isFull) { try await lanes.run { _ in 1 } }
    for task in waiting { await #expect(throws: LaneError.waitedTooLong) { try await task.value } }
    #expect(lanes.counts.refused == 3)
    held.cancel()
    _ = await held.result
    let answer = try await lanes.run { _ in 7 }
    #expect(answer == 7)
    await lanes.close(grace: .zero)
  }

  @Test("A cancelled task ends its statement at the server, and the connection serves the next one")
  func cancellation() async throws {
    let database = try TestDatabase(.empty)
    let lanes = LanesTests.lanes(database, count: 1)
    let backend = try await lanes.run { $0.backendProcessID }
    let task = Task { try await lanes.run { try $0.execute("SELECT pg_sleep(60)", purpose: "Sleeping") } }
    while try LanesTests.sleeps(database) == 0 { try await Task.sleep(for: .milliseconds(10)) }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    while try LanesTests.sleeps(database) > 0 { try await Task.sleep(for: .milliseconds(10)) }
    #expect(try await lanes.run { $0.backendProcessID } == backend)
    await lanes.close(grace: .zero)
  }

  @Test("A statement that takes too long ends with the server's code for it")
  func timeLimit() async throws {
    let database = try TestDatabase(.empty)
    let lanes = LanesTests.lanes(database, count: 1, timeout: 100)
    do {
      _ = try await lanes.run { try $0.execute("SELECT pg_sleep(60)", purpose: "Sleeping") }
      Issue.record("the statement ended well")
    } catch let error as PostgreSQLError {
      #expect(error.sqlState == .queryCanceled)
    }
    await lanes.close(grace: .zero)
  }

  @Test("Work in a transaction that its body leaves open does not show in the next one's")
  func tidiness() async throws {
    let database = try TestDatabase(.empty)
    try database.run("CREATE TABLE t ()")
    let lanes = LanesTests.lanes(database, count: 1)
    try await lanes.run { try $0.script("BEGIN; DROP TABLE t", purpose: "Leaving a mess") }
    let isThere = try await lanes.run { try $0.query("SELECT to_regclass('t') IS NOT NULL", purpose: "Looking").bool(0, 0) }
    #expect(isThere == true)
    await lanes.close(grace: .zero)
  }

  @Test("Sessions that the server ended are opened again without an error for anybody")
  func endedSessions() async throws {
    let database = try TestDatabase(.empty)
    let lanes = LanesTests.lanes(database, count: 2)
    for _ in 0..<3 {
      _ = try await lanes.run { _ in 1 }
      try database.admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        purpose: "Ending sessions")
      let answer = try await lanes.run { try $0.query("SELECT 5::int8", purpose: "Asking").int64(0, 0) }
      #expect(answer == 5)
    }
    await lanes.close(grace: .zero)
  }

  @Test("While no session can be had work fails with that reason; once one can be had, work is done again")
  func databaseAway() async throws {
    let database = try TestDatabase(.empty)
    let other = try TestDatabase(.empty)
    let lanes = LanesTests.lanes(database, count: 2)
    _ = try await lanes.run { _ in 1 }
    try other.run("ALTER DATABASE \(database.name) ALLOW_CONNECTIONS false")
    try database.admin.execute(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
      purpose: "Ending sessions")
    for _ in 0..<20 {
      do {
        _ = try await lanes.run { try $0.execute("SELECT 1", purpose: "Asking") }
        Issue.record("a database without sessions answered")
      } catch let error as LaneError {
        guard case .databaseIsAway(let reason) = error else { throw error }
        #expect(reason.contains(database.name))
      }
    }
    #expect(lanes.counts.failedConnections > 0)
    try other.run("ALTER DATABASE \(database.name) ALLOW_CONNECTIONS true")
    var answer: Int64?
    while answer == nil {
      answer = try? await lanes.run { try $0.query("SELECT 6::int8", purpose: "Asking").int64(0, 0) }
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(answer == 6)
    await lanes.close(grace: .zero)
  }

  @Test("Closing lets running work end, refuses what waits and what comes, and closes the connections")
  func closing() async throws {
    let database = try TestDatabase(.empty)
    let lanes = LanesTests.lanes(database, count: 1)
    try database.run("SELECT pg_advisory_lock(7)")
    let running = Task {
      try await lanes.run { try $0.query("SELECT 1::int8 FROM pg_advisory_lock(7)", purpose: "Working").int64(0, 0) }
    }
    while lanes.counts.running == 0 { await Task.yield() }
    let waiting = Task { try await lanes.run { _ in 1 } }
    while lanes.counts.waiting == 0 { await Task.yield() }
    async let closed: Void = lanes.close(grace: .seconds(60))
    await #expect(throws: LaneError.isClosed) { try await waiting.value }
    try database.run("SELECT pg_advisory_unlock(7)")
    await closed
    #expect(try await running.value == 1)
    await #expect(throws: LaneError.isClosed) { try await lanes.run { _ in 1 } }
    let left = try database.admin.query(
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lanes' AND datname = current_database()",
      purpose: "Counting"
    ).int64(0, 0)
    #expect(left == 0)
  }
}
