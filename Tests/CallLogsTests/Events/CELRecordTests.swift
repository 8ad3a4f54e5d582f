import Testing

@testable import CallLogs
@testable import Values

@Suite("Records of CELs")
struct CELRecordTests {
  private let arena = TextArena()
  private let names = [
    "id", "eventtype", "eventtime", "channame", "uniqueid", "linkedid", "extra", "amaflags", "call_log_id", "cid_name",
  ]

  private func record(_ header: [String]) throws -> CELRecord {
    try CELRecord(header: header.map { arena.text($0) }) { $0 + 1 }
  }

  @Test("a header without a required column says which", arguments: CELRecord.required)
  func missing(name: String) {
    let error = #expect(throws: CSVReader.Broken.self) { try record(names.filter { $0 != name }) }
    #expect(error?.line == 1)
    #expect(error?.reason.contains(name) == true)
  }

  @Test("a column that comes twice is refused; unknown columns and a byte order mark are not")
  func header() throws {
    let error = #expect(throws: CSVReader.Broken.self) { try record(names + ["eventtype"]) }
    #expect(error?.reason.contains("eventtype") == true)
    var marked = try record(["\u{FEFF}" + names[0]] + names.dropFirst() + ["color"])
    var tally = Tally()
    let fields: [Text] = ["7", "ANSWER", "2026-03-02 08:00:00", "c", "u", "l", .null, "3", "12", "n", "red"]
    #expect(try marked.columns(fields, line: 2, arena: arena, tally: &tally).id == 7)
  }

  @Test("columns by name; a time without an offset goes through the wall clock, one with does not")
  func columns() throws {
    var record = try record(names)
    var tally = Tally()
    let fields: [Text] = ["7", "ANSWER", "2026-03-02 08:00:00", "c", "u", "l", "{}", "3", "12", "n"]
    let columns = try record.columns(fields, line: 2, arena: arena, tally: &tally)
    #expect((columns.id, columns.callLogID, columns.time) == (7, 12, Row.base + 1))
    let texts = [
      columns.eventtype, columns.channame, columns.uniqueid, columns.linkedid, columns.extra, columns.cidName, columns.cidNum,
    ]
    #expect(texts.map(\.string) == ["ANSWER", "c", "u", "l", "{}", "n", ""])
    var other = fields
    (other[2], other[6], other[8], other[9]) = ("2026-03-02 08:00:00+00", .null, "x", .null)
    let second = try record.columns(other, line: 3, arena: arena, tally: &tally)
    #expect((second.time, second.callLogID) == (Row.base, 0))
    #expect(second.extra.isNull && !second.cidName.isNull)
    other[2] = "infinity"
    #expect(try record.columns(other, line: 4, arena: arena, tally: &tally).time == nil)
    #expect(tally.noted.isEmpty)
  }

  @Test("without a column id rows are numbered from 1")
  func numbered() throws {
    var record = try record(CELRecord.required)
    var tally = Tally()
    for number in 1...3 {
      let columns = try record.columns(["ANSWER", "x", "c", "u", "l"], line: number + 1, arena: arena, tally: &tally)
      #expect(columns.id == Int64(number))
    }
  }

  @Test("another number of fields, or an id that is no number, is broken on its line")
  func broken() throws {
    var record = try record(names)
    var tally = Tally()
    let fields: [Text] = ["7", "ANSWER", "t", "c", "u", "l", "{}", "3", "12", "n"]
    for wrong in [
      Array(fields.dropLast()), fields + ["more"], ["x"] + fields.dropFirst(), [.null] + fields.dropFirst(),
      ["9223372036854775808"] + fields.dropFirst(),
    ] {
      let error = #expect(throws: CSVReader.Broken.self) { try record.columns(wrong, line: 42, arena: arena, tally: &tally) }
      #expect(error?.line == 42)
    }
  }

  @Test("text is made valid, and what was wrong is counted by row")
  func repair() throws {
    var record = try record(names)
    var tally = Tally()
    let bad: [UInt8] = [0x41, 0xFF, 0, 0x42]
    let columns = try bad.withUnsafeBytes { bytes in
      let text = Text(bytes)
      return try record.columns(
        ["7", "ANSWER", "t", text, "u", "l", "{}", "3", "12", text], line: 2, arena: arena, tally: &tally)
    }
    #expect((columns.channame.string, columns.cidName.string) == ("A\u{FFFD}B", "A\u{FFFD}B"))
    #expect((tally[.invalidUTF8], tally[.nulCharacter]) == (1, 1))
    #expect(tally.examples(of: .invalidUTF8) == [7])
  }

  @Test(
    "where a zone is given, offsets in the file are passed over",
    arguments: [
      ("2026-03-02 08:00:00.5+00", "2026-03-02 08:00:00.5"), ("2026-03-02T08:00:00-05:30", "2026-03-02T08:00:00"),
      ("2026-03-02 08:00:00Z", "2026-03-02 08:00:00"), ("2026-03-02 08:00:00", "2026-03-02 08:00:00"), ("", ""),
    ])
  func wallClock(text: String, wall: String) {
    #expect(TimestampText.withoutOffset(arena.text(text)).string == wall)
  }
}
