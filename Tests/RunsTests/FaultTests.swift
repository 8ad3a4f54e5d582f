import Foundation
import PostgreSQL
import PrivateServer
import Runs
import Synchronization
import TestSupport
import Testing

@Suite("A connection that breaks")
struct FaultTests {
  @Test("at COMMIT is made again, and the tables and counts are an undisturbed run's", arguments: CuttingProxy.Moment.allCases)
  func atCommit(moment: CuttingProxy.Moment) throws {
    let undisturbed = try Undisturbed()
    let (database, runner) = try undisturbed.again()
    let proxy = try CuttingProxy(to: try PrivateServer.shared)
    var run = runner
    run.settings.databases = .init(logs: proxy.uri(database: database.name), cels: nil)
    run.prepare = { _ in
      for passing in [1, 2, 4] { proxy.cut(moment, at: "COMMIT", passing: passing) }
    }
    let summary = try run.backfill()
    #expect(proxy.cuts.count == 3 && summary.chunks > 4, "\(proxy.cuts) \(summary.chunks)")
    try undisturbed.expectSame(as: database, "cut \(moment) at COMMIT")
  }

  @Test("and cannot be had again at once, since the server hangs up, is tried for longer")
  func hungUp() throws {
    let undisturbed = try Undisturbed()
    let (database, runner) = try undisturbed.again()
    let proxy = try CuttingProxy(to: try PrivateServer.shared)
    var run = runner
    run.settings.databases = .init(logs: proxy.uri(database: database.name), cels: nil)
    run.prepare = { _ in
      proxy.cut(.before, at: "COMMIT", passing: 3)
      proxy.hangUp(3)
    }
    try run.backfill()
    #expect(proxy.cuts.count == 1 && proxy.hangUps == 0)
    try undisturbed.expectSame(as: database, "hung up")
  }

  @Test("at any statement is made again", arguments: 0..<4)
  func atAnyStatement(number: Int) throws {
    var random = Seeded()
    let undisturbed = try Undisturbed()
    let (database, runner) = try undisturbed.again()
    let proxy = try CuttingProxy(to: try PrivateServer.shared)
    var run = runner
    run.settings.databases = .init(logs: proxy.uri(database: database.name), cels: nil)
    // Connecting and preparing are some thirty statements.
    var passing = 0
    for _ in 0..<6 {
      passing += Int.random(in: 1...60, using: &random)
      proxy.cut(CuttingProxy.Moment.allCases.randomElement(using: &random) ?? .before, at: "", passing: passing)
    }
    try run.backfill()
    #expect(proxy.cuts.count > 1)
    try undisturbed.expectSame(as: database, "cut at \(proxy.cuts.map { $0.prefix(60) }), \(random)")
  }

  @Test("while links are made in the CELs' own database is made again, and every link comes about")
  func twoDatabases() throws {
    let undisturbed = try Undisturbed()
    let (cels, _) = try undisturbed.again()
    let logs = try TestDatabase(.empty)
    let proxy = try CuttingProxy(to: try PrivateServer.shared)
    var runner = Runner(logs, cels: cels, chunkSize: undisturbed.chunkSize)
    try runner.backfill(to: -1)
    runner.settings.databases = .init(
      logs: proxy.uri(database: logs.name), cels: proxy.uri(database: cels.name))
    for (index, moment) in CuttingProxy.Moment.allCases.enumerated() {
      proxy.cut(moment, at: "COMMIT", passing: 4 + 3 * index)
      proxy.cut(moment, at: "UPDATE public.cel", passing: 1 + 2 * index)
      proxy.cut(moment, at: "DELETE FROM call_logd_link", passing: 3 + 2 * index)
    }
    try runner.backfill()
    #expect(proxy.cuts.count > 6, "\(proxy.cuts)")
    expectSame(try logs.contents(), try undisturbed.database.contents(), "seed \(undisturbed.seed)")
    #expect(try logs.value("count(*) FROM call_logd_link") == "0")
    let conversations = Dictionary(
      uniqueKeysWithValues: try logs.rows("id, conversation_id FROM call_logd_call_log").map { row in
        let parts = row.split(separator: "|")
        return (String(parts[0]), String(parts[1]))
      })
    let links = try cels.rows("id, call_log_id FROM cel").map { row in
      let parts = row.split(separator: "|")
      return "\(parts[0])|\(parts[1] == "∅")|\(conversations[String(parts[1])] ?? "∅")"
    }
    expectSame(Dump(rows: Set(links)), try undisturbed.database.links(), "seed \(undisturbed.seed)")
  }

