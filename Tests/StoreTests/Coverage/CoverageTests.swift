import PostgreSQL
import Store
import TestSupport
import Testing
import Values

@Suite("Coverage")
struct CoverageTests {
  @Test("counts its ids, and stops at the greatest number where they are more than that")
  func width() {
    #expect(IDSet([1..<4, 10..<11]).count == 4 && IDSet().count == 0)
    #expect((Int64.min..<Int64.max).width == .max && (0..<Int64.max).width == .max && (Int64.min..<0).width == .max)
    #expect((-3..<Int64.max - 3).width == .max && (Int64(-5)..<5).width == 10)
    #expect(IDSet([Int64.min..<(-1), 1..<Int64.max]).count == .max)
    #expect([Int64.min, .max - 1, .max].ranges == [Int64.min..<Int64.min + 1, Int64.max - 1..<Int64.max])
  }

  @Test("is a set: it agrees with a set of numbers, and with the server's multiranges")
  func agrees() throws {
    var random = Seeded()
    let database = try TestDatabase(.empty)
    for _ in 0..<40 {
      var numbers: Set<Int64> = []
      var ranges: [Range<Int64>] = []
      for _ in 0..<Int.random(in: 0...8, using: &random) {
        let lower = Int64.random(in: -20...40, using: &random)
        ranges.append(lower..<lower + Int64.random(in: 0...9, using: &random))
        numbers.formUnion(ranges[ranges.count - 1])
      }
      let coverage = IDSet(ranges)
      #expect(coverage.count == numbers.count, "\(random)")
      #expect(coverage.greatest == numbers.max(), "\(random)")
      #expect(coverage.isEmpty == numbers.isEmpty)
      for id in Int64(-25)...55 { #expect(coverage.contains(id) == numbers.contains(id), "\(random)") }
      let lower = Int64.random(in: -20...40, using: &random)
      let range = lower..<lower + Int64.random(in: 0...30, using: &random)
      let gaps = coverage.gaps(in: range)
      #expect(Set(gaps.flatMap { Array($0) }) == Set(range).subtracting(numbers), "\(random)")
      #expect(gaps.allSatisfy { !$0.isEmpty })
      if !range.isEmpty {
        let parts = coverage.parts(in: range.lowerBound...range.upperBound - 1)
        #expect(
          Set(parts.flatMap { Array($0) }) == Set(range).intersection(numbers) && parts.allSatisfy { !$0.isEmpty }, "\(random)")
      }
      let added = IDSet(coverage.ranges + [range])
      #expect(added.count == numbers.union(range).count, "\(random)")
      for (a, b) in zip(added.ranges, added.ranges.dropFirst()) { #expect(a.upperBound < b.lowerBound, "\(random)") }
      let server = try database.admin.query(
        "SELECT $1::int8multirange + $2::int8multirange", [.int8Multirange(coverage.ranges), .int8Multirange([range])],
        purpose: "Adding")
      #expect(server.ranges(0, 0) == added.ranges, "\(random)")
    }
  }

  @Test("is shown as people write ids")
  func description() {
    #expect("\(IDSet([1..<5, 7..<8]))" == "1-4, 7-7")
    #expect("\(IDSet())" == "none")
  }
}
