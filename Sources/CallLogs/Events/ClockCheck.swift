import Values

/// Compares the time of each CHAN_START with the epoch in its uniqueid, which is always correct
/// (Interpretation, R111).
///
/// cel_pgsql writes local times without an offset. If the time zones of Asterisk and of the
/// database session differ, every `eventtime` is wrong by whole hours, or by quarters of an hour in
/// some zones. Nothing else reveals that.
public struct ClockCheck: Sendable {
  private var agreeing = 0
  private var offsets: [Int: Int] = [:]

  /// A check without observations.
  public init() {}

  /// Observes one CHAN_START. `time` is in microseconds since 2000-01-01 UTC.
  mutating func observe(time: Int64, uniqueid: Text) {
    // The bound, some 35,000 years ahead, prevents overflow.
    guard let seconds = Linkedid(uniqueid).seconds, seconds > 0, seconds < 1 << 40 else { return }
    let difference = Int(time / 1_000_000) + Int(Timestamp.secondsFrom1970To2000) - Int(seconds)
    if abs(difference) < 450 {
      agreeing += 1
      return
    }
    // Zones lie within 14 hours of UTC, so two zones differ by at most 28 hours.
    let quarters = Int((Double(difference) / 900).rounded())
    guard abs(quarters) <= 28 * 4, abs(difference - quarters * 900) <= 60 else { return }
    offsets[quarters, default: 0] += 1
  }

  /// Adds the observations of another batch.
  public mutating func add(_ other: ClockCheck) {
    agreeing += other.agreeing
    for (offset, count) in other.offsets { offsets[offset, default: 0] += count }
  }

  /// The seconds by which `eventtime` is ahead of the epoch in the uniqueids. nil unless at least
  /// three channels and nine in ten agree.
  ///
  /// Two offsets an hour apart count as one, because daylight saving time can change within a
  /// range. The more frequent one is the result.
  public var offset: Int? {
    guard let (quarters, count) = offsets.max(by: { ($0.value, $0.key) < ($1.value, $1.key) }) else { return nil }
    let near = offsets.filter { abs($0.key - quarters) <= 4 }.values.reduce(0, +)
    let all = agreeing + offsets.values.reduce(0, +)
    guard count >= 3, near * 10 >= all * 9 else { return nil }
    return quarters * 900
  }
}
