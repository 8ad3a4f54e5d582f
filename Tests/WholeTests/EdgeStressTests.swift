import Runs
import Archive
import CallLogs
import Foundation
import Generation
import PostgreSQL
import Store
import TestSupport
import Testing
import Values

/// The edges at random: what leaves the tables comes back, in parts, by a restore or by hand,
/// beside runs that are disturbed.
@Suite("Stress at the edges", .serialized)
struct EdgeStressTests {
  private static let environment = ProcessInfo.processInfo.environment

  @Test(
    "purges, restores by parts, dumps restored, sequences moved, rows copied in, a second CEL table: nothing is lost or doubled",
    arguments: 0..<(Int(environment["STRESS_ROUNDS"] ?? "") ?? 3))
  func round(_ number: Int) throws {
    var random = Seeded(variable: "STRESS_SEED")
    let number = Int(EdgeStressTests.environment["STRESS_NUMBER"] ?? "") ?? number
    let stage = try EdgeStage(number, calls: EdgeStressTests.environment["STRESS_ROUNDS"] == nil ? 15 : 30, &random)
    let passings = Passings()
    let lost = Locked(0)
    for phase in 0..<2 {
      var bodies = [stage.copier(phase, random.next()), stage.writer(phase, random.next())]
      for _ in 0..<2 { bodies.append(stage.process(&random, passings, lost)) }
      let errors = atOnce(bodies)
      #expect(errors.isEmpty, "\(random), \(stage): \(errors)")
      if phase == 0 { try stage.betweenPhases(&random) }
    }
    try stage.finish()
    let how = "\(random), \(stage), \(passings.all.values.reduce(0, +)) points passed, \(lost.with { $0 }) connections lost"
    print("edge stress \(number): \(how)")
    try stage.expectRight(how)
  }
}

/// The databases of one round, and what happens to them. Unchecked: what happens at once connects
/// by itself and leaves the databases' own connections alone.
private final class EdgeStage: CustomStringConvertible, @unchecked Sendable {
  private let cels: TestDatabase
  private let logs: Locked<TestDatabase>
  private let isApart: Bool
  private let links: Bool
  private let closeAfter: Double?
  private let purgesCallLogs: Bool
  private let hasOther: Bool
  private let place: ArchivePlace
  private let times: [Int64]
  private let ids: [Int64]
  private let uri: String
  private let log = Locked<[String]>([])
  private let columns: String

  var description: String {
    "\(isApart ? "two databases" : "one database"), \(links ? "linked" : "not linked")\(closeAfter == nil ? "" : ", closing calls")\(purgesCallLogs ? ", call logs purged" : "")\(hasOther ? ", another CEL table" : ""): \(log.with { $0.joined(separator: "; ") })"
  }

  private func note(_ what: String) { log.with { $0.append(what) } }

