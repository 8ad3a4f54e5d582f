import Foundation
import Generation
import PostgreSQL
import Runs
import TestSupport
import Testing

@Suite("A day in fast motion", .serialized)
struct FollowDayTests {
  private static let environment = ProcessInfo.processInfo.environment
  /// A long form has `DAY_CALLS=100000`.
  private static let calls = Int(environment["DAY_CALLS"] ?? "") ?? 70

  @Test(
    "writers, two followers that come and go, nightly runs, purges, deletions and ended sessions at once: the tables are as undisturbed",
    arguments: [false, true])
  func day(isApart: Bool) throws {
    var random = Seeded(variable: "DAY_SEED")
    let day = try Day(calls: FollowDayTests.calls, isApart: isApart, &random)
    let ended = Locked(0)
    let ender = day.endingSessions(random.next(), ended)
    let (first, second) = (day.follower(random.next()), day.follower(random.next()))
    let others = [day.verbs(random.next())]
    let errors = Locked<[any Error]>([])
    // The others go on until the writers are done.
    let writers = (0..<3).map { day.writer($0, random.next()) }
    errors.with { $0 += atOnce(writers + [first, second] + others) }
    ender.stop()
    let how = "\(random), \(day), \(ended.with { $0 }) sessions ended"
    print("day: \(how)")
    #expect(errors.with { $0.isEmpty }, "\(how): \(errors.with { "\($0)" })")
    try day.finish()
    try day.expectRight(how)
  }
}

/// The databases of a day.
private final class Day: CustomStringConvertible, @unchecked Sendable {
  // Unchecked: TestDatabase holds the administrator's connection. Only the test's own thread uses
  // that. The threads of a day use names and URIs, and connect by themselves.
  private let cels: TestDatabase
  private let logs: TestDatabase
  private let isApart: Bool
  private let place: ArchivePlace
  private let columns: String
  private let times: [Int64]
  private let count: Int
  private let writersLeft = Locked(3)
  private let terms = Locked(0)
  private let log = Locked<[String: Int]>([:])

  var description: String {
    "\(isApart ? "two databases" : "one database"), \(count) CELs, \(terms.with { $0 }) followers, \(log.with { "\($0)" })"
  }

  init(calls: Int, isApart: Bool, _ random: inout Seeded) throws {
    self.isApart = isApart
    place = try ArchivePlace()
    cels = try TestDatabase(.wazo)
    logs = isApart ? try TestDatabase(.empty) : cels
    try cels.simulate(calls: calls, seed: random.next(), concurrent: 20)
    try cels.roughen(&random)
    // Long enough ago for purges by time.
    try cels.run(
      """
      UPDATE cel SET eventtime = eventtime + (SELECT now() - interval '3 h' - max(eventtime) FROM cel);
      CREATE TABLE day AS SELECT row_number() OVER (ORDER BY id) AS n, cel.* FROM cel;
      ALTER TABLE day DROP COLUMN id, DROP COLUMN call_log_id;
      CREATE UNIQUE INDEX ON day (n);
      DELETE FROM cel;
      SELECT setval('cel_id_seq', 1, false);
      """)
    columns = try cels.value(
      "string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = 'day'::regclass AND attnum > 1 AND NOT attisdropped"
    )
    count = try cels.count("day")
    times = try cels.rows(
      "(extract(epoch FROM eventtime - timestamptz '2000-01-01Z') * 1000000)::int8 FROM day ORDER BY eventtime"
    ).compactMap(Int64.init)
    try runner().backfill(to: -1)
  }

  private func runner() -> Runner {
    var runner = Runner(logs, cels: isApart ? cels : nil, chunkSize: 100)
    runner.settings.patience = 0.02
    runner.settings.retryFor = 120
    return runner.archiving(place)
  }

  private var isOver: Bool { writersLeft.with { $0 == 0 } }

  /// Writes a third of the rows, a few to a transaction, some at the second try.
  func writer(_ number: Int, _ seed: UInt64) -> @Sendable () throws -> Void {
    { [self] in
      defer { writersLeft.with { $0 -= 1 } }
      var random = Seeded(seed: seed)
      let connection = try Connection(ConnectionParameters(uri: cels.uri, applicationName: "writer"), log: quiet)
      defer { connection.close() }
      var next = number + 1
      while next <= count {
        let rows = Int.random(in: 1...6, using: &random)
        let list = (0..<rows).map { "\(next + $0 * 3)" }.joined(separator: ", ")
        let isKept = !random.oneIn(8)
        try connection.script(
          "BEGIN; INSERT INTO cel (\(columns)) SELECT \(columns) FROM day WHERE n IN (\(list)) ORDER BY n",
          purpose: "Writing CELs")
        // A burst now and then.
        if !random.oneIn(3) {
          Thread.sleep(forTimeInterval: Double.random(in: 0...(random.oneIn(10) ? 0.3 : 0.04), using: &random))
        }
        try connection.script(isKept ? "COMMIT" : "ROLLBACK", purpose: "Writing CELs")
        if isKept { next += rows * 3 }
      }
    }
  }

