import TestSupport
import Testing

@Suite("A chunk into whose holes more CELs come than it may have")
struct CutChunkTests {
  /// Seven calls of ten CELs with ids of their own; the last two have ids from 111 on.
  private static let calls: [[CELRow]] = (0..<7).map { number in
    CELRow.call("17149896\(number)0.\(number + 1)", at: Double(number) * 60).enumerated().map { index, row in
      var row = row
      row.id = Int64((number < 5 ? number : number + 6) * 10 + index + 1)
      return row
    }
  }

  /// Covers all while these CELs come right before the first chunk is read.
  private func backfill(_ runner: Runner, _ come: @escaping () throws -> Void) throws -> Int {
    var runner = runner
    runner.prepare = { context in
      var isDone = false
      context.databases.cels.trace = { purpose, _ in
        guard purpose.hasPrefix("Reading CELs from id"), !isDone else { return }
        isDone = true
        #expect(throws: Never.self) { try come() }
      }
    }
    return Int(try runner.backfill().counters.cels)
  }

  @Test("is cut, and the next one begins with the very next CEL")
  func cut() throws {
    let (database, runner) = try wazo(Self.calls[0], Self.calls[5], Self.calls[6], chunkSize: 16)
    try database.run("SELECT setval('cel_id_seq', 1000)")
    let cels = try backfill(runner) { try database.insert(Array(Self.calls[1..<5].joined())) }
    #expect(cels == 70)
    #expect(try database.count("call_logd_call_log") == 7)
    try expectWhole(database)
  }

  @Test("leaves an id behind the cut, which somebody has not committed yet, to be waited for")
  func openWriter() throws {
    let (database, fast) = try wazo(Self.calls[0], Self.calls[5], Self.calls[6], chunkSize: 16)
    try database.run("SELECT setval('cel_id_seq', 1000)")
    var runner = fast
    runner.settings.patience = 0.1
    let writer = try database.connect()
    // 18 CELs are read.
    let behind = try #require(Self.calls[1].first { $0.id == 19 })
    let cels = try backfill(runner) {
      try writer.script("BEGIN", purpose: "A late CEL")
      try database.insert([behind], on: writer)
      try database.insert(Self.calls[1..<5].joined().filter { $0.id != 19 })
    }
    #expect(cels == 69)
    #expect(try database.value("count(*) FROM call_logd_checkpoint WHERE covered @> 19::int8") == "0")
    try writer.script("COMMIT", purpose: "A late CEL")
    #expect(try runner.backfill().counters.cels == 1)
    #expect(try database.count("call_logd_call_log") == 7)
    try expectWhole(database)
  }
}
