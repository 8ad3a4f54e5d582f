import CallLogs
import Foundation
import Runs
import Store
import Values

/// Decides which missing ids of a chunk can come no more.
///
/// An id that is missing was either taken by a transaction that rolled back or is still going on. Whoever still goes on holds the lock of a writer since before he took it. So: look who holds it, then
/// read the missing ids once more, in a new snapshot. What is missing then, and nobody of those is left, is missing for good. Else it waits in `call_logd_gap`.
///
/// Where no lock can show a writer, an id is missing for good when it has been missing for long.
///
/// Under either rule, an id that the sequence has not given yet is never missing for good: the sequence will give it.
struct LateRows {
  private let databases: Databases
  private let table: CELTable
  private let checkpoint: Checkpoint
  private let report: LateRowReporter
  /// How long to wait for writers to end, seconds. CELs are written in transactions of milliseconds.
  private let patience: Double
  /// Seconds of the timed rule.
  private let finalAfter: Double
  /// Writers that were waited for in vain: they are not waited for again.
  private var stubborn: Set<CELTable.Writer> = []
  /// Gaps left so far.
  private var gapCount = 0
  /// The last id that the sequence is known to have given. It only grows, so that an older value makes more ids wait, never less.
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

  /// What is known of the ids of a chunk that was read.
  struct Settled {
    /// The ids that wait. Mostly they are missing; where they are very many pieces, rows that lie between them wait, too, and are not in the batch any more.
    var gaps: [Range<Int64>]
    /// The ids that are final and have a row.
    var present: [Range<Int64>]
  }

  /// Settles what is missing in a chunk that was read: reads those rows that have come in the meantime into `batch`.
  /// - Parameter ids: the ids of the chunk
  mutating func settle(in ids: Range<Int64>, into batch: inout CELBatch, read: inout ChunkRead, tally: inout Tally) throws
    -> Settled
  {
    // A sequence begins at 1: what lies below, down to where a table's coverage begins, never comes.
    let missing = read.missing.compactMap { $0.upperBound > 1 ? max($0.lowerBound, 1)..<$0.upperBound : nil }
    guard !missing.isEmpty else { return settled([], ids, read) }
    // Before it is looked who may still commit: who takes an id after this look is told by it.
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

  /// Pieces of a chunk that wait for the sequence. Where there are more, the smaller ones are covered: rows that come there later are found all the same, since covered ids that had no row are looked
  /// through by every run.
  private static let aheadLimit = 100

  /// Cuts missing ids in two: those that the sequence has given, and those that it will give.
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

  /// The pieces of a chunk that may wait by themselves. Coverage and gaps must stay small: a multirange of 100,000 pieces takes 130 ms to change. Where only time tells, every hole waits for long; where
  /// locks tell, it takes a writer that stays open.
  private var gapLimit: Int { gapCount > 1000 ? 1 : table.isTimed ? 100 : 1000 }

  // MARK: By locks

  /// - Parameter missing: set to what is missing still
  private mutating func unsettled(
    _ missing: inout [Range<Int64>], into batch: inout CELBatch, read: inout ChunkRead, tally: inout Tally
  ) throws -> [WaitingIDs] {
    guard !missing.isEmpty else { return [] }
    var writers = try writers()
    var left = try readAgain(missing, into: &batch, read: &read, tally: &tally)
    missing = left
    if left.isEmpty || writers.isEmpty { return [] }
    let deadline = Date().addingTimeInterval(patience)
    while !writers.subtracting(stubborn).isEmpty, Date() < deadline {
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

  /// What of `missing` has not been missing for long enough. A gap that waits has been looked at whole when it was noted: what is missing in it now was missing then.
  private func recent(_ missing: [Range<Int64>], in ids: Range<Int64>) throws -> [WaitingIDs] {
    let gaps = try checkpoint.gaps(in: ids, on: databases.logs)
    return WaitingIDs.pieces(of: missing, gaps).filter { $0.age < finalAfter }
  }

  /// Reads the chunk once more without what waits.
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
  /// Since when they are missing, as `call_logd_gap` says; nil for from now on.
  var since: Int64?
  /// Seconds since then.
  var age = 0.0

  /// `missing` cut where known gaps begin and end, so that each piece has been missing for one time. Both in ascending order.
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

  /// At most `limit` ranges that hold all of `pieces`: those of one time are joined first, then all.
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
