import Dispatch
import Logging
import PostgreSQL
import Synchronization

/// Looks after the thread that follows. That thread may wait for a server that has stopped to
/// answer, and nothing that it does itself could end the wait.
final class FollowSupervision: Sendable {
  private struct State {
    var lastSign = ContinuousClock.now
    /// The connections of the signs of life; nil while another process leads, or none.
    var beats: Interruption?
    var isWaiting = false
    var error: (any Error)?
  }

  private let state = Mutex(State())
  private let hasEnded = DispatchSemaphore(value: 0)
  private let settings: FollowSettings
  private let interruption: Interruption
  private let log: Logger

  /// How often it looks.
  private static let pause = DispatchTimeInterval.milliseconds(200)

  init(_ settings: FollowSettings, _ interruption: Interruption, log: Logger) {
    (self.settings, self.interruption, self.log) = (settings, interruption, log)
  }

  // MARK: The other threads' side

  /// The server has answered, or the thread is busy elsewhere.
  func sign() { state.withLock { $0.lastSign = .now } }

  /// This process waits for another one that leads.
  func waits() { note { $0.isWaiting = true } }

  /// This process leads, and gives signs of life on these connections.
  func leads(beats: Interruption) {
    note {
      $0.isWaiting = false
      $0.beats = beats
    }
  }

  /// A term has ended. Until the next one statements may take long: the program may be changing the
  /// schema.
  func termEnded() {
    note {
      $0.isWaiting = false
      $0.beats = nil
    }
  }

  private func note(_ change: (inout State) -> Void) {
    state.withLock {
      change(&$0)
      $0.lastSign = .now
    }
  }

  /// The thread has ended.
  func ended(_ error: any Error) {
    state.withLock { $0.error = error }
    hasEnded.signal()
  }

  // MARK: The watching side

  /// Waits until the thread ends. After an interruption it waits only for a moment, and leaves the
  /// thread behind: the process ends, and the server then ends its sessions. That is as safe as a
  /// kill.
  /// - Returns: the thread's error; nil where the thread was left behind
  func wait() -> (any Error)? {
    var limit: ContinuousClock.Instant?
    var hasBroken = false
    while hasEnded.wait(timeout: .now() + FollowSupervision.pause) == .timedOut {
      guard interruption.isRequested else {
        breakOffSilence()
        continue
      }
      let end = limit ?? .now + settings.grace
      limit = end
      guard .now >= end else { continue }
      if hasBroken { return nil }
      breakOff()
      hasBroken = true
    }
    return state.withLock(\.error)
  }

  /// Breaks the connections to a server that has not answered for long.
  private func breakOffSilence() {
    let isSilent = state.withLock { state in
      let isSilent = (state.isWaiting || state.beats != nil) && .now - state.lastSign > settings.silence
      if isSilent { state.lastSign = .now }
      return isSilent
    }
    guard isSilent else { return }
    log.warning("the database has not answered for \(settings.silence.components.seconds) s; the follower connects again")
    breakOff()
  }

  private func breakOff() {
    interruption.breakOff()
    state.withLock(\.beats)?.breakOff()
  }
}
