import TestSupport
import Testing

@testable import Archive

@Suite("Records of CSV")
struct CSVRecordsTests {
  @Test("are counted alike in pieces of any size, line breaks between quotes aside")
  func pieces() {
    var random = Seeded()
    for _ in 0..<300 {
      let alphabet = Array((Bool.random(using: &random) ? "abcdefgh,\u{A2}\n" : "a\"\n,").utf8)
      let bytes = (0..<Int.random(in: 0...400, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
      var (isQuoted, expected) = (false, 0)
      for byte in bytes {
        if byte == 0x22 { isQuoted.toggle() } else if byte == 0x0A, !isQuoted { expected += 1 }
      }
      var records = CSVRecords()
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...100, using: &random))
        piece.withUnsafeBytes { records.add($0) }
        rest = rest.dropFirst(piece.count)
      }
      #expect(records.count == expected, "\(random): \(bytes)")
      #expect(records.isComplete == (!isQuoted && (bytes.isEmpty || bytes.last == 0x0A)), "\(random)")
    }
  }
}
