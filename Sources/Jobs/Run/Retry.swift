import Foundation
import Logging
import PostgreSQL

/// Tries again what lost against another transaction: a deadlock, a serialization failure, a lock that could not be had in time. Nothing of it was committed.
struct Retry {
  /// For how long, seconds.
  let seconds: Double
  let interruption: Interruption
  let log: Logger

  /// Runs `body` until it succeeds, fails for another reason, or the time is up.
  /// - Throws: what `body` throws; ``JobError`` where the time is up (75) or a signal came.
  func callAsFunction<T>(_ body: () throws -> T) throws -> T {
    let started = Date()
    var wait = 0.05
    while true {
      do {
        return try body()
      } catch let error as PostgreSQLError {
        if interruption.isRequested { throw interrupted }
        guard error.isWorthRetrying else { throw error }
        guard Date().timeIntervalSince(started) + wait < seconds else {
          throw JobError(.busy, "gave up after \(Int(seconds)) seconds of retrying: \(error)")
        }
        log.info("trying again: \(error)")
        Thread.sleep(forTimeInterval: wait * Double.random(in: 0.5...1))
        wait = min(wait * 2, 5)
      }
    }
  }

  /// That a signal came between two chunks.
  var interrupted: JobError {
    interruption.signal == SIGTERM
      ? JobError(.terminated, "stopped by SIGTERM; what is done is committed, the next run goes on from there")
      : JobError(.interrupted, "interrupted; what is done is committed, the next run goes on from there")
  }
}

extension RunContext {
  /// How this run tries again.
  var retry: Retry { Retry(seconds: retryFor, interruption: interruption, log: log) }
}

extension PostgreSQLError {
  /// Whether the same again can succeed: it lost against another transaction.
  var isWorthRetrying: Bool {
    sqlState == .deadlockDetected || sqlState == .serializationFailure || sqlState == .lockNotAvailable
  }
}