  init(_ number: Int, calls: Int, _ random: inout Seeded) throws {
    isApart = number % 3 == 1
    links = number % 4 != 2
    closeAfter = number % 5 == 3 ? 3600 : nil
    purgesCallLogs = number % 2 == 1
    hasOther = number % 4 == 3
    place = try ArchivePlace()
    let cels = try TestDatabase(.wazo)
    self.cels = cels
    uri = cels.uri
    let first = isApart ? try TestDatabase(.empty) : cels
    logs = Locked(first)
    try cels.simulate(calls: calls, seed: random.next(), concurrent: 12)
    try cels.roughen(&random)
    // Whole calls and single CELs leave the table with the ids they had, others are to be written
    // with ids of their own.
    try cels.run(
      """
      UPDATE cel SET eventtime = eventtime + (SELECT now() - interval '3 h' - max(eventtime) FROM cel);
      CREATE TABLE saved AS SELECT ntile(8) OVER (ORDER BY id) AS n, cel.* FROM cel
      WHERE linkedid IN (SELECT linkedid FROM cel GROUP BY 1 ORDER BY md5(linkedid || '\(random.next())') LIMIT \(calls / 4)) OR md5(id || ' \(random.next())') < '1';
      DELETE FROM cel WHERE id IN (SELECT id FROM saved);
      CREATE TABLE held AS SELECT ntile(8) OVER (ORDER BY id) AS n, cel.* FROM cel
      WHERE linkedid IN (SELECT linkedid FROM cel GROUP BY 1 ORDER BY md5(linkedid || '\(random.next())') LIMIT \(calls / 5)) OR md5(id || ' \(random.next())') < '1';
      DELETE FROM cel WHERE id IN (SELECT id FROM held);
      ALTER TABLE held DROP COLUMN id, DROP COLUMN call_log_id; ALTER TABLE saved DROP COLUMN call_log_id;
      """)
    columns = try cels.value(
      "string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = 'held'::regclass AND attnum > 1 AND NOT attisdropped"
    )
    if hasOther {
      try cels.run(
        """
        CREATE TABLE other (LIKE cel INCLUDING ALL); CREATE SEQUENCE other_seq; ALTER TABLE other ALTER id SET DEFAULT nextval('other_seq');
        INSERT INTO other SELECT * FROM cel; UPDATE other SET linkedid = 'other-' || linkedid, uniqueid = 'other-' || uniqueid;
        SELECT setval('other_seq', (SELECT max(id) FROM cel));
        """)
    }
    ids = try cels.rows("id FROM cel ORDER BY id").compactMap(Int64.init)
    times = try cels.rows(
      "(extract(epoch FROM eventtime - timestamptz '2000-01-01Z') * 1000000)::int8 FROM cel ORDER BY eventtime"
    )
    .compactMap(Int64.init)
    try runner().backfill(to: -1)
    if hasOther { try otherRunner().generate(start: .anew) }
  }

  private func runner() -> Runner {
    var runner = Runner(logs.with { $0 }, cels: isApart ? cels : nil)
    runner.settings.linksCELs = links
    runner.settings.closeAfter = closeAfter
    runner.settings.patience = 0.02
    runner.settings.retryFor = 120
    return runner.archiving(place)
  }

  private func otherRunner() -> Runner {
    var other = runner()
    other.settings.celTable = "other"
    return other
  }

  // MARK: Who writes

  private func write(_ sql: String, on connection: Connection, _ random: inout Seeded) throws {
    let isKept = !random.oneIn(5)
    for isLast in isKept ? [true] : [false, true] {
      try connection.script("BEGIN; \(sql)", purpose: "Writing CELs")
      Thread.sleep(forTimeInterval: Double.random(in: 0...0.05, using: &random))
      try connection.script(isLast ? "COMMIT" : "ROLLBACK", purpose: "Writing CELs")
    }
  }

