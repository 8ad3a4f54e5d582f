import Foundation

/// A time zone: its offset from UTC at each instant.
///
/// All times here are in seconds since 1970. A local time counts as if it were UTC.
public struct LocalZone: Sendable {
  /// The name for messages, such as `local time (Europe/Paris)`.
  let name: String
  /// The offset at an instant, in seconds ahead of UTC.
  package let offset: @Sendable (Int64) -> Int64

  /// The time zone of this machine: the variable TZ, else /etc/localtime.
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

  /// The zone of that name, such as `Europe/Paris`; nil for an unknown name.
  public init?(named name: String) {
    guard let zone = TimeZone(identifier: name) else { return nil }
    self.init(name: name) { Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double($0)))) }
  }

  /// The instants at which clocks show `wall`, in ascending order. There is one; two if clocks go
  /// back over `wall`; none if they go forward over it.
  func instants(of wall: Int64) -> [Int64] {
    let candidates = Set(samples(around: wall).map { wall - $0.offset })
    return candidates.filter { $0 + offset($0) == wall }.sorted()
  }

  /// The change by which clocks go forward over `wall`: its instant, and the offsets before and
  /// after it. nil if clocks show `wall`.
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

  /// The offsets at every quarter of an hour around `wall`, as far as any zone is from UTC. Clocks
  /// never change twice within a quarter of an hour.
  private func samples(around wall: Int64) -> [(instant: Int64, offset: Int64)] {
    stride(from: wall - 17 * 3600, through: wall + 17 * 3600, by: 900).map { ($0, offset($0)) }
  }
}
