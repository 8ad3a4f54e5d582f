import Runs
import Testing

@Suite("Counters")
struct CountersTests {
  @Test("why conversations were left is counted beside how many were, and added up")
  func kept() {
    var counters = Counters()
    (counters.conversationsKept, counters.conversationsPartlyGone, counters.conversationsPurged) = (5, 2, 1)
    counters.add(counters)
    #expect(counters.items.map(\.key) == ["conversations_kept", "conversations_partly_gone", "conversations_purged"])
    #expect(counters.items.map(\.value) == [10, 4, 2])
  }
}
