import CallLogs
import PostgreSQL
import Runs
import Store
import Values

/// Changes the coverage when a restore brings CELs back, in the same commit.
///
/// A call stays covered if it is back whole and has its call log, or if a purge took its call log.
/// Every other call is uncovered, so that the next run makes its call log or notes it as open. Two
/// reasons: its call log may have been deleted since the CELs were archived, and its ids may have
/// been covered as missing while only the archive had them.
struct RestoredCELs {
  private let context: RunContext
  /// The connection with the restored rows, in its open transaction.
  private let cels: Connection
  /// The connection for the coverage, in an open transaction.
  private let logs: Connection

  /// How many ranges of ids one part may uncover: the coverage must stay in few ranges.
  private static let mostPieces = 200

  init(_ context: RunContext, cels: Connection, logs: Connection) { (self.context, self.cels, self.logs) = (context, cels, logs) }

  /// A call, as far as its CELs exist.
  private struct Call {
    var ids: [Int64]
    var linkedids: Set<String>
    /// Set if it lacks a LINKEDID_END.
    var open: Checkpoint.OpenCall?
    /// Whether it has a call log that was not made from all its CELs.
    var hasCallLog: Bool
  }

  /// Settles the rows with these ids, in ascending order. The gate must be closed, so that no chunk
  /// is at work.
  func settle(_ ids: [Range<Int64>]) throws {
    guard !ids.isEmpty else { return }
    let checkpoint = context.checkpoint
    let coverage = try checkpoint.locked(on: logs).coverage
    let (lacking, memory) = try callsWithoutCallLog(ids)
    defer { withExtendedLifetime(memory) {} }
    let back = IDSet(ids)
    let uncovered = IDSet(RestoredCELs.joined(lacking.flatMap(\.ids).filter(back.contains).ranges))
    if context.table.canSetCallLogID {
      // Their links say that they are done. Together with the other CELs of the call they are not.
      try context.table.unlink(cels: lacking.filter(\.hasCallLog).flatMap(\.ids).filter(back.contains), on: cels)
    }
    // If a call also has CELs that stay covered, a chunk does not see all of it.
    let reaching = lacking.filter { call in call.ids.contains { coverage.contains($0) && !uncovered.contains($0) } }
    try checkpoint.noteReaching(BinaryArray(strings: reaching.flatMap(\.linkedids).sorted()), on: logs)
    try checkpoint.noteOpen(lacking.compactMap(\.open), on: logs)
    // A run forgot the notes of these when the CELs were gone.
    try checkpoint.noteAwaited(try context.table.awaited(in: ids, on: cels), hasStarts: true, on: logs)
    let parts = uncovered.ranges.flatMap { coverage.parts(in: $0.lowerBound...($0.upperBound - 1)) }
    if !parts.isEmpty { try checkpoint.uncover(IDSet(parts).ranges, on: logs) }
    let stays = IDSet(coverage.ranges.flatMap { uncovered.gaps(in: $0) })
    let seen = IDSet(ids.flatMap { stays.parts(in: $0.lowerBound...($0.upperBound - 1)) }).ranges
    try checkpoint.noteSeen(seen, in: seen, forgets: false, on: logs)
  }

  /// Uncovers the CELs of restored call logs if some of these CELs appeared meanwhile.
  func settle(callLogs ids: [Range<Int64>]) throws {
    let conversations = try CallLogTables.conversations(of: ids, on: logs)
    let late = try context.checkpoint.late(among: BinaryArray(strings: conversations), on: logs)
    guard !late.isEmpty else { return }
    var (batch, tally) = (CELBatch(), Tally())
    let names = TextArena()
    try context.table.readConversations(late.sorted().map { names.text($0) }, into: &batch, tally: &tally, on: cels)
    guard batch.count > 0 else { return }
    let coverage = try context.checkpoint.locked(on: logs).coverage
    let parts = RestoredCELs.joined(batch.rows.map(\.id).ranges).flatMap {
      coverage.parts(in: $0.lowerBound...($0.upperBound - 1))
    }
    try context.checkpoint.noteReaching(BinaryArray(texts: batch.linkedids.texts), on: logs)
    if !parts.isEmpty { try context.checkpoint.uncover(IDSet(parts).ranges, on: logs) }
  }

