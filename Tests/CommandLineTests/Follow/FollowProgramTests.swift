import Foundation
import TestSupport
import PrivateServer
import Testing

@Suite("follow as a program")
struct FollowProgramTests {
  /// Loads a call, ended and all.
  private func load(_ database: TestDatabase, _ linkedids: String...) throws {
    for linkedid in linkedids {
      var file = CELFile()
      file.addCall(linkedid)
      // The sequence gives the ids.
      let columns = CELFile.header.split(separator: ",").dropFirst().joined(separator: ", ")
      let rest = "userdeftype, cid_ani, cid_rdnis, cid_dnid, amaflags, accountcode, peeraccount, userfield"
      try database.psql(
        "CREATE TEMP TABLE new (LIKE cel); ALTER TABLE new ALTER id DROP NOT NULL;\n"
          + file.copy.replacing("COPY cel", with: "COPY new")
          + "INSERT INTO cel (\(columns), \(rest)) SELECT \(columns), \(rest) FROM new ORDER BY id;")
    }
  }

  private func waitForCallLogs(_ count: Int, _ database: TestDatabase, _ location: SourceLocation = #_sourceLocation) throws {
    try wait("\(count) call logs", location) { try database.count("call_logd_call_log") == count }
  }

  /// The process that follows; 0 where none does.
  private func leader(_ database: TestDatabase) throws -> Int32 {
    let pid = try database.psql(
      "SELECT coalesce((SELECT max(pid) FROM call_logd_follower WHERE sessions <> '{}' AND beat > now() - interval '6 s'), 0)")
    return Int32(pid) ?? 0
  }

  /// Two followers, the first of which leads.
  private func two(_ database: TestDatabase, firstURI: String? = nil) throws -> (first: Running, second: Running) {
    expectSilence(try database.run("migrate"))
    let first = try database.start(["follow"], environment: firstURI.map { ["WAZO_CALL_LOGS_DB_URI": $0] } ?? [:])
    try wait("for the first to lead") { try leader(database) != 0 }
    let second = try database.start(["follow"])
    try wait("for the second to wait") {
      try database.count("pg_stat_activity WHERE datname = current_database() AND application_name = 'wazo-call-logs'") >= 4
    }
    return (first, second)
  }

  /// Expects that nothing is lost or doubled, as a run over all CELs has it.
  private func expectAsUndisturbed(_ database: TestDatabase) throws {
    let found = try database.callLogs()
    expectSilence(try database.run("delete", "-A"))
    expectSilence(try database.run("backfill"))
    #expect(try database.callLogs() == found)
  }

  @Test("makes call logs until SIGTERM, which ends it with 143 and without a trace")
  func terminated() throws {
    let database = try TestDatabase(.bare)
    expectSilence(try database.run("migrate"))
    let follower = try database.start(["follow"])
    try wait("for it to lead") { try leader(database) != 0 }
    try load(database, "1772445600.1")
    try waitForCallLogs(1, database)
    follower.send(SIGTERM)
    expectFailure(try follower.finish(), 143, "committed")
    #expect(try database.count("call_logd_follower") == 0)
    #expect(try database.count("call_logd_claim") == 0)
    try expectAsUndisturbed(database)
  }

  @Test("another one takes over from one that is killed")
  func killed() throws {
    let database = try TestDatabase(.bare)
    let (first, second) = try two(database)
    try load(database, "1772445600.1")
    try waitForCallLogs(1, database)
    let former = try leader(database)
    first.send(SIGKILL)
    try load(database, "1772445700.2", "1772445800.3")
    try waitForCallLogs(3, database)
    #expect(try leader(database) != former)
    second.send(SIGINT)
    #expect(try second.finish().status == 130)
    _ = try first.finish()
    try expectAsUndisturbed(database)
  }

  @Test("another one takes over from one that is frozen, which waits when it comes back")
  func frozen() throws {
    let database = try TestDatabase(.bare)
    let (first, second) = try two(database)
    try load(database, "1772445600.1")
    try waitForCallLogs(1, database)
    let former = try leader(database)
    first.send(SIGSTOP)
    try load(database, "1772445700.2")
    try waitForCallLogs(2, database)
    #expect(try leader(database) != former)
    first.send(SIGCONT)
    try wait("for the first to see it") {
      first.errors.contains("another process follows now") || first.errors.contains("follows already")
    }
    try load(database, "1772445800.3")
    try waitForCallLogs(3, database)
    second.send(SIGTERM)
    #expect(try second.finish().status == 143)
    try wait("for the first to lead again") { try leader(database) == former }
    try load(database, "1772445900.4")
    try waitForCallLogs(4, database)
    first.send(SIGTERM)
    #expect(try first.finish().status == 143)
    try expectAsUndisturbed(database)
  }

