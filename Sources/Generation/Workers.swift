import CallLogs
import Foundation
import Logging
import PostgreSQL
import Runs
import Store
import Synchronization

/// The workers of a run: the one on this thread and connection, and others on theirs.
struct Workers {
  private let context: RunContext
  private let queue: WorkQueue
  private let record: RunRecord
  private let tally: RunTally
  private let remakes: Bool
  private let progress: (GenerateJob.Progress) -> Void

  init(
    _ context: RunContext, _ queue: WorkQueue, _ record: RunRecord, _ tally: RunTally, remakes: Bool,
    progress: @escaping (GenerateJob.Progress) -> Void
  ) {
    (self.context, self.queue, self.record, self.tally, self.remakes) = (context, queue, record, tally, remakes)
    self.progress = progress
  }

  /// Works until nothing is left, or a worker fails: then the others end after their chunk, and the first failure is thrown.
  func run() throws {
    var others: [BlockingThread] = []
    let (facts, queue, record, tally, remakes) = (context.facts, queue, record, tally, remakes)
    let first = FirstFailure()
    for _ in 1..<max(context.settings.workers, 1) {
      others.append(
        BlockingThread.start("worker") {
          do {
            let context = try RunContext(facts)
            defer { context.databases.close() }
            try Workers.work(context, queue, record, tally, remakes: remakes)
          } catch {
            first.note(error)
            queue.stop()
          }
        })
    }
    do {
      try Workers.work(context, queue, record, tally, remakes: remakes) { progress(tally.progress) }
    } catch {
      first.note(error)
      queue.stop()
    }
    for other in others { other.join() }
    if let error = first.error { throw error }
  }

  private static func work(
    _ context: RunContext, _ queue: WorkQueue, _ record: RunRecord, _ tally: RunTally, remakes: Bool, after: () -> Void = {}
  ) throws {
    let owner = try Owner(context)
    defer {
      // What a failed chunk had claimed; where it cannot be given up the next run sees that the owner's lock is free.
      try? Claims(context.checkpoint).releaseAll(owner: owner.number, on: context.databases.logs)
    }
    var worker = try context.retry { try ChunkWorker(context, run: record, remakes: remakes) }
    // More than the CELs by which a chunk is cut: it ends only where the next one begins, holes included, even if some have come since.
    let limit = context.settings.chunkSize + context.settings.chunkSize / 16 + 1
    while let claim = try queue.next(context, owner: owner.number, run: record) {
      try context.retry { try context.makeRecordedLinks() }
      try context.retry { try context.reached(.afterClaim) }
      guard let done = try context.retry({ try worker.cover(claim, limit: limit) }) else {
        queue.giveBack(claim.ids)
        continue
      }
      queue.giveBack(done.covered.upperBound..<max(done.covered.upperBound, claim.ids.upperBound))
      tally.add(done)
      try context.retry { try context.makeRecordedLinks() }
      worker.observeClock()
      log(done, context.log)
      after()
    }
    tally.note(clockOffset: worker.clock.offset)
  }

  private static func log(_ done: ChunkWorker.Done, _ log: Logger) {
    log.debug(
      "covered CELs \(done.covered.lowerBound) to \(done.covered.upperBound - 1)", metadata: ["counts": "\(done.counters.json)"])
    for flaw in done.counters.tally.noted {
      let ids = done.counters.tally.examples(of: flaw).map(String.init).joined(separator: ", ")
      log.debug("\(flaw.label): \(done.counters.tally[flaw]), such as CEL \(ids)")
    }
  }
}

/// The failure that came first; those that follow mostly come of it.
private final class FirstFailure: Sendable {
  private let state = Mutex<(any Error)?>(nil)

  func note(_ error: any Error) { state.withLock { $0 = $0 ?? error } }

  var error: (any Error)? { state.withLock { $0 } }
}
