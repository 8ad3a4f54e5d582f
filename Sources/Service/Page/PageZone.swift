import Foundation
import Values

/// The time zone of the page.
struct PageZone: Sendable {
  let name: String
  private let zone: LocalZone?
  private let clock: WallClock

  /// The zone of that name, such as `Europe/Paris`; nil for an unknown name.
  init?(named name: String) {
    guard name.utf8.count <= 64, let zone = LocalZone(named: name), let clock = WallClock(named: name) else { return nil }
    (self.name, self.zone, self.clock) = (name, zone, clock)
  }

  private init() { (name, zone, clock) = ("UTC", nil, .utc) }

  static let utc = PageZone()

  /// Seconds since 1970 that clocks show at a time, as if they showed UTC.
  func wallSeconds(_ time: Timestamp) -> Int64 {
    let seconds = time.floorDivided(by: 1_000_000) + Timestamp.secondsFrom1970To2000
    return seconds + (zone?.offset(seconds) ?? 0)
  }

  /// The offset from UTC in seconds, for a time in seconds since 1970.
  func offset(_ seconds: Int64) -> Int64 { zone?.offset(seconds) ?? 0 }

  func day(_ time: Timestamp) -> CivilDate { CivilDate(daysSince1970: wallSeconds(time).floorDivided(by: 86_400)) }

  /// A time as clocks show it, such as `08:00:03`.
  func clockTime(_ time: Timestamp) -> String {
    let second = wallSeconds(time) - wallSeconds(time).floorDivided(by: 86_400) * 86_400
    return [second / 3600, second / 60 % 60, second % 60].map { PageZone.twoDigits($0) }.joined(separator: ":")
  }

  /// A time as a field of a form has it, such as `2026-03-02T08:00`.
  func field(_ time: Timestamp) -> String { PageZone.text(day(time)) + "T" + clockTime(time).prefix(5) }

  /// A time of a form's field, with or without seconds; nil for any other text.
  func time(ofField text: String) -> Timestamp? {
    let parts = text.split(separator: "T", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    let (date, clock) = (PageZone.numbers(parts[0], "-"), PageZone.numbers(parts[1], ":"))
    guard date?.count == 3, let date, let clock, (2...3).contains(clock.count), (1...9999).contains(date[0]),
      let day = CivilDate(year: date[0], month: date[1], day: date[2]), clock[0] < 24, clock[1] < 60, clock.last ?? 0 < 60
    else { return nil }
    let second = clock[0] * 3600 + clock[1] * 60 + (clock.count == 3 ? clock[2] : 0)
    return instant(day, second: second)
  }

  /// The time at which clocks show a second of a day.
  func instant(_ day: CivilDate, second: Int64 = 0) -> Timestamp? {
    clock.instant((day.daysSince1970 * 86_400 + second - Timestamp.secondsFrom1970To2000) * 1_000_000)
  }

  private static func numbers(_ text: Substring, _ separator: Character) -> [Int64]? {
    let parts = text.split(separator: separator, omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part -> Int64? in
      guard (1...4).contains(part.count), part.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
      return Int64(part)
    }
    return numbers.count == parts.count ? numbers : nil
  }

  static func text(_ day: CivilDate) -> String {
    let year = String(day.year)
    return String(repeating: "0", count: max(0, 4 - year.count)) + "\(year)-\(twoDigits(day.month))-\(twoDigits(day.day))"
  }

  private static func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

extension Timestamp {
  /// Now, in microseconds since 2000-01-01 UTC.
  static var pageNow: Timestamp {
    Timestamp(Date().timeIntervalSince1970.rounded(.down)) * 1_000_000 - Timestamp.secondsFrom1970To2000 * 1_000_000
  }
}

extension PageZone {
  /// A time in UTC as programs read it, such as `2026-03-02T08:00:03Z`.
  static func iso(_ time: Timestamp) -> String { text(utc.day(time)) + "T" + utc.clockTime(time) + "Z" }
}
