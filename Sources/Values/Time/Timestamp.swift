/// Times as PostgreSQL and Asterisk write them, in microseconds since 2000-01-01 00:00 UTC.
public enum EventTime {
  /// What a text says.
  public enum Parsed: Equatable {
    /// An instant.
    case instant(Int64)
    /// A wall-clock time without an offset, counted as if it were UTC.
    case wallClock(Int64)
  }

  /// Reads `2026-03-02 08:00:00.006740+00` (with `T`, without a fraction, with `Z` or an offset with minutes and seconds as well), and `1772438400.006740`, the epoch
  /// that cel_custom writes. Nil for anything else, `infinity` included.
  public static func parse(_ text: Text) -> Parsed? {
    var scanner = Scanner(text: text)
    guard text.count >= 8 else { return nil }
    if text.firstIndex(of: UInt8(ascii: "-")) == nil { return epoch(&scanner) }
    guard let year = scanner.number(4), scanner.take(UInt8(ascii: "-")), let month = scanner.number(2),
      scanner.take(UInt8(ascii: "-")),
      let day = scanner.number(2),
      scanner.take(UInt8(ascii: " ")) || scanner.take(UInt8(ascii: "T")), let hour = scanner.number(2),
      scanner.take(UInt8(ascii: ":")), let minute = scanner.number(2)
    else { return nil }
    guard year >= 1, (1...12).contains(month), day >= 1, day <= daysInMonth(year, month), hour < 24, minute < 60 else {
      return nil
    }
    var second: Int64 = 0
    var micro: Int64 = 0
    if scanner.take(UInt8(ascii: ":")) {
      guard let value = scanner.number(2), value <= 60 else { return nil }
      second = value
      if scanner.take(UInt8(ascii: ".")) {
        guard let fraction = scanner.fraction() else { return nil }
        micro = fraction
      }
    }
    let seconds = (days(year, month, day) - 10957) * 86400 + hour * 3600 + minute * 60 + second
    let wall = seconds * 1_000_000 + micro
    if scanner.isAtEnd { return .wallClock(wall) }
    if scanner.take(UInt8(ascii: "Z")) { return scanner.isAtEnd ? .instant(wall) : nil }
    let sign: Int64
    if scanner.take(UInt8(ascii: "+")) { sign = 1 } else if scanner.take(UInt8(ascii: "-")) { sign = -1 } else { return nil }
    guard let hours = scanner.number(2), hours < 16 else { return nil }
    var offset = hours * 3600
    if !scanner.isAtEnd {
      _ = scanner.take(UInt8(ascii: ":"))
      guard let minutes = scanner.number(2), minutes < 60 else { return nil }
      offset += minutes * 60
      if scanner.take(UInt8(ascii: ":")) {
        guard let more = scanner.number(2), more < 60 else { return nil }
        offset += more
      }
    }
    return scanner.isAtEnd ? .instant(wall - sign * offset * 1_000_000) : nil
  }

  /// The text of a time without its offset: what the clock on the wall showed.
  public static func withoutOffset(_ text: Text) -> Text {
    // The date has its own dashes.
    guard text.count > 10 else { return text }
    for index in 10..<text.count
    where text[index] == UInt8(ascii: "+") || text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "Z") {
      return text.to(index)
    }
    return text
  }

  private static func epoch(_ scanner: inout Scanner) -> Parsed? {
    guard let seconds = scanner.digits(), seconds < 1 << 40 else { return nil }
    var micro: Int64 = 0
    if scanner.take(UInt8(ascii: ".")) {
      guard let fraction = scanner.fraction() else { return nil }
      micro = fraction
    }
    return scanner.isAtEnd ? .instant((seconds - 946_684_800) * 1_000_000 + micro) : nil
  }

  /// Days from 1970-01-01 to a date of the Gregorian calendar.
  public static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    // Years that begin in March, so that the leap day is a year's last.
    let y = month > 2 ? year : year - 1
    let m = (month + 9) % 12
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + (m * 153 + 2) / 5 + day - 1 - 719_468
  }

  /// How many days that month of the Gregorian calendar has.
  public static func daysInMonth(_ year: Int64, _ month: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Appends `2026-03-02T08:00:00.006740+00:00`.
  public static func append(_ time: Int64, to out: inout [UInt8]) {
    appendWallClock(time, to: &out)
    out.append(contentsOf: "+00:00".utf8)
  }

  /// Appends the time without an offset, as it stands: `2026-03-02T08:00:00.006740`.
  /// - Parameter isShort: leaves a fraction of zero out
  public static func appendWallClock(_ time: Int64, isShort: Bool = false, to out: inout [UInt8]) {
    let seconds = time.floorDivided(by: 1_000_000)
    // Not time - seconds * 1_000_000, which overflows at the beginning of time.
    let remainder = time % 1_000_000
    let micro = remainder < 0 ? remainder + 1_000_000 : remainder
    let day = seconds.floorDivided(by: 86400)
    let second = seconds - day * 86400
    let (year, month, dayOfMonth) = civil(day + 10957)
    func put(_ value: Int64, _ width: Int) {
      var divisor: Int64 = 1
      for _ in 1..<width { divisor *= 10 }
      while divisor > 0 {
        out.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
        divisor /= 10
      }
    }
    // A year that four digits cannot hold has a sign and six, as ISO 8601 has it.
    let isPlain = (0...9999).contains(year)
    if !isPlain { out.append(year < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+")) }
    put(abs(year), isPlain ? 4 : 6)
    out.append(UInt8(ascii: "-"))
    put(month, 2)
    out.append(UInt8(ascii: "-"))
    put(dayOfMonth, 2)
    out.append(UInt8(ascii: "T"))
    put(second / 3600, 2)
    out.append(UInt8(ascii: ":"))
    put(second / 60 % 60, 2)
    out.append(UInt8(ascii: ":"))
    put(second % 60, 2)
    guard !isShort || micro != 0 else { return }
    out.append(UInt8(ascii: "."))
    put(micro, 6)
  }

  /// The time as `2026-03-02T08:00:00.006740+00:00`.
  public static func text(_ time: Int64) -> String {
    var out: [UInt8] = []
    append(time, to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = shifted.floorDivided(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let m = (5 * dayOfYear + 2) / 153
    let month = m < 10 ? m + 3 : m - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * m + 2) / 5 + 1)
  }

  private struct Scanner {
    let text: Text
    var at = 0

    init(text: Text) { self.text = text }

    var isAtEnd: Bool { at == text.count }

    mutating func take(_ byte: UInt8) -> Bool {
      guard at < text.count, text[at] == byte else { return false }
      at += 1
      return true
    }

    mutating func number(_ width: Int) -> Int64? {
      guard at + width <= text.count, let value = text[at..<at + width].decimal else { return nil }
      at += width
      return Int64(value)
    }

    mutating func digits() -> Int64? {
      let start = at
      while at < text.count, text[at] &- UInt8(ascii: "0") < 10 { at += 1 }
      return text[start..<at].decimal.flatMap { Int64(exactly: $0) }
    }

    /// A fraction in microseconds; further digits are cut off.
    mutating func fraction() -> Int64? {
      var value: Int64 = 0
      var count = 0
      while at < text.count, text[at] &- UInt8(ascii: "0") < 10 {
        if count < 6 { value = value * 10 + Int64(text[at] - UInt8(ascii: "0")) }
        count += 1
        at += 1
      }
      guard count > 0 else { return nil }
      while count < 6 {
        value *= 10
        count += 1
      }
      return value
    }
  }
}

extension Int64 {
  fileprivate func floorDivided(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}
