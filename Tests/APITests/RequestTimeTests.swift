import API
import TestSupport
import Testing
import Values

@Suite("Times in requests")
struct RequestTimeTests {
  /// What `from` gives; nil where it is refused.
  private func read(_ text: String, zone: WallClock = .utc) -> Timestamp? {
    let encoded = text.replacing("%", with: "%25").replacing("+", with: "%2B").replacing("&", with: "%26")
    return try? ListParameters(QueryString("from=" + encoded), scope: .everybody, zone: zone).selection.from
  }

  @Test(
    "a date with a time is read in all its spellings",
    arguments: [
      "2000-01-01T01:02:03", "2000-01-01 01:02:03", "2000-1-1T1:2:3", "2000-01-01T01:02:03Z", "2000-01-01T01:02:03.0",
      "2000-01-01T01:02:03.000000999999", "2000-01-01T02:02:03+01", "2000-01-01T02:02:03+0100", "2000-01-01T02:02:03+01:00",
      "1999-12-31T20:02:03-05:00", "2000-01-01T06:32:03+05:30",
    ])
  func spellings(text: String) {
    #expect(read(text) == 3_723_000_000)
  }

  @Test("seconds and zone may be missing, and a fraction counts to the microsecond")
  func parts() {
    #expect(read("2000-01-01T01:02") == 3_720_000_000 && read("2000-01-01T01:02Z") == 3_720_000_000)
    #expect(read("2000-01-01T00:00:00.5") == 500_000 && read("2000-01-01T00:00:00.000001Z") == 1)
    #expect(read("0001-01-01T00:00:00") != nil && read("9999-12-31T23:59:59.999999") != nil)
  }

  @Test(
    "anything else is refused",
    arguments: [
      "", "2000-01-01", "20000101T010203", "01:02:03", "2000-13-01T00:00:00", "2000-02-30T00:00:00", "2001-02-29T00:00:00",
      "2000-01-01T24:00:00", "2000-01-01T00:60:00", "2000-01-01T00:00:60", "2000-01-01t01:02:03", "2000-01-01T01",
      "946684800", "0000-01-01T00:00:00", "12000-01-01T00:00:00", "200-01-01T00:00:00", "2000-01-01T01:02:03,5",
      "2000-01-01T01:02:03.", "2000-01-01T01:02:03.1234567890123", "2000-01-01T01:02:03 x", " 2000-01-01T01:02:03",
      "2000-01-01T01:02:03 ", "2000-01-01T01:02:03 UTC", "2000-01-01T01:02:03 01:00", "2000-01-01T01:02:03+25:00",
      "2000-01-01T01:02:03+1", "2000-01-01T01:02:03+01:", "2000-01-01T01:02:03+01:60", "2000-01-01  01:02:03",
      "2000-01-01T01:02:03z", "2000-01-01T01:02:03\n", "-2000-01-01T00:00:00", "now", "２000-01-01T00:00:00",
    ])
  func refused(text: String) {
    #expect(read(text) == nil)
  }

  @Test("a time without a zone is of the zone that is given, one with a zone is not")
  func zone() throws {
    let paris = try #require(WallClock(named: "Europe/Paris"))
    #expect(read("2000-01-01T01:00:00", zone: paris) == 0 && read("2000-01-01T01:00:00Z", zone: paris) == 3_600_000_000)
    #expect(read("2000-07-01T02:00:00", zone: paris) == read("2000-07-01T00:00:00Z"))
  }

  @Test("any time comes back from its text")
  func anyTime() {
    var random = Seeded()
    for _ in 0..<500 {
      let time = Timestamp.random(in: -63_000_000_000_000_000...252_000_000_000_000_000, using: &random)
      #expect(read(TimestampText.text(time)) == time, "\(random)")
    }
  }
}