  @Test("as the program passes any of its named points is made again", arguments: Point.allCases.filter { !$0.isOfArchives })
  func atPoint(point: Point) throws {
    let isOfDelete = [.beforeDelete, .afterDelete].contains(point)
    // Those are of two databases, which has a test of its own.
    guard ![.beforeOldLinks, .afterOldLinks, .afterClaim].contains(point) else { return }
    let undisturbed = try Undisturbed()
    let (database, runner) = try undisturbed.again()
    var run = runner
    let passings = Passings()
    run.settings.atPoint = {
      let passing = passings.count($0)
      if $0 == point, passing <= 2 { throw PointOrders.lost(at: $0) }
    }
    if isOfDelete {
      try runner.backfill()
      try run.delete(.all)
      #expect(try database.conversations() == [])
      #expect(try database.value("isempty(covered) FROM call_logd_checkpoint") == "true")
      try database.run("UPDATE call_logd_checkpoint SET counters = '{}'")
    }
    try run.backfill()
    #expect(passings.all[point] ?? 0 > 2)
    try undisturbed.expectSame(as: database, "lost at \(point)")
  }

  @Test("ends the run at once with 69 where it is not to be tried again; what is committed stays")
  func withoutRetry() throws {
    let undisturbed = try Undisturbed(isRough: false)
    let (database, runner) = try undisturbed.again()
    let proxy = try CuttingProxy(to: try PrivateServer.shared)
    var run = runner
    run.settings.retryFor = 0
    run.settings.databases = .init(logs: proxy.uri(database: database.name), cels: nil)
    for moment in CuttingProxy.Moment.allCases {
      let cuts = proxy.cuts.count
      run.prepare = { _ in proxy.cut(moment, at: "COMMIT", passing: 2) }
      let failure = try failure { try run.backfill() }
      #expect(failure.exitReason == .unavailable && proxy.cuts.count == cuts + 1, "\(moment): \(failure.message)")
      #expect(!failure.message.contains("\n") && failure.message.contains(database.name), "\(failure.message)")
      // The server may still be committing what nobody waited for.
      try waitUntil("the server's sessions end") {
        try database.value(
          "count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'wazo-call-logs'")
          == "0"
      }
      try undisturbed.expectPart(database, "\(moment)")
    }
    run.prepare = { _ in }
    try run.backfill()
    try undisturbed.expectSame(as: database, "after three runs that failed")
  }

  @Test("because sessions are ended again and again holds the run up, and no more")
  func terminated() throws {
    let undisturbed = try Undisturbed(calls: 80, chunkSize: 40)
    let (database, runner) = try undisturbed.again()
    let name = database.name
    let uri = try PrivateServer.shared.uri(database: "postgres")
    let times = Atomic(0)
    let chance = Locked(Seeded())
    let ending = Repeating {
      let own = try? Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)
      defer { own?.close() }
      let ended = try? own?.query(
        """
        SELECT pg_terminate_backend(pid) FROM (
          SELECT pid FROM pg_stat_activity WHERE datname = '\(name)' AND application_name = 'wazo-call-logs' ORDER BY random() LIMIT 1) one
        """, purpose: "Ending a session")
      // A dozen, so that it comes to an end on a slow machine too.
      guard times.add(ended?.count ?? 0, ordering: .relaxed).newValue < 12 else { return nil }
      return chance.with { Double.random(in: 0.01...0.1, using: &$0) }
    }
    let result = Result { try runner.backfill() }
    ending.stop()
    _ = try result.get()
    print("ended \(times.load(ordering: .relaxed)) sessions")
    #expect(times.load(ordering: .relaxed) > 0)
    try undisturbed.expectSame(as: database, "sessions ended")
  }

  @Test("because the server is restarted holds the run up, and no more", arguments: [PrivateServer.StopMode.fast, .immediate])
  func restarted(mode: PrivateServer.StopMode) throws {
    let undisturbed = try Undisturbed(calls: 120, chunkSize: 15)
    // The server's own care for its data must stay on: what it has committed must be there after a
    // crash.
    let server = try PrivateServer()
    let (_, runner) = try undisturbed.again(try TestDatabase(on: server))
    let passings = Passings()
    var run = runner
    run.settings.atPoint = { _ = passings.count($0) }
    let last = Mutex(0)
    let times = Atomic(0)
    let restarting = Repeating {
      // Not before some chunks are done since the last time.
      let chunks = passings.all[.afterCommit] ?? 0
      guard chunks >= last.withLock({ $0 }) + 10 else { return 0.01 }
      last.withLock { $0 = chunks }
      do { try server.restart(mode: mode) } catch { Issue.record("\(error)") }
      return times.add(1, ordering: .relaxed).newValue < 3 ? 0.01 : nil
    }
    let result = Result { try run.backfill() }
    restarting.stop()
    let summary = try result.get()
    print(
      "restarted the server (\(mode)) \(times.load(ordering: .relaxed)) times, until chunk \(last.withLock { $0 }) of \(summary.chunks)"
    )
    #expect(times.load(ordering: .relaxed) > 0)
    try undisturbed.expectSame(as: TestDatabase(on: server), "server restarted, \(mode)")
  }
}
