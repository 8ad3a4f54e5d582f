import Foundation
import Generation
import PostgreSQL
import Runs
import TestSupport
import Testing
import Values

@Suite("The follower")
struct FollowTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"
  private let c = "1714989800.3"

  @Test("makes a call log after LINKEDID_END, and none before")
  func end() throws {
    let (database, runner) = try wazo()
    let follower = Following(runner)
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    try database.insert(Array(CELRow.call(a).dropLast()))
    try waitUntilAllIsCovered(database)
    #expect(try database.conversations() == [])
    try database.insert([CELRow.call(a)[9]])
    try waitUntil("the call has its call log") { try database.conversations() == [a] }
    follower.stop()
    try expectWhole(database)
    #expect(follower.last.callLogs == 1 && follower.last.cels == 10)
    #expect(try differenceFromFreshRun(database) == "")
  }

  @Test("begins at the newest CEL where nothing is covered; a call that is up then is made whole, older ones are not made")
  func beginning() throws {
    let (database, runner) = try wazo(CELRow.call(a), Array(CELRow.call(b, at: 100)[..<5]))
    let follower = Following(runner)
    defer { follower.stop() }
    try waitUntil("the newest CEL is covered") { follower.last.covered == 15 }
    try database.insert(Array(CELRow.call(b, at: 100)[5...]))
    try waitUntil("the call has its call log") { try database.conversations() == [b] }
    follower.stop()
    #expect(try database.coverage() == "{[15,21)}")
    #expect(try database.value("count(*) FROM cel WHERE call_log_id IS NOT NULL") == "10")
    try runner.backfill()
    #expect(try differenceFromFreshRun(database) == "")
  }

  @Test("makes what came while nobody followed, even if the one before had nothing to do")
  func goesOn() throws {
    let (database, runner) = try wazo(CELRow.call(a))
    let first = Following(runner)
    try waitUntil("the newest CEL is covered") { first.last.covered == 10 }
    first.stop()
    try database.insert(CELRow.call(b, at: 100) + CELRow.call(c, at: 200))
    let second = Following(runner)
    defer { second.stop() }
    try waitUntil("the calls have their call logs") { try database.conversations() == [a, b, c] }
  }

  @Test("adds history when it has nothing else to do, if it is to")
  func history() throws {
    let calls = (0..<12).map { CELRow.call("17149896\(10 + $0).\($0)", at: Double($0) * 20) }
    let (database, runner) = try wazo(calls.flatMap { $0 }, chunkSize: 25)
    let without = Following(runner)
    try waitUntil("it is idle") { without.looks > 20 }
    without.stop()
    #expect(try database.conversations().count == 1)
    let follower = Following(runner) { $0.history = 1_000_000 }
    defer { follower.stop() }
    try waitUntilAllIsCovered(database)
    follower.stop()
    #expect(try differenceFromFreshRun(database) == "")
  }

  @Test("finds a row that its writer commits after later ones")
  func lateRow() throws {
    let (database, runner) = try wazo()
    let follower = Following(runner)
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    let rows = CELRow.call(a)
    try database.insert(Array(rows[..<4]))
    let writer = try database.connect()
    defer { writer.close() }
    try writer.script("BEGIN", purpose: "Opening a transaction")
    try database.insert([rows[4]], on: writer)
    try database.insert(Array(rows[5...]))
    try waitUntil("the call has its call log") { try database.conversations() == [a] }
    #expect(try database.rows("ids::text FROM call_logd_gap") == ["[5,6)"])
    try writer.script("COMMIT", purpose: "Committing")
    try waitUntilAllIsCovered(database)
    follower.stop()
    try expectWhole(database)
    #expect(try differenceFromFreshRun(database) == "")
  }

  @Test("finds a LINKEDID_END that is committed after everything else is covered")
  func lateEnd() throws {
    let (database, runner) = try wazo()
    let follower = Following(runner)
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    let writer = try database.connect()
    defer { writer.close() }
    try database.insert(Array(CELRow.call(a).dropLast()))
    try writer.script("BEGIN", purpose: "Opening a transaction")
    try database.insert([CELRow.call(a)[9]], on: writer)
    try database.insert(CELRow.call(b, at: 100))
    try waitUntil("the other call has its call log") { try database.conversations() == [b] }
    try writer.script("COMMIT", purpose: "Committing")
    try waitUntil("both have theirs") { try database.conversations() == [a, b] }
  }

  @Test("is not held up by ids whose transactions were rolled back")
  func rolledBack() throws {
    let (database, runner) = try wazo()
    let follower = Following(runner)
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    for (number, row) in CELRow.call(a).enumerated() {
      if number % 3 == 0 {
        try database.run(
          "BEGIN; INSERT INTO cel SELECT (jsonb_populate_record(NULL::cel, '{}')).* WHERE false; SELECT nextval('cel_id_seq'); ROLLBACK"
        )
      }
      try database.insert([row])
    }
    try waitUntil("the call has its call log") { try database.conversations() == [a] }
    try waitUntilAllIsCovered(database)
    follower.stop()
    try expectWhole(database)
  }

  @Test("closes calls without LINKEDID_END after close_after, those that it covered long before, too")
  func closeAfter() throws {
    var (database, runner) = try wazo()
    runner.settings.closeAfter = 3
    let follower = Following(runner) { $0.housekeeping = .milliseconds(200) }
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    try database.run(
      """
      INSERT INTO cel (eventtype, eventtime, channame, uniqueid, linkedid, cid_name, cid_num, exten, context)
      SELECT type, now(), 'PJSIP/aaa11-1', '\(a)', '\(a)', 'Ann', '101', '102', 'inside' FROM unnest('{CHAN_START,ANSWER,CHAN_END}'::text[]) AS type
      """)
    try waitUntil("the call is noted as open") { try database.value("count(*) FROM call_logd_open") == "1" }
    #expect(try database.conversations() == [])
    try waitUntil("it is closed") { try database.conversations() == [a] }
  }

  @Test("follows CELs in a database of their own, links and all")
  func apart() throws {
    let (cels, logs) = (try TestDatabase(.wazo), try TestDatabase(.empty))
    let follower = Following(Runner(logs, cels: cels))
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    try cels.insert(CELRow.call(a) + CELRow.call(b, at: 100))
    try waitUntil("the calls have their call logs") { try logs.conversations() == [a, b] }
    try waitUntilAllIsCovered(logs, cels: cels)
    #expect(try cels.value("count(*) FROM cel WHERE call_log_id IS NULL") == "0")
  }

  @Test("makes each call whole where no lock shows who may still write")
  func timed() throws {
    let (database, starting) = try wazo()
    var runner = starting
    try database.run("ALTER SEQUENCE cel_id_seq CACHE 8")
    runner.settings.finalAfter = 2
    let follower = Following(runner)
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    let (one, two) = (try database.connect(), try database.connect())
    let rows = CELRow.call(a)
    try database.insert(Array(rows[..<2]), on: one)
    try database.insert(Array(rows[2..<5]) + CELRow.call(b, at: 100), on: two)
    try waitUntil("the other call has its call log") { try database.conversations() == [b] }
    try database.insert(Array(rows[5...]), on: one)
    try waitUntil("both have theirs") { try database.conversations() == [a, b] }
    try waitUntilAllIsCovered(database)
    follower.stop()
    #expect(try differenceFromFreshRun(database) == "")
  }

  @Test("writes nothing while nothing happens, signs of life aside; nor does one that waits")
  func quiet() throws {
    let (database, runner) = try wazo(CELRow.call(a))
    let follower = Following(runner)
    defer { follower.stop() }
    try waitUntil("the newest CEL is covered") { follower.last.covered == 10 }
    let other = Following(runner)
    defer { other.stop() }
    try other.waitUntilItWaits()
    try follower.waitForLooks(30)
    func versions() throws -> [String] {
      try database.rows("relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1").filter {
        $0 != "call_logd_follower"
      }.map { try $0 + " " + database.value("string_agg(concat_ws(' ', ctid, xmin, xmax), ',') FROM \($0)") }
    }
    let before = try versions()
    try follower.waitForLooks(40)
    try other.waitForLooks(3)
    #expect(try versions() == before)
    #expect(try database.value("xmax FROM call_logd_follower") == "0", "who waits locks nothing")
  }

  @Test(
    "several writers, commits in any order, nightly runs beside it: the tables are what one run makes of the CELs",
    arguments: 1...3)
  func property(_ number: Int) throws {
    var random = Seeded()
    let database = try TestDatabase(.wazo)
    var runner = Runner(database, chunkSize: [7, 60, 20_000].randomElement(using: &random) ?? 60)
    let follower = Following(runner) { $0.longest = .milliseconds(300) }
    defer { follower.stop() }
    try follower.waitUntilItLeads()
    let fleet = WriterFleet()
    let writers = WriterFleet.writers(pbxs: 3, calls: 24, in: database, random: &random) { _ in ["cel"] }
    fleet.start(writers)
    runner.settings.patience = 0
    while !fleet.isDone {
      if random.oneIn(4) { try runner.generate() }
      Thread.sleep(forTimeInterval: Double.random(in: 0...0.2, using: &random))
    }
    #expect(fleet.errors == [], "\(random)")
    try waitUntilAllIsCovered(database)
    #expect(follower.failures == [], "\(random)")
    follower.stop()
    #expect(try differenceFromFreshRun(database) == "", "\(random)")
    #expect(try database.conversations().count == 72, "\(random)")
    try expectWhole(database, "\(random)")
    print("\(random): \(follower.last.passes) passes")
  }
}
