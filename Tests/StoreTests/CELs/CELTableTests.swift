import CallLogs
import PostgreSQL
import Store
import TestSupport
import Testing
import Values

@Suite("The CEL table")
struct CELTableTests {
  @Test("is found by its name, and its columns are looked up")
  func find() throws {
    let wazo = try TestDatabase(.wazo)
    let table = try CELTable.find("cel", timeZone: nil, on: wazo.admin)
    #expect(table.name == "public.cel" && table.hasCallLogID)
    #expect(table.absentColumns.isEmpty && table.unindexedColumns.isEmpty && table.sequence == "public.cel_id_seq")
    #expect(try CELTable.find("public.cel", timeZone: nil, on: wazo.admin).identity == table.identity)
    let plain = try TestDatabase(.plain)
    let other = try CELTable.find("asterisk.cel", timeZone: nil, on: plain.admin)
    #expect(!other.hasCallLogID && other.unindexedColumns == ["id", "uniqueid", "linkedid"] && other.identity != table.identity)
    for name in ["cel", "asterisk.cels", "x'; DROP TABLE asterisk.cel; --", ""] {
      let error = #expect(throws: (any Error).self) { try CELTable.find(name, timeZone: nil, on: plain.admin) }
      #expect(error is StoreError, "\(name): \(error.map { "\($0)" } ?? "")")
    }
    #expect(try plain.value("count(*) FROM asterisk.cel") == "0")
  }

  @Test("with ids at the ends of bigint gives bounds that can be covered, and counts and finds the rows at both ends")
  func edges() throws {
    let database = try TestDatabase(.wazo)
    try database.run("ALTER TABLE cel ALTER id TYPE bigint")
    func add(_ id: Int64) throws {
      var row = CELRow("HANGUP", 1, uniqueid: "1", linkedid: "1")
      row.id = id
      try database.insert([row])
    }
    let table = try CELTable.find("cel", timeZone: nil, on: database.admin)
    try add(.max)
    #expect(try table.bounds(on: database.admin) == nil && table.hasLastID(on: database.admin))
    try add(.max - 1)
    try add(.min)
    let all = Int64.min...Int64.max - 1
    #expect(try table.bounds(on: database.admin) == all)
    #expect(try table.bounds(from: nil, to: nil, on: database.admin) == all)
    #expect(try table.celRange(ofConversations: ["1"], callLogs: [], on: database.admin) == all)
    #expect(try table.count(in: [Int64.min..<0, 1..<Int64.max], on: database.admin) == 2)
    #expect(try table.newest(in: IDSet([Int64.min..<5]), on: database.admin)?.id == .min)
    #expect(try table.newest(in: IDSet([Int64.min..<5, 7..<Int64.max]), on: database.admin)?.id == .max - 1)
    #expect(try table.newest(in: IDSet([0..<5]), on: database.admin) == nil)
    var (batch, read, tally) = (CELBatch(), ChunkRead(), Tally())
    let missing = try table.readAgain(
      [Int64.min..<Int64.min + 2, Int64.max - 2..<Int64.max], into: &batch, read: &read, tally: &tally, on: database.admin)
    #expect(missing == [Int64.min + 1..<Int64.min + 2, Int64.max - 2..<Int64.max - 1] && batch.count == 2)
  }

  @Test("gives a conversation with all linkedids and channels, to any depth")
  func depth() throws {
    let database = try TestDatabase(.wazo)
    // A chain: each linkedid shares a channel with the next.
    try database.insert(
      (0..<12).flatMap { number in
        [
          CELRow("HANGUP", Double(number), uniqueid: "c\(number)", linkedid: "l\(number)"),
          CELRow("HANGUP", Double(number), uniqueid: "c\(number + 1)", linkedid: "l\(number)"),
        ]
      })
    try database.insert([
      CELRow("HANGUP", 1, uniqueid: "other", linkedid: "other"),
      // Neither an empty uniqueid nor the channel of chats connects.
      CELRow("HANGUP", 1, uniqueid: "", linkedid: "l3"), CELRow("HANGUP", 1, uniqueid: "", linkedid: "other"),
      CELRow("HANGUP", 1, uniqueid: "c5", linkedid: "chat", channel: "Message/ast_msg_queue"),
    ])
    let table = try CELTable.find("cel", timeZone: nil, on: database.admin)
    for start in ["l0", "l6", "l11"] {
      var batch = CELBatch()
      var tally = Tally()
      let arena = TextArena()
      try table.readConversations([arena.text(start)], into: &batch, tally: &tally, on: database.admin)
      #expect(batch.count == 25, "from \(start)")
      #expect(Set(batch.linkedids.texts.map(\.string)) == Set((0..<12).map { "l\($0)" }))
    }
  }

  @Test("reads a run of ids in order, at most so many, and tells chats and unusable rows")
  func read() throws {
    let database = try TestDatabase(.wazo)
    try database.insert(CELRow.call("1714989600.1") + CELRow.chat("1714989601.2"))
    try database.run("UPDATE cel SET linkedid = '' WHERE id = 3; UPDATE cel SET eventtime = 'infinity' WHERE id = 4")
    let table = try CELTable.find("cel", timeZone: nil, on: database.admin)
    var batch = CELBatch()
    var tally = Tally()
    let read = try table.read(2..<100, limit: 11, into: &batch, tally: &tally, on: database.admin)
    #expect(read.cels == 11 && read.chats == 2 && read.unusable == 2 && read.greatestID == 12)
    #expect(batch.rows.map(\.id) == [2, 5, 6, 7, 8, 9, 10])
    #expect(tally[.emptyLinkedid] == 1 && tally[.unreadableTime] == 1 && tally.examples(of: .emptyLinkedid) == [3])
    #expect(try table.threshold(ofNewest: 3, in: [1..<15], on: database.admin) == 8)
    #expect(try table.threshold(ofNewest: 3, in: [1..<3, 9..<15], on: database.admin) == 2)
    #expect(try table.threshold(ofNewest: 3, in: [11..<15], on: database.admin) == nil)
    #expect(try table.bounds(on: database.admin) == 1...14)
    #expect(try table.count(in: [1..<3, 14..<99], on: database.admin) == 3)
  }
}
