import PostgreSQL
import Runs
import Store
import Values

/// Which CELs a run is to cover.
public enum Scope: Equatable, Sendable {
  /// Everything above the greatest covered id, then some history, newest first: the nightly run. With nothing covered yet, the newest 20,000 CELs, as Wazo's program takes.
  case nightly
  /// The newest so many uncovered CELs (rows, SIP chats aside).
  case newest(Int)
  /// What is uncovered between the least and the greatest CEL of so many days (24 hours each) before now.
  case days(Int)
  /// What is uncovered between the least and the greatest CEL with an instant at or after `from` and before `to`; nil for no bound.
  case dates(from: Int64?, to: Int64?)
  /// What is uncovered between two ids, both included; nil for no bound.
  case ids(from: Int64?, to: Int64?)
}

extension Scope {
  /// The verb that it is asked for with.
  var verb: String {
    switch self {
    case .nightly, .newest, .days: "generate"
    case .ids, .dates: "backfill"
    }
  }

  /// How it is asked for, for the record.
  var parameters: String {
    switch self {
    case .nightly: ""
    case .newest(let count): "-c \(count)"
    case .days(let days): "-d \(days)"
    case .dates(let from, let to):
      [from.map { "--from \(TimestampText.text($0))" }, to.map { "--to \(TimestampText.text($0))" }].compactMap { $0 }.joined(
        separator: " ")
    case .ids(let from, let to):
      [from.map { "--from-id \($0)" }, to.map { "--to-id \($0)" }].compactMap { $0 }.joined(separator: " ")
    }
  }
}

/// The runs of ids that a scope comes to, in the order in which they are done.
struct Plan {
  /// Ranges of uncovered ids. Ids below the least row and holes in between are part of them, so that coverage stays in few pieces.
  let ranges: [Range<Int64>]
  /// The greatest id there was when the plan was made.
  let greatest: Int64?

  /// - Parameter remakes: whether what is covered is part of it
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
      // What may have come in the meantime goes first.
      let gaps = try context.checkpoint.gaps(on: context.databases.logs).map(\.ids)
      let waiting = try Plan.mayHaveCome(gaps, context).flatMap { coverage.gaps(in: $0) }
      let new = done + 1 < all.upperBound ? [done + 1..<all.upperBound] : []
      let old = coverage.gaps(in: all.lowerBound..<max(all.lowerBound, done + 1)).flatMap { IDSet(gaps).gaps(in: $0) }
      ranges = waiting + new + (try Plan.newest(context.settings.history, of: old, table, cels))
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

  /// CELs of the first nightly run: all of history is for `backfill`.
  private static let firstRun = 20_000

  /// The ids that wait, but for those that the sequence has yet to give.
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
    // Nothing there that counts: CELs that were purged, or SIP chats only. It is done with, or it would stay uncovered for ever.
    guard let threshold = try table.threshold(ofNewest: count, in: gaps, on: connection) else { return gaps.reversed() }
    let below = gaps.filter { $0.lowerBound < threshold }.map { $0.lowerBound..<min($0.upperBound, threshold) }
    let isLowest = try !table.hasRows(in: below, on: connection)
    return gaps.reversed().compactMap { gap in
      // Where nothing lies below, the ids there are done as well.
      if isLowest || gap.lowerBound >= threshold { return gap }
      return gap.upperBound > threshold ? threshold..<gap.upperBound : nil
    }
  }
}
