import Foundation
import PrivateServer
import TestSupport
import Testing

@Suite("The end of follow")
struct FollowEndTests {
  /// What a follower is busy with when SIGTERM comes.
  enum Busy: String, CaseIterable {
    case nothing, lock, chunk, transaction, silence, darkness, awayAtStart, darkAtStart
  }

  @Test("SIGTERM ends it with 143, whatever it waits for; what it leaves behind holds up nobody", arguments: Busy.allCases)
  func terminated(_ busy: Busy) throws {
    let database = try TestDatabase(.bare)
    expectSilence(try database.run("migrate"))
    let proxy = try CuttingProxy(to: PrivateServer.shared)
    var environment = ["WAZO_CALL_LOGS_DB_URI": proxy.uri(database: database.name)]
    switch busy {
    case .awayAtStart: environment["WAZO_CALL_LOGS_DB_URI"] = "postgresql:///none?host=/nonexistent"
    case .darkAtStart: proxy.fallSilent(newOnes: true)
    // As a chunk of many CELs that is being interpreted: nothing in it looks for signals.
    case .chunk: environment["WAZO_CALL_LOGS_POINT"] = "after-read:1:wait:60"
    case .transaction: environment["WAZO_CALL_LOGS_POINT"] = "before-commit:1:wait:60"
    default: break
    }
    let follower = try database.start(["follow"], environment: environment)
    let isAway = [.awayAtStart, .darkAtStart].contains(busy)
    if isAway {
      // Well within the 10 s that a connection may take.
      Thread.sleep(forTimeInterval: 2)
      #expect(follower.isRunning)
    } else {
      try wait("for it to lead") { try database.leader() != 0 }
    }
    var holder: Holder?
    switch busy {
    case .lock: holder = try database.hold("LOCK TABLE call_logd_call_log IN ACCESS EXCLUSIVE MODE")
    case .silence: proxy.fallSilent()
    case .darkness: proxy.fallSilent(newOnes: true)
    default: break
    }
    if busy != .nothing {
      try database.addCalls("1772445600.1")
      Thread.sleep(forTimeInterval: 1)
    }
    let started = ContinuousClock.now
    follower.send(SIGTERM)
    let outcome = try follower.finish()
    print("SIGTERM while busy with \(busy): ended after \(ContinuousClock.now - started)")
    #expect(outcome.status == 143, "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").last?.contains("committed") == true, "\(outcome.errors)")
    try holder?.end()
    if busy == .nothing { try database.addCalls("1772445600.1") }
    let next = try database.start(["follow"])
    // One that was away had not begun, so that this call is the newest to the next one.
    try database.waitForCallLogs(1)
    next.send(SIGTERM)
    #expect(try next.finish().status == 143)
    #expect(try database.count("call_logd_claim") == 0)
    try database.expectAsUndisturbed()
  }

  @Test("the service ends with 0, too, although its follower waits for a server that says nothing")
  func service() throws {
    let database = try TestDatabase(.bare)
    expectSilence(try database.run("migrate"))
    let proxy = try CuttingProxy(to: PrivateServer.shared)
    let service = try RunningService(
      proxy.uri(database: database.name),
      folder: Scratch(), environment: ["WAZO_CALL_LOGS_FOLLOW": "true", "WAZO_CALL_LOGS_DEFAULT_TENANT": tenant])
    try wait("for it to lead") { try database.leader() == service.pid }
    proxy.fallSilent(newOnes: true)
    try database.addCalls("1772445600.1")
    Thread.sleep(forTimeInterval: 1)
    let started = ContinuousClock.now
    try service.stop()
    print("SIGTERM to a service whose database says nothing: ended after \(ContinuousClock.now - started)")
  }
}
