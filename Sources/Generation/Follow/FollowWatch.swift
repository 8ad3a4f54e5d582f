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
  private var greatest: Int64?
  private var gaps: [Range<Int64>] = []
  /// Whether rows among the waiting ids wait, too, so that seeing some there says nothing.
  private var rowsWait = false
  /// Whether the last pass left calls to a later one. Such a call may have its LINKEDID_END
  /// already.
  private var hasLeftCalls = false
  private var isFirst = true
  private var lastNews = ContinuousClock.now
  private var lastPass = ContinuousClock.now
  /// The pause until waiting ids get a pass although no row of theirs has come.
  private var gapPause: Duration
  private var nextHistory = ContinuousClock.now
  private var lastHousekeeping: ContinuousClock.Instant?
  private var lastCoveredCheck: ContinuousClock.Instant?

  /// CELs that one look counts. A pass is due then.
  private static let limit = 5000
  /// Gaps whose rows a look asks for. The others wait for the next pass, which comes anyway.
  private static let gapLimit = 20
  private static let longestGapPause = Duration.seconds(60)
  /// CELs of history in one pass. New calls wait for such a pass, so it is short.
  private static let historyPortion = 2000

  /// - Parameter begin: the least id to cover while nothing is covered; nil for the newest CEL's.
  ///   The newest CEL is then covered at once. So the next follower knows where this one began.
  ///   Where there are no CELs yet, that is noted.
  init(_ context: RunContext, _ settings: FollowSettings, begin: Int64?) throws {
    (table, checkpoint, self.settings) = (context.table, context.checkpoint, settings)
    gapPause = settings.longest
    let (table, databases) = (context.table, context.databases)
    self.begin =
      try begin
      ?? context.retry {
        if let newest = try table.bounds(on: databases.cels)?.upperBound { return newest }
        try FollowWatch.noteEmptyTable(context)
        return .min
      }
    try context.retry { try reread(databases) }
  }

  /// Notes that no CEL is history: it covers id 0, which no sequence gives. Otherwise calls that
  /// come while nobody follows would be history to the next follower.
  private static func noteEmptyTable(_ context: RunContext) throws {
    let logs = context.databases.logs
    try logs.transaction(purpose: "Noting that there are no CELs yet") {
      try context.checkpoint.shareGate(on: logs)
      let checkpoint = try context.checkpoint.locked(on: logs)
      guard checkpoint.coverage.isEmpty else { return }
      try checkpoint.cover([0..<1], witnesses: [], counters: "{}", on: logs)
    }
  }

  /// Reads what is covered and which ids wait.
  mutating func reread(_ databases: Databases) throws {
    covered = try Checkpoint.read(table.identity, on: databases.logs)?.coverage.greatest
    gaps = try checkpoint.gaps(on: databases.logs).map(\.ids)
  }

  /// Looks for what is new.
  mutating func look(on databases: Databases) throws -> Due {
    let first = covered.map { $0 == .max ? $0 : $0 + 1 } ?? begin
    let news = try table.news(from: first, limit: FollowWatch.limit, on: databases.cels)
    let now = ContinuousClock.now
    if let newest = news.greatest, newest != greatest { (greatest, lastNews) = (newest, now) }
    ahead = news.cels
    if isFirst || news.cels >= FollowWatch.limit { return .now }
    if news.ends > 0 || hasLeftCalls && news.cels > 0 { return .afterDebounce }
    if news.cels > 0, now - lastPass >= settings.longest { return .now }
    if !gaps.isEmpty, now - lastPass >= gapPause { return .now }
    return try !rowsWait && hasLateRows(databases) ? .now : .nothing
  }

  private func hasLateRows(_ databases: Databases) throws -> Bool {
    try !gaps.isEmpty && table.hasRows(in: Array(gaps.suffix(FollowWatch.gapLimit)), on: databases.cels)
  }

  /// A pass has ended.
  mutating func passed(_ counters: Counters, on databases: Databases) throws {
    let waiting = gaps
    try reread(databases)
    rowsWait = try hasLateRows(databases)
    hasLeftCalls = counters.left > 0
    // A gap that stays as it is costs ever fewer passes. A row of it is seen all the same.
    gapPause = counters.cels == 0 && gaps == waiting ? min(gapPause * 2, FollowWatch.longestGapPause) : settings.longest
    isFirst = false
    lastPass = .now
    ahead = 0
  }

  // MARK: Work for quiet times

  /// Whether no CEL has come for a while.
  var isIdle: Bool { ContinuousClock.now - lastNews >= settings.idleAfter }

  /// CELs of history that a pass may add now; 0 for none.
  var historyDue: Int {
    settings.history > 0 && isIdle && ContinuousClock.now >= nextHistory ? min(settings.history, FollowWatch.historyPortion) : 0
  }

  /// A pass has added so many CELs of history.
  mutating func historyIsDone(cels: Int) {
    // Where none was left there will hardly be any soon.
    let share = cels == 0 ? 1 : Double(min(settings.history, FollowWatch.historyPortion)) / Double(max(settings.history, 1))
    nextHistory = .now + .seconds(60) * share
  }

  var housekeepingIsDue: Bool { lastHousekeeping.map { ContinuousClock.now - $0 >= settings.housekeeping } ?? true }
  var coveredCheckIsDue: Bool { lastCoveredCheck.map { ContinuousClock.now - $0 >= settings.coveredCheck } ?? true }

  mutating func housekeepingIsDone() { lastHousekeeping = .now }
  mutating func coveredCheckIsDone() { lastCoveredCheck = .now }
}
