import Foundation
import Inspection
import PostgreSQL
import TestSupport
import Testing

@testable import CallLogs
@testable import Store

@Suite("Ids that do not come in the order of the sequence")
struct ElsewhereTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"
  private let c = "1714989800.3"

  private func at(_ rows: [CELRow], from id: Int64) -> [CELRow] {
    rows.enumerated().map { number, row in
      var row = row
      row.id = id + Int64(number)
      return row
    }
  }

  @Test("a table that was moved without its sequence: what the sequence gives from 1 on is read, by any run")
  func moved() throws {
    let database = try TestDatabase(.wazo)
    try database.insert(at(CELRow.call(a), from: 5001))
    let runner = Runner(database)
    try runner.generate()
    #expect(try database.conversations() == [a])
    #expect(try database.rows("ids::text FROM call_logd_gap") == ["[1,5001)"])
    #expect(try runner.generate().chunks == 0, "the sequence has given nothing: there is nothing to look for")
    try database.insert(CELRow.call(b, at: 100))
    try runner.generate()
    #expect(try database.conversations() == [a, b])
    try database.insert(CELRow.call(c, at: 200))
    try runner.backfill()
    #expect(try database.conversations() == [a, b, c])
    #expect(try database.coverage() == "{[0,21),[5001,5011)}")
  }

  @Test("one stray row with a great id does not keep the calls after it from being made")
  func stray() throws {
    var stray = CELRow.call("1714989000.9")
    for number in stray.indices { stray[number].id = 2_000_000_000 + Int64(number) }
    let (database, runner) = try wazo(CELRow.call(a), stray)
    try runner.generate()
    try database.insert(CELRow.call(b, at: 100))
    try runner.generate()
    #expect(try database.conversations() == ["1714989000.9", a, b])
    #expect(try database.value("count(*) FROM cel WHERE call_log_id IS NULL") == "0")
  }

  @Test("where the sequence lags behind the table, time tells, and the reason is said")
  func lag() throws {
    let database = try TestDatabase(.wazo)
    try database.insert(at(CELRow.call(a), from: 11) + at(CELRow.call(b, at: 100), from: 31))
    let runner = Runner(database)
    try runner.generate()
    // 21 to 30 may come from wherever the others came from.
    #expect(try database.coverage() == "{[0,1),[11,21),[31,41)}")
    let status = try StatusJob(runner.settings, interruption: Interruption(), log: quiet).run()
    guard case .timed(let reason) = status.lateRule else {
      Issue.record("by locks")
      return
    }
    #expect(reason.contains("cel_id_seq has given ids up to 0") && reason.contains("up to 40"))
    try database.insert(at(CELRow.call(c, at: 50), from: 21))
    try runner.generate()
    #expect(try database.conversations() == [a, b, c])
  }

  @Test("very many ids that the sequence has yet to give: rows among them are made all the same")
  func manyAhead() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    let calls = (0..<30).flatMap { CELRow.call("17149900\(10 + $0).\($0 + 10)", at: Double($0) * 20 + 300) }
    for (number, row) in calls.enumerated() {
      var row = row
      row.id = 1001 + Int64(number) * 2
      try database.insert([row])
    }
    try runner.backfill()
    #expect(try database.conversations().count == 32)
    #expect(try database.value("count(*) FROM call_logd_checkpoint, unnest(covered)").count < 4)
    try database.run("UPDATE call_logd_gap SET first_missing = first_missing - interval '2 h'")
    try runner.backfill()
    // One of them comes after all, where it counted as covered or not.
    var late = CELRow.call(c, at: 5000)
    for number in late.indices { late[number].id = 1002 + Int64(number) * 4 }
    try database.insert(late)
    try runner.generate()
    #expect(try database.conversations().contains(c))
  }

  @Test("a sequence that begins anew below covered ids, by CYCLE or by hand, ends the run with 78")
  func anew() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try database.run("ALTER SEQUENCE cel_id_seq CYCLE")
    let cycle = try failure { try runner.generate() }
    #expect(cycle.exitReason == .configuration && cycle.message.contains("NO CYCLE"))
    #expect(try database.value("count(*) FROM pg_class WHERE relname LIKE 'call_logd%'") == "0")
    try database.run("ALTER SEQUENCE cel_id_seq NO CYCLE")
    try runner.generate()
    // The CELs by which the table is recognised stand where they stood.
    try database.run("DELETE FROM cel WHERE id BETWEEN 2 AND 6; SELECT setval('cel_id_seq', 2)")
    try database.insert(Array(CELRow.call(c, at: 200)[..<3]))
    let before = try database.rowsOfAll()
    let anew = try failure { try runner.generate() }
    #expect(anew.exitReason == .configuration && anew.message.contains("began anew") && anew.message.contains("setval"))
    expectSame(try database.rowsOfAll(), before)
    try database.run("SELECT setval('cel_id_seq', 20)")
    try database.insert(Array(CELRow.call(c, at: 200)[3...]))
    try runner.generate(start: .anew)
    #expect(try database.conversations().contains(c))
  }

  @Test("ids given out anew are noticed also where one of the covered rows has no counterpart", arguments: [20, 19])
  func witnesses(gone: Int64) throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.generate()
    try database.run("TRUNCATE cel RESTART IDENTITY")
    try database.insert(
      CELRow.call("1715000000.7", at: 9000) + CELRow.call("1715000100.8", at: 9100) + CELRow.call("1715000200.9", at: 9200))
    try database.run("DELETE FROM cel WHERE id = \(gone)")
    let found = try failure { try runner.generate() }
    #expect(found.exitReason == .configuration && found.message.contains("--rebase"))
    #expect(try database.conversations() == [a, b])
  }

  @Test("rows that are copied into covered ids are noticed, told and made", arguments: [true, false])
  func copiedIn(isApart: Bool) throws {
    let (cels, logs) = (try TestDatabase(.wazo), try TestDatabase(.empty))
    try cels.insert(CELRow.call(a) + CELRow.call(b, at: 100) + CELRow.call(c, at: 200))
    try cels.run("CREATE TABLE saved AS SELECT * FROM cel WHERE linkedid = '\(b)'; DELETE FROM cel WHERE linkedid = '\(b)'")
    let recorder = LogRecorder()
    var runner = isApart ? Runner(logs, cels: cels) : Runner(cels)
    runner.log = recorder.logger
    try runner.generate()
    #expect(try runner.database.conversations() == [a, c])
    #expect(try runner.generate().chunks == 0 && recorder.warnings == [])
    try cels.run("INSERT INTO cel SELECT * FROM saved")
    try runner.generate()
    #expect(
      recorder.warnings.count == 1 && recorder.warnings[0].contains("10 CELs have come with ids that were covered (11 to 20)"))
    #expect(try runner.database.conversations() == [a, b, c])
    #expect(try runner.generate().chunks == 0 && recorder.warnings.count == 1)
  }

  @Test("a partition that is attached with rows of its own is noticed and made")
  func attached() throws {
    let database = try TestDatabase(.wazo)
    try database.insert(CELRow.call(a) + CELRow.call(b, at: 100) + CELRow.call(c, at: 200))
    try database.run(
      """
      ALTER TABLE cel RENAME TO plain;
      CREATE TABLE cel (LIKE plain INCLUDING DEFAULTS) PARTITION BY RANGE (id);
      CREATE INDEX ON cel (id); CREATE INDEX ON cel (linkedid); CREATE INDEX ON cel (uniqueid);
      CREATE TABLE cel_1 PARTITION OF cel FOR VALUES FROM (1) TO (11); CREATE TABLE cel_3 PARTITION OF cel FOR VALUES FROM (21) TO (1000);
      CREATE TABLE cel_2 (LIKE cel INCLUDING DEFAULTS);
      INSERT INTO cel_1 SELECT * FROM plain WHERE id <= 10; INSERT INTO cel_2 SELECT * FROM plain WHERE id BETWEEN 11 AND 20;
      INSERT INTO cel_3 SELECT * FROM plain WHERE id > 20;
      """)
    let runner = Runner(database)
    try runner.generate()
    #expect(try database.conversations() == [a, c])
    try database.run("ALTER TABLE cel ATTACH PARTITION cel_2 FOR VALUES FROM (11) TO (21)")
    try runner.generate()
    #expect(try database.conversations() == [a, b, c])
  }

  @Test("a CEL that is copied into covered ids joins the call that was made without it")
  func joins() throws {
    var rows = CELRow.call(a)
    let end = rows.removeLast()
    let (database, runner) = try wazo(rows + [CELRow("HANGUP", 50, uniqueid: a, linkedid: a)], CELRow.call(b, at: 100))
    try database.run("DELETE FROM cel WHERE id = 10")
    try runner.generate()
    #expect(try database.conversations() == [b])
    var late = end
    late.id = 10
    try database.insert([late])
    try runner.generate()
    #expect(try database.conversations() == [a, b])
    try expectWhole(database)
  }

  @Test("with very many holes rows are counted block by block, once in twenty hours")
  func manyHoles() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.generate()
    // So many pieces that each run cannot look through them.
    try database.run("UPDATE call_logd_seen SET pieces = 6000")
    var late = CELRow.call(c, at: 200)
    try database.run("INSERT INTO cel SELECT * FROM cel WHERE false; SELECT setval('cel_id_seq', 40)")
    try database.insert(CELRow.call("1714990000.7", at: 400))
    try runner.generate()
    try database.run("UPDATE call_logd_seen SET pieces = 6000")
    for number in late.indices { late[number].id = 25 + Int64(number) }
    try database.insert(late)
    try runner.generate()
    #expect(try !database.conversations().contains(c))
    try database.run("UPDATE call_logd_checkpoint SET looked = looked - interval '21 h'")
    try runner.generate()
    #expect(try database.conversations().contains(c))
    #expect(try database.value("looked > now() - interval '1 h' FROM call_logd_checkpoint") == "true")
  }

  @Test("a coverage of an earlier version learns which rows there are, and notices what comes later")
  func learns() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100), CELRow.call(c, at: 200))
    try database.run("CREATE TABLE saved AS SELECT * FROM cel WHERE linkedid = '\(b)'; DELETE FROM cel WHERE linkedid = '\(b)'")
    try runner.generate()
    try database.run("DELETE FROM call_logd_seen; UPDATE call_logd_checkpoint SET looked = NULL")
    #expect(try runner.generate().chunks == 0)
    #expect(try database.rows("ids::text FROM call_logd_seen") == ["{[1,11),[21,31)}"])
    try database.run("INSERT INTO cel SELECT * FROM saved")
    try runner.generate()
    #expect(try database.conversations() == [a, b, c])
  }

  @Test("which rows were seen is what the table has, after any work on any ids", arguments: 0..<4)
  func seen(_ number: Int) throws {
    var random = Seeded()
    let (database, runner) = try wazo()
    try database.simulate(calls: 25, seed: random.next())
    try database.roughen(&random)
    let ids = try database.rows("id FROM cel ORDER BY id").compactMap(Int64.init)
    try runner.generate(.newest(1))
    for _ in 0..<6 {
      let some = [ids.randomElement(using: &random) ?? 1, ids.randomElement(using: &random) ?? 1].sorted()
      switch Int.random(in: 0...4, using: &random) {
      case 0: try runner.generate(.newest(Int.random(in: 1...200, using: &random)))
      case 1: try runner.backfill(from: some[0], to: some[1])
      case 2: try runner.regenerate(.ids(from: some[0], to: some[1]))
      case 3: try runner.delete(random.oneIn(3) ? .all : .lastDays(Int.random(in: 1...900, using: &random)))
      default: try database.run("DELETE FROM cel WHERE id BETWEEN \(some[0]) AND \(min(some[0] + 5, some[1]))")
      }
      // What was deleted by other hands counts as seen still.
      let unseen =
        "count(*) FROM cel c, call_logd_checkpoint p WHERE covered @> c.id::int8 AND NOT EXISTS (SELECT FROM call_logd_seen s WHERE s.ids @> c.id::int8)"
      #expect(try database.value(unseen) == "0", "\(random)")
      #expect(
        try database.value(
          "count(*) FROM call_logd_seen s, call_logd_checkpoint p, unnest(s.ids * multirange(int8range(block << 16, (block + 1) << 16))) r WHERE NOT p.covered @> r"
        ) == "0",
        "\(random)")
      #expect(
        try database.value(
          "count(*) FROM call_logd_seen WHERE pieces <> (SELECT count(*) FROM unnest(ids)) OR rows <> (SELECT sum(upper(r) - lower(r)) FROM unnest(ids) r)"
        ) == "0", "\(random)")
    }
    print("seen: \(random)")
  }
}
