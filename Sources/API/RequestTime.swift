import Values

/// Times as the API takes them: ISO 8601 with a date and a time.
enum RequestTime {
  /// Reads `2026-03-02T08:00:03.5+01:00`.
  ///
  /// `T` may be a space; month, day, hour, minute and second may have one digit; seconds, fraction
  /// and zone may be missing; a zone is `Z`, `+01`, `+0100` or `+01:00`. What a fraction has beyond
  /// microseconds is cut off.
  /// - Parameter zone: of a time that says none
  /// - Returns: nil for anything else.
  static func read(_ text: String, zone: WallClock) -> Timestamp? {
    var rest = text.utf8[...]
    guard let year = rest.number(4...4), year >= 1, rest.take("-"), let month = rest.number(1...2), rest.take("-"),
      let day = rest.number(1...2), rest.take("T") || rest.take(" "), let hour = rest.number(1...2), hour < 24,
      rest.take(":"), let minute = rest.number(1...2), minute < 60,
      let date = CivilDate(year: year, month: month, day: day)
    else { return nil }
    var (second, micros): (Int64, Int64) = (0, 0)
    if rest.take(":") {
      guard let value = rest.number(1...2), value < 60 else { return nil }
      second = value
      if rest.take(".") {
        guard let value = rest.fraction() else { return nil }
        micros = value
      }
    }
    let seconds = date.daysSince1970 * 86_400 - Timestamp.secondsFrom1970To2000 + hour * 3600 + minute * 60 + second
    let wall = seconds * 1_000_000 + micros
    if rest.isEmpty { return zone.instant(wall) }
    guard let offset = rest.offset(), rest.isEmpty else { return nil }
    return wall - offset * 1_000_000
  }
}

extension Substring.UTF8View {
  fileprivate mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard first == UInt8(ascii: character) else { return false }
    removeFirst()
    return true
  }

  /// A number of so many digits; as many as there are.
  fileprivate mutating func number(_ digits: ClosedRange<Int>) -> Int64? {
    var value: Int64 = 0
    var count = 0
    while count < digits.upperBound, let byte = first, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte {
      value = value * 10 + Int64(byte - UInt8(ascii: "0"))
      count += 1
      removeFirst()
    }
    return count >= digits.lowerBound ? value : nil
  }

  /// A fraction of 1 to 12 digits in microseconds.
  fileprivate mutating func fraction() -> Int64? {
    let before = count
    guard let number = number(1...6) else { return nil }
    let digits = before - count
    guard digits < 6 || self.number(0...6) != nil else { return nil }
    return (digits..<6).reduce(number) { value, _ in value * 10 }
  }

  /// A zone in seconds ahead of UTC.
  fileprivate mutating func offset() -> Int64? {
    if take("Z") { return 0 }
    let isBehind = first == UInt8(ascii: "-")
    guard isBehind || first == UInt8(ascii: "+") else { return nil }
    removeFirst()
    guard let hours = number(2...2), hours < 24 else { return nil }
    var minutes: Int64 = 0
    if !isEmpty {
      _ = take(":")
      guard let value = number(2...2), value < 60 else { return nil }
      minutes = value
    }
    return (isBehind ? -1 : 1) * (hours * 3600 + minutes * 60)
  }
}