  /// A follower that is started again and again, and loses its connections.
  func follower(_ seed: UInt64) -> @Sendable () throws -> Void {
    { [self] in
      var random = Seeded(seed: seed)
      let chance = Locked(Seeded(seed: random.next()))
      var settings = runner().settings
      settings.atPoint = { point in
        if chance.with({ $0.oneIn(100) }) { throw PointOrders.lost(at: point) }
      }
      while !isOver {
        let interruption = Interruption()
        let end = Date().addingTimeInterval(Double.random(in: 0.3...4, using: &random))
        let watch = Repeating { [self] in
          if isOver || Date() > end { interruption.request() }
          return interruption.isRequested ? nil : 0.05
        }
        defer { watch.stop() }
        var follow = FollowSettings()
        (follow.pause, follow.debounce, follow.longest) = (.milliseconds(20), .milliseconds(20), .milliseconds(300))
        (follow.housekeeping, follow.grace) = (.milliseconds(500), .seconds(60))
        terms.with { $0 += 1 }
        do {
          try FollowJob(settings, follow, interruption: interruption, log: quiet) { [self] event in
            if case .failed(let message, _) = event { log.with { $0["failed: " + message.prefix(80), default: 0] += 1 } }
          }.run()
        } catch let error where interruption.isRequested { _ = error }
      }
    }
  }

  /// The nightly run, purges and deletions.
  func verbs(_ seed: UInt64) -> @Sendable () throws -> Void {
    { [self] in
      var random = Seeded(seed: seed)
      while !isOver {
        let then = [times.randomElement(using: &random) ?? 0, times.randomElement(using: &random) ?? 0].sorted()
        let verb = ["generate", "generate", "delete", "purge"].randomElement(using: &random) ?? "generate"
        log.with { $0[verb, default: 0] += 1 }
        switch verb {
        case "delete": try runner().deletion(.dates(from: then[0], to: then[1]), batch: 10)
        case "purge": try runner().purge(place, kinds: [.cel], .before(then[0]), rows: 200)
        default: try runner().generate()
        }
        Thread.sleep(forTimeInterval: Double.random(in: 0...0.6, using: &random))
      }
    }
  }

  /// An administrator who ends a session of the program now and then.
  func endingSessions(_ seed: UInt64, _ ended: Locked<Int>) -> Repeating {
    let random = Locked(Seeded(seed: seed))
    let (names, uri) = ("'\(logs.name)', '\(cels.name)'", logs.uri)
    return Repeating {
      if let connection = try? Connection(ConnectionParameters(uri: uri, applicationName: "administrator"), log: quiet) {
        defer { connection.close() }
        let found = try? connection.query(
          """
          SELECT pg_terminate_backend(pid) FROM (
            SELECT pid FROM pg_stat_activity WHERE application_name = 'wazo-call-logs' AND datname IN (\(names))
            ORDER BY random() LIMIT 1) AS one
          """, purpose: "Ending a session")
        if let found, found.count > 0 { ended.with { $0 += 1 } }
      }
      return random.with { Double.random(in: 0.1...0.8, using: &$0) }
    }
  }

  /// Brings back what was purged, and covers what was deleted.
  func finish() throws {
    if !(try place.manifests().isEmpty) { try runner().restore(place) }
    try runner().backfill()
    try runner().backfill()
  }

  /// Expects what one undisturbed run makes of the same CELs.
  func expectRight(_ how: String) throws {
    #expect(try cels.count("cel") == count, "\(how)")
    let fresh = try TestDatabase(.wazo)
    try fresh.copy(from: cels)
    try fresh.run("UPDATE cel SET call_log_id = NULL")
    try Runner(fresh, chunkSize: 1_000_000).backfill()
    expectSame(try logs.contents(), try fresh.contents(), how)
    // Rows that are there twice look like one in a set.
    for table in ["call_log", "call_log_participant", "call_log_destination", "recording"] {
      #expect(try logs.count("call_logd_\(table)") == fresh.count("call_logd_\(table)"), "\(table), \(how)")
    }
    if !isApart { expectSame(try logs.links(), try fresh.links(), how) }
    let coverage = try logs.coverage()
    #expect(try cels.value("count(*) FROM cel WHERE NOT int8multirange '\(coverage)' @> id::int8") == "0", "\(how)")
    for table in ["claim", "reach", "link", "gap"] {
      #expect(try logs.rows("x::text FROM call_logd_\(table) x") == [], "\(table), \(how)")
    }
  }
}
