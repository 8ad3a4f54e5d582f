import Foundation
import Logging
import PostgreSQL
import Store
import Values

/// Repeats work that failed for a passing reason: a deadlock, a serialization failure, a lock
/// timeout, or a lost connection, which it replaces first.
///
/// The work must be safe to repeat: it committed nothing, or doing it twice does no harm. A chunk
/// is neither; it settles a lost answer to COMMIT by itself.
package struct Retry {
  /// The time limit, in seconds after the first failure.
  package let seconds: Double
  /// Reports a signal, which ends the waiting.
  package let interruption: Interruption
  /// The log for warnings about retries.
  package let log: Logger
  /// The connections to renew; nil where there are none yet.
  package let databases: Databases?
  /// Whether this run had reached the server before. If not, a server that cannot be reached at all
  /// is a mistake in the settings, and the run reports it at once.
  package var hadServer = true
  /// The name of the CEL table, whose lock holders a message lists.
  package var celTable = "cel"

  /// Creates a retry with a time limit in seconds after the first failure.
  package init(
    seconds: Double, interruption: Interruption, log: Logger, databases: Databases?, hadServer: Bool = true,
    celTable: String = "cel"
  ) {
    (self.seconds, self.interruption, self.log) = (seconds, interruption, log)
    (self.databases, self.hadServer, self.celTable) = (databases, hadServer, celTable)
  }

  /// Runs `body` until it succeeds, fails for a lasting reason, or the time is up.
  /// - Throws: the error of `body`; ``JobError`` where the time is up (75, or 69 without a
  ///   connection) or a signal came (130 or 143).
  package func callAsFunction<T>(_ body: () throws -> T) throws -> T {
    var failing: Stopwatch?
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
        // If there are no connections to renew, `body` itself connects.
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
        let since = failing ?? Stopwatch()
        failing = since
        guard since.seconds + wait < seconds else {
          throw JobError(
            isLost ? .unavailable : .busy, "gave up after \(Int(seconds)) seconds of retrying: \(error)\(holders(error))")
        }
        if !isLost { log.info("trying again: \(error)") }
        pause(wait * Double.random(in: 0.5...1))
        wait = min(wait * 2, 5)
      }
    }
  }

  /// The sessions that may hold the lock, as the end of a sentence. It is empty if no lock was
  /// missed or the server cannot be asked.
  private func holders(_ error: PostgreSQLError) -> String {
    guard error.sqlState == .lockNotAvailable, let databases else { return "" }
    let own = [databases.logs, databases.cels, databases.side].map(\.backendProcessID)
    var found: [LockHolder] = []
    for connection in databases.isOne ? [databases.side] : [databases.side, databases.cels] {
      found += (try? LockHolders.ofTables(celTable, besides: own, on: connection))?.all ?? []
    }
    guard !found.isEmpty else { return "" }
    return "; the locks on these tables are \(LockHolders(all: found).description)"
  }

  /// The time that this run waits for a lock of another run: at least `lock_timeout`, as for every
  /// lock.
  package func lockWait(_ settings: RunContext.Settings) -> LockWait {
    let slice = Double(settings.databases.lockTimeout) / 1000
    let interruption = interruption
    return LockWait(seconds: max(seconds, slice), slice: slice) {
      if interruption.isRequested { throw Retry.interrupted(interruption) }
    }
  }

  /// Waits for so many seconds, or until a signal comes.
  package func pause(_ seconds: Double) {
    let started = Stopwatch()
    while !interruption.isRequested {
      let left = seconds - started.seconds
      if left <= 0 { return }
      Thread.sleep(forTimeInterval: min(left, 0.1))
    }
  }

  /// The error for a signal that came between two chunks.
  package var interrupted: JobError { Retry.interrupted(interruption) }

  private static func interrupted(_ interruption: Interruption) -> JobError {
    interruption.signal == SIGTERM
      ? JobError(.terminated, "stopped by SIGTERM; everything done so far is committed, the next run goes on from there")
      : JobError(.interrupted, "interrupted; everything done so far is committed, the next run goes on from there")
  }
}

extension PostgreSQLError {
  /// Whether the statement lost against another transaction, so that a repetition can succeed.
  package var isWorthRetrying: Bool {
    sqlState == .deadlockDetected || sqlState == .serializationFailure || sqlState == .lockNotAvailable
  }

  /// Whether a reachable server cut the connection, or is starting or shutting down.
  package var isLostWhileConnecting: Bool { kind == .connectionLost || (kind == .connection && sqlState?.class == "57") }

  /// Whether the connection is lost, or cannot be made because the server is starting, full or
  /// away.
  package var isLostConnection: Bool {
    switch kind {
    case .connectionLost, .commitUnknown: true
    case .connection:
      connectionFailure == .unreachable || sqlState == .tooManyConnections || sqlState?.class == "57" || sqlState?.class == "08"
        // The server closed the connection without an answer: it was killed meanwhile.
        || (connectionFailure == .other && sqlState == nil)
    case .statement, .cancelled, .protocol: false
    }
  }
}
