import Testing

@testable import CallLogs
@testable import Values

@Suite("Derived UUIDs")
struct DerivedUUIDTests {
  private func make(
    _ date: Int64 = Row.base, _ conversation: Text = "1772438400.1", _ kind: DerivedUUID.Kind = .participant, _ ordinal: Int = 0,
    _ path: Text = .null
  ) -> UUIDValue {
    DerivedUUID.make(date: date, conversationID: conversation, kind: kind, ordinal: ordinal, path: path)
  }

  @Test("these two never change: rows that exist have them")
  func pinned() {
    #expect(make().description == "019cad8f-ac00-8526-9342-c46907eb1e3e")
    #expect(
      make(Row.base + 1_500_000, "pbx1-1772438400.1", .recording, 2, "/tmp/é.wav").description
        == "019cad8f-b1dc-8320-9ece-7024a1c24228")
  }

  @Test("version 8, variant of RFC 9562, and the call's start in milliseconds first")
  func form() {
    for ordinal in 0..<200 {
      let value = make(Row.base + Int64(ordinal) * 1000, "x", .destination, ordinal)
      #expect(value.high >> 12 & 15 == 8)
      #expect(value.low >> 62 == 2)
      #expect(value.high >> 16 == 1_772_438_400_000 + UInt64(ordinal))
    }
  }

  @Test("every part makes a difference")
  func distinct() {
    let all = [
      make(), make(Row.base + 1000), make(Row.base, "1772438400.2"), make(Row.base, "1772438400.1", .destination),
      make(Row.base, "1772438400.1", .recording), make(Row.base, "1772438400.1", .otherRecording),
      make(Row.base, "1772438400.1", .participant, 1),
      make(Row.base, "1772438400.1", .participant, 0, "a"), make(Row.base, "1772438400.1a"),
    ]
    #expect(Set(all).count == all.count)
    #expect(make() == make())
  }

  @Test("dates before 1970 and at the ends of time have one too")
  func extremes() {
    for date in [Int64.min, Int64.max, -2_000_000_000_000_000] { #expect(make(date).high >> 12 & 15 == 8) }
  }
}
