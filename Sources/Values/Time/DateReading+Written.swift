extension DateReading {
  /// The parts of a written date or time, before a time zone makes it an instant.
  struct Written: Equatable {
    /// A time of day.
    struct Clock: Equatable {
      /// Seconds since midnight.
      var seconds: Int64
      /// Microseconds after that second.
      var microseconds: Int64
      /// The written offset in seconds ahead of UTC; nil without one.
      var offset: Int64?
    }

    /// Days since 1970-01-01.
    var day: Int64
    /// The time of day; nil for a date alone.
    var clock: Clock?

    /// - Throws: ``JobError`` (usage) with the problem
    init(_ text: String) throws(JobError) {
      var rest = text[...]
      while rest.first?.isWhitespace == true { rest.removeFirst() }
      while rest.last?.isWhitespace == true { rest.removeLast() }
      guard let date = rest.prefixMatch(of: #/(\d\d\d\d)-(\d\d)-(\d\d)/#.asciiOnlyDigits()) else {
        throw Written.unreadable(text)
      }
      day = try Written.day(date.1, date.2, date.3, text)
      rest = rest[date.range.upperBound...]
      guard !rest.isEmpty else { return }
      let form = #/[ Tt](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?: ?(Z|z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?))?/#.asciiOnlyDigits()
      guard let time = rest.wholeMatch(of: form) else { throw Written.unreadable(text) }
      let (hour, minute, second) = (Written.number(time.1), Written.number(time.2), time.3.map(Written.number) ?? 0)
      guard hour < 24, minute < 60, second < 60 else {
        throw JobError(.usage, "\(text): there is no such time of day; it goes from 00:00 to 23:59:59")
      }
      let fraction = (time.4.map(String.init) ?? "").prefix(6)
      clock = Clock(
        seconds: hour * 3600 + minute * 60 + second,
        microseconds: Written.number(fraction + String(repeating: "0", count: 6 - fraction.count)),
        offset: try time.5.map { (zone) throws(JobError) in try Written.offset(zone, text) })
    }

    private static func unreadable(_ text: String) -> JobError {
      JobError(
        .usage,
        "“\(text)” is not a date or time. Write 2025-03-01, 2025-03-01T10:00 or 2025-03-01T10:00:05, and with an offset 2025-03-01T10:00+02:00 or 2025-03-01T08:00Z"
      )
    }

    private static func day(_ year: Substring, _ month: Substring, _ day: Substring, _ text: String) throws(JobError) -> Int64 {
      let (year, month, day) = (number(year), number(month), number(day))
      guard year >= 1 else { throw JobError(.usage, "\(text): there is no year 0000; years go from 0001 to 9999") }
      guard (1...12).contains(month) else { throw JobError(.usage, "\(text): there is no month \(month)") }
      guard let date = CivilDate(year: year, month: month, day: day) else {
        let last = CivilDate.daysInMonth(year, month)
        throw JobError(.usage, "\(text): there is no such day; that month has the days 01 to \(last)")
      }
      return date.daysSince1970
    }

    private static func offset(_ zone: Substring, _ text: String) throws(JobError) -> Int64 {
      guard zone.first == "+" || zone.first == "-" else { return 0 }
      let digits = zone.filter { $0.isNumber }
      let (hours, minutes, seconds) = (
        number(digits.prefix(2)), number(digits.dropFirst(2).prefix(2)), number(digits.dropFirst(4))
      )
      guard hours < 16, minutes < 60, seconds < 60 else {
        throw JobError(.usage, "\(text): there is no offset \(zone); they go up to 15:59")
      }
      let offset = hours * 3600 + minutes * 60 + seconds
      return zone.first == "-" ? -offset : offset
    }

    /// The number of the digits; 0 without digits.
    private static func number(_ digits: some StringProtocol) -> Int64 { Int64(digits) ?? 0 }
  }
}
