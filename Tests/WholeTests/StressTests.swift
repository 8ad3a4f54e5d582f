import Foundation
import Generation
import PostgreSQL
import Runs
import Synchronization
import TestSupport
import Testing

@Suite("Stress", .serialized)
struct StressTests {
  private static let environment = ProcessInfo.processInfo.environment

  @Test(
    "writers, workers, every verb, waits, lost connections and ended sessions at once: the tables are what one undisturbed worker makes of the CELs",
    arguments: 0..<(Int(environment["STRESS_ROUNDS"] ?? "") ?? 2))
  func round(_ number: Int) throws {
    var random = Seeded(variable: "STRESS_SEED")
    // The number decides on databases and settings: with the seed of a printed round it brings the
    // round back, but for its timing.
    let number = Int(StressTests.environment["STRESS_NUMBER"] ?? "") ?? number
    let stage = try Stage(number, calls: StressTests.environment["STRESS_ROUNDS"] == nil ? 15 : 50, &random)
    let ended = Locked(0)
    let ender = stage.endingSessions(random.next(), ended)
    let passings = Passings()
    var bodies = try stage.writers(&random)
    for _ in 0..<Int.random(in: 2...3, using: &random) { bodies.append(stage.process(&random, passings)) }
    let errors = atOnce(bodies)
    ender.stop()
    let how =
      "\(random), \(stage), \(ended.with { $0 }) sessions ended, \(passings.all.values.reduce(0, +)) points passed"
    print("stress \(number): \(how)")
    #expect(errors.isEmpty, "\(how): \(errors)")
    try stage.finish()
    try stage.expectRight(how)
  }
}

/// The databases of one round, and what happens to them.
private struct Stage: CustomStringConvertible {
  private let logs: TestDatabase
  /// The same one or another.
  private let cels: TestDatabase
  private let isApart: Bool
  private let closeAfter: Double?
  private let links: Bool
  private let linkedids: [String]
  private let ids: [Int64]
  /// Of the CELs, microseconds since 2000-01-01 UTC.
  private let times: [Int64]

  var description: String {
    "\(isApart ? "two databases" : "one database"), \(closeAfter == nil ? "" : "closing calls, ")\(links ? "linked" : "not linked")"
  }

  /// A corpus of which a part is still to be written.
  init(_ number: Int, calls: Int, _ random: inout Seeded) throws {
    cels = try TestDatabase(.wazo)
    isApart = number % 3 == 1
    logs = isApart ? try TestDatabase(.empty) : cels
    closeAfter = number % 2 == 0 ? 3600 : nil
    links = number % 5 != 4
    try cels.simulate(calls: calls, seed: random.next(), concurrent: 20)
    try cels.roughen(&random)
    // All of it long enough ago for calls to be closed. Whole calls come late, and single CELs of
    // others.
    try cels.run(
      """
      UPDATE cel SET eventtime = eventtime + (SELECT now() - interval '3 h' - max(eventtime) FROM cel);
      CREATE TABLE held AS SELECT row_number() OVER (ORDER BY id) AS n, cel.* FROM cel
      WHERE linkedid IN (SELECT linkedid FROM cel GROUP BY 1 ORDER BY md5(linkedid || '\(random.next())') LIMIT \(calls * 3 / 10))
        OR md5(id || ' \(random.next())') < '2';
      DELETE FROM cel WHERE id IN (SELECT id FROM held);
      ALTER TABLE held DROP COLUMN id, DROP COLUMN call_log_id;
      """)
    linkedids = try cels.rows(
      "DISTINCT linkedid FROM cel WHERE linkedid <> '' AND channame <> 'Message/ast_msg_queue' ORDER BY 1")
    ids = try cels.rows("id FROM cel ORDER BY id").compactMap(Int64.init)
    times = try cels.rows(
      "(extract(epoch FROM eventtime - timestamptz '2000-01-01Z') * 1000000)::int8 FROM cel ORDER BY eventtime"
    ).compactMap(Int64.init)
    // The schema.
    try Runner(logs, cels: isApart ? cels : nil).backfill(to: -1)
  }

  private var settings: RunContext.Settings {
    var settings = Runner(logs, cels: isApart ? cels : nil).settings
    settings.closeAfter = closeAfter
    settings.linksCELs = links
    settings.patience = 0.02
    return settings
  }

  // MARK: Who writes, and who disturbs

