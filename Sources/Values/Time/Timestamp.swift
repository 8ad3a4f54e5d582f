/// A moment: microseconds since 2000-01-01 00:00 UTC, which is PostgreSQL's own form of a timestamptz.
///
/// A plain number, so that rows and columns of times stay as small and quick as they are in COPY.
public typealias Timestamp = Int64

extension Timestamp {
  /// Seconds from 1970-01-01 to 2000-01-01 UTC.
  package static let secondsFrom1970To2000: Int64 = 946_684_800

  /// The moment so many seconds after 1970-01-01 UTC.
  package init(secondsSince1970 seconds: Double) {
    self = Int64(((seconds - Double(Timestamp.secondsFrom1970To2000)) * 1_000_000).rounded())
  }
}

/// Timestamps as PostgreSQL and Asterisk write them.
public enum TimestampText {
  /// What a text says.
  public enum Parsed: Equatable {
    /// An instant.
    case instant(Timestamp)
    /// A wall-clock time without an offset, counted as if it were UTC.
    case wallClock(Timestamp)
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
    guard year >= 1, let date = CivilDate(year: year, month: month, day: day), hour < 24, minute < 60 else { return nil }
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
    let seconds = date.daysSince1970 * 86400 - Timestamp.secondsFrom1970To2000 + hour * 3600 + minute * 60 + second
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
    return scanner.isAtEnd ? .instant((seconds - Timestamp.secondsFrom1970To2000) * 1_000_000 + micro) : nil
  }

  /// Appends `2026-03-02T08:00:00.006740+00:00`.
  public static func append(_ time: Timestamp, to out: inout [UInt8]) {
    appendWallClock(time, to: &out)
    out.append(contentsOf: "+00:00".utf8)
  }

  /// Appends the time without an offset, as it stands: `2026-03-02T08:00:00.006740`.
  /// - Parameter isShort: leaves a fraction of zero out
  public static func appendWallClock(_ time: Timestamp, isShort: Bool = false, to out: inout [UInt8]) {
    let seconds = time.floorDivided(by: 1_000_000)
    // Not time - seconds * 1_000_000, which overflows at the beginning of time.
    let remainder = time % 1_000_000
    let micro = remainder < 0 ? remainder + 1_000_000 : remainder
    let day = seconds.floorDivided(by: 86400)
    let second = seconds - day * 86400
    let date = CivilDate(daysSince1970: day + Timestamp.secondsFrom1970To2000 / 86400)
    func put(_ value: Int64, _ width: Int) {
      var divisor: Int64 = 1
      for _ in 1..<width { divisor *= 10 }
      while divisor > 0 {
        out.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
        divisor /= 10
      }
    }
    // A year that four digits cannot hold has a sign and six, as ISO 8601 has it.
    let isPlain = (0...9999).contains(date.year)
    if !isPlain { out.append(date.year < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+")) }
    put(abs(date.year), isPlain ? 4 : 6)
    out.append(UInt8(ascii: "-"))
    put(date.month, 2)
    out.append(UInt8(ascii: "-"))
    put(date.day, 2)
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
  public static func text(_ time: Timestamp) -> String {
    var out: [UInt8] = []
    append(time, to: &out)
    return String(decoding: out, as: UTF8.self)
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
