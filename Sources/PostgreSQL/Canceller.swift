internal import CLibPQ
import Synchronization

/// Cancels the running statement of one connection, from any thread, also after the connection is closed (then to no effect).
///
/// The lock is held while a request is on its way, so that a request meant for one statement never reaches the next.
public final class Canceller: Sendable {
  private let state: Mutex<State>

  init(connection: OpaquePointer) {
    state = Mutex(State(key: PQgetCancel(connection).map(CancelKey.init)))
  }

  deinit { close() }

  /// Asks the server to cancel the statement that runs now. Nothing happens if none runs. Returns whether the server was asked.
  @discardableResult
  public func cancel() -> Bool {
    state.withLock { $0.runs && $0.key?.send() ?? false }
  }

  func close() {
    state.withLock {
      $0.key?.free()
      $0.key = nil
      $0.runs = false
    }
  }

  // MARK: The connection's side

  /// A statement begins. Returns false if it belongs to work that is to be given up.
  func begin(shielded: Bool) -> Bool {
    state.withLock {
      if $0.isInterrupted && !shielded { return false }
      $0.number += 1
      $0.runs = !shielded
      return true
    }
  }

  func end() {
    state.withLock {
      $0.runs = false
      if !$0.isInTransaction { $0.isInterrupted = false }
    }
  }

  func setInTransaction(_ value: Bool) {
    state.withLock {
      $0.isInTransaction = value
      if !value { $0.isInterrupted = false }
    }
  }

  var isInterrupted: Bool { state.withLock(\.isInterrupted) }

  // MARK: The interruption's side

  /// Gives up what the connection does now: the running statement is cancelled, and an open transaction takes no more
  /// statements. Returns the running statement's number.
  func interrupt() -> UInt64? {
    state.withLock {
      guard $0.runs || $0.isInTransaction else { return nil }
      $0.isInterrupted = true
      guard $0.runs else { return nil }
      _ = $0.key?.send()
      return $0.number
    }
  }

  /// Asks once more, for a server that had not yet begun the statement when it was asked first. Returns whether it still runs.
  func cancelAgain(_ number: UInt64) -> Bool {
    state.withLock {
      guard $0.runs, $0.number == number else { return false }
      return $0.key?.send() ?? false
    }
  }

  private struct State {
    var key: CancelKey?
    /// The statement's number, to tell it from the next.
    var number: UInt64 = 0
    /// Whether a statement runs that may be cancelled; ROLLBACK and the like may not.
    var runs = false
    var isInTransaction = false
    var isInterrupted = false
  }
}

/// libpq's key for cancelling. It is a copy of what is needed for that and not changed by use, so any thread may use it;
/// libpq says so, the compiler cannot know.
private struct CancelKey: @unchecked Sendable {
  let pointer: OpaquePointer

  func send() -> Bool {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { PQcancel(pointer, $0.baseAddress, 256) == 1 }
  }

  func free() {
    PQfreeCancel(pointer)
  }
}
