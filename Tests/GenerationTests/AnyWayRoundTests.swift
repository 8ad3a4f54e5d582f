import Foundation
import Generation
import PostgreSQL
import Runs
import TestSupport
import Testing

@Suite("Any way round")
struct AnyWayRoundTests {
  /// Covers everything in pieces of random size and order, with deletions in between.
  private func disorderly(_ runner: Runner, _ random: inout Seeded, deletes: Bool) throws -> [String] {
    var runner = runner
    var steps: [String] = []
    let ids = try runner.database.rows("id FROM cel ORDER BY id").compactMap(Int64.init)
    let cels = ids.count
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      runner.settings.chunkSize = [1, 7, 50, 333, 20_000].randomElement(using: &random) ?? 1
      // One CEL at a time is slow: only some ids.
      let bound = runner.settings.chunkSize == 1 ? 40 : cels
      let from = Int.random(in: 0..<cels, using: &random)
      let to = min(cels - 1, from + Int.random(in: 0..<bound, using: &random))
      switch Int.random(in: 0..<(deletes ? 10 : 7), using: &random) {
      case 0..<5:
        steps.append("chunks of \(runner.settings.chunkSize), ids \(ids[from])-\(ids[to])")
        try runner.backfill(from: ids[from], to: ids[to])
      case 5:
        let count = Int.random(in: 1...bound, using: &random)
        steps.append("chunks of \(runner.settings.chunkSize), newest \(count)")
        try runner.generate(.newest(count))
      case 6:
        runner.settings.history = Int.random(in: 0...bound, using: &random)
        runner.settings.chunkSize = max(50, runner.settings.chunkSize)
        steps.append("chunks of \(runner.settings.chunkSize), nightly with \(runner.settings.history)")
        try runner.generate()
      case 7:
        steps.append("delete all")
        try runner.delete(.all)
      default:
        // The corpus lies around this cutoff.
        steps.append("delete 1 day")
        try runner.delete(.lastDays(1))
      }
    }
    runner.settings.chunkSize = [13, 100, 999, 20_000].randomElement(using: &random) ?? 1
    steps.append("all in chunks of \(runner.settings.chunkSize)")
    try runner.backfill()
    return steps
  }

  @Test(
    "chunks of any size in any order, with deletions in between, give what one chunk gives",
    arguments: 0..<(Int(ProcessInfo.processInfo.environment["ANY_ORDER_CASES"] ?? "") ?? 6))
  func anyOrder(number: Int) throws {
    var random = Seeded()
    let one = try TestDatabase(.wazo)
    try one.simulate(calls: number % 6 < 3 ? 40 : 150, seed: random.next(), concurrent: 20)
    try one.roughen(&random)
    // Yesterday at this time lies somewhere in between.
    try one.run(
      "UPDATE cel SET eventtime = eventtime + (SELECT now() - interval '24 h' - eventtime FROM cel ORDER BY md5(id::text) LIMIT 1)"
    )
    // Every second one does not link CELs, so that nothing but the coverage tells what was done.
    let links = number % 2 == 0
    let other = try TestDatabase(.wazo)
    try other.copy(from: one)
    var runner = Runner(one)
    runner.settings.linksCELs = links
    try runner.backfill()
    try expectWhole(one, "\(random)")
    var second = Runner(other)
    second.settings.linksCELs = links
    let steps = try disorderly(second, &random, deletes: true)
    let how = "\(random), \(links ? "linked" : "not linked"): \(steps.joined(separator: "; "))"
    #expect(try one.conversations().count > 20, "\(how)")
    expectSame(try other.contents(), try one.contents(), how)
    expectSame(try other.links(), try one.links(), how)
    try expectWhole(other, how)
    print("any order: \(how)")
  }

  @Test("a second step that would not read conversations whole, or not look up which to read, gives wrong tables")
  func safeguardsNeeded() throws {
    let (a, b) = ("1714989600.1", "1714989700.2")
    for shortcut in [[], RunContext.Shortcuts.noRereading, .noReachLookUp] as [RunContext.Shortcuts] {
      // A call over two chunks; and one that looks whole in its chunk, while another linkedid
      // without an end hangs on to it in the next.
      var (database, runner) = try wazo(
        CELRow.call(a), CELRow.call(b, at: 100), [CELRow("HANGUP", 120, uniqueid: b, linkedid: "1714989750.3")])
      runner.settings.shortcuts = shortcut
      try runner.backfill(from: 21)
      try runner.backfill(from: 6)
      try runner.backfill()
      let isRight =
        try database.conversations() == [a] && database.value("count(*) FROM cel WHERE call_log_id IS NOT NULL") == "10"
      #expect(isRight == shortcut.isEmpty, "\(shortcut)")
    }
  }

  @Test("random pieces show a difference, too, where conversations are not read whole")
  func safeguardsNeededAtRandom() throws {
    var random = Seeded()
    let one = try TestDatabase(.wazo)
    try one.simulate(calls: 40, seed: random.next(), concurrent: 20)
    try one.roughen(&random)
    let other = try TestDatabase(.wazo)
    try other.copy(from: one)
    try Runner(one).backfill()
    var runner = Runner(other, chunkSize: 50)
    runner.settings.shortcuts = .noRereading
    try runner.backfill()
    #expect(try other.contents().difference(from: one.contents()) != "", "\(random)")
  }

  @Test("one CEL to a chunk gives what one chunk gives")
  func smallestChunks() throws {
    var random = Seeded()
    let one = try TestDatabase(.wazo)
    try one.simulate(calls: 12, seed: random.next(), concurrent: 6)
    try one.roughen(&random)
    let other = try TestDatabase(.wazo)
    try other.copy(from: one)
    try Runner(one).backfill()
    let summary = try Runner(other, chunkSize: 1).backfill()
    #expect(summary.counters.isBalanced)
    expectSame(try other.contents(), try one.contents(), "\(random)")
    expectSame(try other.links(), try one.links(), "\(random)")
    try expectWhole(other, "\(random)")
  }

  @Test("a second run writes nothing at all")
  func nothingToDo() throws {
    let database = try TestDatabase(.wazo)
    try database.simulate(calls: 60, seed: 5)
    let runner = Runner(database, chunkSize: 200)
    try runner.generate()
    let state =
      "(SELECT sum(xmin::text::int8 * id) FROM call_logd_call_log) || ' ' || (SELECT sum(xmin::text::int8 * id) FROM cel) || ' ' || (SELECT xmin FROM call_logd_checkpoint)"
    let before = try database.value(state)
    for scope in [Scope.nightly, .newest(100), .days(100_000), .ids(from: nil, to: nil)] {
      let summary = try runner.generate(scope)
      #expect(summary.chunks == 0 && summary.counters.cels == 0)
    }
    #expect(try database.value(state) == before)
  }

  @Test("a conversation of 50,000 CELs over chunks of 5,000 is one call log")
  func longConversation() throws {
    let (database, _) = try wazo(CELRow.call("1714989600.10"))
    try database.run(
      """
      INSERT INTO cel (eventtype, eventtime, channame, uniqueid, linkedid, cid_num)
      SELECT 'HANGUP', eventtime, channame, uniqueid, linkedid, cid_num FROM cel, generate_series(1, 49990) WHERE id = 5;
      UPDATE cel SET id = 100000 WHERE id = 10; SELECT setval('cel_id_seq', 100000);
      """)
    let summary = try Runner(database, chunkSize: 5000).backfill()
    #expect(summary.counters.cels == 50_000)
    #expect(try database.conversations() == ["1714989600.10"])
    #expect(try database.value("count(*) FROM cel WHERE call_log_id IS NULL") == "0")
    try expectWhole(database)
  }
}
