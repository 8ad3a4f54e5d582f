import CallLogs
import Foundation
import Runs
import Store
import Values

/// Decides which missing ids of a chunk can no longer appear. The article LateRows has the reasons.
///
/// The transaction that took a missing id has rolled back or is still open. An open one has held a
/// writer's lock on the table since before it took the id. So the worker first looks who holds that
/// lock, then reads the missing ids again in a new snapshot. An id is final if it is still missing
/// and none of those writers is left. Otherwise it waits in `call_logd_gap`.
///
/// Where locks cannot show writers, an id is final once it has been missing for `final_after`.
///
/// Under both rules, an id that the sequence has not given yet is never final.
struct LateRows {
  private let databases: Databases
  private let table: CELTable
  private let checkpoint: Checkpoint
  private let report: LateRowReporter
  /// Seconds to wait for writers to end. CELs are written in transactions of milliseconds.
  private let patience: Double
  /// Seconds of the timed rule.
  private let finalAfter: Double
  /// Writers that did not end in time. The worker does not wait for them again.
  private var stubborn: Set<CELTable.Writer> = []
  /// Gaps left so far.
  private var gapCount = 0
  /// The last id that the sequence gave, as far as is known. It only grows: an older value makes
  /// more ids wait, never fewer.
  private var lastGiven: Int64?
  #if NAMED_POINTS
    private let shortcuts: RunContext.Shortcuts
  #endif

  init(_ context: RunContext) {
    databases = context.databases
    table = context.table
    checkpoint = context.checkpoint
    report = LateRowReporter(context)
    patience = context.settings.patience
    finalAfter = context.settings.finalAfter
    #if NAMED_POINTS
      shortcuts = context.settings.shortcuts
    #endif
    report.sayRule()
  }

  /// The state of the ids of a chunk.
  struct Settled {
    /// The ids that wait. Most of them are missing. If there are very many ranges, rows between
    /// them wait, too, and are not in the batch any more.
    var gaps: [Range<Int64>]
    /// The ids that are final and have a row.
    var present: [Range<Int64>]
  }

  /// Settles the missing ids of a chunk. Reads rows that have appeared in the meantime into
  /// `batch`.
  /// - Parameter ids: the ids of the chunk
  mutating func settle(in ids: Range<Int64>, into batch: inout CELBatch, read: inout ChunkRead, tally: inout Tally) throws
    -> Settled
  {
    // A sequence begins at 1. Ids below, down to the beginning of the coverage, never appear.
    let missing = read.missing.compactMap { $0.upperBound > 1 ? max($0.lowerBound, 1)..<$0.upperBound : nil }
    guard !missing.isEmpty else { return settled([], ids, read) }
    // Ask for the last id before looking for writers: then the locks show everyone who took an
    // id up to it.
    var (given, ahead) = try split(missing)
    let waiting = table.isTimed ? try recent(given, in: ids) : try unsettled(&given, into: &batch, read: &read, tally: &tally)
    let gaps = WaitingIDs.joined(waiting, limit: gapLimit)
    gapCount += gaps.count
    if !ahead.isEmpty, !table.isTimed { ahead = try readAgain(ahead, into: &batch, read: &read, tally: &tally) }
    if !table.isTimed {
      let below = read.missing.compactMap { $0.lowerBound < 1 ? $0.lowerBound..<min($0.upperBound, 1) : nil }
      read.missing = IDSet(below + given + ahead).ranges
    }
    if gaps.count < waiting.count {
      try readAround(IDSet(gaps + ahead).ranges, ids, into: &batch, read: &read, tally: &tally)
    }
    return settled(IDSet(gaps + ahead).ranges, ids, read)
  }

  private func settled(_ gaps: [Range<Int64>], _ ids: Range<Int64>, _ read: ChunkRead) -> Settled {
    Settled(gaps: gaps, present: IDSet(IDSet(gaps + read.missing).gaps(in: ids)).ranges)
  }

  /// How many ranges of a chunk may wait for the sequence. The smaller ones beyond that are
  /// covered. Rows that appear there are found all the same: every run looks through covered ids
  /// without a row.
  private static let aheadLimit = 100

  /// Splits missing ids into those that the sequence has given and those that it has yet to give.
  private mutating func split(_ missing: [Range<Int64>]) throws -> (given: [Range<Int64>], ahead: [Range<Int64>]) {
    guard let greatest = missing.last?.upperBound else { return ([], []) }
    if lastGiven.map({ $0 < greatest - 1 }) ?? true {
      guard let last = try table.lastGiven(on: databases.cels) else { return (missing, []) }
      lastGiven = last
    }
    guard let last = lastGiven, last < greatest - 1 else { return (missing, []) }
    let first = max(last, 0) + 1
    let given = missing.compactMap { $0.lowerBound < first ? $0.lowerBound..<min($0.upperBound, first) : nil }
    var ahead = missing.compactMap { $0.upperBound > first ? max($0.lowerBound, first)..<$0.upperBound : nil }
    if ahead.count > LateRows.aheadLimit {
      let bySize = ahead.sorted { $0.upperBound - $0.lowerBound > $1.upperBound - $1.lowerBound }
      ahead = IDSet(Array(bySize.prefix(LateRows.aheadLimit))).ranges
    }
    return (given, ahead)
  }

