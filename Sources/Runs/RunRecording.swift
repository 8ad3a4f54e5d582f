import Foundation
import Logging
import Store
import Values

extension RunContext {
  /// Runs a verb and records it in `call_logd_run`: its start, its end and its outcome. First it
  /// marks runs that died, and frees their claims.
  /// - Parameters:
  ///   - verb: such as `generate`
  ///   - parameters: the options of the run, without secrets
  /// - Throws: the error of `body`, which is recorded too.
  package func recorded<T>(_ verb: String, _ parameters: String, _ body: (RunRecord) throws -> T) throws -> T {
    let record = try retry { try begin(verb, parameters) }
    databases.prepareNext { try record.lockAgain(on: $0.side) }
    do {
      let value = try body(record)
      try retry { try record.end(.done, error: nil, on: databases.side) }
      addUpCounts()
      return value
    } catch {
      let failure = Failure(error, interruption: self.interruption)
      let isInterrupted = failure.exitReason == .interrupted || failure.exitReason == .terminated
      // If this fails, the next run finds the lock free and marks this run dead.
      try? record.end(isInterrupted ? .interrupted : .failed, error: failure.message, on: databases.side)
      addUpCounts()
      throw error
    }
  }

  /// Adds up what the run has changed in the counts of call logs. They are right without it, and
  /// another run or the service does it later.
  private func addUpCounts() {
    do {
      try CallLogCounts.fold(on: databases.side)
    } catch {
      self.log.debug("the counts of call logs are added up later: \(error)")
    }
  }

  private func begin(_ verb: String, _ parameters: String) throws -> RunRecord {
    for run in try RunRecord.markDead(self.checkpoint, on: databases.side) {
      self.log.info(
        "run \(run.id) (\(run.verb), process \(run.pid) on \(run.host)) died before its end; its commits stay, the rest is done again"
      )
    }
    _ = try Claims(self.checkpoint).removeDead(own: nil, on: databases.side)
    return try RunRecord.begin(
      self.checkpoint, verb: verb, parameters: parameters, program: self.settings.program, host: RunContext.hostName,
      pid: ProcessInfo.processInfo.processIdentifier, on: databases.side)
  }

  /// This machine's name.
  package static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// The lock that shows other processes that a worker is alive. The worker's own session holds it.
package struct Owner {
  /// The worker's number.
  package let number: Int32

  /// Takes a number and its lock. A new session of the worker takes the lock again.
  /// - Throws: ``JobError`` (75) where an earlier session of the worker keeps the lock too long.
  package init(_ context: RunContext) throws {
    let number = try context.retry { try Claims.newOwner(on: context.databases.logs) }
    self.number = number
    let retry = context.retry
    try context.retry { try Owner.lock(number, context.databases, retry) }
    context.databases.prepareNext { databases in try Owner.lock(number, databases, retry) }
  }

  /// Waits for the end of the worker's former session, which may still be committing.
  private static func lock(_ number: Int32, _ databases: Databases, _ retry: Retry) throws {
    let started = Stopwatch()
    while try !Claims.lock(owner: number, on: databases.logs) {
      if retry.interruption.isRequested { throw retry.interrupted }
      guard started.seconds < max(retry.seconds, 5) else {
        let holders = try? Claims.holders(ofOwner: number, on: databases.side)
        throw JobError(
          .busy,
          "the server still runs a lost session of this worker, and its claim becomes free only when that session ends; the worker's lock is \(holders?.description ?? "taken")"
        )
      }
      retry.pause(0.05)
      // A run that checks whether this worker is alive holds the lock for a moment.
      guard started.seconds > 0.2 else { continue }
      // The former session waits for a client that no longer exists.
      try Claims.endSession(ofOwner: number, on: databases.side)
    }
  }
}
