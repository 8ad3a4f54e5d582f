import Foundation
import TestSupport
import Testing

@Suite("Calls that hang together, many of them")
struct JoinedCallsTests {
  /// How calls are joined: each to the next one by its channel, or all by one channel.
  enum Shape: String, CaseIterable {
    case chain, star
  }

  /// A database with so many calls of five CELs, joined; ids are in the order of the calls.
  private func joined(_ count: Int, _ shape: Shape, chunkSize: Int) throws -> (TestDatabase, Runner) {
    let (database, runner) = try wazo(chunkSize: chunkSize)
    let joint =
      shape == .chain ? "'1714989600.' || least(k + 1, \(count)), '1714989600.' || k" : "'1714989600.' || k, '1714989600.0'"
    try database.run(
      """
      INSERT INTO cel (eventtype, eventtime, linkedid, uniqueid, channame, cid_name, cid_num, exten, context)
      SELECT e.type, timestamptz '2024-05-06 10:00Z' + (k * 5 + e.number) * interval '1 s', e.linkedid, e.uniqueid, 'PJSIP/a-' || k, 'Ann', '101', '102', 'inside'
      FROM generate_series(1, \(count)) AS k CROSS JOIN LATERAL (VALUES
        (1, 'CHAN_START', '1714989600.' || k, '1714989600.' || k), (2, 'ANSWER', '1714989600.' || k, '1714989600.' || k),
        (3, 'CHAN_END', '1714989600.' || k, '1714989600.' || k), (4, 'LINKEDID_END', '1714989600.' || k, '1714989600.' || k),
        (5, 'HOLD', \(joint))) AS e(number, type, linkedid, uniqueid)
      ORDER BY k, e.number
      """)
    try database.run("ANALYZE cel")
    return (database, runner)
  }

  /// What a run asks of the server: statements, and linkedids of which it reads every CEL.
  private func effort(_ runner: Runner, _ body: (Runner) throws -> Void) throws -> (statements: Int, linkedids: Int) {
    var runner = runner
    var (statements, linkedids) = (0, 0)
    runner.prepare = { context in
      context.databases.logs.trace = { purpose, _ in
        statements += 1
        guard purpose.hasPrefix("Reading the CELs of") else { return }
        linkedids += purpose.split(separator: " ").lazy.compactMap { Int($0) }.first ?? 0
      }
    }
    try body(runner)
    return (statements, linkedids)
  }

  @Test("are read once, by the chunk that has the last of them, and with few statements", arguments: Shape.allCases)
  func effort(shape: Shape) throws {
    let calls = 400
    let (database, runner) = try joined(calls, shape, chunkSize: 200)
    let effort = try effort(runner) { try $0.backfill() }
    try expectWhole(database)
    #expect(try database.value("count(*) FROM call_logd_call_log") == "1")
    // What lies in a chunk, one CEL further ahead, and in the end all.
    #expect(effort.linkedids <= 3 * calls, "\(effort)")
    #expect(effort.statements <= 400, "\(effort)")
  }

  @Test("give in chunks of any size and order what one chunk gives", arguments: Shape.allCases, [7, 100])
  func anyOrder(shape: Shape, chunkSize: Int) throws {
    let (one, whole) = try joined(60, shape, chunkSize: 20_000)
    try whole.backfill()
    let expected = try one.contents()
    let (database, runner) = try joined(60, shape, chunkSize: chunkSize)
    var random = Seeded()
    for from in stride(from: Int64(1), through: 300, by: 20).shuffled(using: &random) {
      try runner.backfill(from: from, to: from + 19)
    }
    expectSame(try database.contents(), expected, "random order")
    try expectWhole(database)
    let (backward, last) = try joined(60, shape, chunkSize: chunkSize)
    for from in stride(from: Int64(281), through: 1, by: -20) { try last.backfill(from: from, to: from + 19) }
    expectSame(try backward.contents(), expected, "the newest first")
    try expectWhole(backward)
  }

  @Test("what hangs together with a call that goes on is no call of its own meanwhile, though its chunk has all of its CELs")
  func goesOn() throws {
    let (a, b, c) = ("1714989600.1", "1714989610.2", "1714989620.3")
    func call(_ linkedid: String, _ time: Double, _ more: [CELRow] = []) -> [CELRow] {
      [
        CELRow("CHAN_START", time, uniqueid: linkedid, linkedid: linkedid, number: "101", exten: "102"),
        CELRow("ANSWER", time + 1, uniqueid: linkedid, linkedid: linkedid, number: "101", exten: "102"),
      ] + more + ["CHAN_END", "LINKEDID_END"].map { CELRow($0, time + 3, uniqueid: linkedid, linkedid: linkedid) }
    }
    // The second one has CELs of channels of the first and the third.
    let (database, runner) = try wazo(
      call(a, 0), call(b, 10, [a, c].map { CELRow("HOLD", 12, uniqueid: $0, linkedid: b) }), call(c, 20))
    try runner.backfill(from: 5, to: 10)
    try runner.backfill(from: 1, to: 4)
    #expect(try database.value("count(*) FROM call_logd_call_log") == "0")
    try runner.backfill()
    #expect(try database.value("count(*) FROM call_logd_call_log") == "1")
    try expectWhole(database)
  }
}
