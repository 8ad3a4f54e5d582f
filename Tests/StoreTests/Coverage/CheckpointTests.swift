import CallLogs
import PostgreSQL
import Store
import TestSupport
import Testing
import Values

@Suite("The checkpoint")
struct CheckpointTests {
  private func prepared() throws -> (TestDatabase, Checkpoint, CELTable) {
    let database = try TestDatabase(.wazo)
    _ = try Migrator(database.admin).migrate(program: "test")
    let table = try CELTable.find("cel", timeZone: nil, on: database.admin)
    return (database, try Checkpoint.obtain(table, on: database.admin), table)
  }

  @Test("grows by what is covered, counts every change and adds counters up")
  func cover() throws {
    let (database, checkpoint, table) = try prepared()
    #expect(checkpoint.coverage.isEmpty && checkpoint.generation == 0)
    try checkpoint.cover([0..<10], witnesses: [(9, 900)], counters: #"{"cels": 4, "a": 1}"#, on: database.admin)
    try checkpoint.cover([20..<30], witnesses: [], counters: "{}", on: database.admin)
    let between = try #require(try Checkpoint.read(table.identity, on: database.admin))
    try between.cover([10..<20], witnesses: [(19, 1), (12, 3), (11, 2)], counters: #"{"cels": 5}"#, on: database.admin)
    let then = try #require(try Checkpoint.read(table.identity, on: database.admin))
    try then.cover([0..<1], witnesses: [(5, 7)], counters: "{}", on: database.admin)
    let now = try #require(try Checkpoint.read(table.identity, on: database.admin))
    #expect(now.coverage.ranges == [0..<30] && now.generation == 4)
    #expect(now.witnesses.map(\.id) == [19, 12, 11, 5] && now.witnesses.map(\.time) == [1, 3, 2, 7])
    #expect(try now.details(on: database.admin).counters.map { "\($0.key) \($0.value)" } == ["a 1", "cels 9"])
    try now.uncover([5..<6], on: database.admin)
    #expect(try Checkpoint.read(table.identity, on: database.admin)?.coverage.ranges == [0..<5, 6..<30])
    #expect(try Checkpoint.obtain(table, on: database.admin).id == checkpoint.id)
    try now.restart(on: database.admin)
    let anew = try #require(try Checkpoint.read(table.identity, on: database.admin))
    #expect(anew.coverage.isEmpty && anew.witnesses.isEmpty && anew.generation == 6 && anew.id == checkpoint.id)
    try database.run("DELETE FROM call_logd_checkpoint")
    #expect(throws: StoreError.self) {
      try database.admin.transaction(purpose: "Locking") { try now.locked(on: database.admin) }
    }
  }

  @Test("notes linkedids and forgets them, each table its own")
  func reaching() throws {
    let (database, checkpoint, _) = try prepared()
    let names = BinaryArray(strings: ["a", "b", "b", "é"])
    try checkpoint.noteReaching(names, on: database.admin)
    try checkpoint.noteReaching(names, on: database.admin)
    #expect(try checkpoint.notes(among: BinaryArray(strings: ["b", "c", "é"]), on: database.admin).linkedids == ["b", "é"])
    try checkpoint.forgetReaching(BinaryArray(strings: ["b"]), on: database.admin)
    #expect(try checkpoint.details(on: database.admin).reaching == 2)
    try database.run("CREATE TABLE cel2 (LIKE cel INCLUDING ALL)")
    let other = try Checkpoint.obtain(try CELTable.find("cel2", timeZone: nil, on: database.admin), on: database.admin)
    #expect(other.id != checkpoint.id)
    #expect(try other.notes(among: names, on: database.admin).linkedids.isEmpty)
    try checkpoint.forgetAllReaching(on: database.admin)
    #expect(try checkpoint.notes(among: names, on: database.admin).linkedids.isEmpty)
  }

  @Test("lists awaited channels while they are few, tells of single ones always, and notes no more than its limit")
  func awaited() throws {
    let (database, checkpoint, _) = try prepared()
    let asked = BinaryArray(strings: ["x"])
    func list() throws -> Set<String>? { try checkpoint.notes(among: asked, on: database.admin).awaited }
    #expect(try list() == [])
    let names = (0..<1000).map { "1714989600.\($0)" }
    try checkpoint.noteAwaited(
      BinaryArray(strings: names[..<3] + [names[0], String(repeating: "é", count: 1001)]), hasStarts: false, on: database.admin)
    #expect(try list() == Set(names[..<3]))
    try checkpoint.noteAwaited(BinaryArray(strings: Array(names)), hasStarts: false, on: database.admin)
    #expect(try list() == Set(names))
    try checkpoint.noteAwaited(BinaryArray(strings: ["y"]), hasStarts: false, on: database.admin)
    #expect(try list() == Set(names))
    try checkpoint.noteAwaited(BinaryArray(strings: ["y"]), hasStarts: true, on: database.admin)
    #expect(try list() == nil)
    #expect(try checkpoint.awaited(among: BinaryArray(strings: ["y", "z", names[7]]), on: database.admin) == ["y", names[7]])
    let page = try checkpoint.awaited(after: names[1], limit: 2, on: database.admin)
    #expect(try page == database.rows("uniqueid FROM call_logd_awaited WHERE uniqueid > '\(names[1])' ORDER BY 1 LIMIT 2"))
    try checkpoint.forgetAwaited(BinaryArray(strings: ["y", names[7]]), on: database.admin)
    #expect(try list() == Set(names).subtracting([names[7]]))
    try checkpoint.restart(on: database.admin)
    #expect(try list() == [])
  }
}
