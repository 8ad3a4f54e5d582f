/// A set of CEL ids as ranges in ascending order that neither touch nor overlap: what an `int8multirange` holds.
public struct IDSet: Equatable, Sendable {
  /// The ranges.
  public private(set) var ranges: [Range<Int64>]

  /// The set of these ranges, in any order, overlapping or not.
  public init(_ ranges: [Range<Int64>] = []) {
    self.ranges = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
      if let last = self.ranges.last, range.lowerBound <= last.upperBound {
        self.ranges[self.ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        self.ranges.append(range)
      }
    }
  }

  /// Whether the set is empty.
  public var isEmpty: Bool { ranges.isEmpty }

  /// The greatest id in the set.
  public var greatest: Int64? { ranges.last.map { $0.upperBound - 1 } }

  /// How many ids the set has; `Int64.max` where they are more than that.
  public var count: Int64 { ranges.width }

  /// Whether the set has that id.
  public func contains(_ id: Int64) -> Bool {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound <= id { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].lowerBound <= id
  }

  /// The ids of `range` that the set lacks, in ascending order.
  public func gaps(in range: Range<Int64>) -> [Range<Int64>] {
    var gaps: [Range<Int64>] = []
    var from = range.lowerBound
    for covered in ranges where covered.upperBound > from {
      if covered.lowerBound >= range.upperBound { break }
      if covered.lowerBound > from { gaps.append(from..<covered.lowerBound) }
      from = covered.upperBound
    }
    if from < range.upperBound { gaps.append(from..<range.upperBound) }
    return gaps
  }

  /// The ids of `range` that the set has, in ascending order.
  public func parts(in range: ClosedRange<Int64>) -> [Range<Int64>] {
    ranges.compactMap { covered in
      let lower = max(covered.lowerBound, range.lowerBound)
      let upper = range.upperBound < covered.upperBound ? range.upperBound + 1 : covered.upperBound
      return lower < upper ? lower..<upper : nil
    }
  }

}

extension IDSet: CustomStringConvertible {
  /// Such as `1-20000, 30001-30500`; `none` for the empty set.
  public var description: String {
    ranges.isEmpty ? "none" : ranges.map { "\($0.lowerBound)-\($0.upperBound - 1)" }.joined(separator: ", ")
  }
}

extension Range<Int64> {
  /// How many ids the range has; `Int64.max` where they are more than that. `count` stops the program there.
  public var width: Int64 {
    let (width, overflows) = upperBound.subtractingReportingOverflow(lowerBound)
    return overflows ? .max : width
  }
}

extension Sequence<Range<Int64>> {
  /// How many ids these ranges have together; `Int64.max` where they are more than that.
  public var width: Int64 {
    reduce(0) { sum, range in
      let (sum, overflows) = sum.addingReportingOverflow(range.width)
      return overflows ? .max : sum
    }
  }
}
