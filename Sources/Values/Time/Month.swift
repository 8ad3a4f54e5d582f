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

  /// The month in which an instant lies (microseconds since 2000-01-01 UTC); nil outside of the years 1 to 9999.
  public init?(of instant: Int64) {
    // Days since 0000-03-01, then Howard Hinnant's civil_from_days.
    let days = instant.floored(by: 86_400_000_000) + 730_425
    let era = days.floored(by: 146_097)
    let day = days - era * 146_097
    let yearOfEra = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
    let dayOfYear = day - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    self.init(year: Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)), month: Int(month))
  }

  /// Its first instant, microseconds since 2000-01-01 UTC.
  public var start: Int64 {
    let shiftedYear = Int64(month <= 2 ? year - 1 : year)
    let era = shiftedYear.floored(by: 400)
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * Int64(month > 2 ? month - 3 : month + 9) + 2) / 5
    let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return (days - 730_425) * 86_400_000_000
  }

  /// The first instant after it, in the same.
  public var end: Int64 {
    (Month(year: month == 12 ? year + 1 : year, month: month == 12 ? 1 : month + 1)?.start) ?? .max
  }

  /// The year in four digits.
  public var yearText: String { String(repeating: "0", count: max(0, 4 - String(year).count)) + String(year) }

  /// Such as `2025-03`.
  public var description: String { yearText + (month < 10 ? "-0" : "-") + String(month) }

  /// By time.
  public static func < (a: Month, b: Month) -> Bool { (a.year, a.month) < (b.year, b.month) }
}

extension Int64 {
  /// The greatest whole number that times `divisor` is not above this one.
  func floored(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}
