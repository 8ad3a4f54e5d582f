import Foundation
import Generation
import PostgreSQL
import Runs
import Store
import TestSupport
import Testing

@Suite("Several workers")
struct WorkerTests {
  private func settings(_ database: TestDatabase) -> RunContext.Settings { Runner(database).settings }

  /// Two databases with the same random corpus, the first of them done by one worker in one chunk.
  private func pair(_ random: inout Seeded, calls: Int) throws -> (one: TestDatabase, other: TestDatabase) {
    let one = try TestDatabase(.wazo)
    try one.simulate(calls: calls, seed: random.next(), concurrent: 20)
    try one.roughen(&random)
    try one.run(
      "UPDATE cel SET eventtime = eventtime + (SELECT now() - interval '24 h' - eventtime FROM cel ORDER BY md5(id::text) LIMIT 1)"
    )
    let other = try TestDatabase(.wazo)
    try other.copy(from: one)
    return (one, other)
  }

  @Test(
    "any number of workers in any number of processes, with deletions and remaking in between, give what one gives",
    arguments: 0..<(Int(ProcessInfo.processInfo.environment["ANY_ORDER_CASES"] ?? "") ?? 5))
  func anyWorkers(_ number: Int) throws {
    var random = Seeded()
    let (one, other) = try pair(&random, calls: 60)
    let links = number % 2 == 0
    var single = Runner(one)
    single.settings.linksCELs = links
    try single.backfill()
    let ids = try other.rows("id FROM cel ORDER BY id").compactMap(Int64.init)
    _ = try Runner(other).context()
    let processes = Int.random(in: 1...3, using: &random)
    var bodies: [@Sendable () throws -> Void] = []
    for process in 0..<processes {
      var settings = Runner(other, chunkSize: [7, 30, 100, 400].randomElement(using: &random) ?? 30).settings
      settings.workers = Int.random(in: 1...4, using: &random)
      settings.linksCELs = links
      settings.patience = 0.02
      let verbs = process == 0 ? 0 : Int.random(in: 0...2, using: &random)
      let cuts = (0..<4).map { _ in ids.randomElement(using: &random) ?? 1 }
      bodies.append { [settings] in
        let context = try RunContext(settings, interruption: Interruption(), log: quiet)
        defer { context.databases.close() }
        switch verbs {
        case 0:
          _ = try GenerateJob(context).run(.ids(from: nil, to: nil))
        case 1:
          _ = try GenerateJob(context).run(.ids(from: cuts[0], to: nil))
          _ = try GenerateJob(context).run(.ids(from: min(cuts[1], cuts[2]), to: max(cuts[1], cuts[2])), remakes: true)
        default:
          _ = try GenerateJob(context).run(.newest(200))
          _ = try DeleteJob(context).run(cuts[3] % 2 == 0 ? .all : .lastDays(1))
          _ = try GenerateJob(context).run(.nightly)
        }
      }
    }
    let errors = atOnce(bodies)
    #expect(errors.isEmpty, "\(random): \(errors)")
    var last = Runner(other, chunkSize: 50)
    last.settings.linksCELs = links
    last.settings.workers = 2
    try last.backfill()
    let how = "\(random), \(processes) processes, \(links ? "linked" : "not linked")"
    expectSame(try other.contents(), try one.contents(), how)
    expectSame(try other.links(), try one.links(), how)
    #expect(try other.value("count(*) FROM call_logd_call_log") == one.value("count(*) FROM call_logd_call_log"), "\(how)")
    try expectWhole(other, how)
    #expect(
      try other.value(
        "count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
      ) == "0")
    print("any workers: \(how)")
  }

  @Test("regenerating overlapping ranges by two processes at once changes neither ids nor bytes")
  func regenerateAtOnce() throws {
    var random = Seeded()
    let (one, _) = try pair(&random, calls: 50)
    try Runner(one, chunkSize: 100).backfill()
    let before = try one.contentsWithIDs()
    let links = try one.links()
    let ids = try one.rows("id FROM cel ORDER BY id").compactMap(Int64.init)
    var ranges: [(Int64, Int64)] = (0..<4).map { _ in
      let (a, b) = (ids.randomElement(using: &random) ?? 1, ids.randomElement(using: &random) ?? 1)
      return (min(a, b), max(a, b))
    }
    ranges.append((ids[0], ids[ids.count - 1]))
    let settings = [37, 120].map { size in
      var settings = Runner(one, chunkSize: size).settings
      settings.workers = 2
      return settings
    }
    let shuffled = ranges.shuffled(using: &random)
    let errors = atOnce(
      zip(settings, [ranges, shuffled]).map { settings, ranges in
        { [settings] in
          for range in ranges {
            let context = try RunContext(settings, interruption: Interruption(), log: quiet)
            defer { context.databases.close() }
            _ = try GenerateJob(context).run(.ids(from: range.0, to: range.1), remakes: true)
          }
        }
      })
    #expect(errors.isEmpty, "\(random): \(errors)")
    expectSame(try one.contentsWithIDs(), before, "\(random)")
    expectSame(try one.links(), links, "\(random)")
    try expectWhole(one, "\(random)")
  }

  @Test("a claim whose worker is gone is taken over, and his run is marked as died")
  func takenOver() throws {
    let (database, runner) = try wazo(CELRow.call("1714989600.1"), CELRow.call("1714989700.2", at: 100))
    _ = try runner.context()
    try database.run(
      """
      INSERT INTO call_logd_run (checkpoint_id, verb, program, host, pid) VALUES (1, 'backfill', 'x', 'elsewhere', 7);
      INSERT INTO call_logd_claim (checkpoint_id, ids, owner, run_id) VALUES (1, '[1,15)', 77, 1);
      """)
    try runner.generate()
    #expect(try database.conversations() == ["1714989600.1", "1714989700.2"])
    #expect(
      try database.rows("verb, outcome, ended IS NOT NULL FROM call_logd_run ORDER BY id") == [
        "backfill|died|true", "generate|done|true",
      ])
    try expectWhole(database)
  }

  @Test("a claim of somebody who is alive is waited for; when nothing goes on there, the run ends with 75 and has done the rest")
  func waitedFor() throws {
    var (database, runner) = try wazo(CELRow.call("1714989600.1"), CELRow.call("1714989700.2", at: 100))
    _ = try runner.context()
    let other = try database.connect()
    let owner = try Claims.newOwner(on: other)
    #expect(try Claims.lock(owner: owner, on: other))
    try database.run("INSERT INTO call_logd_claim (checkpoint_id, ids, owner, run_id) VALUES (1, '[3,5)', \(owner), 1)")
    runner.settings.retryFor = 0.2
    let failure = try failure { try runner.backfill() }
    #expect(failure.exitReason == .busy && failure.message.contains("ids 3-4"))
    // The newest CEL of the first call is covered, so it was made.
    #expect(try database.conversations() == ["1714989600.1", "1714989700.2"])
    #expect(try database.coverage() == "{[0,3),[5,21)}")
    other.close()
    try runner.backfill()
    #expect(try database.conversations() == ["1714989600.1", "1714989700.2"])
    try expectWhole(database)
  }

  @Test("what a failed worker had claimed is free at once, and the others end after their chunk")
  func failed() throws {
    var (database, runner) = try wazo(CELRow.call("1714989600.1"), CELRow.call("1714989700.2", at: 100), chunkSize: 3)
    runner.settings.workers = 3
    _ = try runner.context()
    try database.run(
      """
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '42501'; END $$;
      CREATE TRIGGER fail BEFORE INSERT ON call_logd_call_log FOR EACH ROW EXECUTE FUNCTION fail();
      """)
    #expect(try failure { try runner.backfill() }.exitReason == .permission)
    #expect(try database.value("count(*) FROM call_logd_claim") == "0")
    #expect(try database.rows("outcome, error ~ 'no' FROM call_logd_run") == ["failed|true"])
    try database.run("DROP TRIGGER fail ON call_logd_call_log")
    try runner.backfill()
    try expectWhole(database)
  }
}
