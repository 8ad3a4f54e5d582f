import Synchronization

/// A request to stop: a flag for the program, and the connections whose work ends with the request.
///
/// The current work of a registered connection ends with an error of kind `cancelled`. That is the
/// running statement, and the rest of the transaction that `Connection.transaction` has open. Later
/// statements run, so that the program can still clean up.
public final class Interruption: Sendable {
  private let flag = Atomic<Bool>(false)
  private let state = Mutex(State())

  private struct State {
    var cancellers: [ObjectIdentifier: Canceller] = [:]
    var signal: Int32?
  }

  /// An interruption without a request.
  public init() {}

  /// Whether an interruption was requested.
  public var isRequested: Bool { flag.load(ordering: .sequentiallyConsistent) }

  /// The signal that requested it; nil if none did.
  public var signal: Int32? { state.withLock(\.signal) }

  /// Registers a connection: a request ends its current work, until the connection is closed.
  public func register(_ connection: Connection) {
    let canceller = connection.canceller
    state.withLock { $0.cancellers[ObjectIdentifier(canceller)] = canceller }
    connection.interruption = self
  }

  /// Unregisters a connection. Requests do not affect it any more.
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

  /// Breaks the registered connections, for a server that has stopped to answer. Their calls end
  /// with an error of kind `connectionLost`. It requests nothing, and never waits.
  public func breakOff() {
    for canceller in state.withLock({ Array($0.cancellers.values) }) { canceller.breakOff() }
  }

  /// Sets the flag and ends the current work of the registered connections.
  public func request() {
    flag.store(true, ordering: .sequentiallyConsistent)
    let cancellers = state.withLock { Array($0.cancellers.values) }
    let running = cancellers.compactMap { canceller in canceller.interrupt().map { (canceller, $0) } }
    guard !running.isEmpty else { return }
    // A server that has not yet read the statement ignores the first cancel request.
    BlockingThread.start("cancel") {
      var running = running
      while !running.isEmpty {
        sleep(milliseconds: 100)
        running.removeAll { canceller, number in !canceller.cancelAgain(number) }
      }
    }
  }
}
