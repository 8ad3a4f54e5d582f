import Foundation
import TestSupport
import PrivateServer
import Testing

@Suite("follow as a program")
struct FollowProgramTests {
  /// Two followers, the first of which leads.
  private func two(_ database: TestDatabase, firstURI: String? = nil) throws -> (first: Running, second: Running) {
    expectSilence(try database.run("migrate"))
    let first = try database.start(["follow"], environment: firstURI.map { ["WAZO_CALL_LOGS_DB_URI": $0] } ?? [:])
    try wait("for the first to lead") { try database.leader() != 0 }
    let second = try database.start(["follow"])
    try wait("for the second to wait") {
      try database.count("pg_stat_activity WHERE datname = current_database() AND application_name = 'wazo-call-logs'") >= 4
    }
    return (first, second)
  }

  @Test("makes call logs until SIGTERM, which ends it with 143 and without a trace")
  func terminated() throws {
    let database = try TestDatabase(.bare)
    expectSilence(try database.run("migrate"))
    let follower = try database.start(["follow"])
    try wait("for it to lead") { try database.leader() != 0 }
    try database.addCalls("1772445600.1")
    try database.waitForCallLogs(1)
    follower.send(SIGTERM)
    expectFailure(try follower.finish(), 143, "committed")
    #expect(try database.count("call_logd_follower") == 0)
    #expect(try database.count("call_logd_claim") == 0)
    try database.expectAsUndisturbed()
  }

  @Test("another one takes over from one that is killed")
  func killed() throws {
    let database = try TestDatabase(.bare)
    let (first, second) = try two(database)
    try database.addCalls("1772445600.1")
    try database.waitForCallLogs(1)
    let former = try database.leader()
    first.send(SIGKILL)
    try database.addCalls("1772445700.2", "1772445800.3")
    try database.waitForCallLogs(3)
    #expect(try database.leader() != former)
    second.send(SIGINT)
    #expect(try second.finish().status == 130)
    _ = try first.finish()
    try database.expectAsUndisturbed()
  }

  @Test("another one takes over from one that is frozen, which waits when it comes back")
  func frozen() throws {
    let database = try TestDatabase(.bare)
    let (first, second) = try two(database)
    try database.addCalls("1772445600.1")
    try database.waitForCallLogs(1)
    let former = try database.leader()
    first.send(SIGSTOP)
    try database.addCalls("1772445700.2")
    try database.waitForCallLogs(2)
    #expect(try database.leader() != former)
    first.send(SIGCONT)
    try wait("for the first to see it") {
      first.errors.contains("another process follows now") || first.errors.contains("follows already")
    }
    try database.addCalls("1772445800.3")
    try database.waitForCallLogs(3)
    second.send(SIGTERM)
    #expect(try second.finish().status == 143)
    try wait("for the first to lead again") { try database.leader() == former }
    try database.addCalls("1772445900.4")
    try database.waitForCallLogs(4)
    first.send(SIGTERM)
    #expect(try first.finish().status == 143)
    try database.expectAsUndisturbed()
  }

  @Test("another one takes over from one that the network cuts off, and whose session is in a transaction")
  func cutOff() throws {
    let database = try TestDatabase(.bare)
    let proxy = try CuttingProxy(to: PrivateServer.shared)
    let (first, second) = try two(database, firstURI: proxy.uri(database: database.name))
    try database.addCalls("1772445600.1")
    try database.waitForCallLogs(1)
    let former = try database.leader()
    proxy.hangUp(100_000)
    proxy.cut(.atOnce, at: "UPDATE call_logd_follower")
    proxy.cut(.atOnce, at: "COPY")
    try database.addCalls("1772445700.2")
    try database.waitForCallLogs(2)
    try wait("for the second to lead") { try ![0, former].contains(database.leader()) }
    #expect(first.isRunning)
    proxy.hangUp(0)
    try database.addCalls("1772445800.3")
    try database.waitForCallLogs(3)
    second.send(SIGTERM)
    #expect(try second.finish().status == 143)
    try wait("for the first to lead again") { try database.leader() == former }
    first.send(SIGTERM)
    #expect(try first.finish().status == 143)
    try database.expectAsUndisturbed()
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
      if calls == 0 { try wait("for it to lead") { try database.leader() != 0 } }
      for _ in 0..<2 where follower.isRunning {
        calls += 1
        try database.addCalls("1772445\(600 + calls).\(calls)")
      }
      // A program that hangs is killed, too, but later.
      try wait("it is killed at \(point)") { !follower.isRunning }
      #expect(try follower.finish().status == 128 + SIGKILL, "\(point)")
    }
    let last = try database.start(["follow"])
    try database.waitForCallLogs(calls)
    last.send(SIGTERM)
    #expect(try last.finish().status == 143)
    #expect(try database.count("call_logd_claim") == 0)
    try database.expectAsUndisturbed()
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
    try database.addCalls("1772445600.1")
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
