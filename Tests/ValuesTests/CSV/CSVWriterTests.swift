import TestSupport
import Testing

@testable import Values

@Suite("CSV as it is written")
struct CSVWriterTests {
  private let arena = TextArena()

  private func written(isSpreadsheetSafe: Bool = false, _ body: (inout CSVWriter) -> Void) -> [UInt8] {
    var csv = CSVWriter(isSpreadsheetSafe: isSpreadsheetSafe)
    body(&csv)
    return csv.out
  }

  private func cell(_ text: String, isSpreadsheetSafe: Bool = false) -> String {
    String(decoding: written(isSpreadsheetSafe: isSpreadsheetSafe) { $0.text(arena.text(text)) }, as: UTF8.self)
  }

  @Test("any rows come back from a reader of RFC 4180, and a cell is quoted exactly where it must be")
  func roundTrip() throws {
    var random = Seeded("CSV writer")
    let scalars = Array("a\",\r\n\t 'é漢😀;=+-@0".unicodeScalars)
    for _ in 0..<300 {
      // A row of one empty cell is an empty line, which RFC 4180 cannot tell from none.
      let width = 2 + random.below(5)
      let rows = (0..<random.below(8)).map { _ in
        (0..<width).map { _ in
          String(String.UnicodeScalarView((0..<random.below(random.chance(2) ? 5000 : 6)).map { _ in random.pick(scalars) }))
        }
      }
      let out = written { csv in
        for row in rows {
          for text in row { csv.text(arena.text(text)) }
          csv.endRow()
        }
      }
      #expect(try PlainCSV.texts(out) == rows, "seed \(random.seed)")
      let quotes = out.count { $0 == 0x22 }
      let needed = rows.joined().reduce(0) { sum, text in
        let isQuoted = text.unicodeScalars.contains { "\",\r\n".unicodeScalars.contains($0) }
        return sum + (isQuoted ? 2 + 2 * text.unicodeScalars.count { $0 == "\"" } : 0)
      }
      #expect(quotes == needed, "seed \(random.seed)")
    }
  }

  @Test("values have the forms of the API; what is not known is an empty cell")
  func values() throws {
    let out = written { csv in
      csv.number(-7)
      csv.number(nil)
      csv.flag(true)
      csv.flag(false)
      csv.flag(nil)
      csv.time(0)
      csv.time(-1)
      csv.time(nil)
      csv.uuid(UUIDValue("0A0B0C0D-0102-4304-8506-0708090a0b0c"))
      csv.uuid(nil)
      csv.text(.null)
      csv.text(.empty)
      csv.text("x")
      csv.endRow()
    }
    #expect(
      String(decoding: out, as: UTF8.self)
        == "-7,,True,False,,2000-01-01T00:00:00+00:00,1999-12-31T23:59:59.999999+00:00,,0a0b0c0d-0102-4304-8506-0708090a0b0c,,,,x\r\n"
    )
  }

  @Test(
    "a spreadsheet's formulas are disarmed by a single quote in front where that is asked for, and quoted as need be",
    arguments: [
      ("=1+1", "'=1+1"), ("+33123456789", "'+33123456789"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "\"'\t'=1\""),
      ("\r=1", "\"'\r'=1\""), ("\n=1", "\"'\n'=1\""), ("x;=1;y", "\"x;'=1;y\""), ("sales;-paris", "\"sales;'-paris\""),
      ("a;b", "\"a;b\""), ("a=b;c", "\"a=b;c\""),
      ("x\ty\t+1", "\"x\ty\t'+1\""), ("x,=1", "\"x,=1\""), ("=A,\"B\"", "\"'=A,\"\"B\"\"\""), ("=", "'="), ("＝1", "'＝1"),
      ("＠x", "'＠x"),
      ("", ""), ("0123", "0123"), ("Alice (=1)", "Alice (=1)"), (" =1", " =1"), ("'=1", "'=1"), ("漢=", "漢="), ("ｱ", "ｱ"),
    ])
  func formulas(text: String, safe: String) {
    #expect(cell(text, isSpreadsheetSafe: true) == safe)
    #expect(!cell(text).hasPrefix("'") || text.hasPrefix("'"))
  }

  @Test(
    "telephone numbers stay as they are where they shall, and nothing that could run does",
    arguments: [
      ("+33123456789", "+33123456789"), ("+33 1 (23)", "+33 1 (23)"), ("+", "+"), ("+1+2", "+1+2"), ("+A1", "'+A1"),
      ("+1;=2", "\"'+1;'=2\""), ("-1", "'-1"), ("=1", "'=1"), ("+1*2", "'+1*2"), ("+1\t=2", "\"'+1\t'=2\""),
    ])
  func telephoneNumbers(text: String, safe: String) {
    var csv = CSVWriter(isSpreadsheetSafe: true, keepsTelephoneNumbers: true)
    csv.text(arena.text(text))
    #expect(String(decoding: csv.out, as: UTF8.self) == safe)
  }

  @Test("no cell of a safe file begins as a formula does, wherever a spreadsheet cuts, and nothing but the quote is added")
  func safe() throws {
    var random = Seeded("safe CSV")
    let scalars = Array("=+-@\t\r\n;＝＋－＠a\", '(".unicodeScalars)
    for _ in 0..<500 {
      let texts = (0..<5).map { _ in
        String(String.UnicodeScalarView((0..<random.below(5)).map { _ in random.pick(scalars) }))
      }
      let out = written(isSpreadsheetSafe: true) { csv in
        for text in texts { csv.text(arena.text(text)) }
        csv.endRow()
      }
      let cells = try #require(try PlainCSV.texts(out).first)
      for (text, cell) in zip(texts, cells) {
        var expected = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
          let isBeginning = expected.last.map { ";\t\r\n".unicodeScalars.contains($0) } ?? true
          if isBeginning, "=+-@\t\r\n＝＋－＠".unicodeScalars.contains(scalar) { expected.append("'") }
          expected.append(scalar)
        }
        #expect(cell == String(expected), "seed \(random.seed)")
      }
    }
  }
}
