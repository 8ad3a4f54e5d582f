import PostgreSQL
import Runs
import Store
import Values

/// Decides when a pass runs.
struct FollowWatch {
  /// What a look says.
  enum Due {
    /// A pass is of no use now.
    case nothing
    /// A call has ended. Its last events may still be on their way.
    case afterDebounce
    /// Other work waits.
    case now
  }

  private let table: CELTable
  private let checkpoint: Checkpoint
  private let settings: FollowSettings
  /// The least id to cover while nothing is covered.
  let begin: Int64
  /// The greatest covered id; nil where nothing is covered.
  private(set) var covered: Int64?
  /// CELs above that.
  private(set) var ahead = 0
  private var gaps: [Range<Int64>] = []
  /// Whether rows among the waiting ids wait, too, so that seeing some there says nothing.
  private var rowsWait = false
  private var lastNews = ContinuousClock.now
  private var lastPass = ContinuousClock.now
  private var lastHistory = ContinuousClock.now
  private var lastHousekeeping: ContinuousClock.Instant?
  private var lastCoveredCheck: ContinuousClock.Instant?

  /// CELs that one look counts. A pass is due then.
  private static let limit = 5000
  /// Gaps whose rows a look asks for. The others wait for the next pass, which comes anyway.
  private static let gapLimit = 20
  private static let idleAfter = Duration.seconds(10)

  init(_ context: RunContext, _ settings: FollowSettings) throws {
    (table, checkpoint, self.settings) = (context.table, context.checkpoint, settings)
    let (table, cels) = (context.table, context.databases.cels)
    // Where nothing is covered, it begins behind the newest CEL.
    begin = try context.retry { try table.bounds(on: cels).map { $0.upperBound + 1 } ?? .min }
    let databases = context.databases
    let read = FollowWatch.read
    let (known, gaps) = try context.retry { try read(table, context.checkpoint, databases) }
    (covered, self.gaps) = (known, gaps)
  }

  private static func read(
    _ table: CELTable, _ checkpoint: Checkpoint, _ databases: Databases
  ) throws -> (covered: Int64?, gaps: [Range<Int64>]) {
    let covered = try Checkpoint.read(table.identity, on: databases.logs)?.coverage.greatest
    return (covered, try checkpoint.gaps(on: databases.logs).map(\.ids))
  }

  /// Looks for what is new.
  mutating func look(on databases: Databases) throws -> Due {
    let first = covered.map { $0 + 1 } ?? begin
    let news = try table.news(from: first, limit: FollowWatch.limit, on: databases.cels)
    let now = ContinuousClock.now
    if news.cels != ahead { lastNews = now }
    ahead = news.cels
    let hasEnded = news.ends > 0
    let isLate = now - lastPass >= settings.longest
    if news.cels >= FollowWatch.limit { return .now }
    if hasEnded { return .afterDebounce }
    if isLate, news.cels > 0 || !gaps.isEmpty { return .now }
    return try !rowsWait && hasLateRows(databases) ? .now : .nothing
  }

  private func hasLateRows(_ databases: Databases) throws -> Bool {
    try !gaps.isEmpty && table.hasRows(in: Array(gaps.suffix(FollowWatch.gapLimit)), on: databases.cels)
  }

  /// A pass has ended: reads what is covered now.
  mutating func passed(on databases: Databases) throws {
    (covered, gaps) = try FollowWatch.read(table, checkpoint, databases)
    rowsWait = try hasLateRows(databases)
    lastPass = .now
    lastHistory = lastPass
    ahead = 0
  }

  // MARK: Work for quiet times

  /// Whether no CEL has come for a while.
  var isIdle: Bool { ContinuousClock.now - lastNews >= FollowWatch.idleAfter }

  var historyIsDue: Bool { settings.history > 0 && ContinuousClock.now - lastHistory >= .seconds(60) }
  var housekeepingIsDue: Bool { lastHousekeeping.map { ContinuousClock.now - $0 >= settings.housekeeping } ?? true }
  var coveredCheckIsDue: Bool { lastCoveredCheck.map { ContinuousClock.now - $0 >= settings.coveredCheck } ?? true }

  mutating func housekeepingIsDone() { lastHousekeeping = .now }
  mutating func coveredCheckIsDone() { lastCoveredCheck = .now }
}