  /// Writers that insert what is held back, a few rows to a transaction, some of them only at the
  /// second try.
  func writers(_ random: inout Seeded) throws -> [@Sendable () throws -> Void] {
    let count = Int(try cels.value("count(*) FROM held")) ?? 0
    let columns = try cels.value(
      "string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = 'held'::regclass AND attnum > 1 AND NOT attisdropped"
    )
    let (uri, share) = (cels.uri, count / 2 + 1)
    return (0..<2).map { writer in
      let seed = random.next()
      return {
        var random = Seeded(seed: seed)
        let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "writer"), log: quiet)
        defer { connection.close() }
        var from = writer * share + 1
        let end = min((writer + 1) * share, count)
        while from <= end {
          let to = min(end, from + Int.random(in: 0...7, using: &random))
          let isKept = !random.oneIn(5)
          try connection.script(
            "BEGIN; INSERT INTO cel (\(columns)) SELECT \(columns) FROM held WHERE n BETWEEN \(from) AND \(to) ORDER BY n",
            purpose: "Writing CELs")
          Thread.sleep(forTimeInterval: Double.random(in: 0...(random.oneIn(6) ? 0.2 : 0.04), using: &random))
          try connection.script(isKept ? "COMMIT" : "ROLLBACK", purpose: "Writing CELs")
          if isKept { from = to + 1 }
        }
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
      return random.with { Double.random(in: 0.05...0.5, using: &$0) }
    }
  }

  // MARK: Who works

  private enum Verb: Sendable {
    case generate(Scope)
    case regenerate(Scope)
    case remake(String)
    case delete(DeleteJob.Extent)
    /// `generate --rebase`.
    case startAnew
  }

  private func verb(_ random: inout Seeded) -> Verb {
    let some = [ids.randomElement(using: &random) ?? 1, ids.randomElement(using: &random) ?? 1].sorted()
    let then = [times.randomElement(using: &random) ?? 0, times.randomElement(using: &random) ?? 0].sorted()
    switch Int.random(in: 0..<(isApart ? 10 : 11), using: &random) {
    case 10: return .startAnew
    case 0, 1: return .generate(.nightly)
    case 2: return .generate(.ids(from: nil, to: nil))
    case 3: return .generate(.ids(from: some[0], to: some[1]))
    case 4: return .generate(.newest(Int.random(in: 1...300, using: &random)))
    case 5: return .regenerate(.ids(from: some[0], to: some[1]))
    case 6: return .remake(linkedids.randomElement(using: &random) ?? "")
    case 7: return .delete(.all)
    default: return .delete(.dates(from: then[0], to: then[1]))
    }
  }

  /// A process that does some verbs, one after the other, and that waits or loses its connection at
  /// random points.
  func process(_ random: inout Seeded, _ passings: Passings) -> @Sendable () throws -> Void {
    var settings = settings
    settings.chunkSize = [7, 30, 100, 400].randomElement(using: &random) ?? 30
    settings.workers = Int.random(in: 1...3, using: &random)
    let verbs = (0..<Int.random(in: 2...5, using: &random)).map { _ in verb(&random) }
    let chance = Locked(Seeded(seed: random.next()))
    settings.atPoint = { point in
      _ = passings.count(point)
      let wait = try chance.with { random in
        if random.oneIn(60) { throw PointOrders.lost(at: point) }
        return random.oneIn(6) ? Double.random(in: 0...0.05, using: &random) : 0
      }
      if wait > 0 { Thread.sleep(forTimeInterval: wait) }
    }
    return { [settings] in
      for verb in verbs {
        var forgets = false
        if case .startAnew = verb { forgets = true }
        let context = try RunContext(settings, start: forgets ? .anew : .usual, interruption: Interruption(), log: quiet)
        defer { context.databases.close() }
        switch verb {
        case .startAnew: _ = try GenerateJob(context).run(.nightly)
        case .generate(let scope): _ = try GenerateJob(context).run(scope)
        case .regenerate(let scope): _ = try GenerateJob(context).run(scope, remakes: true)
        case .remake(let conversation): _ = try RegenerateJob(context).run(conversation)
        case .delete(let extent): _ = try DeleteJob(context, batch: 10).run(extent)
        }
      }
    }
  }

  // MARK: What is right

  /// Covers what is left, undisturbed.
  func finish() throws {
    var last = Runner(logs, cels: isApart ? cels : nil)
    last.settings = settings
    last.settings.chunkSize = 50
    last.settings.workers = 2
    try last.backfill()
  }

  /// Expects what one undisturbed worker makes of the same CELs in one chunk.
  func expectRight(_ how: String) throws {
    let fresh = try TestDatabase(.wazo)
    try fresh.copy(from: cels)
    try fresh.run("UPDATE cel SET call_log_id = NULL")
    var runner = Runner(fresh, chunkSize: 1_000_000)
    runner.settings.closeAfter = closeAfter
    runner.settings.linksCELs = links
    try runner.backfill()
    expectSame(try logs.contents(), try fresh.contents(), how)
    for table in ["call_log", "call_log_participant", "call_log_destination", "recording"] {
      let count = "count(*) FROM call_logd_\(table)"
      #expect(try logs.value(count) == fresh.value(count), "\(table), \(how)")
    }
    #expect(try linked(cels, logs).difference(from: linked(fresh, fresh)) == "", "\(how)")
    let open = "linkedid, conversation, first_event::text, newest_event::text, cels FROM call_logd_open ORDER BY 1"
    #expect(try logs.rows(open) == fresh.rows(open), "\(how)")
    let awaited = "uniqueid FROM call_logd_awaited ORDER BY 1"
    #expect(try logs.rows(awaited) == fresh.rows(awaited), "\(how)")
    let coverage = try logs.coverage()
    #expect(
      try cels.value("count(*) FROM cel WHERE NOT int8multirange '\(coverage)' @> id::int8") == "0", "\(coverage) \(how)")
    for table in ["claim", "reach", "link", "gap"] {
      #expect(try logs.rows("x::text FROM call_logd_\(table) x") == [], "\(table), covered \(coverage), \(how)")
    }
    #expect(try logs.rows("id FROM call_logd_run WHERE ended IS NULL") == [], "\(how)")
    for database in [logs, cels] {
      let locks =
        "count(*) FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND locktype = 'advisory'"
      // A session that was closed takes its moment to end.
      for _ in 0..<100 where try database.value(locks) != "0" { Thread.sleep(forTimeInterval: 0.05) }
      #expect(try database.value(locks) == "0", "\(how)")
    }
  }

  /// The conversation that each CEL points to.
  private func linked(_ cels: TestDatabase, _ logs: TestDatabase) throws -> Dump {
    let conversations = try logs.rows("id, conversation_id FROM call_logd_call_log").map { $0.split(separator: "|") }
    let names = Dictionary(conversations.map { ($0[0], $0[1]) }) { first, _ in first }
    return Dump(
      rows: Set(
        try cels.rows("id, call_log_id FROM cel").map { row in
          let row = row.split(separator: "|")
          return "\(row[0]) \(row[1] == "∅" ? "none" : names[row[1]] ?? "missing")"
        }))
  }
}
