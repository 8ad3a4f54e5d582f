import Values

/// Moments in UTC, as microseconds since 1970-01-01, in and out of text.
public enum SimulatedTime {
  static let endOfYear9999: Int64 = 253_402_300_800 * .second

  /// Reads `2026-03-02`, `2026-03-02T08:00`, `2026-03-02T08:00:30` (a space for the T, a Z at the end: both allowed).
  ///
  /// - Returns: Microseconds since 1970-01-01 UTC, or nil where the text is something else or names no real moment.
  public static func microseconds(fromISO text: String) -> Int64? {
    var bytes = Array(text.utf8)
    if bytes.last == UInt8(ascii: "Z") || bytes.last == UInt8(ascii: "z") { bytes.removeLast() }
    let form = Array("dddd-dd-ddTdd:dd:dd".utf8)
    guard [10, 16, 19].contains(bytes.count) else { return nil }
    var numbers: [Int64] = []
    for (position, byte) in bytes.enumerated() {
      if form[position] == UInt8(ascii: "d") {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        let digit = Int64(byte - UInt8(ascii: "0"))
        if position == 0 || form[position - 1] != UInt8(ascii: "d") { numbers.append(0) }
        numbers[numbers.count - 1] = numbers[numbers.count - 1] * 10 + digit
      } else if byte != form[position] && !(position == 10 && (byte == UInt8(ascii: " ") || byte == UInt8(ascii: "t"))) {
        return nil
      }
    }
    numbers += Array(repeating: 0, count: 6 - numbers.count)
    let (year, month, day) = (numbers[0], numbers[1], numbers[2])
    guard let date = CivilDate(year: year, month: month, day: day), numbers[3] < 24, numbers[4] < 60, numbers[5] < 60 else {
      return nil
    }
    return (date.daysSince1970 * 86_400 + numbers[3] * 3600 + numbers[4] * 60 + numbers[5]) * .second
  }
}

/// Writes moments as PostgreSQL shows a timestamptz in UTC, `2026-03-02 08:00:00.00674+00`.
///
/// CELs come nearly in order of time, so the text down to the minute is kept from one to the next.
struct TimestampWriter {
  private var minute: Int64 = -1
  private var prefix: [UInt8] = []

  /// Appends a moment at or after 1970-01-01, in microseconds since then.
  mutating func append(_ time: Int64, to bytes: inout [UInt8]) {
    if time / .minute != minute {
      minute = time / .minute
      let date = CivilDate(daysSince1970: minute / 1440)
      prefix.removeAll(keepingCapacity: true)
      appendDigits(date.year, width: 4, to: &prefix)
      prefix.append(UInt8(ascii: "-"))
      appendDigits(date.month, width: 2, to: &prefix)
      prefix.append(UInt8(ascii: "-"))
      appendDigits(date.day, width: 2, to: &prefix)
      prefix.append(UInt8(ascii: " "))
      appendDigits(minute % 1440 / 60, width: 2, to: &prefix)
      prefix.append(UInt8(ascii: ":"))
      appendDigits(minute % 60, width: 2, to: &prefix)
      prefix.append(UInt8(ascii: ":"))
    }
    bytes.append(contentsOf: prefix)
    appendDigits(time % .minute / .second, width: 2, to: &bytes)
    var fraction = time % .second
    if fraction > 0 {
      bytes.append(UInt8(ascii: "."))
      var width = 6
      while fraction % 10 == 0 {
        fraction /= 10
        width -= 1
      }
      appendDigits(fraction, width: width, to: &bytes)
    }
    bytes.append(UInt8(ascii: "+"))
    bytes.append(UInt8(ascii: "0"))
    bytes.append(UInt8(ascii: "0"))
  }
}

/// Appends a number that is not negative in decimal, with leading zeros up to `width`.
func appendDigits(_ number: Int64, width: Int = 1, to bytes: inout [UInt8]) {
  var divisor: Int64 = 1
  var digits = 1
  while digits < width || number / divisor >= 10 {
    divisor *= 10
    digits += 1
  }
  while divisor > 0 {
    bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
    divisor /= 10
  }
}
