import TestSupport
import Testing

@testable import Values

@Suite("Text")
struct TextTests {
  private let arena = TextArena(blockSize: 64)

  @Test("NULL is empty but equals only NULL and comes first")
  func null() {
    #expect(Text.null.isEmpty && Text.null.isNull && !Text.empty.isNull)
    #expect(Text.null != Text.empty)
    #expect(Text.null < Text.empty && !(Text.empty < Text.null))
    #expect(Text.null.optionalString == nil && Text.empty.optionalString == "")
    #expect(Text.null.trimmed.isNull)
    #expect(Text.null.firstIndex(of: 0x2C) == nil && Text.null.lastIndex(of: 0x2C) == nil)
  }

  @Test("text is ordered by bytes, that is by code points")
  func order() {
    let sorted = ["", "1.10", "1.9", "Z", "a", "ab", "é", "\u{FFFD}", "\u{1F600}"].map { arena.text($0) }
    var random = Seeded("text order")
    #expect(sorted.shuffled(using: &random).sorted() == sorted, "\(random)")
  }

  @Test("searching finds what String finds")
  func search() {
    var random = Seeded("text search")
    for _ in 0..<500 {
      let hay = String((0..<random.below(12)).map { _ in random.pick(["a", "b", ","]) }.joined())
      let needle = String((0..<1 + random.below(3)).map { _ in random.pick(["a", "b", ","]) }.joined())
      let expected = hay.firstRange(of: needle).map { hay.utf8.distance(from: hay.startIndex, to: $0.lowerBound) }
      #expect(arena.text(hay).firstIndex(of: arena.text(needle)) == expected, "seed \(random.seed): \(needle) in \(hay)")
      #expect(arena.text(hay).hasPrefix(arena.text(needle)) == hay.hasPrefix(needle))
    }
  }

  @Test("trimming takes ASCII white space, the separators 1C to 1F too")
  func trimming() {
    #expect((" \t\u{1C}a b\u{1F}\r\n" as Text).trimmed == "a b")
    #expect(("   " as Text).trimmed == "")
    #expect((",,a,b,," as Text).trimmed(of: 0x2C) == "a,b")
    #expect((",,a,b,," as Text).trimmedEnd(of: 0x2C) == ",,a,b")
  }

  @Test("text is cut between code points")
  func cutting() {
    let text: Text = "aé漢😀z"
    #expect(text.codePoints == 5)
    let pieces = (0...6).map { text.cut(toCodePoints: $0).string }
    #expect(pieces == ["", "a", "aé", "aé漢", "aé漢😀", "aé漢😀z", "aé漢😀z"])
  }

  @Test(
    "decimal numbers without sign or space, up to 64 bits",
    arguments: [
      ("0", 0), ("007", 7), ("18446744073709551615", UInt64.max), ("18446744073709551616", nil), ("", nil), ("-1", nil),
      (" 1", nil),
      ("1a", nil), ("99999999999999999999999", nil),
    ] as [(String, UInt64?)])
  func decimal(text: String, value: UInt64?) {
    #expect(arena.text(text).decimal == value)
  }

  @Test("an arena that was emptied gives its memory to the next texts, and its texts do not overlap")
  func arenaReuse() {
    var random = Seeded("arena")
    for _ in 0..<20 {
      let strings = (0..<50).map { _ in String(repeating: random.pick(["a", "b", "cd"]), count: random.below(100)) }
      let texts = strings.map { arena.text($0) }
      #expect(texts.map(\.string) == strings, "seed \(random.seed)")
      arena.removeAll()
      #expect(arena.capacity <= 64)
    }
  }
}
