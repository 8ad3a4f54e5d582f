import Synchronization

/// Lets one task sleep until somebody wakes it, or some time has passed.
final class Waker: Sendable {
  private struct State {
    /// Somebody woke it while it did not sleep.
    var isAwake = false
    var sleeper: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  /// Wakes the task: now, or as soon as it wants to sleep.
  func wake() {
    let sleeper = state.withLock { state in
      defer { state.sleeper = nil }
      if state.sleeper == nil { state.isAwake = true }
      return state.sleeper
    }
    sleeper?.resume()
  }

  /// Sleeps. A cancelled task does not.
  func sleep(for time: Duration) async {
    let alarm = Task { [self] in
      guard (try? await Task.sleep(for: time)) != nil else { return }
      wake()
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isAwake = state.withLock { state in
          defer { state.isAwake = false }
          if !state.isAwake { state.sleeper = continuation }
          return state.isAwake
        }
        if isAwake { continuation.resume() }
      }
    } onCancel: {
      wake()
    }
    alarm.cancel()
  }
}
