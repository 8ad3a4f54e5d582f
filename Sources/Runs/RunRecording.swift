import Foundation
import Logging
import Store
import Values

extension RunContext {
  /// Does what a verb does, recorded in `call_logd_run`: when it began and ended, with what outcome. Runs that died are marked first, and what they had claimed is free again.
  /// - Parameters:
  ///   - verb: such as `generate`
  ///   - parameters: what was asked for, without anything secret
  package func recorded<T>(_ verb: String, _ parameters: String, _ body: (RunRecord) throws -> T) throws -> T {
    let record = try retry { try begin(verb, parameters) }
    databases.prepareNext { try record.lockAgain(on: $0.side) }
    do {
      let value = try body(record)
      try retry { try record.end(.done, error: nil, on: databases.side) }
      return value
    } catch {
      let failure = Failure(error, interruption: self.interruption)
      let isInterrupted = failure.exitReason == .interrupted || failure.exitReason == .terminated
      // Where it cannot be recorded, the next run sees that the lock is free.
      try? record.end(isInterrupted ? .interrupted : .failed, error: failure.message, on: databases.side)
      throw error
    }
  }

  private func begin(_ verb: String, _ parameters: String) throws -> RunRecord {
    for run in try RunRecord.markDead(self.checkpoint, on: databases.side) {
      self.log.info(
        "run \(run.id) (\(run.verb), process \(run.pid) on \(run.host)) died before its end; what it had committed stays, the rest is done again"
      )
    }
    _ = try Claims(self.checkpoint).removeDead(own: nil, on: databases.side)
    return try RunRecord.begin(
      self.checkpoint, verb: verb, parameters: parameters, program: self.settings.program, host: RunContext.host,
      pid: ProcessInfo.processInfo.processIdentifier, on: databases.side)
  }

  private static var host: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// The lock by which other processes know that a worker is alive, in the session that does its work.
package struct Owner {
  /// Its number.
  package let number: Int32

  /// Takes a number and the lock; a new session takes the lock again.
  package init(_ context: RunContext) throws {
    let number = try context.retry { try Claims.newOwner(on: context.databases.logs) }
    self.number = number
    let retry = context.retry
    try context.retry { try Owner.lock(number, context.databases, retry) }
    context.databases.prepareNext { databases in try Owner.lock(number, databases, retry) }
  }

  /// Waits until the session that held it before is gone: until then it may still be committing.
  private static func lock(_ number: Int32, _ databases: Databases, _ retry: Retry) throws {
    let started = Date()
    while try !Claims.lock(owner: number, on: databases.logs) {
      if retry.interruption.isRequested { throw retry.interrupted }
      guard Date().timeIntervalSince(started) < max(retry.seconds, 5) else {
        let holders = try? Claims.holders(ofOwner: number, on: databases.side)
        throw JobError(
          .busy,
          "the server still has a session of this worker that was lost, and its claim is free when that session has ended; the worker's lock is \(holders?.description ?? "taken")"
        )
      }
      retry.pause(0.05)
      // Another run that looks whether this worker is alive holds the lock for a moment.
      guard Date().timeIntervalSince(started) > 0.2 else { continue }
      // It waits for a client that is no more.
      try Claims.endSession(ofOwner: number, on: databases.side)
    }
  }
}
