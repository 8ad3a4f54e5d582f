internal import CLibPQ
import Glibc
import Synchronization

/// Cancels the running statement of one connection. Any thread may use it. After the connection is
/// closed it has no effect.
///
/// It holds its lock while a request is on its way. So a request for one statement never reaches
/// the next one.
public final class Canceller: Sendable {
  private let state: Mutex<State>
  /// The connection's socket until it is closed. It has a lock of its own: a request on its way to
  /// a server that does not answer holds the other one.
  private let socket: Mutex<Int32?>

  init(connection: OpaquePointer) {
    state = Mutex(State(key: PQgetCancel(connection).map(CancelKey.init)))
    socket = Mutex(PQsocket(connection))
  }

  deinit { close() }

  /// Asks the server to cancel the running statement. Does nothing if no statement is running.
  /// Returns whether it asked the server.
  @discardableResult
  public func cancel() -> Bool {
    state.withLock { $0.runs && $0.key?.send() ?? false }
  }

  /// Breaks the connection, as a network that goes away would. A call that waits for the server
  /// ends with an error of kind `connectionLost`. Unlike ``cancel()`` it needs no server, and never
  /// waits.
  func breakOff() {
    socket.withLock { if let socket = $0, socket >= 0 { shutdown(socket, Int32(SHUT_RDWR)) } }
  }

  func close() {
    socket.withLock { $0 = nil }
    state.withLock {
      $0.key?.free()
      $0.key = nil
      $0.runs = false
    }
  }

  // MARK: The connection's side

  /// Notes that a statement begins. Returns false if an interruption has ended its work.
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

  /// Ends the current work of the connection: cancels the running statement, and refuses further
  /// statements of the open transaction. Returns the number of the running statement.
  func interrupt() -> UInt64? {
    state.withLock {
      guard $0.runs || $0.isInTransaction else { return nil }
      $0.isInterrupted = true
      guard $0.runs else { return nil }
      _ = $0.key?.send()
      return $0.number
    }
  }

  /// Repeats the request, for a server that had not begun the statement at the first one. Returns
  /// whether the statement is still running.
  func cancelAgain(_ number: UInt64) -> Bool {
    state.withLock {
      guard $0.runs, $0.number == number else { return false }
      return $0.key?.send() ?? false
    }
  }

  private struct State {
    var key: CancelKey?
    /// The number of the statement, which distinguishes it from the next one.
    var number: UInt64 = 0
    /// Whether a statement is running that may be cancelled. ROLLBACK and similar statements may
    /// not.
    var runs = false
    var isInTransaction = false
    var isInterrupted = false
  }
}

/// libpq's key for cancelling. It is an immutable copy, so any thread may use it (PostgreSQL
/// documentation, libpq, "Canceling Queries in Progress").
private struct CancelKey: @unchecked Sendable {
  let pointer: OpaquePointer

  func send() -> Bool {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { PQcancel(pointer, $0.baseAddress, 256) == 1 }
  }

  func free() {
    PQfreeCancel(pointer)
  }
}