  /// The calls of these rows, whole, that have neither a call log nor a purged one, or that have
  /// other CELs as well; and the memory of their texts.
  private func callsWithoutCallLog(_ ids: [Range<Int64>]) throws -> ([Call], TextArena?) {
    var linkedids = try context.table.linkedids(in: ids, on: cels)
    var known = try CallLogTables.conversations(among: BinaryArray(strings: linkedids.all.sorted()), andPurged: true, on: logs)
    // A restore brought back an older state of these call logs, or they got CELs meanwhile.
    linkedids.withOthers.formUnion(
      try context.checkpoint.late(among: BinaryArray(strings: linkedids.all.sorted()), on: logs))
    // One call has several call logs: some of them date from before its linkedids were joined.
    for joined in linkedids.joined where joined.count(where: known.contains) > 1 { linkedids.withOthers.formUnion(joined) }
    // Mostly the linkedid is that of the conversation. The others are looked up whole, and so are
    // calls with other CELs: some that appeared meanwhile, or those of another part.
    let rest = linkedids.all.subtracting(known).union(linkedids.withOthers)
    guard !rest.isEmpty else { return ([], nil) }
    var (batch, tally, grouping) = (CELBatch(), Tally(), Grouping())
    let names = TextArena()
    try context.table.readConversations(rest.sorted().map { names.text($0) }, into: &batch, tally: &tally, on: cels)
    grouping.group(batch)
    let others = Set(batch.linkedids.texts.map(\.string)).subtracting(rest).subtracting(known)
    known.formUnion(
      try CallLogTables.conversations(among: BinaryArray(strings: others.sorted()), andPurged: true, on: logs))
    // Call logs without a conversation, and calls that a purge of an earlier version took, are
    // known only by the CELs that point to them.
    let named = Set(batch.rows.map(\.callLogID)).subtracting([0]).sorted()
    let conversations = try CallLogTables.conversations(ofCallLogs: named, on: logs)
    let purged = try ArchiveRecord.purgedByID(among: named, on: logs)
    let there = Set(named.filter { conversations[$0] == "" || conversations[$0] == nil && purged.contains($0) })
    var lacking: [Call] = []
    for (number, group) in grouping.groups.enumerated() {
      let texts = grouping.linkedids[group.linkedids].map { batch.linkedid($0) }
      let rows = grouping.order[group.rows].map { batch.rows[Int($0)] }
      let isKnown =
        texts.contains { known.contains($0.string) } || rows.contains { there.contains($0.callLogID) }
      let hasOthers = texts.contains { linkedids.withOthers.contains($0.string) }
      guard hasOthers || !isKnown, let first = rows.first, let newest = rows.last else { continue }
      let open = Checkpoint.OpenCall(
        conversation: grouping.conversationID(of: number, in: batch), linkedids: texts, first: first.time, newest: newest.time,
        cels: rows.count)
      lacking.append(
        Call(ids: rows.map(\.id), linkedids: Set(texts.map(\.string)), open: group.isComplete ? nil : open, hasCallLog: isKnown))
    }
    return (lacking, batch.arena)
  }

  /// At most `limit` ranges that hold all of these. The closest ones are joined.
  static func joined(_ ranges: [Range<Int64>], limit: Int = mostPieces) -> [Range<Int64>] {
    guard ranges.count > limit else { return ranges }
    let distances = zip(ranges, ranges.dropFirst()).map { $1.lowerBound - $0.upperBound }
    let widest = Set(distances.enumerated().sorted { $0.element > $1.element }.prefix(limit - 1).map(\.offset))
    var joined = [ranges[0]]
    for (index, range) in ranges.enumerated().dropFirst() {
      if widest.contains(index - 1) {
        joined.append(range)
      } else {
        joined[joined.count - 1] = joined[joined.count - 1].lowerBound..<range.upperBound
      }
    }
    return joined
  }
}
