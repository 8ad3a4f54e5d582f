import Synchronization

/// Counts attempts with unknown tokens or wrong passwords: by the client's address, or by the name
/// of the user whose password is tried.
final class RefusedAttempts: Sendable {
  private struct Count {
    var number: Int
    var since: ContinuousClock.Instant
  }

  private let limit: Int
  private let now: @Sendable () -> ContinuousClock.Instant
  private let counts = Mutex<[String: Count]>([:])
  private static let window = Duration.seconds(60)
  private static let mostKeys = 10_000

  /// - Parameter limit: attempts in a minute; 0 for no limit
  init(limit: Int, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) { (self.limit, self.now) = (limit, now) }

  func isRefused(_ key: String) -> Bool { wait(key) != nil }

  /// After how many seconds there may be a further attempt; nil where there may be one now.
  func wait(_ key: String) -> Int? {
    guard limit > 0 else { return nil }
    let time = now()
    return counts.withLock { counts in
      guard let count = counts[key], count.number >= limit else { return nil }
      let left = RefusedAttempts.window - (time - count.since)
      guard left > .zero else {
        counts[key] = nil
        return nil
      }
      return Int(clamping: left.components.seconds + 1)
    }
  }

  /// Notes an attempt that has failed.
  func note(_ key: String) { _ = take(key) }

  /// Takes one of the attempts before it is made, so that many at the same time are no more than
  /// the limit. One that was right is given back.
  /// - Returns: nil; or after how many seconds there may be one
  func take(_ key: String) -> Int? {
    guard limit > 0 else { return nil }
    if let seconds = wait(key) { return seconds }
    let time = now()
    counts.withLock { counts in
      if var count = counts[key], time - count.since < RefusedAttempts.window {
        count.number += 1
        counts[key] = count
        return
      }
      if counts.count >= RefusedAttempts.mostKeys {
        counts = counts.filter { time - $0.value.since < RefusedAttempts.window }
        // Whoever has so many addresses would otherwise fill the memory.
        if counts.count >= RefusedAttempts.mostKeys { counts.removeAll() }
      }
      counts[key] = Count(number: 1, since: time)
    }
    return nil
  }

  /// Takes an attempt back that was none.
  func giveBack(_ key: String) {
    counts.withLock { counts in
      guard var count = counts[key] else { return }
      count.number -= 1
      counts[key] = count.number > 0 ? count : nil
    }
  }
}
