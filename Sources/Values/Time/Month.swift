/// A calendar month in UTC.
public struct Month: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The year, 1 to 9999.
  public let year: Int
  /// The month, 1 to 12.
  public let month: Int

  /// A month; nil where there is none of that number.
  public init?(year: Int, month: Int) {
    guard (1...9999).contains(year), (1...12).contains(month) else { return nil }
    (self.year, self.month) = (year, month)
  }

  /// Reads `2025-03` and nothing else.
  public init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard bytes.count == 7, bytes[4] == UInt8(ascii: "-") else { return nil }
    let digits = bytes.enumerated().filter { $0.offset != 4 }.map(\.element)
    guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
    let numbers = digits.map { Int($0 - UInt8(ascii: "0")) }
    self.init(
      year: numbers[0] * 1000 + numbers[1] * 100 + numbers[2] * 10 + numbers[3], month: numbers[4] * 10 + numbers[5])
  }

  /// The month in which a moment lies; nil outside of the years 1 to 9999.
  public init?(of moment: Timestamp) {
    let date = CivilDate(daysSince1970: moment.floorDivided(by: Month.day) + Month.epoch)
    self.init(year: Int(date.year), month: Int(date.month))
  }

  /// Its first moment.
  public var start: Timestamp { Month.start(year, month) }

  /// The first moment after it.
  public var end: Timestamp { month == 12 ? Month.start(year + 1, 1) : Month.start(year, month + 1) }

  /// A day in microseconds.
  private static let day: Int64 = 86_400_000_000
  /// Days from 1970-01-01 to 2000-01-01.
  private static let epoch = Timestamp.secondsFrom1970To2000 / 86400

  private static func start(_ year: Int, _ month: Int) -> Timestamp {
    (CivilDate(year: Int64(year), month: Int64(month), day: 1).map { $0.daysSince1970 - epoch } ?? 0) * day
  }

  /// The year in four digits.
  public var yearText: String { String(repeating: "0", count: max(0, 4 - String(year).count)) + String(year) }

  /// Such as `2025-03`.
  public var description: String { yearText + (month < 10 ? "-0" : "-") + String(month) }

  /// By time.
  public static func < (a: Month, b: Month) -> Bool { (a.year, a.month) < (b.year, b.month) }
}
