import Foundation
import Logging
import PostgreSQL
import Store
import Values

/// Tries again what lost against another transaction (a deadlock, a serialization failure, a lock that could not be had in time) and what was cut off: then with new connections. Nothing
/// of it was committed, or doing it twice does no harm; a chunk, of which neither holds, settles by itself what a lost answer to COMMIT leaves open.
package struct Retry {
  /// For how long after the first failure, seconds.
  package let seconds: Double
  package let interruption: Interruption
  package let log: Logger
  /// What is connected anew; nil where nothing is connected yet.
  package let databases: Databases?
  /// Whether this run has had the server already; if not, a server that cannot be reached at all is a mistake rather than a failure, and is said at once.
  package var hadServer = true
  /// The CELs' table, in which one looks for who holds a lock.
  package var celTable = "cel"

  /// Retries for so many seconds after the first failure.
  package init(
    seconds: Double, interruption: Interruption, log: Logger, databases: Databases?, hadServer: Bool = true,
    celTable: String = "cel"
  ) {
    (self.seconds, self.interruption, self.log) = (seconds, interruption, log)
    (self.databases, self.hadServer, self.celTable) = (databases, hadServer, celTable)
  }

  /// Runs `body` until it succeeds, fails for another reason, or the time is up.
  /// - Throws: what `body` throws; ``JobError`` where the time is up (75, or 69 without connection) or a signal came.
  package func callAsFunction<T>(_ body: () throws -> T) throws -> T {
    var deadline: Date?
    var wait = 0.05
    var isLost = false
    while true {
      do {
        if isLost, let databases {
          try databases.reconnect()
          isLost = false
          log.warning("connected again")
        }
        let value = try body()
        // Where nothing was connected yet, `body` connects.
        if isLost { log.warning("connected") }
        return value
      } catch let error as PostgreSQLError {
        if interruption.isRequested { throw interrupted }
        let isLostNow = seconds > 0 && (hadServer ? error.isLostConnection : error.isLostWhileConnecting)
        guard error.isWorthRetrying || isLostNow else { throw error }
        if isLostNow, !isLost {
          log.warning(
            "\(databases == nil ? "no connection yet" : "connection lost") (\(error)); trying again for \(Int(seconds)) s")
        }
        isLost = isLost || isLostNow
        let limit = deadline ?? Date().addingTimeInterval(seconds)
        deadline = limit
        guard Date().addingTimeInterval(wait) < limit else {
          throw JobError(
            isLost ? .unavailable : .busy, "gave up after \(Int(seconds)) seconds of retrying: \(error)\(holders(error))")
        }
        if !isLost { log.info("trying again: \(error)") }
        pause(wait * Double.random(in: 0.5...1))
        wait = min(wait * 2, 5)
      }
    }
  }

  /// Who may hold the lock that could not be had, as the end of a sentence; nothing where that does not matter or cannot be asked.
  private func holders(_ error: PostgreSQLError) -> String {
    guard error.sqlState == .lockNotAvailable, let databases else { return "" }
    let own = [databases.logs, databases.cels, databases.side].map(\.backendProcessID)
    var found: [LockHolder] = []
    for connection in databases.isOne ? [databases.side] : [databases.side, databases.cels] {
      found += (try? LockHolders.ofTables(celTable, besides: own, on: connection))?.all ?? []
    }
    guard !found.isEmpty else { return "" }
    return "; locks on these tables are \(LockHolders(all: found).description)"
  }

  /// How long this run waits for what another one holds while it works: a lock_timeout at the least, as for any lock.
  package func lockWait(_ settings: RunContext.Settings) -> LockWait {
    let slice = Double(settings.databases.lockTimeout) / 1000
    let interruption = interruption
    return LockWait(seconds: max(seconds, slice), slice: slice) {
      if interruption.isRequested { throw Retry.interrupted(interruption) }
    }
  }

  /// Waits, unless a signal comes.
  package func pause(_ seconds: Double) {
    let end = Date().addingTimeInterval(seconds)
    while !interruption.isRequested {
      let left = end.timeIntervalSinceNow
      if left <= 0 { return }
      Thread.sleep(forTimeInterval: min(left, 0.1))
    }
  }

  /// That a signal came between two chunks.
  package var interrupted: JobError { Retry.interrupted(interruption) }

  private static func interrupted(_ interruption: Interruption) -> JobError {
    interruption.signal == SIGTERM
      ? JobError(.terminated, "stopped by SIGTERM; what is done is committed, the next run goes on from there")
      : JobError(.interrupted, "interrupted; what is done is committed, the next run goes on from there")
  }
}

extension PostgreSQLError {
  /// Whether the same again can succeed: it lost against another transaction.
  package var isWorthRetrying: Bool {
    sqlState == .deadlockDetected || sqlState == .serializationFailure || sqlState == .lockNotAvailable
  }

  /// Whether a server that can be reached cut the connection off, is just starting, or just ending.
  package var isLostWhileConnecting: Bool { kind == .connectionLost || (kind == .connection && sqlState?.class == "57") }

  /// Whether the connection is gone, or could not be had again because the server is just starting, full or away.
  package var isLostConnection: Bool {
    switch kind {
    case .connectionLost, .commitUnknown: true
    case .connection:
      connectionFailure == .unreachable || sqlState == .tooManyConnections || sqlState?.class == "57" || sqlState?.class == "08"
        // It hung up without a word: killed while it answered.
        || (connectionFailure == .other && sqlState == nil)
    case .statement, .cancelled, .protocol: false
    }
  }
}
