import Foundation
import Generation
import PostgreSQL
import Runs
import TestSupport
import Testing

@Suite("A channel whose CELs are covered before its own call exists")
struct AwaitedTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"

  private func awaited(_ database: TestDatabase) throws -> [String] {
    try database.rows("uniqueid FROM call_logd_awaited ORDER BY 1")
  }

  /// Expects what one run makes of the same CELs, the same channels awaited, and nothing doubled.
  private func expectAsFresh(_ database: TestDatabase, links: Bool?, _ what: String = "") throws {
    let fresh = try TestDatabase(.wazo)
    try fresh.copy(from: database)
    try fresh.run("UPDATE cel SET call_log_id = NULL")
    var runner = Runner(fresh)
    runner.settings.linksCELs = links
    try runner.backfill()
    expectSame(try database.contents(), try fresh.contents(), what)
    expectSame(try database.links(), try fresh.links(), what)
    #expect(try database.conversations() == fresh.conversations(), "\(what)")
    #expect(try awaited(database) == awaited(fresh), "\(what)")
  }

  /// CELs that join the calls `a` and `b`, and that come before `a`.
  enum Joint: String, CaseIterable {
    /// A channel of `a` in `b`.
    case channel
    /// A channel of `b` in a part of `a` that has an end of its own.
    case linkedid

    func rows(_ a: String, _ b: String) -> [CELRow] {
      switch self {
      case .channel: [CELRow("HANGUP", 108, uniqueid: a, linkedid: b)]
      case .linkedid: ["HANGUP", "LINKEDID_END"].map { CELRow($0, 108, uniqueid: b, linkedid: a) }
      }
    }
  }

  @Test("is one call with it, whichever comes first, each in a chunk of its own", arguments: Joint.allCases, [true, false])
  func anyOrder(_ joint: Joint, links: Bool) throws {
    for (a, b) in [(a, b), (b, a)] {
      for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        try covered([CELRow.call(a), CELRow.call(b, at: 100), joint.rows(a, b)], order, links: links)
      }
    }
  }

  private func covered(_ pieces: [[CELRow]], _ order: [Int], links: Bool) throws {
    var (database, runner) = try wazo()
    runner.settings.linksCELs = links
    for piece in order {
      try database.insert(pieces[piece])
      try runner.backfill()
    }
    #expect(try database.conversations() == [a], "\(order)")
    try expectAsFresh(database, links: links, "\(order)")
    #expect(try awaited(database) == [], "\(order)")
    try expectWhole(database, "\(order)")
  }

  @Test(
    "is one call with it where an earlier version of the program covered those CELs and noted nothing", arguments: [true, false])
  func upgrade(links: Bool) throws {
    var (database, runner) = try wazo(CELRow.call(b, at: 100) + Joint.channel.rows(a, b))
    runner.settings.linksCELs = links
    try runner.backfill()
    try database.run("DELETE FROM call_logd_awaited; UPDATE call_logd_checkpoint SET knows_awaited = false")
    try database.insert(CELRow.call(a))
    try runner.backfill()
    #expect(try database.conversations() == [a])
    try expectAsFresh(database, links: links)
    #expect(try database.value("knows_awaited FROM call_logd_checkpoint") == "true")
  }

  @Test("is one call with it where the two come in one chunk, and where many other channels are awaited", arguments: [0, 1200])
  func others(_ count: Int) throws {
    var (database, runner) = try wazo(CELRow.call(b, at: 100) + Joint.channel.rows(a, b))
    runner.settings.linksCELs = false
    try runner.backfill()
    #expect(try awaited(database) == [a])
    try database.run(
      "INSERT INTO call_logd_awaited SELECT id, 'x' || n FROM call_logd_checkpoint, generate_series(1, \(count)) AS n")
    let other = "1714990000.7"
    try database.insert(CELRow.call(other, at: 400) + CELRow.call(a))
    try runner.backfill()
    #expect(try database.conversations() == [a, other])
    try expectAsFresh(database, links: false)
    #expect(try awaited(database) == [], "no CEL waits for the others")
  }

  @Test("is one call with it where another worker covers those CELs while its call is interpreted", arguments: [true, false])
  func twoWorkers(links: Bool) throws {
    let (database, runner) = try wazo(CELRow.call(b, at: 100) + Joint.channel.rows(a, b))
    let held = try TestDatabase(.wazo)
    try held.insert(CELRow.call(a))
    try held.run("UPDATE cel SET id = id + 11")
    // The schema.
    try runner.backfill(to: -1)
    var settings = runner.settings
    settings.linksCELs = links
    let (isThere, isAtLock) = (Locked(false), Locked(false))
    let (uri, heldURI) = (database.uri, held.uri)
    let covering = Once(.beforeCommit) {
      try copyCELs(from: heldURI, to: uri)
      isThere.with { $0 = true }
      try waitUntil("the other worker has done its first step") { isAtLock.with { $0 } }
    }
    let interpreting = Once(.beforeLock) { isAtLock.with { $0 = true } }
    let errors = atOnce(
      [(covering, Int64?.none, Int64?.some(11)), (interpreting, 12, nil)].map { once, from, to in
        var settings = settings
        settings.atPoint = once.reached
        return { [settings] in
          if from != nil { try waitUntil("the call is there") { isThere.with { $0 } } }
          let context = try RunContext(settings, interruption: Interruption(), log: quiet)
          defer { context.databases.close() }
          _ = try GenerateJob(context).run(.ids(from: from, to: to))
        }
      })
    #expect(errors.isEmpty && covering.wasReached && interpreting.wasReached, "\(errors)")
    #expect(try database.conversations() == [a])
    try expectAsFresh(database, links: links)
    #expect(try awaited(database) == [])
    try expectWhole(database)
  }

  private func copyCELs(from: String, to: String) throws {
    let (from, to) = try (
      Connection(ConnectionParameters(uri: from, applicationName: "reader"), log: quiet),
      Connection(ConnectionParameters(uri: to, applicationName: "writer"), log: quiet)
    )
    defer { [from, to].forEach { $0.close() } }
    try to.copyIn("COPY cel FROM STDIN (FORMAT binary)", purpose: "Copying CELs") { copy in
      try from.copyOut("COPY cel TO STDOUT (FORMAT binary)", purpose: "Copying CELs") { try copy.write($0) }
    }
    _ = try to.query("SELECT setval('cel_id_seq', 21)", purpose: "Setting the sequence")
  }

  @Test("is awaited until its CHAN_START comes or its CELs are gone; where nothing is covered, nothing is awaited")
  func forgotten() throws {
    let (database, runner) = try wazo(CELRow.call(b, at: 100) + Joint.channel.rows(a, b))
    try runner.backfill()
    #expect(try awaited(database) == [a])
    #expect(try runner.generate().chunks == 0 && awaited(database) == [a])
    try database.run("DELETE FROM cel WHERE uniqueid = '\(a)'")
    try runner.generate()
    #expect(try awaited(database) == [])
    for forget in [{ try runner.delete(.all) }, { try runner.generate(.newest(0), start: .anew).chunks }] {
      try database.insert(Joint.channel.rows(a, b))
      try runner.backfill()
      #expect(try awaited(database) == [a])
      _ = try forget()
      try database.run("DELETE FROM cel WHERE uniqueid = '\(a)'")
      #expect(try awaited(database) == [])
      try runner.backfill()
    }
  }

  @Test("is not awaited where Asterisk made it for itself, and others only up to a limit where no CHAN_START is logged")
  func limits() throws {
    let announcer = [
      CELRow("STREAM_BEGIN", 3, uniqueid: "1714989650.5", linkedid: "1714989650.5", channel: "CBAnn/1-1;2")
    ]
    let (database, runner) = try wazo(CELRow.call(a), announcer)
    try runner.backfill()
    #expect(try awaited(database) == [])
    try database.run(
      """
      INSERT INTO cel (eventtype, eventtime, uniqueid, linkedid)
      SELECT e, timestamptz '2024-05-06 12:00Z' + n * interval '1 s', '1714997000.' || n, '1714997000.' || n
      FROM generate_series(1, 1500) AS n, unnest('{ANSWER,LINKEDID_END}'::text[]) AS e
      """)
    try runner.backfill()
    #expect(try awaited(database).count == 1000)
  }

  @Test(
    "is awaited exactly while its CHAN_START is missing, whatever the order of the work",
    arguments: 0..<(Int(ProcessInfo.processInfo.environment["ANY_ORDER_CASES"] ?? "") ?? 4))
  func exact(_ number: Int) throws {
    var random = Seeded()
    let database = try TestDatabase(.wazo)
    try database.simulate(calls: 25, seed: random.next(), concurrent: 10)
    try database.roughen(&random)
    var runner = Runner(database, chunkSize: [7, 30, 100].randomElement(using: &random) ?? 30)
    runner.settings.linksCELs = number % 2 == 0
    // Some CHAN_STARTs are lost. Whole calls and single CELs come later, with ids of their own.
    try database.run(
      """
      DELETE FROM cel WHERE eventtype = 'CHAN_START' AND md5(id || '  \(random.next())') < '2';
      CREATE TABLE held AS SELECT * FROM cel
      WHERE md5(linkedid || '\(random.next())') < '4' OR md5(id || ' \(random.next())') < '2';
      DELETE FROM cel WHERE id IN (SELECT id FROM held)
      """)
    var rest = try database.rows("id FROM held ORDER BY id").shuffled(using: &random)[...]
    while !rest.isEmpty {
      let some = rest.prefix(Int.random(in: 1...40, using: &random))
      rest = rest.dropFirst(some.count)
      try runner.backfill()
      try database.run(
        """
        CREATE TABLE now AS SELECT * FROM held WHERE id IN (\(some.joined(separator: ",")));
        UPDATE now SET id = nextval('cel_id_seq'); INSERT INTO cel SELECT * FROM now; DROP TABLE now
        """)
    }
    try runner.backfill()
    try expectAsFresh(database, links: runner.settings.linksCELs, "\(random)")
    let missing = Set(
      try database.rows(
        """
        DISTINCT n FROM cel c, unnest(ARRAY[uniqueid, linkedid]) AS n
        WHERE channame !~ '^(Message/ast_msg_queue|CBAnn/|CBRec/|Announcer/|Recorder/)' AND n <> ''
          AND NOT EXISTS (SELECT FROM cel s WHERE s.uniqueid = n AND s.eventtype = 'CHAN_START')
        """))
    #expect(try Set(awaited(database)) == missing, "\(random)")
    print("awaited: \(missing.count) channels, \(random)")
  }
}
