import Archive
import CallLogs
import PostgreSQL
import Runs
import Store
import Values

/// CELs that are due, by whole calls: all CELs of a call are due and covered. The source reads them
/// by id, a window of rows at a time. A call belongs to the window that has its least id, and to
/// the month of its first event.
struct CELSource: PartSource {
  let kind = ArchiveKind.cel
  let context: RunContext
  let before: Int64
  let words: [String]
  let limit: Int
  private let restored: IDSet
  var besides = IDSet()
  private(set) var kept = KeptRows()
  /// The beginning of the window. It is `Int64.min` at first, so that a row with that id is
  /// included.
  private var cursor = Int64.min
  private var windowEnd: Int64?
  private let last: Int64?
  /// The least id of the table. The share is measured from there.
  private let least: Int64

  /// By ids, because calls lie in the table in the order of their arrival.
  var share: Double {
    guard let last, last > least else { return 1 }
    return min(max(Double(max(cursor, done ?? cursor)) - Double(least), 0) / (Double(last) - Double(least)), 1)
  }
  /// The greatest of the least ids of the window's calls that are done.
  private var done: Int64?
  /// Ids of calls that are done, as far as this window or later ones may meet them: a copy leaves
  /// its rows in the table.
  private var doneIDs: Set<Int64> = []

  var connection: Connection { context.databases.cels }

  init(_ context: RunContext, _ retention: Retention, now: Int64, limit: Int) throws {
    (self.context, self.limit) = (context, limit)
    (before, words) = retention.cels(now: now)
    restored = try RestoredRows.kept(kind: kind.rawValue, on: context.databases.logs)
    // Throws if the column's times cannot be compared.
    _ = try context.table.outlines(before: before, after: 0, upTo: 0, limit: 1, on: context.databases.cels)
    last = try context.table.greatestID(before: before, on: context.databases.cels)
    least = try context.table.bounds(on: context.databases.cels)?.lowerBound ?? 0
  }

  /// A call, or a single row without a linkedid.
  fileprivate struct Call {
    var ids: [Int64] = []
    var linkedids: Set<String> = []
    var first = Int64.max
    var newest = Int64.min
    var least: Int64 { ids.min() ?? 0 }
  }

  private enum Verdict { case due, young, uncovered, restored, archived }

  /// The state of calls at one moment.
  private struct Standing {
    var coverage: IDSet
    /// Ids that may still be committed. They may belong to any call that is not complete.
    var waiting: IDSet
    /// Linkedids of calls with CELs that are not covered.
    var reaching: Set<String>
    /// While ids wait: linkedids of calls that have all their beginnings and ends.
    var closed: Set<String>

    func isWhole(_ call: Call) -> Bool {
      guard call.ids.allSatisfy(coverage.contains), reaching.isDisjoint(with: call.linkedids) else { return false }
      guard !waiting.isEmpty, let least = call.ids.min(), let greatest = call.ids.max() else { return true }
      return call.linkedids.isSubset(of: closed) && waiting.parts(in: least...greatest).isEmpty
    }
  }

  private func standing(of calls: [Call]) throws -> Standing {
    let (table, checkpoint, logs) = (context.table, context.checkpoint, context.databases.logs)
    let linkedids = calls.reduce(into: Set<String>()) { $0.formUnion($1.linkedids) }.sorted()
    var standing = Standing(
      coverage: try checkpoint.done(on: logs), waiting: IDSet(),
      reaching: try checkpoint.withUncovered(among: BinaryArray(strings: linkedids), on: logs), closed: [])
    // No transaction has taken an id that the sequence has yet to give.
    let last = try table.lastGiven(on: connection) ?? .max
    standing.waiting = IDSet(
      try checkpoint.gaps(on: logs).compactMap { gap in
        let upper = gap.ids.upperBound - 1 > last ? last + 1 : gap.ids.upperBound
        return gap.ids.lowerBound < upper ? gap.ids.lowerBound..<upper : nil
      })
    if !standing.waiting.isEmpty { standing.closed = try closed(among: linkedids) }
    return standing
  }

