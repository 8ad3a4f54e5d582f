/// The start times of calls, in order, one at a time. It holds only those of the current quarter of
/// an hour.
struct Arrivals {
  private static let slice: Int64 = 15 * .minute

  /// Calls by hour of the day in UTC, on a working day.
  private static let byHour = [2, 1, 1, 1, 1, 2, 6, 20, 60, 90, 100, 90, 55, 75, 95, 100, 90, 60, 25, 12, 8, 6, 4, 3]
  /// Calls by day of the week. 1970-01-01 was a Thursday, so Thursday is first.
  private static let byWeekday = [95, 100, 15, 8, 105, 100, 100]

  private let calls: Int
  private let period: Range<Int64>
  private let even: Bool
  private let totalWeight: Int
  private var weight = 0
  private var given = 0
  private var sliceStart: Int64
  private var pending: [Int64] = []

  init(_ options: SimulationOptions) {
    calls = options.calls
    period = options.startPeriod
    even = options.concurrentCalls != nil
    sliceStart = period.lowerBound
    var total = 0
    var start = period.lowerBound
    while start < period.upperBound {
      total += Self.weight(of: start, until: period.upperBound, even: even)
      start += Self.slice
    }
    totalWeight = max(1, total)
  }

  /// The start of the next call, in microseconds since 1970-01-01 UTC; nil after the last.
  mutating func next(using random: inout RandomSource) -> Int64? {
    while pending.isEmpty {
      guard sliceStart < period.upperBound else { return nil }
      let end = min(sliceStart + Self.slice, period.upperBound)
      weight += Self.weight(of: sliceStart, until: period.upperBound, even: even)
      let due = Int((Double(calls) * (Double(weight) / Double(totalWeight))).rounded(.down))
      let count = (end == period.upperBound ? calls : min(due, calls)) - given
      given += count
      pending.reserveCapacity(count)
      for _ in 0..<max(0, count) { pending.append(sliceStart + Int64(random.below(Int(end - sliceStart)))) }
      pending.sort(by: >)
      sliceStart = end
    }
    return pending.popLast()
  }

  /// The share of calls that start in a quarter of an hour, relative to others. The last one may be
  /// shorter.
  private static func weight(of start: Int64, until end: Int64, even: Bool) -> Int {
    let milliseconds = Int(min(slice, end - start) / 1000)
    guard !even else { return milliseconds }
    return milliseconds * byHour[Int(start / (60 * .minute) % 24)] * byWeekday[Int(start / .day % 7)]
  }
}