  @Test("another one takes over from one that the network cuts off, and whose session is in a transaction")
  func cutOff() throws {
    let database = try TestDatabase(.bare)
    let proxy = try CuttingProxy(to: PrivateServer.shared)
    let (first, second) = try two(database, firstURI: proxy.uri(database: database.name))
    try load(database, "1772445600.1")
    try waitForCallLogs(1, database)
    let former = try leader(database)
    proxy.hangUp(100_000)
    proxy.cut(.atOnce, at: "UPDATE call_logd_follower")
    proxy.cut(.atOnce, at: "COPY")
    try load(database, "1772445700.2")
    try waitForCallLogs(2, database)
    try wait("for the second to lead") { try ![0, former].contains(leader(database)) }
    #expect(first.isRunning)
    proxy.hangUp(0)
    try load(database, "1772445800.3")
    try waitForCallLogs(3, database)
    second.send(SIGTERM)
    #expect(try second.finish().status == 143)
    try wait("for the first to lead again") { try leader(database) == former }
    first.send(SIGTERM)
    #expect(try first.finish().status == 143)
    try expectAsUndisturbed(database)
  }

  @Test("killed at every point of its work, it is replaced, and nothing is lost or doubled")
  func killedAtPoints() throws {
    let database = try TestDatabase(.bare)
    expectSilence(try database.run("migrate"))
    var calls = 0
    let points = [
      "after-claim", "after-read", "before-copy", "before-lock", "after-lock", "before-links", "before-coverage", "before-commit",
      "after-commit",
    ]
    for point in points {
      let follower = try database.start(["follow"], environment: ["WAZO_CALL_LOGS_POINT": "\(point):1:kill"])
      if calls == 0 { try wait("for it to lead") { try leader(database) != 0 } }
      for _ in 0..<2 where follower.isRunning {
        calls += 1
        try load(database, "1772445\(600 + calls).\(calls)")
      }
      // A program that hangs is killed, too, but later.
      try wait("it is killed at \(point)") { !follower.isRunning }
      #expect(try follower.finish().status == 128 + SIGKILL, "\(point)")
    }
    let last = try database.start(["follow"])
    try waitForCallLogs(calls, database)
    last.send(SIGTERM)
    #expect(try last.finish().status == 143)
    #expect(try database.count("call_logd_claim") == 0)
    try expectAsUndisturbed(database)
  }

  @Test("tells systemd that it is ready, alive, what it does and that it ends")
  func systemd() throws {
    let database = try TestDatabase(.bare)
    let socket = try NotifySocket()
    expectSilence(try database.run("migrate"))
    let environment = ["NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "200000"]
    let first = try database.start(["follow"], environment: environment)
    try wait("for READY=1") { socket.messages.contains("READY=1") }
    #expect(socket.messages.first == "READY=1", "\(socket.messages)")
    #expect(try database.count("call_logd_follower") == 1, "ready is who follows")
    try load(database, "1772445600.1")
    try wait("for the state") { socket.messages.contains { $0.hasPrefix("STATUS=1 call log") } }
    let signs = socket.messages.count { $0 == "WATCHDOG=1" }
    try wait("for signs of life") { socket.messages.count { $0 == "WATCHDOG=1" } >= signs + 3 }
    // One that waits is ready, too, and gives signs of life.
    let other = try NotifySocket()
    let second = try database.start(["follow"], environment: ["NOTIFY_SOCKET": other.path, "WATCHDOG_USEC": "200000"])
    try wait("for READY=1") { other.messages.contains("READY=1") && other.messages.contains("WATCHDOG=1") }
    #expect(other.messages.contains { $0.hasPrefix("STATUS=waits") }, "\(other.messages)")
    for follower in [second, first] {
      follower.send(SIGTERM)
      #expect(try follower.finish().status == 143)
    }
    try wait("for STOPPING=1") { socket.messages.contains("STOPPING=1") && other.messages.contains("STOPPING=1") }
    #expect(socket.messages.last == "STOPPING=1" && other.messages.last == "STOPPING=1")
    #expect(socket.messages.count { $0 == "READY=1" } == 1)
  }

  @Test("says what is wrong with its settings, and ends")
  func wrongSettings() throws {
    let database = try TestDatabase(.bare)
    expectFailure(try database.run("follow", "--cel-table", "no_such_table"), 78, "no_such_table")
  }
}