  private func closed(among linkedids: [String]) throws -> Set<String> {
    var (batch, tally, grouping) = (CELBatch(), Tally(), Grouping())
    let names = TextArena()
    try context.table.readConversations(linkedids.map { names.text($0) }, into: &batch, tally: &tally, on: connection)
    grouping.group(batch)
    var closed: Set<String> = []
    for group in grouping.groups where group.isClosed {
      for linkedid in grouping.linkedids[group.linkedids] { closed.insert(batch.linkedid(linkedid).string) }
    }
    return closed
  }

  private func verdict(_ call: Call, _ standing: Standing) -> Verdict {
    if call.newest >= before { return .young }
    if !standing.isWhole(call) { return .uncovered }
    if call.ids.contains(where: restored.contains) { return .restored }
    return call.ids.allSatisfy(besides.contains) ? .archived : .due
  }

  /// The calls of these rows, whole.
  private func calls(of rows: [CELTable.Outline]) throws -> [Call] {
    let linkedids = Set(rows.compactMap(\.linkedid))
    let members = linkedids.isEmpty ? [] : try context.table.outlines(ofCalls: linkedids, on: connection)
    return CELSource.calls(members)
      + rows.filter { $0.linkedid == nil }.map { row in
        var call = Call()
        call.add(row)
        return call
      }
  }

  /// Groups rows of calls by call.
  private static func calls(_ members: [CELTable.Outline]) -> [Call] {
    var (linkedids, uniqueids, connected) = (Numbers(), Numbers(), ConnectedLinkedids())
    for row in members {
      guard let linkedid = row.linkedid else { continue }
      let numbers = (linkedids.number(of: linkedid), row.uniqueid.map { uniqueids.number(of: $0) } ?? -1)
      connected.grow(linkedids: linkedids.count, uniqueids: uniqueids.count)
      connected.add(linkedid: numbers.0, uniqueid: numbers.1)
    }
    var calls: [Int32: Call] = [:]
    for row in members {
      guard let linkedid = row.linkedid else { continue }
      calls[connected.call(ofLinkedid: linkedids.number(of: linkedid)), default: Call()].add(row)
    }
    return Array(calls.values)
  }

  private func window() throws -> [CELTable.Outline] {
    guard let last else { return [] }
    return try context.table.outlines(
      before: before, after: cursor, upTo: windowEnd ?? last,
      besides: IDSet(besides.ranges + doneIDs.ranges).ranges, limit: limit, on: connection)
  }

  /// The calls of the window that are due and not done.
  private func candidates(_ rows: [CELTable.Outline]) throws -> [Call] {
    let calls = try calls(of: rows)
    let standing = try standing(of: calls)
    return calls.filter { (cursor == .min || $0.least > cursor) && verdict($0, standing) == .due }.sorted { $0.least < $1.least }
  }

  mutating func nextMonth() throws -> Month? {
    guard let last else { return nil }
    while cursor < last {
      if context.interruption.isRequested { throw context.retry.interrupted }
      let rows = try window()
      if windowEnd == nil { windowEnd = rows.count < limit ? last : rows.last?.id ?? last }
      let candidates = try candidates(rows)
      if let first = candidates.first, let done, done < first.least {
        // The part was full before the end of the window. Begin the next window at its end, so that
        // the next part is full, too.
        try count(rows.filter { $0.id < first.least })
        move(to: first.least - 1)
      } else if let month = candidates.compactMap({ Month(of: $0.first) }).first {
        return month
      } else {
        try count(rows)
        move(to: windowEnd ?? last)
      }
    }
    return nil
  }

  private mutating func move(to id: Int64) {
    (cursor, windowEnd, done) = (id, nil, nil)
    doneIDs = doneIDs.filter { $0 > id }
  }

  /// Counts the rows of a window that stay.
  private mutating func count(_ rows: [CELTable.Outline]) throws {
    let calls = try calls(of: rows)
    let standing = try standing(of: calls)
    let due = Set(rows.map(\.id))
    for call in calls {
      let here = Int64(call.ids.count(where: due.contains))
      switch verdict(call, standing) {
      case .young: kept.young += here
      case .uncovered: kept.uncovered += here
      case .restored: kept.restored += here
      case .archived: break
      case .due: kept.changed += here
      }
    }
  }

