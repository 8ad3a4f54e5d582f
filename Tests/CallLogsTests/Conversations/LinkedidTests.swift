import Testing

@testable import CallLogs
@testable import Values

@Suite("Conversation ids")
struct LinkedidTests {
  private func smallest(_ texts: [String]) -> Set<String> {
    let arena = TextArena()
    // Every order must give the same.
    return Set(
      (0..<texts.count).flatMap { shift -> [String] in
        let rotated = Array(texts[shift...] + texts[..<shift])
        return [
          Linkedid.smallest(rotated.map { arena.text($0) }).string,
          Linkedid.smallest(rotated.reversed().map { arena.text($0) }).string,
        ]
      })
  }

  @Test(
    "the smallest by numbers, by text where one has another form; a system name comes first, as text",
    arguments: [
      (["1.10", "1.9"], "1.9"), (["999999999.5", "1000000000.1"], "999999999.5"), (["1.10", "1.9", "x"], "1.10"),
      (["b-1.1", "a-2.2"], "a-2.2"),
      (["a-1.10", "a-1.9"], "a-1.9"), (["1.1", "pbx-0.1"], "1.1"), (["1.18446744073709551616", "1.9"], "1.18446744073709551616"),
      (["1.2.3", "1.1"], "1.1"),
      (["a-b-1.10", "a-b-1.9"], "a-b-1.9"), (["1.1", "1.01", "01.1"], "01.1"),
    ])
  func chosen(linkedids: [String], expected: String) {
    #expect(smallest(linkedids) == [expected])
  }

  @Test("a conversation of several linkedids has the smallest as its id")
  func conversationID() throws {
    let rows = conversation([
      Row("CHAN_START", Stage.mira, 0, "M <201>", linkedid: "1772438400.10"),
      Row("CHAN_END", Stage.mira, 1, linkedid: "1772438400.9"),
      Row("LINKEDID_END", Stage.mira, 2, linkedid: "1772438400.10"), Row("LINKEDID_END", Stage.mira, 2, linkedid: "1772438400.9"),
    ])
    #expect(try interpret(rows).only().conversationID == "1772438400.9")
  }
}
