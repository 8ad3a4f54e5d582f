import Logging
import Runs
import Store
import Values

/// `generate`, `backfill`, and `regenerate` of ranges: covers the CELs of a scope.
public struct GenerateJob {
  /// The progress of a run.
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

  /// The result of a run.
  public struct Summary: Sendable {
    /// Counts of CELs, conversations and call logs.
    public var counters = Counters()
    /// Duration in seconds.
    public var seconds = 0.0
    /// Chunks committed.
    public var chunks = 0
    /// The coverage afterwards.
    public var coverage = IDSet()
    /// Missing ids that an open transaction may still commit. They wait for a later run.
    public var waiting: [Range<Int64>] = []
    /// Other ids in the table's range that are not covered afterwards.
    public var uncovered: [Range<Int64>] = []
    /// Seconds by which eventtime is ahead of the uniqueids; nil if they agree.
    public var clockOffset: Int?
  }

  private let context: RunContext
  private let progress: (Progress) -> Void

  /// Makes a job on these databases.
  /// - Parameter progress: called after each chunk
  public init(_ context: RunContext, progress: @escaping (Progress) -> Void = { _ in }) {
    self.context = context
    self.progress = progress
  }

  /// Covers the scope chunk by chunk, and commits each. If nothing is uncovered, it writes nothing.
  /// - Parameter remakes: whether it also remakes the call logs of covered CELs, those of other
  ///   programs included, as `regenerate` does
  /// - Throws: ``JobError`` if the run was interrupted or retries ran out. Committed chunks stay.
  public func run(_ scope: Scope, remakes: Bool = false) throws -> Summary {
    try context.recorded(remakes ? "regenerate" : scope.verb, scope.parameters) { try run(scope, remakes: remakes, $0) }
  }

  private func run(_ scope: Scope, remakes: Bool, _ record: RunRecord) throws -> Summary {
    let started = Stopwatch()
    // An earlier run may have committed these and ended before it made them.
    try context.retry { try context.makeRecordedLinks() }
    let mirror = CheckpointMirror(context)
    try context.retry { try mirror.compare(context) }
    try CoveredCheck(context).run()
    try AwaitedLearning(context).run()
    let plan = try context.retry { try Plan(scope, context, remakes: remakes) }
    let tally = RunTally(plan, mirror, started)
    if !plan.ranges.isEmpty {
      announceLinks(plan)
      let queue = WorkQueue(plan.ranges, chunkSize: context.settings.chunkSize, remakes: remakes)
      try Workers(context, queue, record, tally, remakes: remakes) { progress($0) }.run()
    }
    try context.retry { try context.leaveLastIDOut(tally) }
    try CloseSweep(context, record, tally).run()
    try AwaitedSweep(context).run()
    let last = try context.retry { try Checkpoint.read(context.table.identity, on: context.databases.logs) }
    var summary = tally.end(last)
    try context.retry { try describeRest(&summary, plan.greatest) }
    summary.seconds = started.seconds
    return summary
  }

  private func describeRest(_ summary: inout Summary, _ greatest: Int64?) throws {
    summary.coverage = try Checkpoint.read(context.table.identity, on: context.databases.logs)?.coverage ?? IDSet()
    guard let greatest, let bounds = try context.table.bounds(on: context.databases.cels) else { return }
    summary.waiting = try context.checkpoint.gaps(on: context.databases.logs).map(\.ids)
    let waiting = IDSet(summary.waiting)
    summary.uncovered = summary.coverage.gaps(in: bounds.lowerBound..<max(greatest, bounds.lowerBound) + 1).flatMap {
      waiting.gaps(in: $0)
    }
  }

  private func announceLinks(_ plan: Plan) {
    let ids = plan.ranges.map { max($0.lowerBound, 0)..<max($0.upperBound, 0) }.width
    guard context.linksCELs, ids > 2_000_000 else { return }
    context.log.warning(
      "up to \(ids) CELs get links to their call logs, which takes some 1.5 KB of WAL for each; --no-link-cels leaves the links out"
    )
  }
}
