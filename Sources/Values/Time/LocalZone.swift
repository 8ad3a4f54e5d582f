import Foundation

/// What the clocks of one place show: the offset from UTC at each instant.
///
/// All times here are in seconds since 1970; a wall clock's time counts as if it were UTC.
public struct LocalZone: Sendable {
  /// What to call it in a message, such as `local time (Europe/Paris)`.
  let name: String
  /// Seconds that the clocks are ahead of UTC at an instant.
  package let offset: @Sendable (Int64) -> Int64

  /// That of this machine: the environment's TZ, else /etc/localtime, as every other program here has it.
  public static let ofThisMachine: LocalZone = {
    tzset()
    let name = ProcessInfo.processInfo.environment["TZ"].flatMap { $0.isEmpty ? nil : $0 }
    return LocalZone(name: "local time" + (name.map { " (TZ=\($0))" } ?? "")) { instant in
      var time = time_t(instant)
      var clock = tm()
      return localtime_r(&time, &clock) == nil ? 0 : Int64(clock.tm_gmtoff)
    }
  }()

  private init(name: String, offset: @escaping @Sendable (Int64) -> Int64) {
    (self.name, self.offset) = (name, offset)
  }

  /// The zone of that name, such as `Europe/Paris`; nil where there is none.
  public init?(named name: String) {
    guard let zone = TimeZone(identifier: name) else { return nil }
    self.init(name: name) { Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double($0)))) }
  }

  /// The instants at which the clocks show `wall`, earliest first: one, two where they are put back over it, none where they are put forward over it.
  func instants(of wall: Int64) -> [Int64] {
    let candidates = Set(samples(around: wall).map { wall - $0.offset })
    return candidates.filter { $0 + offset($0) == wall }.sorted()
  }

  /// Where the clocks are put forward over `wall`: the instant of that, and the offsets before and after it; nil where they show that time.
  func leap(over wall: Int64) -> (instant: Int64, before: Int64, after: Int64)? {
    let samples = samples(around: wall)
    for (earlier, later) in zip(samples, samples.dropFirst()) where earlier.offset < later.offset {
      var (low, high) = (earlier.instant, later.instant)
      while high - low > 1 {
        let middle = low + (high - low) / 2
        if offset(middle) == earlier.offset { low = middle } else { high = middle }
      }
      if high + earlier.offset <= wall, wall < high + later.offset { return (high, earlier.offset, later.offset) }
    }
    return nil
  }

  /// Offsets at every quarter of an hour at which it can be `wall` anywhere. Clocks are never changed twice within that, and no place is further from UTC.
  private func samples(around wall: Int64) -> [(instant: Int64, offset: Int64)] {
    stride(from: wall - 17 * 3600, through: wall + 17 * 3600, by: 900).map { ($0, offset($0)) }
  }
}
