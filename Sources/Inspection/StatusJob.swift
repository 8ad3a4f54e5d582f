import Logging
import PostgreSQL
import Runs
import Store
import Values

/// `status`: coverage, gaps, runs and counts. Changes nothing and waits for nobody.
public struct StatusJob {
  /// The state of one CEL table and its call logs.
  public struct Status: Sendable {
    /// The CEL table.
    public var table = ""
    /// Least and greatest id in the table; nil if it is empty.
    public var bounds: ClosedRange<Int64>?
    /// The coverage; nil before the first run.
    public var coverage: IDSet?
    /// The number of changes of the coverage.
    public var generation: Int64 = 0
    /// Ids in the table's range that are not covered.
    public var uncovered: [Range<Int64>] = []
    /// The number of CELs in these ids.
    public var uncoveredCELs: Int64 = 0
    /// Linkedids of conversations with CELs on both sides of the coverage, or without an end.
    public var reaching: Int64 = 0
    /// Missing ids that wait, because they may still appear.
    public var gaps: [Checkpoint.Gap] = []
    /// The rule by which missing ids become final.
    public var lateRule = CELTable.LateRule.locks
    /// Seconds after which they become final under the timed rule.
    public var finalAfter = 0.0
    /// Transactions that have been open for some seconds and may still commit waiting ids, oldest
    /// first.
    public var writers: [CELTable.OpenWriter] = []
    /// Links on record in the CELs' database that are not made yet.
    public var pendingLinks: Int64 = 0
    /// The newest covered CEL, and its time; that is nil if it cannot be read.
    public var newest: (id: Int64, time: Timestamp?)?
    /// Call logs in the table.
    public var callLogs: Int64 = 0
    /// Audio files in the queue of purges.
    public var audio = AudioList.Waiting()
    /// Counts over all runs, by key.
    public var counters: [(key: String, value: Int64)] = []
    /// Runs and claims; nil if the schema has no record of them yet.
    public var runs: Runs?
    /// Who makes call logs as calls end; nil where nobody does.
    public var follower: Follower?
    /// Search indexes that the server can use.
    public var searchIndexes: Set<SearchIndex> = []
    /// Whether call logs are counted by tenant and hour as they are written.
    public var areCountsKept = false
    /// How the counts compare with the call logs; nil where nobody compared, or nothing is counted.
    public var countDifference: CallLogCounts.Difference?
    /// Steps of the schema that are not done.
    public var missingMigrations: [String] = []
  }

  /// CELs are written in transactions of milliseconds. One of this age, in seconds, is worth
  /// reporting.
  private static let longAge: Int64 = 5

  private let settings: RunContext.Settings
  private let interruption: Interruption
  private let log: Logger

  /// Makes a job on these databases.
  public init(_ settings: RunContext.Settings, interruption: Interruption, log: Logger) {
    (self.settings, self.interruption, self.log) = (settings, interruption, log)
  }

  /// Reads everything.
  /// - Parameter checksCounts: whether the counts are compared, which reads all call logs
  /// - Throws: ``StoreError`` if there is no CEL table; errors of the server
  public func run(checksCounts: Bool = false) throws -> Status {
    let databases = try Databases(settings.databases, interruption: interruption, log: log)
    let table = try CELTable.find(settings.celTable, timeZone: settings.celTimeZone, on: databases.cels)
    var status = Status()
    status.table = table.name
    status.lateRule = table.lateRule
    status.finalAfter = settings.finalAfter
    status.bounds = try table.bounds(on: databases.cels)
    status.missingMigrations = try Migrator(databases.logs).steps().filter { !$0.isApplied }.map(\.name)
    guard !status.missingMigrations.contains("m002_coverage") else { return status }
    status.searchIndexes = try SearchIndex.usable(on: databases.logs)
    status.areCountsKept = try CallLogCounts.areKept(on: databases.logs)
    if checksCounts { status.countDifference = try CallLogCounts.compare(on: databases.logs) }
    status.callLogs = try CallLogTables.count(on: databases.logs)
    if !status.missingMigrations.contains("m007_audio") { status.audio = try AudioList.waiting(on: databases.logs) }
    guard
      let checkpoint = try Checkpoint.read(
        table.identity, isEarlier: status.missingMigrations.contains("m009_presence"), on: databases.logs)
    else { return status }
    status.coverage = checkpoint.coverage
    status.generation = checkpoint.generation
    status.newest = try table.newest(in: checkpoint.coverage, on: databases.cels)
    if let bounds = status.bounds {
      status.uncovered = checkpoint.coverage.gaps(in: bounds.lowerBound..<bounds.upperBound + 1)
      status.uncoveredCELs = try table.count(in: status.uncovered, on: databases.cels)
    }
    if !status.missingMigrations.contains("m004_gaps") { status.gaps = try checkpoint.gaps(on: databases.logs) }
    if !table.isTimed, !status.gaps.isEmpty {
      // This role may not see the age of a transaction. Then it may be old.
      status.writers = try table.openWriters(on: databases.cels).filter { $0.age ?? .max >= StatusJob.longAge }
    }
    let details = try checkpoint.details(on: databases.logs)
    status.reaching = details.reaching
    status.pendingLinks = details.pendingLinks
    status.counters = details.counters
    if !status.missingMigrations.contains("m013_follower") {
      status.follower = try Follower.read(checkpoint, on: databases.logs)
    }
    if !status.missingMigrations.contains("m005_workers") {
      status.runs = try StatusJob.runs(checkpoint, closeAfter: settings.closeAfter, on: databases.logs)
    }
    return status
  }
}
