import Foundation
import PostgreSQL
import Runs
import TestSupport
import Testing

@Suite("Writers at work while the job reads")
struct LateWriterTests {
  /// What differs in the end from a run over all that was committed.
  private func difference(
    in database: TestDatabase, _ random: inout Seeded, tables: (Int) -> [String], table: String = "cel",
    pbxs: Int = 3, wholeCalls: Bool = false, shortcuts: RunContext.Shortcuts = []
  ) throws -> String {
    var runner = Runner(database, table: table)
    // Else the next run would find what this one let through.
    runner.settings.shortcuts = shortcuts.union(.noCoveredCheck)
    runner.prepare = { context in
      context.databases.cels.trace = { purpose, _ in
        // Time for a writer to commit what the first read did not see.
        if purpose == "Looking for open writers" { Thread.sleep(forTimeInterval: 0.01) }
      }
    }
    let fleet = WriterFleet()
    var writers = WriterFleet.writers(
      pbxs: pbxs, calls: wholeCalls ? 60 : 24, in: database, random: &random, tables: tables)
    if wholeCalls { for index in writers.indices { writers[index].writesWholeCalls = true } }
    fleet.start(writers)
    var runs = 0
    while !fleet.isDone {
      runner.settings.chunkSize = Int.random(in: 3...200, using: &random)
      runner.settings.patience = wholeCalls ? 1 : [0, 0.01, 0.3].randomElement(using: &random) ?? 0
      try runner.generate()
      runs += 1
    }
    try runner.generate()
    #expect(fleet.errors == [], "\(random)")
    #expect(try database.value("count(*) FROM \(table)") == "\(writers.reduce(0) { $0 + $1.rows.count })", "\(random)")
    print("\(random): \(runs) runs beside \(writers.count) writers")
    return try differenceFromFreshRun(database, table: table)
  }

  @Test("every CEL that is committed ends in its call log, none twice", arguments: 1...3)
  func all(_ number: Int) throws {
    var random = Seeded()
    let database = try TestDatabase(.wazo)
    let found = try difference(in: database, &random) { _ in ["cel"] }
    #expect(found == "", "\(random)")
    #expect(try database.conversations().count == 72, "\(random)")
    try expectWhole(database, "\(random)")
  }

  /// Makes `cel` a table of partitions, one to a PBX. Its sequence is not its own.
  private func partition(_ database: TestDatabase) throws {
    try database.run(
      """
      ALTER TABLE cel RENAME TO old;
      CREATE TABLE cel (LIKE old INCLUDING DEFAULTS) PARTITION BY RANGE (uniqueid);
      CREATE INDEX ON cel (id); CREATE INDEX ON cel (linkedid); CREATE INDEX ON cel (uniqueid); CREATE INDEX ON cel (call_log_id);
      CREATE TABLE cel_1 PARTITION OF cel FOR VALUES FROM ('pbx1-') TO ('pbx2-');
      CREATE TABLE cel_2 PARTITION OF cel FOR VALUES FROM ('pbx2-') TO ('pbx3-');
      CREATE TABLE cel_rest PARTITION OF cel DEFAULT;
      """)
  }

  @Test("so it is where writers write into partitions, directly or not")
  func partitions() throws {
    var random = Seeded()
    let database = try TestDatabase(.wazo)
    try partition(database)
    let found = try difference(in: database, &random) { ["cel", $0 < 3 ? "cel_\($0)" : "cel_rest"] }
    #expect(found == "", "\(random)")
    try expectWhole(database, "\(random)")
    // Rows that are not in the table that is read must not hold it up: one partition by itself.
    let other = try TestDatabase(.wazo)
    try partition(other)
    let alsoFound = try difference(in: other, &random) { _ in ["cel"] }
    #expect(alsoFound == "", "\(random)")
  }

  @Test("a parent's writer has an id before he locks the partition that is read")
  func parentOnly() throws {
    let database = try TestDatabase(.wazo)
    try partition(database)
    let (a, b) = ("pbx1-1714989600.1", "pbx1-1714989700.2")
    var rows = CELRow.call(a)
    let late = rows.remove(at: 4)
    try database.insert(rows)
    let writer = try database.connect()
    try writer.script(
      "BEGIN; INSERT INTO cel SELECT * FROM cel WHERE false; SELECT nextval('cel_id_seq')", purpose: "Taking an id")
    try database.insert(CELRow.call(b, at: 100))
    var runner = Runner(database, table: "cel_1")
    runner.settings.patience = 0.05
    #expect(try runner.generate().waiting == [10..<11])
    var row = late
    row.id = 10
    try database.insert([row], on: writer)
    try writer.script("COMMIT", purpose: "Committing")
    try runner.generate()
    #expect(try differenceFromFreshRun(database) == "")
    #expect(try database.conversations() == [a, b])
  }

  @Test("the same test notices when the second read or the look for writers is left out")
  func notices() throws {
    for shortcuts in [RunContext.Shortcuts(), .noSecondRead, .noLockLookUp] {
      var random = Seeded()
      let database = try TestDatabase(.wazo)
      let found = try difference(
        in: database, &random, tables: { _ in ["cel"] }, pbxs: 2, wholeCalls: true, shortcuts: shortcuts)
      #expect(found.isEmpty == shortcuts.isEmpty, "\(shortcuts) \(random)")
    }
  }
}
