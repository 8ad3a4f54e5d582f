import TestSupport
import Testing

@testable import Service

@Suite("Ranges of bytes")
struct ByteRangeTests {
  @Test(
    "One range of bytes is taken as RFC 9110 has it",
    arguments: [
      ("bytes=0-3", ByteRange.part(0..<4)), ("bytes=0-", .part(0..<100)), ("bytes=99-99", .part(99..<100)),
      ("bytes=90-1000", .part(90..<100)), ("bytes=-10", .part(90..<100)), ("bytes=-1000", .part(0..<100)),
      ("Bytes=5-6", .part(5..<7)),
      ("bytes=0-99999999999999999999999", .part(0..<100)), ("bytes=100-", .notThere), ("bytes=100-200", .notThere),
      ("bytes=-0", .notThere), ("bytes=99999999999999999999999-", .notThere),
    ])
  func ranges(header: String, range: ByteRange) { #expect(ByteRange(header, size: 100) == range) }

  @Test(
    "What is no range, or more than one, counts as none",
    arguments: [
      nil, "", "garbage", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=0-1,4-5", "items=0-1", "bytes=+1-2",
      "bytes=--1",
    ])
  func ignored(header: String?) { #expect(ByteRange(header, size: 100) == .whole) }

  @Test("No header asks for bytes that a file does not have")
  func bounds() {
    var random = Seeded()
    let pieces = ["bytes", "=", "-", "0", "1", "9", "18446744073709551616", ",", " ", "x"]
    for _ in 0..<20_000 {
      let size = Int64.random(in: 0...20, using: &random)
      let header =
        (random.oneIn(2) ? "bytes=" : "")
        + (0..<Int.random(in: 0...5, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
      if case .part(let part) = ByteRange(header, size: size) {
        #expect(!part.isEmpty && part.lowerBound >= 0 && part.upperBound <= size, "\(header) of \(size)")
      }
    }
  }
}

@Suite("Dates of headers")
struct HTTPDateTests {
  @Test("The example of RFC 9110 is read and written")
  func example() {
    #expect(HTTPDate.text(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
    #expect(HTTPDate.seconds("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
  }

  @Test("Each second that is written is read again")
  func roundTrip() {
    var random = Seeded()
    for _ in 0..<5000 {
      let seconds = Int.random(in: 0...4_102_444_800, using: &random)
      #expect(HTTPDate.seconds(HTTPDate.text(seconds)) == seconds)
    }
  }

  @Test(
    "Other texts are none",
    arguments: [
      "", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "06 Nov 1994",
      "Sun, 99 Nov 1994 08:49:37 GMT",
    ])
  func others(text: String) { #expect(HTTPDate.seconds(text) == nil) }
}
