import Logging
import PostgreSQL
import Runs
import Store
import Values

/// `status`: what is covered, what is not. Reads only and waits for nobody.
public struct StatusJob {
  /// How things stand.
  public struct Status: Sendable {
    /// The CEL table.
    public var table = ""
    /// Least and greatest id in the table; nil where it is empty.
    public var bounds: ClosedRange<Int64>?
    /// The coverage; nil where nothing has run yet.
    public var coverage: IDSet?
    /// Grows with every change of the coverage.
    public var generation: Int64 = 0
    /// Ids in the table's range that are not covered.
    public var uncovered: [Range<Int64>] = []
    /// Rows among them.
    public var uncoveredCELs: Int64 = 0
    /// Linkedids of conversations that have CELs both inside and outside of what is covered, or have not ended.
    public var reaching: Int64 = 0
    /// Ids that are missing and wait, since they may still come.
    public var gaps: [Checkpoint.Gap] = []
    /// How it is told that they come no more.
    public var lateRule = CELTable.LateRule.locks
    /// Seconds after which they count as never coming where only time tells.
    public var finalAfter = 0.0
    /// Transactions that have been open for some seconds and may still commit ids that wait, the oldest first.
    public var writers: [CELTable.OpenWriter] = []
    /// Links that are recorded and not made yet, in the CELs' database.
    public var pendingLinks: Int64 = 0
    /// The newest CEL that is covered now, and its instant, nil where it has none.
    public var newest: (id: Int64, time: Timestamp?)?
    /// Call logs in the table.
    public var callLogs: Int64 = 0
    /// Audio files that purges have forgotten and that are still there.
    public var audio = AudioList.Waiting()
    /// What became of the CELs, over all runs.
    public var counters: [(key: String, value: Int64)] = []
    /// What ran and what runs; nil where the schema has no record of it yet.
    public var runs: Runs?
    /// Steps of the schema that are not done.
    public var missingMigrations: [String] = []
  }

  /// CELs are written in transactions of milliseconds; from this age on, in seconds, one is worth naming.
  private static let longAge: Int64 = 5

  private let settings: RunContext.Settings
  private let interruption: Interruption
  private let log: Logger

  /// A job on these databases.
  public init(_ settings: RunContext.Settings, interruption: Interruption, log: Logger) {
    (self.settings, self.interruption, self.log) = (settings, interruption, log)
  }

  /// Looks everything up.
  public func run() throws -> Status {
    let databases = try Databases(settings.databases, interruption: interruption, log: log)
    let table = try CELTable.find(settings.celTable, timeZone: settings.celTimeZone, on: databases.cels)
    var status = Status()
    status.table = table.name
    status.lateRule = table.lateRule
    status.finalAfter = settings.finalAfter
    status.bounds = try table.bounds(on: databases.cels)
    status.missingMigrations = try Migrator(databases.logs).steps().filter { !$0.isApplied }.map(\.name)
    guard !status.missingMigrations.contains("m002_coverage") else { return status }
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
      // Where this role may not see the age, it may be a long one.
      status.writers = try table.openWriters(on: databases.cels).filter { $0.age ?? .max >= StatusJob.longAge }
    }
    let details = try checkpoint.details(on: databases.logs)
    status.reaching = details.reaching
    status.pendingLinks = details.pendingLinks
    status.counters = details.counters
    if !status.missingMigrations.contains("m005_workers") {
      status.runs = try StatusJob.runs(checkpoint, closeAfter: settings.closeAfter, on: databases.logs)
    }
    return status
  }
}