  /// Copies rows in with the ids that they had, whether these are covered by now or not.
  func copier(_ phase: Int, _ seed: UInt64) -> @Sendable () throws -> Void {
    { [self] in
      var random = Seeded(seed: seed)
      let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "copier"), log: quiet)
      defer { connection.close() }
      let list = "id, " + columns
      for part in phase * 4 + 1...phase * 4 + 4 {
        Thread.sleep(forTimeInterval: Double.random(in: 0...0.4, using: &random))
        try write("INSERT INTO cel (\(list)) SELECT \(list) FROM saved WHERE n = \(part)", on: connection, &random)
      }
    }
  }

  /// Writes as Asterisk does; now and then the sequence jumps ahead.
  func writer(_ phase: Int, _ seed: UInt64) -> @Sendable () throws -> Void {
    { [self] in
      var random = Seeded(seed: seed)
      let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "writer"), log: quiet)
      defer { connection.close() }
      let list = columns
      for part in phase * 4 + 1...phase * 4 + 4 {
        Thread.sleep(forTimeInterval: Double.random(in: 0...0.3, using: &random))
        try write("INSERT INTO cel (\(list)) SELECT \(list) FROM held WHERE n = \(part)", on: connection, &random)
        if random.oneIn(3) {
          try connection.script(
            "SELECT setval('cel_id_seq', nextval('cel_id_seq') + \(Int.random(in: 1...500, using: &random)))",
            purpose: "Moving the sequence")
        }
      }
    }
  }

  // MARK: Who works

  private enum Verb: Sendable {
    case generate(Scope)
    case regenerate(Int64, Int64)
    case delete(DeleteJob.Extent)
    case purge(before: Int64, rows: Int, kinds: [ArchiveKind])
    case archive(before: Int64, rows: Int)
    case restore(from: Int64?, to: Int64?, kinds: [ArchiveKind])
    case other
  }

  private func verb(_ random: inout Seeded) -> Verb {
    let some = [ids.randomElement(using: &random) ?? 1, ids.randomElement(using: &random) ?? 1].sorted()
    let then = [times.randomElement(using: &random) ?? 0, times.randomElement(using: &random) ?? 0].sorted()
    let rows = [5, 40, 1000].randomElement(using: &random) ?? 40
    switch Int.random(in: 0..<14, using: &random) {
    case 0, 1: return .generate(.nightly)
    case 2: return .generate(.ids(from: nil, to: nil))
    case 3: return .generate(.ids(from: some[0], to: some[1]))
    case 4: return .regenerate(some[0], some[1])
    case 5: return .delete(random.oneIn(3) ? .all : .dates(from: then[0], to: then[1]))
    case 6, 7, 8:
      return .purge(before: then[1], rows: rows, kinds: purgesCallLogs && random.oneIn(2) ? ArchiveKind.allCases : [.cel])
    case 9: return .archive(before: then[1], rows: rows)
    case 10: return hasOther ? .other : .generate(.newest(100))
    case 11: return .restore(from: then[0], to: then[1], kinds: random.oneIn(2) ? [.cel] : ArchiveKind.allCases)
    default: return .restore(from: nil, to: nil, kinds: random.oneIn(2) ? [.cel] : ArchiveKind.allCases)
    }
  }

  func process(_ random: inout Seeded, _ passings: Passings, _ lost: Locked<Int>, purges: Bool = true)
    -> @Sendable () throws -> Void
  {
    let verbs = (0..<Int.random(in: 2...5, using: &random)).map { _ in verb(&random) }.filter {
      if case .purge = $0 { purges } else { true }
    }
    let chance = Locked(Seeded(seed: random.next()))
    let (chunk, workers) = ([7, 30, 100, 400].randomElement(using: &random) ?? 30, Int.random(in: 1...2, using: &random))
    return { [self] in
      var runner = runner()
      runner.settings.chunkSize = chunk
      runner.settings.workers = workers
      runner.settings.atPoint = { point in
        _ = passings.count(point)
        let wait = try chance.with { random in
          if random.oneIn(80) {
            lost.with { $0 += 1 }
            throw PointOrders.lost(at: point)
          }
          return random.oneIn(8) ? Double.random(in: 0...0.05, using: &random) : 0
        }
        if wait > 0 { Thread.sleep(forTimeInterval: wait) }
      }
      for verb in verbs { try untilFree { try self.work(verb, runner) } }
    }
  }

  /// One archive, purge or restore at a time: the others say 75 and are tried again.
  private func untilFree(_ body: () throws -> Void) throws {
    for _ in 0..<600 {
      do { return try body() } catch let error as JobError where error.exitReason == .busy { Thread.sleep(forTimeInterval: 0.05) }
    }
    try body()
  }

  private func work(_ verb: Verb, _ runner: Runner) throws {
    note("\(verb)")
    switch verb {
    case .generate(let scope): try runner.generate(scope)
    case .regenerate(let from, let to): try runner.regenerate(.ids(from: from, to: to))
    case .delete(let extent): try runner.deletion(extent, batch: 10)
    case .purge(let before, let rows, let kinds):
      try runner.archive(runner.options(place, kinds: kinds, .before(before), rows: rows))
    case .archive(let before, let rows):
      try runner.archive(runner.options(place, deletes: false, kinds: [.cel], .before(before), rows: rows))
    case .restore(let from, let to, let kinds):
      guard try hasParts() else { return }
      try runner.restore(place, kinds: kinds) { ($0.filter.from, $0.filter.to) = (from, to) }
    case .other: try otherRunner().generate()
    }
  }

  /// Where the call logs have a database of their own, it comes back from a dump of some time ago.
  func betweenPhases(_ random: inout Seeded) throws {
    guard isApart else { return }
    let dump = place.root + "/dump"
    let old = logs.with { $0 }
    try run("pg_dump", "-Fc", "-f", dump, "-d", old.uri)
    // No purge: who loses the record of a purge loses the CELs by which the table is recognised,
    // and is asked.
    let errors = atOnce([process(&random, Passings(), Locked(0), purges: false)])
    #expect(errors.isEmpty, "\(errors)")
    // As by a failover: the database is the same one, in an older state.
    try run("pg_restore", "--clean", "--if-exists", "-d", old.uri, dump)
    note("the call logs' database comes back from a dump")
  }

  private func run(_ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(arguments)")
  }

  // MARK: What is right

  private func hasParts() throws -> Bool {
    try FileManager.default.fileExists(atPath: place.folder) && !ArchiveFolder(place.folder).contents().parts.isEmpty
  }

  /// Brings back what is in archives only, and covers what is left.
  func finish() throws {
    let runner = runner()
    note("the end")
    if try hasParts() {
      try runner.restore(place)
      try place.expectClean("\(self)")
    }
    try runner.backfill()
    // Rows that came while the last run looked are the next one's.
    try runner.backfill()
    if hasOther { try otherRunner().backfill() }
  }

  func expectRight(_ how: String) throws {
    let logs = logs.with { $0 }
    let fresh = try TestDatabase(.wazo)
    try fresh.copy(from: cels)
    try fresh.run("UPDATE cel SET call_log_id = NULL")
    var right = Runner(fresh, chunkSize: 1_000_000)
    right.settings.closeAfter = closeAfter
    right.settings.linksCELs = links
    try right.backfill()
    if hasOther {
      try logs.run("DELETE FROM call_logd_call_log WHERE conversation_id LIKE 'other-%'")
      #expect(try logs.value("count(*) FROM call_logd_checkpoint") == "2", "\(how)")
    }
    #expect(try cels.value("count(*) FROM cel") == cels.value("(SELECT count(*) FROM cel) FROM (SELECT 1) x"), "\(how)")
    expectSame(try logs.contents(), try fresh.contents(), how)
    for table in ["call_log", "call_log_participant", "call_log_destination", "recording"] {
      let count = "count(*) FROM call_logd_\(table)"
      #expect(try logs.value(count) == fresh.value(count), "\(table), \(how)")
    }
    let coverage = try logs.value("covered::text FROM call_logd_checkpoint WHERE cel_name = 'public.cel'")
    #expect(try cels.value("count(*) FROM cel WHERE NOT int8multirange '\(coverage)' @> id::int8") == "0", "\(coverage) \(how)")
    // A restore may note channels besides.
    let awaited =
      "uniqueid FROM call_logd_awaited JOIN call_logd_checkpoint c ON c.id = checkpoint_id WHERE cel_name = 'public.cel'"
    #expect(try Set(fresh.rows(awaited)).subtracting(logs.rows(awaited)) == [], "\(how)")
    for table in ["claim", "reach", "link"] {
      #expect(try logs.rows("x::text FROM call_logd_\(table) x") == [], "\(table), \(how)")
    }
  }
}