  func select(_ month: Month) throws -> Selection? {
    var chosen: [Call] = []
    var count = 0
    for call in try candidates(window()) where Month(of: call.first) == month {
      // Never cut a call in half. A call that is larger than a part gets a part of its own.
      if count > 0, count + call.ids.count > limit { break }
      chosen.append(call)
      count += call.ids.count
    }
    return CELSource.selection(chosen)
  }

  func select(_ ids: [Range<Int64>], rows: Int) throws -> Selection? {
    let wanted = IDSet(ids)
    guard let greatest = wanted.greatest, let least = ids.first?.lowerBound else { return nil }
    let there = try context.table.outlines(
      before: before, after: least > .min ? least - 1 : least, upTo: greatest, limit: .max, on: connection
    )
    .filter { wanted.contains($0.id) }
    guard there.count == rows else { return nil }
    var isWhole = true
    let found = try calls(of: there)
    let standing = try standing(of: found)
    for call in found {
      var other = self
      other.besides = IDSet()
      isWhole = isWhole && other.verdict(call, standing) == .due && call.ids.allSatisfy(wanted.contains)
    }
    return isWhole ? CELSource.selection(found) : nil
  }

  private static func selection(_ calls: [Call]) -> Selection? {
    guard let first = calls.map(\.first).min(), let newest = calls.map(\.newest).max() else { return nil }
    return Selection(
      ids: calls.flatMap(\.ids).sorted(), dates: first...max(first, newest),
      lastCall: calls.map(\.least).max() ?? 0,
      linkedids: calls.reduce(into: []) { $0.formUnion($1.linkedids) })
  }

  mutating func advance(past selection: Selection) {
    done = max(done ?? .min, selection.lastCall)
    let cursor = cursor
    doneIDs.formUnion(selection.ids.filter { cursor == .min || $0 > cursor })
  }

  func columns(_ content: FileContent) throws -> TableColumns { try TableColumns.read(context.table.name, on: connection) }

  func copyOut(
    _ content: FileContent, _ columns: TableColumns, _ selection: Selection, _ sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int {
    try context.table.copyOut(selection.ids, columns: columns, on: connection, sink)
  }

  func count(_ content: FileContent, _ selection: Selection) throws -> Int { selection.ids.count }

  /// A deletion of call logs may have uncovered these CELs since they were selected. Without the
  /// CELs nobody could make the call logs again. From here on nobody can uncover them.
  func checkBeforeDeletion(_ selection: Selection, archive: Int32?) throws {
    let (side, logs, checkpoint) = (context.databases.side, context.databases.logs, context.checkpoint)
    let now = try checkpoint.done(on: side)
    let linkedids = BinaryArray(strings: selection.linkedids.sorted())
    guard selection.ids.allSatisfy(now.contains), try checkpoint.withUncovered(among: linkedids, on: side).isEmpty else {
      throw PartChanged()
    }
    try checkpoint.forgetOpen(linkedids, on: logs)
    // They may return by other ways than a restore. Then they must count as rows that came later.
    try checkpoint.forgetSeen(selection.ids.ranges, on: logs)
  }

  func delete(_ content: FileContent, _ selection: Selection) throws -> Int {
    try context.table.delete(selection.ids, on: connection)
  }
}

extension CELSource.Call {
  fileprivate mutating func add(_ row: CELTable.Outline) {
    ids.append(row.id)
    if let linkedid = row.linkedid { linkedids.insert(linkedid) }
    guard let time = row.time else { return }
    first = min(first, time)
    newest = max(newest, time)
  }
}

/// Numbers for names, from 0.
private struct Numbers {
  private var numbers: [String: Int32] = [:]
  var count: Int { numbers.count }

  mutating func number(of name: String) -> Int32 {
    if let number = numbers[name] { return number }
    let number = Int32(numbers.count)
    numbers[name] = number
    return number
  }
}

/// The rows of a part differ from those that were read. The part begins again.
struct PartChanged: Error {}
