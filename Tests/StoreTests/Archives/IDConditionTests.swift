import PostgreSQL
import TestSupport
import Testing

@testable import Store

@Suite("A condition on ids")
struct IDConditionTests {
  @Test("takes the rows with these ids and no others, wherever they lie, of any integer type")
  func same() throws {
    let database = try TestDatabase(.wazo)
    try database.run(
      "CREATE TABLE small AS SELECT (2 * n)::int4 AS id FROM generate_series(1, 3000) n; CREATE TABLE large AS SELECT id::int8 FROM small"
    )
    var random = Seeded()
    for _ in 0..<10 {
      for width in [1, 40, 5900] {
        // One range, some ranges, single ids far apart; ids that no row has among them.
        let least = Int64.random(in: 1...6000 - Int64(width), using: &random)
        let share = [0.01, 0.5, 1.0][Int.random(in: 0..<3, using: &random)]
        let ids = (least...least + Int64(width)).filter { _ in Double.random(in: 0..<1, using: &random) < share }.shuffled(
          using: &random)
        let wanted = ids.filter { $0 % 2 == 0 && $0 <= 6000 }.sorted()
        let condition = IDCondition(ids)
        for table in ["small", "large"] {
          let literal = try database.admin.query(
            "SELECT id::int8 FROM \(table) WHERE \(condition.literal("id")) ORDER BY id", purpose: "Testing")
          #expect(literal.compactMap { $0.int64(0) } == wanted, "\(random)")
          let bound = condition.bound("id")
          let rows = try database.admin.query(
            "SELECT id::int8 FROM \(table) WHERE \(bound.sql) ORDER BY id", bound.parameters, purpose: "Testing")
          #expect(rows.compactMap { $0.int64(0) } == wanted, "\(random)")
        }
      }
    }
  }

  @Test("is served by an index where ids lie close together, though the table has no statistics")
  func plan() throws {
    let database = try TestDatabase(.wazo)
    try database.run(
      "CREATE TABLE fresh (id int4 PRIMARY KEY) WITH (autovacuum_enabled = off); INSERT INTO fresh SELECT generate_series(1, 50000)"
    )
    for ids in [Array(20_000...22_000), (20_000...22_000).filter { $0 % 3 > 0 }, [7, 40_000]] {
      let condition = IDCondition(ids.map { Int64($0) })
      let plan = try database.admin.query(
        "EXPLAIN SELECT * FROM fresh WHERE \(condition.literal("id"))", purpose: "Testing"
      ).compactMap { $0.string(0) }.joined(separator: "\n")
      #expect(!plan.contains("Seq Scan"), "\(plan)")
    }
  }
}
