import Testing

@testable import CallLogs
@testable import Values

@Suite("Clock check")
struct ClockCheckTests {
  /// The offset after channels whose eventtime is ahead of their uniqueid's epoch by these seconds.
  private func offset(_ ahead: [Int]) -> Int? {
    var check = ClockCheck()
    for seconds in ahead { check.observe(time: Row.base + Int64(seconds) * 1_000_000, uniqueid: "1772438400.1") }
    return check.offset
  }

  @Test("channels that agree with their uniqueids, or nearly, tell no offset")
  func right() {
    #expect(offset([]) == nil)
    #expect(offset([0, 0, 1, -3, 400, -400]) == nil)
  }

  @Test("whole hours and quarters, either way", arguments: [3600, -18000, 19800, 20700, -12600, 50400])
  func wrong(seconds: Int) {
    #expect(offset([seconds, seconds + 1, seconds - 2]) == seconds)
  }

  @Test("it takes three channels, and nine in ten")
  func agreement() {
    #expect(offset([3600, 3600]) == nil)
    #expect(offset([3600, 3600, 3600, 0]) == nil)
    #expect(offset(Array(repeating: 3600, count: 9) + [0]) == 3600)
    #expect(offset(Array(repeating: 3600, count: 8) + [0]) == nil)
  }

  @Test("times between the quarters, or days off, say nothing")
  func noise() {
    #expect(offset([1200, 1200, 1200, 500_000, 500_000, 500_000]) == nil)
    #expect(offset([3600, 3600, 3600, 1200, 1200, 1200]) == 3600)
  }

  @Test("an hour of summer time inside the range is one offset, the more frequent one")
  func summerTime() {
    #expect(offset([3600, 3600, 3600, 7200, 7200]) == 3600)
    #expect(offset([3600, 3600, 3600, 18000, 18000]) == nil)
  }

  @Test("uniqueids of another form say nothing; what batches observed adds up")
  func addition() {
    var first = ClockCheck()
    for uniqueid: Text in ["", "abc", "1.x", "0.1", "9223372036854775808.1"] { first.observe(time: Row.base, uniqueid: uniqueid) }
    #expect(first.offset == nil)
    var second = first
    for uniqueid: Text in ["1772434800.1", "pbx1-1772434800.2"] { first.observe(time: Row.base, uniqueid: uniqueid) }
    second.observe(time: Row.base, uniqueid: "1772434800.3")
    #expect(first.offset == nil)
    first.add(second)
    #expect(first.offset == 3600)
  }
}
