import TestSupport
import Testing

@testable import Values

@Suite("TextInterner")
struct TextInternerTests {
  @Test("numbers texts as a dictionary would, after emptying as well")
  func likeDictionary() {
    var random = Seeded("text table")
    let arena = TextArena()
    var table = TextInterner()
    for round in 0..<40 {
      var numbers: [String: Int] = [:]
      // Small and large rounds in turn, so that both ways of emptying are used.
      let count = round % 3 == 0 ? 2000 : random.below(40)
      for _ in 0..<count {
        let text = "1772438400.\(random.below(count))"
        let expected = numbers[text] ?? numbers.count
        numbers[text] = expected
        #expect(table.number(of: arena.text(text)) { arena.copy($0) } == expected, "seed \(random.seed)")
      }
      #expect(table.count == numbers.count)
      for (text, number) in numbers {
        #expect(table.find(arena.text(text)) == number, "seed \(random.seed)")
        #expect(table.texts[number].string == text)
      }
      #expect(table.find("absent") == nil)
      table.removeAll()
      for text in numbers.keys { #expect(table.find(arena.text(text)) == nil, "seed \(random.seed)") }
    }
  }

  @Test("only a new text is copied")
  func keeping() {
    var table = TextInterner()
    var kept = 0
    for text: Text in ["a", "b", "a", "", "a", ""] {
      _ = table.number(of: text) {
        kept += 1
        return $0
      }
    }
    #expect(kept == 3)
    #expect(table.texts == ["a", "b", ""])
  }
}
