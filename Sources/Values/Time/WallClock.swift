import Foundation

/// A time zone in which `eventtime` without an offset is read.
public struct WallClock: Sendable {
  private let zone: TimeZone

  /// UTC.
  public static let utc = WallClock(zone: TimeZone(secondsFromGMT: 0) ?? .current)

  private init(zone: TimeZone) {
    self.zone = zone
  }

  /// The zone of that name, such as `Europe/Paris`; nil where there is none.
  public init?(named name: String) {
    guard let zone = TimeZone(identifier: name) else { return nil }
    self.zone = zone
  }

  /// The instant of a wall-clock time; both in microseconds since 2000-01-01, the wall clock counted as if it were UTC. In the hour that the end of summer time
  /// repeats it is the first of the two, in the hour that its beginning skips the time as if the old offset still held.
  public func instant(_ wall: Int64) -> Int64? {
    let asIfUTC = Date(timeIntervalSinceReferenceDate: Double(wall / 1_000_000) - 31_622_400)
    var offset = zone.secondsFromGMT(for: asIfUTC.addingTimeInterval(-86400))
    // The offset in force a day before decides first; where its instant lies after a change, the later offset holds.
    let early = zone.secondsFromGMT(for: asIfUTC.addingTimeInterval(-Double(offset)))
    if early != offset {
      let later = zone.secondsFromGMT(for: asIfUTC.addingTimeInterval(-Double(early)))
      if later == early { offset = early }
    }
    return wall - Int64(offset) * 1_000_000
  }
}