  /// How many ranges of a chunk may wait each on its own. Coverage and gaps must stay small: a
  /// change of a multirange with 100,000 ranges takes 130 ms. Under the timed rule every hole waits
  /// for long; under the rule of locks it takes a writer that stays open.
  private var gapLimit: Int { gapCount > 1000 ? 1 : table.isTimed ? 100 : 1000 }

  // MARK: By locks

  /// - Parameter missing: set to the ids that are still missing
  private mutating func unsettled(
    _ missing: inout [Range<Int64>], into batch: inout CELBatch, read: inout ChunkRead, tally: inout Tally
  ) throws -> [WaitingIDs] {
    guard !missing.isEmpty else { return [] }
    var writers = try writers()
    var left = try readAgain(missing, into: &batch, read: &read, tally: &tally)
    missing = left
    if left.isEmpty || writers.isEmpty { return [] }
    let started = Stopwatch()
    while !writers.subtracting(stubborn).isEmpty, started.seconds < patience {
      Thread.sleep(forTimeInterval: 0.02)
      writers = writers.left(of: try self.writers())
    }
    left = try readAgain(left, into: &batch, read: &read, tally: &tally)
    missing = left
    stubborn.formUnion(writers)
    guard !writers.isEmpty, !left.isEmpty else { return [] }
    try report.name(writers, whileWaiting: left)
    return left.map { WaitingIDs(ids: $0, since: nil) }
  }

  private func writers() throws -> Set<CELTable.Writer> {
    #if NAMED_POINTS
      if shortcuts.contains(.noLockLookUp) { return [] }
    #endif
    return try table.writers(on: databases.cels)
  }

  private func readAgain(_ ids: [Range<Int64>], into batch: inout CELBatch, read: inout ChunkRead, tally: inout Tally) throws
    -> [Range<Int64>]
  {
    #if NAMED_POINTS
      if shortcuts.contains(.noSecondRead) { return ids }
    #endif
    return try table.readAgain(ids, into: &batch, read: &read, tally: &tally, on: databases.cels)
  }

  // MARK: By time

  /// The ids of `missing` that have not been missing for long enough. A known gap was noted as a
  /// whole, so every id of it that is missing now was missing then.
  private func recent(_ missing: [Range<Int64>], in ids: Range<Int64>) throws -> [WaitingIDs] {
    let gaps = try checkpoint.gaps(in: ids, on: databases.logs)
    return WaitingIDs.pieces(of: missing, gaps).filter { $0.age < finalAfter }
  }

  /// Reads the chunk again without the ids that wait.
  private func readAround(
    _ gaps: [Range<Int64>], _ ids: Range<Int64>, into batch: inout CELBatch, read: inout ChunkRead, tally: inout Tally
  ) throws {
    batch.removeAll()
    tally = Tally()
    read = ChunkRead()
    for part in IDSet(gaps).gaps(in: ids) {
      read.add(try table.read(part, limit: .max, into: &batch, tally: &tally, on: databases.cels))
    }
  }
}

/// Missing ids that wait, and since when.
struct WaitingIDs: Equatable {
  var ids: Range<Int64>
  /// The time since which they are missing, as in `call_logd_gap`; nil for now.
  var since: Int64?
  /// Seconds since then.
  var age = 0.0

  /// Cuts `missing` where known gaps begin and end, so that all ids of a piece have been missing
  /// for the same time. Both must be in ascending order.
  static func pieces(of missing: [Range<Int64>], _ gaps: [Checkpoint.Gap]) -> [WaitingIDs] {
    var pieces: [WaitingIDs] = []
    var first = 0
    for range in missing {
      while first < gaps.count, gaps[first].ids.upperBound <= range.lowerBound { first += 1 }
      var from = range.lowerBound
      for gap in gaps[first...] {
        guard gap.ids.lowerBound < range.upperBound else { break }
        if from < gap.ids.lowerBound { pieces.append(WaitingIDs(ids: from..<gap.ids.lowerBound)) }
        let upper = min(gap.ids.upperBound, range.upperBound)
        pieces.append(WaitingIDs(ids: max(from, gap.ids.lowerBound)..<upper, since: gap.since, age: gap.age))
        from = upper
      }
      if from < range.upperBound { pieces.append(WaitingIDs(ids: from..<range.upperBound)) }
    }
    return pieces
  }

  /// At most `limit` ranges that hold all of `pieces`. Pieces of the same time are joined first,
  /// then all.
  static func joined(_ pieces: [WaitingIDs], limit: Int) -> [Range<Int64>] {
    guard pieces.count > limit, let first = pieces.first, let last = pieces.last else { return pieces.map(\.ids) }
    var runs = [first]
    for piece in pieces.dropFirst() {
      if runs[runs.count - 1].since == piece.since {
        runs[runs.count - 1].ids = runs[runs.count - 1].ids.lowerBound..<piece.ids.upperBound
      } else {
        runs.append(piece)
      }
    }
    return runs.count > limit ? [first.ids.lowerBound..<last.ids.upperBound] : runs.map(\.ids)
  }
}
