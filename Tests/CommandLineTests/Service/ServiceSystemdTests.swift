import Foundation
import TestSupport
import Testing

@Suite("The service and systemd")
struct ServiceSystemdTests {
  @Test("tells that it is ready when it answers, that it is alive, and that it ends")
  func life() throws {
    let database = try TestDatabase(.bare)
    expectSilence(try database.run("migrate"))
    let socket = try NotifySocket()
    let folder = try Scratch()
    let token = try RunningService.makeToken(in: folder)
    let service = try RunningService(
      database.uri, folder: folder,
      environment: [
        "NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "200000", "WAZO_CALL_LOGS_DEFAULT_TENANT": tenant,
        "WAZO_CALL_LOGS_FOLLOW": "true",
      ])
    try wait("for READY=1") { socket.messages.contains("READY=1") }
    #expect(socket.messages.first == "READY=1", "\(socket.messages)")
    #expect(try service.ask("/cdr?limit=1", token: token).status == 200)
    let signs = socket.messages.count { $0 == "WATCHDOG=1" }
    try wait("for signs of life") { socket.messages.count { $0 == "WATCHDOG=1" } >= signs + 3 }
    try service.stop()
    try wait("for STOPPING=1") { socket.messages.contains("STOPPING=1") }
    #expect(socket.messages.last == "STOPPING=1", "\(socket.messages)")
    #expect(socket.messages.count { $0 == "READY=1" } == 1)
  }

  @Test("gives no signs of life that systemd wants of another process, or of none")
  func otherProcess() throws {
    let database = try TestDatabase(.bare)
    expectSilence(try database.run("migrate"))
    for watchdog in [["WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"], [:]] {
      let socket = try NotifySocket()
      let service = try RunningService(
        database.uri, folder: Scratch(), environment: ["NOTIFY_SOCKET": socket.path].merging(watchdog) { $1 })
      try wait("for READY=1") { socket.messages.contains("READY=1") }
      Thread.sleep(forTimeInterval: 0.5)
      try service.stop()
      try wait("for STOPPING=1") { socket.messages.contains("STOPPING=1") }
      #expect(socket.messages == ["READY=1", "STOPPING=1"])
    }
  }

  @Test("never tells that it is ready when it does not start")
  func refused() throws {
    let database = try TestDatabase(.bare)
    expectSilence(try database.run("migrate"))
    let socket = try NotifySocket()
    let folder = try Scratch()
    let first = try RunningService(database.uri, folder: folder)
    let port = try #require(first.url.firstMatch(of: /:(\d+)\//)).1
    let second = try RunningService.run(
      database.uri, ["--port", String(port)], folder: folder, environment: ["NOTIFY_SOCKET": socket.path])
    let outcome = try second.finish()
    #expect(outcome.status == 75, "\(outcome.errors)")
    try first.stop()
    #expect(!socket.messages.contains("READY=1"), "\(socket.messages)")
  }
}
