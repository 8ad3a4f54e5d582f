import Dispatch

/// A count that threads wait for. A wait can have an end.
final class Semaphore: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)

  /// A semaphore of that count. Dispatch's ends the program if it goes while its count is below the
  /// one that it began with, so that this one begins with 0.
  init(_ count: Int) { for _ in 0..<count { semaphore.signal() } }

  func signal() { semaphore.signal() }

  func wait() { semaphore.wait() }

  /// Waits for a while.
  /// - Returns: whether the count was there in time
  func wait(_ duration: Duration) -> Bool {
    let (seconds, attoseconds) = duration.components
    let nanoseconds = Int(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
    guard !nanoseconds.overflow else {
      wait()
      return true
    }
    let time = DispatchTime.now() + .nanoseconds(nanoseconds.partialValue) + .nanoseconds(Int(attoseconds / 1_000_000_000))
    return semaphore.wait(timeout: time) == .success
  }
}
