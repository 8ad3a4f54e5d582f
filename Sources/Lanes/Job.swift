import PostgreSQL
import Synchronization

/// Work for a lane. Exactly one of these ends it: the lane that does it, the end of its patience,
/// or whoever gives it up.
final class Job: Sendable {
  /// What a lane does, with its connection.
  typealias Work = @Sendable (Connection) throws -> Void
  /// What happens at the end. nil stands for success.
  typealias End = @Sendable ((any Error)?) -> Void

  private enum State {
    case waits, runs, ended
  }

  /// Whether the lane may do it again where the connection broke.
  let isRepeatable: Bool
  private let work: Work
  private let onEnd: End
  /// Wakes work that waits for something else than the server.
  private let wake: @Sendable () -> Void
  private let state = Mutex(State.waits)
  private let interruption = Interruption()

  init(
    isRepeatable: Bool, wake: @escaping @Sendable () -> Void = {}, work: @escaping Work, onEnd: @escaping End
  ) {
    (self.isRepeatable, self.wake, self.work, self.onEnd) = (isRepeatable, wake, work, onEnd)
  }

  /// Whether it still waits.
  var waits: Bool { state.withLock { $0 == .waits } }

  /// Takes it for a lane.
  /// - Returns: false where it has ended already
  func begin() -> Bool {
    state.withLock {
      guard $0 == .waits else { return false }
      $0 = .runs
      return true
    }
  }

  /// Does it.
  func run(on connection: Connection) throws {
    interruption.register(connection)
    defer { interruption.unregister(connection) }
    // A request before the registration found no connection.
    if interruption.isRequested { throw CancellationError() }
    do {
      try work(connection)
    } catch let error as PostgreSQLError
      where error.kind == .cancelled || (interruption.isRequested && error.sqlState == .queryCanceled)
    {
      throw CancellationError()
    }
  }

  /// Ends it.
  func end(_ error: (any Error)?) {
    let isFirst = state.withLock { state in
      defer { state = .ended }
      return state != .ended
    }
    if isFirst { onEnd(error) }
  }

  /// Ends it if it still waits.
  /// - Returns: whether it did
  @discardableResult
  func endIfWaiting(_ error: any Error) -> Bool {
    let waited = state.withLock {
      guard $0 == .waits else { return false }
      $0 = .ended
      return true
    }
    if waited { onEnd(error) }
    return waited
  }

  /// Nobody wants its result any more: it ends if it waits, and its statement is cancelled if it
  /// runs.
  func giveUp() {
    guard !endIfWaiting(CancellationError()) else { return }
    wake()
    // A request for cancelling opens a connection, which blocks.
    let interruption = interruption
    BlockingThread.start("give-up") { interruption.request() }
  }
}
