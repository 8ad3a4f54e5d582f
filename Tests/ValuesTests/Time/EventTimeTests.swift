import Foundation
import TestSupport
import Testing

@testable import Values

@Suite("Event times")
struct EventTimeTests {
  private let arena = TextArena()
  /// 2026-03-02 08:00 UTC.
  private static let start: Int64 = 825_753_600_000_000

  private func parse(_ text: String) -> TimestampText.Parsed? { TimestampText.parse(arena.text(text)) }

  @Test(
    "the forms that PostgreSQL and Asterisk write",
    arguments: [
      ("2026-03-02 08:00:00+00", 0), ("2026-03-02T08:00:00Z", 0), ("2026-03-02 08:00:00.5+00:00", 500_000),
      ("2026-03-02 10:30:00.000001+02:30", 1),
      ("2026-03-02 10:30+0230", 0), ("2026-03-02 00:00:00-08", 0), ("2026-03-02 08:20:15.25+00:20:15", 250_000),
      ("1772438400.006740", 6740),
      ("1772438400", 0), ("2026-03-02 08:00:00.1234567+00", 123_456), ("2026-03-02 07:59:60+00", 0),
    ] as [(String, Int64)])
  func instants(text: String, micros: Int64) {
    #expect(parse(text) == .instant(EventTimeTests.start + micros))
  }

  @Test("a time without an offset is a wall clock's")
  func wallClock() {
    #expect(parse("2026-03-02 08:00:00") == .wallClock(EventTimeTests.start))
    #expect(parse("2026-03-02T08:00") == .wallClock(EventTimeTests.start))
    #expect(parse("2000-01-01 00:00:00.000001") == .wallClock(1))
    #expect(parse("1999-12-31 23:59:59.999999") == .wallClock(-1))
  }

  @Test(
    "anything else is none",
    arguments: [
      "", "infinity", "-infinity", "now", "2026-03-02", "2026-03-02 08", "2026-13-02 08:00:00", "2026-00-02 08:00:00",
      "2026-02-29 08:00:00",
      "2026-04-31 08:00:00", "2026-03-00 08:00:00", "2026-03-02 24:00:00", "2026-03-02 08:60:00", "2026-03-02 08:00:61",
      "2026-03-02 08:00:00.",
      "2026-03-02 08:00:00+", "2026-03-02 08:00:00+0", "2026-03-02 08:00:00+16", "2026-03-02 08:00:00+02:60",
      "2026-03-02 08:00:00 BC",
      "2026-03-02 08:00:00Zx", "02.03.2026 08:00", "1772438400.", "1772438400.0x", "99999999999999999999", "1900-02-29 00:00:00",
      "2026-03-02 08:00:00 +00", "0000-06-01 00:00:00+00",
    ])
  func rejected(text: String) {
    #expect(parse(text) == nil)
  }

  @Test("leap years are the Gregorian calendar's")
  func leapYears() {
    #expect(parse("2000-02-29 00:00:00+00") == .instant(59 * 86400 * 1_000_000))
    #expect(parse("2024-02-29 00:00:00+00") != nil && parse("2100-02-29 00:00:00+00") == nil)
  }

  @Test("what is written is read again, and is what Foundation writes")
  func roundTrip() {
    var random = Seeded("event times")
    let formatter = ISO8601DateFormatter()
    for _ in 0..<3000 {
      // Years 1 to 9999.
      let time = Int64.random(in: -63_082_281_600_000_000...252_455_615_999_999_999, using: &random)
      let text = TimestampText.text(time)
      #expect(parse(text) == .instant(time), "seed \(random.seed): \(text)")
      let seconds = Int64((Double(time) / 1_000_000).rounded(.down))
      if time > -12_622_780_800_000_000, time % 1_000_000 == 0 || random.chance(10) {
        let expected = formatter.string(from: Date(timeIntervalSinceReferenceDate: Double(seconds - 31_622_400)))
        #expect(text.prefix(19) == expected.prefix(19), "seed \(random.seed): \(time)")
      }
    }
  }

  @Test(
    "any time can be written",
    arguments: [Int64.min, Int64.max, -63_082_281_600_000_001, 252_455_616_000_000_000, -70_000_000_000_000_000])
  func extremes(time: Int64) {
    #expect(TimestampText.text(time).hasSuffix("+00:00"))
  }
}
