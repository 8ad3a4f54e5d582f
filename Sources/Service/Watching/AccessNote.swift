import Synchronization
import Values

/// What is known of a request, for its line in the log and for the metrics.
final class AccessNote: Sendable {
  private struct State {
    var tenant: UUIDValue?
    var rows: Int?
    var onEnd: (@Sendable () -> Void)?
    var isStream = false
  }

  private let state = Mutex(State())
  let start = ContinuousClock.now

  /// The tenant of the token; nil while it is not known.
  var tenant: UUIDValue? {
    get { state.withLock(\.tenant) }
    set { state.withLock { $0.tenant = newValue } }
  }

  /// Call logs or recordings in the answer; nil where there are none.
  var rows: Int? {
    get { state.withLock(\.rows) }
    set { state.withLock { $0.rows = newValue } }
  }

  /// Says that the answer is still being made when the route has answered.
  func becomesStream() { state.withLock { $0.isStream = true } }

  /// Calls something when the answer has been sent: now, or at the end of the stream.
  func whenSent(_ body: @escaping @Sendable () -> Void) {
    let isStream = state.withLock {
      $0.onEnd = body
      return $0.isStream
    }
    if !isStream { ended() }
  }

  /// The answer has been sent, or broken off.
  func ended() {
    let onEnd = state.withLock { state in
      defer { state.onEnd = nil }
      return state.onEnd
    }
    onEnd?()
  }

  /// Milliseconds since the request came.
  var milliseconds: Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) * 1000 + Double(attoseconds) / 1e15
  }
}
