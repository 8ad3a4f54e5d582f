import Values

/// Compares the time of each CHAN_START with the epoch in its uniqueid, which tells the truth.
///
/// cel_pgsql writes local wall-clock time without an offset: where Asterisk's time zone is not the database session's, every `eventtime` is
/// whole hours (in some zones quarters of an hour) off, silently.
public struct ClockCheck: Sendable {
  private var agreeing = 0
  private var offsets: [Int: Int] = [:]

  /// Nothing observed yet.
  public init() {}

  /// Takes one CHAN_START into account. `time` is.
  mutating func observe(time: Int64, uniqueid: Text) {
    // The bound keeps absurd numbers from overflowing; it lies some 35,000 years ahead.
    guard let seconds = Linkedid(uniqueid).seconds, seconds > 0, seconds < 1 << 40 else { return }
    let difference = Int(time / 1_000_000) + Int(Timestamp.secondsFrom1970To2000) - Int(seconds)
    if abs(difference) < 450 {
      agreeing += 1
      return
    }
    // Rounded to the quarter of an hour; zones lie within 14 hours of UTC, so two of them within 28 of each other.
    let quarters = Int((Double(difference) / 900).rounded())
    guard abs(quarters) <= 28 * 4, abs(difference - quarters * 900) <= 60 else { return }
    offsets[quarters, default: 0] += 1
  }

  /// Adds what another batch observed.
  public mutating func add(_ other: ClockCheck) {
    agreeing += other.agreeing
    for (offset, count) in other.offsets { offsets[offset, default: 0] += count }
  }

  /// The seconds by which `eventtime` is ahead of the epoch in the uniqueids, when at least three channels and nine in ten agree on it; else nil. (Where summer time
  /// changes inside the range two offsets an hour apart count as one; the more frequent one is given.)
  public var offset: Int? {
    guard let (quarters, count) = offsets.max(by: { ($0.value, $0.key) < ($1.value, $1.key) }) else { return nil }
    let near = offsets.filter { abs($0.key - quarters) <= 4 }.values.reduce(0, +)
    let all = agreeing + offsets.values.reduce(0, +)
    guard count >= 3, near * 10 >= all * 9 else { return nil }
    return quarters * 900
  }
}
