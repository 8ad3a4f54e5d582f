import Foundation
import Generation
import PostgreSQL
import PrivateServer
import Runs
import TestSupport
import Testing
import Values

/// A network that drops everything without a word.
@Suite("A follower whose server falls silent")
struct FollowSilenceTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"

  private func runner(_ database: TestDatabase, _ proxy: CuttingProxy) -> Runner {
    var runner = Runner(database)
    runner.settings.databases = .init(logs: proxy.uri(database: database.name), cels: nil)
    runner.settings.databases.connectTimeout = 2
    return runner
  }

  /// Where in its work the follower is when the server falls silent.
  private static let places: [Point?] = [nil, .afterRead, .afterLock, .beforeCommit, .afterCommit]

  @Test("connects again, and goes on with new connections, wherever it was", arguments: places)
  func goesOn(_ place: Point?) throws {
    let (database, _) = try wazo()
    let proxy = try CuttingProxy(to: PrivateServer.shared)
    let recorder = LogRecorder()
    var runner = runner(database, proxy)
    runner.log = recorder.logger
    let isDue = Locked(false)
    runner.settings.atPoint = { point in
      let falls = isDue.with { due in
        defer { if point == place { due = false } }
        return due && point == place
      }
      if falls { proxy.fallSilent() }
    }
    let follower = Following(runner) { $0.silence = .seconds(2) }
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    try database.insert(CELRow.call(a))
    try waitUntil("the first call has its call log") { try database.conversations() == [a] }
    if place == nil { proxy.fallSilent() } else { isDue.with { $0 = true } }
    try database.insert(CELRow.call(b, at: 100))
    try waitUntil("the second call has its call log") { try database.conversations() == [a, b] }
    try waitUntilAllIsCovered(database)
    try waitUntil("it has noticed") { recorder.warnings.contains { $0.contains("has not answered for 2 s") } }
    follower.stop()
    #expect(try differenceFromFreshRun(database) == "")
    try expectWhole(database)
  }

  @Test("goes on when the network is back after it took connections and said nothing")
  func dark() throws {
    let (database, _) = try wazo()
    let proxy = try CuttingProxy(to: PrivateServer.shared)
    let follower = Following(runner(database, proxy)) { $0.silence = .seconds(1) }
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    proxy.fallSilent(newOnes: true)
    try database.insert(CELRow.call(a))
    try waitUntil("it has seen that nobody answers") { follower.failures.contains { $0.contains("no answer within") } }
    proxy.speak()
    try waitUntil("the call has its call log") { try database.conversations() == [a] }
  }

  @Test("one that waits connects again, too, and takes over later")
  func waiting() throws {
    let (database, leading) = try wazo()
    let first = Following(leading)
    defer { first.stop() }
    try first.waitUntilItLeads()
    let proxy = try CuttingProxy(to: PrivateServer.shared)
    let second = Following(runner(database, proxy)) { $0.silence = .seconds(1) }
    defer { second.stop() }
    try second.waitUntilItWaits()
    let connections = proxy.connections
    proxy.fallSilent()
    try waitUntil("it connects again") { proxy.connections > connections }
    first.stop()
    try second.waitUntilItLeads()
    try database.insert(CELRow.call(a))
    try waitUntil("the call has its call log") { try database.conversations() == [a] }
  }

  @Test(
    "ends when it is interrupted, although nobody answers: neither on its connections nor on new ones",
    arguments: [false, true], [nil, Point.afterLock])
  func interrupted(isDark: Bool, place: Point?) throws {
    let (database, _) = try wazo()
    let proxy = try CuttingProxy(to: PrivateServer.shared)
    var runner = runner(database, proxy)
    let isSilent = Locked(false)
    let fall: @Sendable () -> Void = {
      proxy.fallSilent(newOnes: isDark)
      isSilent.with { $0 = true }
    }
    runner.settings.atPoint = { if $0 == place { fall() } }
    let follower = Following(runner) { $0.grace = .milliseconds(400) }
    try follower.waitUntilItLeads()
    if place == nil { fall() }
    try database.insert(CELRow.call(a))
    try waitUntil("the server is silent") { isSilent.with { $0 } }
    // It is in the middle of a statement by now.
    Thread.sleep(forTimeInterval: 0.5)
    let started = ContinuousClock.now
    #expect(try Failure(#require(follower.stop())).exitReason == .interrupted)
    print(
      "silent\(isDark ? " and dark" : "")\(place.map { " at \($0.rawValue)" } ?? ""): ended after \(ContinuousClock.now - started)"
    )
    #expect(try database.conversations() == [])
    // What it left behind holds up nobody.
    let next = Following(Runner(database))
    defer { next.stop() }
    try waitUntil("the call has its call log") { try database.conversations() == [a] }
  }

}
