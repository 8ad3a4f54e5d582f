import Values

extension CallLogStatistics {
  /// How long a period is, by the clocks of a zone.
  public enum Unit: String, CaseIterable, Sendable {
    /// An hour. Where clocks go back, an hour of the clocks comes twice.
    case hour
    /// A day, of 23 or 25 hours where clocks change.
    case day
    /// A week from Monday on.
    case week
    /// A month of the calendar.
    case month
    /// A year of the calendar.
    case year

    /// The unit that shows a time well, with a hundred periods or fewer where that is possible.
    static func fitting(_ range: Range<Timestamp>) -> Unit {
      let days = (range.upperBound / 1_000_000 - range.lowerBound / 1_000_000) / 86_400
      return switch days {
      case ...3: .hour
      case ...100: .day
      case ...730: .week
      case ...(30 * 365): .month
      default: .year
      }
    }
  }

  /// A time zone, by whose clocks periods begin.
  public struct Zone: Sendable {
    /// Its name in the IANA database, such as `Europe/Paris`.
    public let name: String
    private let zone: LocalZone?
    private let clock: WallClock

    /// UTC.
    public static let utc = Zone(name: "UTC", zone: nil, clock: .utc)

    private init(name: String, zone: LocalZone?, clock: WallClock) { (self.name, self.zone, self.clock) = (name, zone, clock) }

    /// The zone of that name; nil for an unknown one.
    public init?(named name: String) {
      guard (1...64).contains(name.utf8.count), let zone = LocalZone(named: name), let clock = WallClock(named: name) else {
        return nil
      }
      (self.name, self.zone, self.clock) = (name, zone, clock)
    }

    /// How far its clocks are ahead of UTC, in seconds.
    /// - Parameter second: seconds since 1970
    func offset(_ second: Int64) -> Int64 { zone?.offset(second) ?? 0 }

    /// A time as its clocks show it, with their distance from UTC, such as
    /// `2026-03-02T00:00:00+01:00`. A fraction of a second has six digits.
    /// - Parameter time: microseconds since 2000-01-01 UTC
    public func text(_ time: Timestamp) -> String {
      let second = Zone.second(time)
      let offset = offset(second)
      let wall = second + offset
      let date = CivilDate(daysSince1970: wall.floorDivided(by: 86_400))
      let clock = wall - wall.floorDivided(by: 86_400) * 86_400
      func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
      let year = String(date.year)
      let fraction = time - time.floorDivided(by: 1_000_000) * 1_000_000
      let digits = String(fraction)
      let micros = fraction == 0 ? "" : "." + String(repeating: "0", count: 6 - digits.count) + digits
      let distance = abs(offset) / 60
      return String(repeating: "0", count: max(0, 4 - year.count)) + "\(year)-\(two(date.month))-\(two(date.day))T"
        + "\(two(clock / 3600)):\(two(clock / 60 % 60)):\(two(clock % 60))\(micros)"
        + "\(offset < 0 ? "-" : "+")\(two(distance / 60)):\(two(distance % 60))"
    }

    // MARK: Periods

    /// The starts of all periods that have something of a time, and the end of the last one; nil
    /// where there are too many.
    /// - Parameter most: periods
    func bounds(of range: Range<Timestamp>, by unit: Unit, most: Int) -> [Timestamp]? {
      let range = Zone.clamped(range.lowerBound)..<Zone.clamped(range.upperBound)
      var bounds = [start(of: unit, at: range.lowerBound)]
      while let last = bounds.last, last < range.upperBound {
        let next = start(of: unit, after: last)
        // Where clocks go back over midnight, a day can begin and end before the time.
        if bounds.count == 1, next <= range.lowerBound { bounds = [] }
        bounds.append(next)
        if bounds.count > most + 1 { return nil }
      }
      return bounds
    }

    private func start(of unit: Unit, at time: Timestamp) -> Timestamp {
      let second = Zone.second(time)
      if unit == .hour {
        let wall = second + offset(second)
        return Zone.time(second - (wall - wall.floorDivided(by: 3600) * 3600))
      }
      return midnight(unit.first(of: day(second)))
    }

