import Foundation

/// The time zone in which the program reads an `eventtime` without an offset.
public struct WallClock: Sendable {
  private let zone: TimeZone

  /// UTC.
  public static let utc = WallClock(zone: TimeZone(secondsFromGMT: 0) ?? .current)

  private init(zone: TimeZone) {
    self.zone = zone
  }

  /// The zone of that name, such as `Europe/Paris`; nil for an unknown name.
  public init?(named name: String) {
    guard let zone = TimeZone(identifier: name) else { return nil }
    self.zone = zone
  }

  /// The instant of a local time. Both are in microseconds since 2000-01-01; the local time counts
  /// as if it were UTC.
  ///
  /// In the hour that clocks show twice, it is the first instant. In the hour that clocks skip, the
  /// offset before the change applies. (Interpretation, R110)
  public func instant(_ wall: Int64) -> Int64? {
    let asIfUTC = Date(timeIntervalSinceReferenceDate: Double(wall / 1_000_000) - 31_622_400)
    var offset = zone.secondsFromGMT(for: asIfUTC.addingTimeInterval(-86400))
    // The offset one day earlier applies first. If its instant lies after a change, the later
    // offset applies.
    let early = zone.secondsFromGMT(for: asIfUTC.addingTimeInterval(-Double(offset)))
    if early != offset {
      let later = zone.secondsFromGMT(for: asIfUTC.addingTimeInterval(-Double(early)))
      if later == early { offset = early }
    }
    return wall - Int64(offset) * 1_000_000
  }
}
