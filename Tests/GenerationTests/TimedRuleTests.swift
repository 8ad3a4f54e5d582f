import Foundation
import PostgreSQL
import TestSupport
import Testing

@testable import Generation
@testable import Inspection
@testable import Store
@testable import Values

@Suite("Where only time tells")
struct TimedRuleTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"

  @Test("ids that sessions keep in stock are waited for, nothing is lost, and after the time they are final")
  func cache() throws {
    let database = try TestDatabase(.wazo)
    try database.run("ALTER SEQUENCE cel_id_seq CACHE 8")
    let (one, two) = (try database.connect(), try database.connect())
    let rows = CELRow.call(a)
    try database.insert(Array(rows[..<2]), on: one)
    try database.insert(Array(rows[2..<5]) + CELRow.call(b, at: 100), on: two)
    // 1, 2 and 9…16, 17…: no lock shows that the first session still has 3 to 8.
    let recorder = LogRecorder()
    var runner = Runner(database)
    runner.log = recorder.logger
    #expect(try runner.generate().waiting == [3..<9])
    #expect(try database.conversations() == [b])
    let since = try database.value("first_missing::text FROM call_logd_gap")
    try database.insert(Array(rows[5...]), on: one)
    #expect(try runner.generate().waiting == [8..<9])
    #expect(try database.value("first_missing::text FROM call_logd_gap") == since)
    #expect(try database.conversations() == [a, b])
    #expect(try differenceFromFreshRun(database) == "")
    runner.settings.finalAfter = 0
    #expect(try runner.generate().waiting.isEmpty)
    try expectWhole(database)
    #expect(recorder.infos.filter { $0.contains("CACHE 8") }.count == 3, "once a run: \(recorder.infos)")
  }

  @Test("a new hole beside an old one has a time of its own", arguments: 1...3)
  func ages(_ number: Int) throws {
    var random = Seeded()
    let database = try TestDatabase(.wazo)
    try database.run("ALTER SEQUENCE cel_id_seq CACHE 2")
    try database.simulate(calls: 10, seed: random.next(), directory: false)
    try database.run("DELETE FROM cel WHERE id % 7 = 0")
    let runner = Runner(database, chunkSize: Int.random(in: 5...40, using: &random))
    try runner.backfill()
    let old = try database.rows("ids::text FROM call_logd_gap ORDER BY ids")
    try database.run(
      "UPDATE call_logd_gap SET first_missing = first_missing - interval '2 h'; SELECT setval('cel_id_seq', max(id) + 10) FROM cel"
    )
    try database.insert(CELRow.call(a))
    try runner.backfill()
    #expect(!old.isEmpty, "\(random)")
    #expect(try database.value("count(*) FROM call_logd_gap") == "1", "old ones are final, the new one waits; \(random)")
    #expect(try differenceFromFreshRun(database) == "", "\(random)")
  }

  @Test(
    "a chunk of nothing but holes waits in few pieces, and every row is read into one call log in the end",
    arguments: [40, 20_000])
  func increment(_ chunkSize: Int) throws {
    let database = try TestDatabase(.wazo)
    try database.run("ALTER SEQUENCE cel_id_seq INCREMENT 10")
    for number in 0..<30 { try database.insert(CELRow.call("17149896\(number + 10).\(number)", at: Double(number) * 20)) }
    var runner = Runner(database, chunkSize: chunkSize)
    try runner.generate()
    let gaps = Int(try database.value("count(*) FROM call_logd_gap")) ?? 0
    #expect(chunkSize == 40 ? gaps == 299 : gaps == 1)
    let read = try runner.generate().counters.cels
    // Rows between the holes wait with them, or are done: the last row, and with it the call that
    // it ends.
    #expect(read == 0)
    #expect(try database.value("count(*) FROM call_logd_call_log") == (chunkSize == 40 ? "30" : "1"))
    try database.run("UPDATE call_logd_gap SET first_missing = first_missing - interval '2 h'")
    runner.settings.chunkSize = 50
    try runner.generate()
    #expect(try differenceFromFreshRun(database) == "")
    try expectWhole(database)
    #expect(try database.value("(counters->>'cels') FROM call_logd_checkpoint") == "300", "each row is counted once")
  }

  @Test("pieces that wait are cut where their time changes, and joined into few that hold them all", arguments: 1...20)
  func pieces(_ number: Int) {
    var random = Seeded()
    func ranges(_ step: Int64) -> [Range<Int64>] {
      var at: Int64 = 0
      return (0..<Int.random(in: 0...30, using: &random)).map { _ in
        let from = at + Int64.random(in: 1...step, using: &random)
        at = from + Int64.random(in: 1...step, using: &random)
        return from..<at
      }
    }
    let missing = ranges(6)
    let gaps = ranges(9).map { Checkpoint.Gap(ids: $0, since: Int64.random(in: 1...2, using: &random), age: 1) }
    let pieces = WaitingIDs.pieces(of: missing, gaps)
    #expect(pieces.flatMap { Array($0.ids) } == missing.flatMap { Array($0) }, "\(random)")
    for piece in pieces {
      for id in piece.ids { #expect(gaps.first { $0.ids.contains(id) }?.since == piece.since, "\(random)") }
    }
    let limit = Int.random(in: 1...40, using: &random)
    let joined = WaitingIDs.joined(pieces, limit: limit)
    #expect(joined.count <= limit && IDSet(joined).count >= IDSet(pieces.map(\.ids)).count, "\(random)")
    #expect(
      pieces.allSatisfy { piece in joined.contains { $0.contains(piece.ids.lowerBound) && $0.upperBound >= piece.ids.upperBound }
      })
  }

  static let views = [
    "CREATE VIEW cels AS TABLE cel",
    "CREATE VIEW cels AS SELECT * FROM cel WHERE id < 13 UNION ALL SELECT * FROM cel WHERE id >= 13",
  ]

  @Test("the CELs may be in a view", arguments: views)
  func view(_ sql: String) throws {
    let database = try TestDatabase(.wazo)
    try database.insert(CELRow.call(a) + CELRow.call(b, at: 100))
    try database.run(sql)
    try database.run("UPDATE cel SET id = id + 5 WHERE id > 15; SELECT setval('cel_id_seq', 25)")
    var runner = Runner(database, table: "cels", chunkSize: 7)
    #expect(try runner.generate().waiting == [16..<21])
    #expect(try database.conversations() == [a, b])
    // A view that takes changes has its CELs linked.
    #expect(try database.value("count(*) FROM cel WHERE call_log_id IS NULL") == (sql.contains("UNION") ? "20" : "0"))
    try database.insert([CELRow("HANGUP", 30, uniqueid: a, linkedid: a)])
    runner.settings.finalAfter = 0
    #expect(try runner.generate().waiting.isEmpty)
    #expect(try differenceFromFreshRun(database, table: "cels") == "")
    try expectWhole(database)
    #expect(try runner.delete(.all) == 2)
    try runner.backfill()
    #expect(try differenceFromFreshRun(database, table: "cels") == "")
    let script = try MigrateJob(runner.settings, interruption: Interruption(), log: quiet).script()
    #expect(!script.contains("CREATE INDEX CONCURRENTLY ON public.cels"))
    if sql.contains("UNION") {
      runner.settings.linksCELs = true
      #expect(try failure { try runner.generate() }.exitReason == .configuration)
    }
  }

  @Test("a materialized view is read as it is refreshed")
  func materialized() throws {
    let database = try TestDatabase(.wazo)
    let rows = CELRow.call(a)
    try database.insert(Array(rows[..<6]))
    try database.run("CREATE MATERIALIZED VIEW cels AS TABLE cel")
    let runner = Runner(database, table: "cels")
    try runner.generate()
    try database.insert(Array(rows[6...]))
    try runner.generate()
    #expect(try database.conversations() == [])
    try database.run("REFRESH MATERIALIZED VIEW cels")
    try runner.generate()
    #expect(try differenceFromFreshRun(database, table: "cels") == "")
  }
}
