import Foundation
import Logging
import PostgreSQL
import Runs
import Store
import Synchronization
import Values

/// Makes one process the follower of a checkpoint, and lets the others wait.
///
/// A thread of its own gives signs of life on a connection of its own. So a long pass is no reason
/// for another process to take over, and a frozen process is.
final class Leadership: Sendable {
  private let checkpoint: Checkpoint
  private let owner = UUIDValue(high: .random(in: 0...UInt64.max), low: .random(in: 0...UInt64.max))
  private let program: String
  private let connect: @Sendable () throws -> Connection
  private let log: Logger
  private let shared = Mutex(Shared())
  /// Of the connection for signs of life.
  let interruption = Interruption()
  private let answered: @Sendable () -> Void

  private struct Shared {
    var isLost = false
    var isOver = false
    var isConnecting = false
    var state = FollowState()
    var thread: BlockingThread?
  }

  /// Seconds between two signs of life.
  private static let pause = 2.0

  /// - Parameter answered: called after each sign of life that the server has taken
  init(_ context: RunContext, answered: @escaping @Sendable () -> Void) {
    self.answered = answered
    checkpoint = context.checkpoint
    program = context.settings.program
    log = context.log
    let (settings, interruption, log) = (context.settings.databases, interruption, context.log)
    connect = { try Databases.connect(settings.logs, settings, interruption, log) }
  }

  /// Whether another process leads now, or signs of life could not be given for so long that one
  /// may.
  var isLost: Bool { shared.withLock(\.isLost) }

  /// Tries to become the follower. Ends what is left of one before.
  /// - Returns: nil if this process leads; else the one that does
  func take(_ databases: Databases) throws -> Follower? {
    let attempt = try Follower.lead(
      checkpoint, owner: owner, host: RunContext.hostName, pid: ProcessInfo.processInfo.processIdentifier, program: program,
      on: databases.side)
    guard case .leads(let former) = attempt else {
      if case .waits(let other) = attempt { return other }
      return nil
    }
    if let former {
      var ended = try Follower.end(former, "logs", on: databases.side)
      if !databases.isOne { ended += try Follower.end(former, "cels", on: databases.cels) }
      if ended > 0 { log.warning("ended \(ended) sessions of a follower that gave no sign of life") }
    }
    return nil
  }

  /// Records the sessions of this process, again after each new connection.
  func recordSessions(_ databases: Databases) throws {
    var logs = [databases.logs.backendProcessID, databases.side.backendProcessID]
    if databases.isOne { logs.append(databases.cels.backendProcessID) }
    try Follower.record(logs, as: "logs", owner: owner, of: checkpoint, from: databases.side, on: databases.side)
    guard !databases.isOne else { return }
    try Follower.record(
      [databases.cels.backendProcessID], as: "cels", owner: owner, of: checkpoint, from: databases.cels, on: databases.side)
  }

  func note(_ state: FollowState) { shared.withLock { $0.state = state } }

  // MARK: Signs of life

  /// Starts to give signs of life.
  func start() {
    let thread = BlockingThread.start("beat") { self.beat() }
    shared.withLock { $0.thread = thread }
  }

  /// Ends the term.
  func end(_ databases: Databases) {
    let (thread, isConnecting) = shared.withLock {
      $0.isOver = true
      return ($0.thread, $0.isConnecting)
    }
    // A server that does not answer must not hold this up. A thread that connects ends by itself.
    interruption.breakOff()
    if !isConnecting { thread?.join() }
    // Otherwise the next follower waits for some seconds.
    try? Follower.leave(checkpoint, owner: owner, on: databases.side)
  }

  /// Connects, unless the term is over.
  private func connected() throws -> Connection {
    let isOver = shared.withLock {
      $0.isConnecting = !$0.isOver
      return $0.isOver
    }
    if isOver { throw JobError(.interrupted, "the term is over") }
    defer { shared.withLock { $0.isConnecting = false } }
    return try connect()
  }

  private func beat() {
    var connection: Connection?
    var last = ContinuousClock.now
    defer { connection?.close() }
    while !shared.withLock(\.isOver) {
      do {
        let usable = try connection ?? connected()
        connection = usable
        // A sign of life need not survive a crash of the server.
        try usable.execute("SET synchronous_commit = off", purpose: "Giving a sign of life")
        let state = shared.withLock(\.state)
        if try Follower.beat(checkpoint, owner: owner, state: state.json, on: usable) {
          last = .now
          answered()
        } else {
          shared.withLock { $0.isLost = true }
          return
        }
      } catch {
        connection?.close()
        connection = nil
        log.debug("no sign of life could be given: \(error)")
        if ContinuousClock.now - last > .seconds(Follower.staleAfter) { shared.withLock { $0.isLost = true } }
      }
      var left = Leadership.pause
      while left > 0, !shared.withLock(\.isOver) {
        Thread.sleep(forTimeInterval: 0.25)
        left -= 0.25
      }
    }
  }
}
