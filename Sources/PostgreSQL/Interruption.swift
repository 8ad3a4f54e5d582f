import Synchronization

/// A request to stop: a flag for the program to look at, and the connections whose work is given up when it comes.
///
/// The work a registered connection does at that moment ends with an error of kind `cancelled`: the running statement, and
/// with it the rest of the transaction that `Connection.transaction` holds open. What is begun afterwards runs, so that a
/// program can still clean up.
public final class Interruption: Sendable {
  private let flag = Atomic<Bool>(false)
  private let state = Mutex(State())

  private struct State {
    var cancellers: [ObjectIdentifier: Canceller] = [:]
    var signal: Int32?
  }

  /// An interruption that nobody has requested yet.
  public init() {}

  /// Whether the program shall stop.
  public var isRequested: Bool { flag.load(ordering: .sequentiallyConsistent) }

  /// The signal that asked for it, if one did.
  public var signal: Int32? { state.withLock(\.signal) }

  /// From now on a request gives up what this connection does, until it is closed.
  public func register(_ connection: Connection) {
    let canceller = connection.canceller
    state.withLock { $0.cancellers[ObjectIdentifier(canceller)] = canceller }
    connection.interruption = self
  }

  /// Requests leave this connection alone again.
  public func unregister(_ connection: Connection) {
    remove(connection.canceller)
    connection.interruption = nil
  }

  func remove(_ canceller: Canceller) {
    _ = state.withLock { $0.cancellers.removeValue(forKey: ObjectIdentifier(canceller)) }
  }

  func note(signal: Int32) {
    state.withLock { $0.signal = signal }
  }

  /// Sets the flag and gives up what the registered connections do.
  public func request() {
    flag.store(true, ordering: .sequentiallyConsistent)
    let cancellers = state.withLock { Array($0.cancellers.values) }
    let running = cancellers.compactMap { canceller in canceller.interrupt().map { (canceller, $0) } }
    guard !running.isEmpty else { return }
    // A server that has not yet read the statement ignores the first request for it.
    BlockingThread.start("cancel") {
      var running = running
      while !running.isEmpty {
        sleep(milliseconds: 100)
        running.removeAll { canceller, number in !canceller.cancelAgain(number) }
      }
    }
  }
}
