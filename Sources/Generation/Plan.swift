import PostgreSQL
import Runs
import Store
import Values

/// The ranges of ids of a scope, in the order of work.
struct Plan {
  /// Ranges of uncovered ids. They include ids below the least row, and holes, so that the coverage
  /// stays in few ranges.
  let ranges: [Range<Int64>]
  /// The greatest id when the plan was made.
  let greatest: Int64?

  /// - Parameter remakes: whether covered ids are included
  init(_ scope: Scope, _ context: RunContext, remakes: Bool = false) throws {
    let (table, cels) = (context.table, context.databases.cels)
    let known = try Checkpoint.read(table.identity, on: context.databases.logs)?.coverage ?? IDSet()
    let coverage = remakes ? IDSet() : known
    guard let bounds = try table.bounds(on: cels) else {
      ranges = []
      greatest = nil
      return
    }
    greatest = bounds.upperBound
    let all = min(0, bounds.lowerBound)..<bounds.upperBound + 1
    switch scope {
    case .nightly:
      guard let done = coverage.greatest else {
        ranges = try Plan.newest(max(Plan.firstRun, context.settings.history), of: [all], table, cels)
        return
      }
      ranges = try Plan.above(done, coverage, all, history: context.settings.history, context)
    case .following(let from, let history):
      guard let done = coverage.greatest else {
        let first = max(from, all.lowerBound)
        ranges = first < all.upperBound ? [first..<all.upperBound] : []
        return
      }
      ranges = try Plan.above(done, coverage, all, history: history, context)
    case .newest(let count):
      ranges = try Plan.newest(count, of: coverage.gaps(in: all), table, cels).sorted { $0.lowerBound < $1.lowerBound }
    case .days(let days):
      let cutoff = try CallLogTables.time(daysAgo: days, on: cels)
      ranges = try Plan.dates(from: cutoff, to: nil, coverage, table, cels)
    case .dates(let from, let to):
      ranges = try Plan.dates(from: from, to: to, coverage, table, cels)
    case .ids(let from, let to):
      let lower = max(from ?? all.lowerBound, all.lowerBound)
      let upper = to.map { $0 < all.upperBound ? $0 + 1 : all.upperBound } ?? all.upperBound
      ranges = lower < upper ? coverage.gaps(in: lower..<upper) : []
    }
  }

  /// What may have come among waiting ids, what is above the greatest covered id, and some history.
  private static func above(
    _ done: Int64, _ coverage: IDSet, _ all: Range<Int64>, history: Int, _ context: RunContext
  ) throws -> [Range<Int64>] {
    let gaps = try context.checkpoint.gaps(on: context.databases.logs).map(\.ids)
    let waiting = try mayHaveCome(gaps, context).flatMap { coverage.gaps(in: $0) }
    let new = done + 1 < all.upperBound ? [done + 1..<all.upperBound] : []
    let old = coverage.gaps(in: all.lowerBound..<max(all.lowerBound, done + 1)).flatMap { IDSet(gaps).gaps(in: $0) }
    return waiting + new + (try newest(history, of: old, context.table, context.databases.cels))
  }

  /// CELs of the first nightly run. `backfill` covers all history.
  private static let firstRun = 20_000

  /// The waiting ids, without those that the sequence has yet to give.
  private static func mayHaveCome(_ gaps: [Range<Int64>], _ context: RunContext) throws -> [Range<Int64>] {
    let (table, cels) = (context.table, context.databases.cels)
    guard !gaps.isEmpty, let last = try table.lastGiven(on: cels) else { return gaps }
    return try gaps.filter { try $0.lowerBound <= last || table.hasRows(in: [$0], on: cels) }
  }

  private static func dates(from: Int64?, to: Int64?, _ coverage: IDSet, _ table: CELTable, _ connection: Connection) throws
    -> [Range<Int64>]
  {
    guard let bounds = try table.bounds(from: from, to: to, on: connection) else { return [] }
    return coverage.gaps(in: bounds.lowerBound..<bounds.upperBound + 1)
  }

  /// The parts of `gaps` that hold the newest `count` rows, newest first.
  private static func newest(_ count: Int, of gaps: [Range<Int64>], _ table: CELTable, _ connection: Connection) throws -> [Range<
    Int64
  >] {
    guard count > 0 else { return [] }
    // Only purged CELs or SIP chats are there. Cover them, or they would stay uncovered for
    // ever.
    guard let threshold = try table.threshold(ofNewest: count, in: gaps, on: connection) else { return gaps.reversed() }
    let below = gaps.filter { $0.lowerBound < threshold }.map { $0.lowerBound..<min($0.upperBound, threshold) }
    let isLowest = try !table.hasRows(in: below, on: connection)
    return gaps.reversed().compactMap { gap in
      // If nothing lies below, include the ids below as well.
      if isLowest || gap.lowerBound >= threshold { return gap }
      return gap.upperBound > threshold ? threshold..<gap.upperBound : nil
    }
  }
}