    private func start(of unit: Unit, after start: Timestamp) -> Timestamp {
      let second = Zone.second(start)
      if unit == .hour {
        let wall = second + offset(second)
        return Zone.time(second + 3600 - (wall - wall.floorDivided(by: 3600) * 3600))
      }
      var day = unit.next(after: unit.first(of: day(second)))
      var next = midnight(day)
      while next <= start {
        day = unit.next(after: day)
        next = midnight(day)
      }
      return next
    }

    /// The first instant of a day.
    private func midnight(_ day: CivilDate) -> Timestamp {
      let wall = (day.daysSince1970 * 86_400 - Timestamp.secondsFrom1970To2000) * 1_000_000
      return clock.instant(wall) ?? wall
    }

    private func day(_ second: Int64) -> CivilDate {
      CivilDate(daysSince1970: (second + offset(second)).floorDivided(by: 86_400))
    }

    // MARK: Seconds

    static func second(_ time: Timestamp) -> Int64 { time.floorDivided(by: 1_000_000) + Timestamp.secondsFrom1970To2000 }

    private static func time(_ second: Int64) -> Timestamp { (second - Timestamp.secondsFrom1970To2000) * 1_000_000 }

    /// A time within the years 1 to 9999. A call log with an infinite date counts as its nearest.
    static func clamped(_ time: Timestamp) -> Timestamp { min(max(time, least), greatest) }

    /// The starts of the second day of year 1 and of the last day but one of year 9999, so that the
    /// clocks of any zone are within these years.
    private static let least = Zone.time(-719_161 * 86_400)
    private static let greatest = Zone.time(2_932_895 * 86_400)
  }
}

extension CallLogStatistics.Unit {
  /// The first day of the unit that has a day.
  fileprivate func first(of day: CivilDate) -> CivilDate {
    switch self {
    case .hour, .day: day
    case .week:
      // 1970-01-01 was a Thursday.
      CivilDate(daysSince1970: (day.daysSince1970 + 3).floorDivided(by: 7) * 7 - 3)
    case .month: CivilDate(year: day.year, month: day.month, day: 1) ?? day
    case .year: CivilDate(year: day.year, month: 1, day: 1) ?? day
    }
  }

  /// The first day of the next unit.
  fileprivate func next(after first: CivilDate) -> CivilDate {
    switch self {
    case .hour, .day: CivilDate(daysSince1970: first.daysSince1970 + 1)
    case .week: CivilDate(daysSince1970: first.daysSince1970 + 7)
    case .month:
      CivilDate(year: first.month == 12 ? first.year + 1 : first.year, month: first.month == 12 ? 1 : first.month + 1, day: 1)
        ?? CivilDate(daysSince1970: first.daysSince1970 + 31)
    case .year: CivilDate(year: first.year + 1, month: 1, day: 1) ?? CivilDate(daysSince1970: first.daysSince1970 + 366)
    }
  }
}

/// The pieces of time that the server counts by: short enough that each is in one period, and in
/// one hour of the zone's clocks.
struct TimeSlots {
  /// The starts of the periods, in seconds since 1970.
  let starts: [Int64]
  /// When the zone's distance from UTC changes; first the start of the first period.
  let changes: [Int64]
  /// The distance from each of these on, in seconds.
  let offsets: [Int64]
  /// The length of a piece in seconds.
  let length: Int64

  init(bounds: [Timestamp], zone: CallLogStatistics.Zone) {
    let seconds = bounds.map(CallLogStatistics.Zone.second)
    let (first, last) = (seconds.first ?? 0, seconds.last ?? 0)
    var (changes, offsets) = ([first], [zone.offset(first)])
    // No zone changes its distance and changes it back within a day; in very long times, none does
    // within some days.
    let step = 86_400 * max(1, (last - first) / 86_400 / 15_000)
    var second = first
    while second < last {
      let next = min(second + step, last)
      let offset = zone.offset(next)
      if offset != offsets[offsets.count - 1] {
        var (low, high) = (second, next)
        while high - low > 1 {
          let middle = low + (high - low) / 2
          if zone.offset(middle) == offset { high = middle } else { low = middle }
        }
        changes.append(high)
        offsets.append(offset)
      }
      second = next
    }
    let fits = { (length: Int64) in (seconds + changes + offsets).allSatisfy { $0 % length == 0 } }
    (starts, self.changes, self.offsets) = (Array(seconds.dropLast()), changes, offsets)
    length = [3600, 900, 60].first(where: fits) ?? 1
  }
}
