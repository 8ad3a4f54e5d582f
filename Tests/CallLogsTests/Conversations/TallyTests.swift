import Testing

@testable import CallLogs

@Suite("Tally")
struct TallyTests {
  @Test("counts by kind and keeps the first few ids")
  func counting() {
    var tally = Tally()
    for id in 1...8 { tally.note(.cutText, Int64(id)) }
    #expect((tally[.cutText], tally[.malformedJSON]) == (8, 0))
    #expect(tally.examples(of: .cutText) == [1, 2, 3, 4, 5])
    #expect(tally.noted == [.cutText])
  }

  @Test("adding another tally adds counts and fills up the ids")
  func adding() {
    var first = Tally()
    for id in 1...3 { first.note(.cutText, Int64(id)) }
    var second = Tally()
    for id in 10...13 { second.note(.cutText, Int64(id)) }
    second.note(.unknownEvent, 20)
    first.add(second)
    #expect((first[.cutText], first[.unknownEvent]) == (7, 1))
    #expect(first.examples(of: .cutText) == [1, 2, 3, 10, 11])
    #expect(first.noted == [.unknownEvent, .cutText])
  }

  @Test("every flaw has a name of its own, in words and as a key")
  func names() {
    #expect(Set(Flaw.allCases.map(\.label)).count == Flaw.allCases.count)
    #expect(Set(Flaw.allCases.map(\.key)).count == Flaw.allCases.count)
  }
}
