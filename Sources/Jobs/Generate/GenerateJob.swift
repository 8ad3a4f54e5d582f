import CallLogs
import Foundation
import Logging
import PostgreSQL
import Store

/// `generate` and `backfill`: covers what a scope names.
public struct GenerateJob {
  /// How far a run has come.
  public struct Progress: Sendable {
    /// CELs read so far.
    public var cels: Int
    /// Call logs written so far.
    public var callLogs: Int
    /// The share of the ids that is done, from 0 to 1.
    public var share: Double
    /// Seconds since the run began.
    public var seconds: Double
  }

  /// What a run did.
  public struct Summary: Sendable {
    /// What became of the CELs.
    public var counters = Counters()
    /// Seconds that it took.
    public var seconds = 0.0
    /// Chunks committed.
    public var chunks = 0
    /// The coverage afterwards.
    public var coverage = Coverage()
    /// Ids that are missing while somebody who may still commit them is at work: they wait for a later run.
    public var waiting: [Range<Int64>] = []
    /// Other ids in the table's range that are not covered afterwards.
    public var uncovered: [Range<Int64>] = []
    /// Seconds by which eventtime is ahead of the uniqueids; nil where they agree.
    public var clockOffset: Int?
  }

  private let context: RunContext
  private let progress: (Progress) -> Void

  /// A job on these databases.
  /// - Parameter progress: called after each chunk
  public init(_ context: RunContext, progress: @escaping (Progress) -> Void = { _ in }) {
    self.context = context
    self.progress = progress
  }

  /// Covers the scope, chunk by chunk, each committed for good. Nothing is written where nothing is uncovered.
  /// - Throws: ``JobError`` where it was interrupted or retries ran out; what is committed by then stays.
  public func run(_ scope: Scope) throws -> Summary {
    let started = Date()
    var summary = Summary()
    if context.linksCELs, !context.databases.isOne { try context.retry { try makeOldLinks() } }
    var mirror = CheckpointMirror(context)
    mirror.compare(context.checkpoint)
    let plan = try context.retry { try Plan(scope, context) }
    let total = plan.ranges.reduce(0.0) { $0 + Double($1.upperBound - max($1.lowerBound, 0)) }
    if !plan.ranges.isEmpty {
      announceLinks(plan)
      var worker = try ChunkWorker(context)
      var finished = 0.0
      for range in plan.ranges {
        var rest = range
        while !rest.isEmpty {
          if context.interruption.isRequested { throw context.retry.interrupted }
          let done = try context.retry { try worker.cover(rest) }
          mirror.write(done.checkpoint, isEnd: false)
          try context.retry { try worker.makeRecordedLinks() }
          worker.observeClock()
          log(done)
          summary.counters.add(done.counters)
          summary.chunks += 1
          finished += Double(done.covered.upperBound - max(done.covered.lowerBound, 0))
          rest = done.covered.upperBound..<max(done.covered.upperBound, range.upperBound)
          progress(
            Progress(
              cels: summary.counters.cels, callLogs: summary.counters.callLogsWritten, share: total > 0 ? finished / total : 1,
              seconds: Date().timeIntervalSince(started)))
        }
      }
      summary.clockOffset = worker.clock.offset
      if let last = try Checkpoint.read(context.table.identity, on: context.databases.logs) { mirror.write(last, isEnd: true) }
    }
    try context.retry { try describeRest(&summary, plan.greatest) }
    summary.seconds = Date().timeIntervalSince(started)
    return summary
  }

  private func describeRest(_ summary: inout Summary, _ greatest: Int64?) throws {
    summary.coverage = try Checkpoint.read(context.table.identity, on: context.databases.logs)?.coverage ?? Coverage()
    guard let greatest, let bounds = try context.table.bounds(on: context.databases.cels) else { return }
    summary.waiting = try context.checkpoint.gaps(on: context.databases.logs).map(\.ids)
    let waiting = Coverage(summary.waiting)
    summary.uncovered = summary.coverage.gaps(in: bounds.lowerBound..<max(greatest, bounds.lowerBound) + 1).flatMap {
      waiting.gaps(in: $0)
    }
  }

  /// Links that an earlier run committed but could not make any more in the other database.
  private func makeOldLinks() throws {
    while try context.checkpoint.makeRecordedLinks(
      in: context.table, cels: context.databases.cels, logs: context.databases.logs,
      before: { try context.reached(.beforeOldLinks) }, made: { try context.reached(.afterOldLinks) })
    {}
  }

  private func announceLinks(_ plan: Plan) {
    let ids = plan.ranges.reduce(Int64(0)) { $0 + ($1.upperBound - max($1.lowerBound, 0)) }
    guard context.linksCELs, ids > 2_000_000 else { return }
    context.log.warning("up to \(ids) CELs are linked to their call logs, some 1.5 KB of WAL each; --no-link-cels goes without")
  }

  private func log(_ done: ChunkWorker.Done) {
    context.log.debug(
      "covered CELs \(done.covered.lowerBound) to \(done.covered.upperBound - 1)", metadata: ["counts": "\(done.counters.json)"])
    for flaw in done.counters.tally.noted {
      let ids = done.counters.tally.examples(of: flaw).map(String.init).joined(separator: ", ")
      context.log.debug("\(flaw.label): \(done.counters.tally[flaw]), such as CEL \(ids)")
    }
  }
}
