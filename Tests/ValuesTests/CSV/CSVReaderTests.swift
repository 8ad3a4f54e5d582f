import TestSupport
import Testing

@testable import Values

@Suite("CSV")
struct CSVReaderTests {
  struct Record: Equatable, Sendable {
    var fields: [String?]
    var line: Int
  }

  /// Reads `bytes` in pieces that end at `cuts`.
  private func read(_ bytes: [UInt8], cuts: [Int] = []) throws -> [Record] {
    var reader = CSVReader()
    var records: [Record] = []
    var from = 0
    for cut in cuts + [bytes.count] {
      try Array(bytes[from..<cut]).withUnsafeBytes { piece in
        try reader.read(piece) { records.append(Record(fields: $0.map(\.optionalString), line: $1)) }
      }
      from = cut
    }
    try reader.finish { records.append(Record(fields: $0.map(\.optionalString), line: $1)) }
    return records
  }

  private func fields(_ text: String) throws -> [[String?]] { try read(Array(text.utf8)).map(\.fields) }

  @Test("an unquoted empty field is NULL, a quoted one is empty")
  func null() throws {
    #expect(try fields("a,,\"\",\n,\n") == [["a", nil, "", nil], [nil, nil]])
  }

  @Test("quoted fields hold commas, line ends and doubled quotes")
  func quotes() throws {
    #expect(try fields("\"a,b\",\"c\nd\",\"e\"\"f\",\"\"\"\",\"g\r\nh\"\n") == [["a,b", "c\nd", "e\"f", "\"", "g\r\nh"]])
    #expect(try fields("a\"b,c\"d,\"e\"f\n") == [["ab,cd", "ef"]])
  }

  @Test("CR LF ends a record as LF does; the last record needs no end; \\. ends the file")
  func ends() throws {
    #expect(try fields("a,b\r\nc,\"d\"\r\ne,\r\nf,g") == [["a", "b"], ["c", "d"], ["e", nil], ["f", "g"]])
    #expect(try fields("a\n\\.\nb\n\"") == [["a"]])
    #expect(try fields("") == [])
  }

  @Test("each record tells the line on which it begins")
  func lines() throws {
    #expect(try read(Array("h\n\"x\n\ny\",1\nz\n".utf8)).map(\.line) == [1, 2, 5])
  }

  @Test("a file that ends inside quotes is broken, on the line where the record begins")
  func unclosed() {
    let error = #expect(throws: CSVReader.Broken.self) { try fields("a\nb\n\"c\nd\n") }
    #expect(error?.line == 3)
    #expect(error?.description.hasPrefix("line 3: ") == true)
  }

  @Test("a quote that is never closed is told early, not after the whole file was held in memory")
  func neverClosed() {
    var reader = CSVReader()
    let piece = [UInt8](repeating: 0x61, count: 1 << 20)
    var pieces = 0
    let error = #expect(throws: CSVReader.Broken.self) {
      try Array("a\n\"".utf8).withUnsafeBytes { try reader.read($0) { _, _ in } }
      while pieces < 100 {
        try piece.withUnsafeBytes { try reader.read($0) { _, _ in } }
        pieces += 1
      }
    }
    #expect(error?.line == 2)
    #expect(pieces < 20)
  }

  @Test("what the receiver throws comes through")
  func receiver() {
    struct Stop: Error {}
    var reader = CSVReader()
    #expect(throws: Stop.self) {
      try Array("a\n".utf8).withUnsafeBytes { try reader.read($0) { _, _ in throw Stop() } }
    }
  }

  @Test("pieces of any size give what the whole gives, and what was written")
  func pieces() throws {
    var random = Seeded("CSV pieces")
    for round in 0..<300 {
      var written: [[String?]] = []
      var text = ""
      for _ in 0..<1 + random.below(6) {
        let record = (0..<2 + random.below(4)).map { _ -> String? in
          random.chance(20)
            ? nil : (0..<random.below(6)).map { _ in random.pick(["a", ",", "\"", "\n", "\r", "é", "\\."]) }.joined()
        }
        written.append(record)
        text += record.map { field in field.map { "\"\($0.replacing("\"", with: "\"\""))\"" } ?? "" }.joined(separator: ",")
        text += random.pick(["\n", "\r\n"])
      }
      let bytes = Array(text.utf8)
      let whole = try read(bytes)
      #expect(whole.map(\.fields) == written, "seed \(random.seed), round \(round)")
      let cuts = (0..<random.below(8)).map { _ in random.below(bytes.count + 1) }.sorted()
      #expect(try read(bytes, cuts: cuts) == whole, "seed \(random.seed), round \(round)")
      #expect(try read(bytes, cuts: Array(1..<bytes.count)) == whole, "seed \(random.seed), round \(round)")
    }
  }

  @Test("any bytes are read or refused, the same in pieces")
  func garbage() {
    var random = Seeded("CSV garbage")
    for round in 0..<500 {
      let bytes = (0..<random.below(30)).map { _ in random.pick([0x22, 0x2C, 0x0A, 0x0D, 0x5C, 0x2E, 0x61, 0, 0xFF] as [UInt8]) }
      let cut = random.below(bytes.count + 1)
      #expect((try? read(bytes)) == (try? read(bytes, cuts: [cut])), "seed \(random.seed), round \(round): \(bytes)")
    }
  }
}
