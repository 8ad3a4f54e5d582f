/// Measures a time by a clock that nobody sets. The wall clock may be set back by an hour, and
/// whoever waits by it would wait for that hour, too.
public struct Stopwatch: Sendable {
  private let start = ContinuousClock.now

  /// Starts now.
  public init() {}

  /// Seconds since the start.
  public var seconds: Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) + Double(attoseconds) / 1e18
  }
}
