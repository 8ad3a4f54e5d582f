import Archive
import PostgreSQL
import Runs
import Store
import Values

/// The rows of one part.
struct Selection: Sendable {
  /// Ids of call logs or CELs.
  var ids: [Int64]
  /// The time of the first and the last row.
  var dates: ClosedRange<Timestamp>
  /// Their tenants, in order; none for CELs.
  var tenants: [UUIDValue] = []
  /// The last row of this selection. The next selection begins after it.
  var last: (date: Int64, id: Int32) = (0, 0)
  /// For CELs: the greatest of the least ids of the calls.
  var lastCall: Int64 = 0
  /// For CELs: the linkedids.
  var linkedids: Set<String> = []
}

/// Rows that were due but stay, by reason.
public struct KeptRows: Equatable, Sendable {
  /// CELs of calls that also have newer CELs.
  public var young: Int64 = 0
  /// CELs of calls that are not covered, all or in part.
  public var uncovered: Int64 = 0
  /// Rows that were restored not long ago.
  public var restored: Int64 = 0
  /// CELs of calls that changed during the run, or that the run had already passed.
  public var changed: Int64 = 0
}

/// The rows of one table that are due, part by part.
protocol PartSource {
  /// The table.
  var kind: ArchiveKind { get }
  /// The connection to the database that has the rows.
  var connection: Connection { get }
  /// The rule by which rows are due, in words.
  var words: [String] { get }
  /// Rows that were due but stay; complete when ``nextMonth()`` has returned nil.
  var kept: KeptRows { get }
  /// Ids to leave out, because they are archived already.
  var besides: IDSet { get set }
  /// The share of the due rows that is done, from 0 to 1; an estimate.
  var share: Double { get }

  /// The month of the next part; nil if nothing is due any more.
  mutating func nextMonth() throws -> Month?
  /// The rows of the next part of that month; nil if there are none any more. Call it in a
  /// transaction with one snapshot.
  func select(_ month: Month) throws -> Selection?
  /// These rows, if all of them exist and are due; nil otherwise.
  func select(_ ids: [Range<Int64>], rows: Int) throws -> Selection?
  /// Continues after these rows.
  mutating func advance(past selection: Selection)
  /// The columns of a file.
  func columns(_ content: FileContent) throws -> TableColumns
  /// Writes the rows of a file as CSV.
  func copyOut(
    _ content: FileContent, _ columns: TableColumns, _ selection: Selection, _ sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int
  /// The number of rows of a file.
  func count(_ content: FileContent, _ selection: Selection) throws -> Int
  /// Checks that the rows may still go. Call it when nobody can change that any more.
  /// - Parameter archive: the id of the part's record; nil without an archive
  /// - Throws: ``PartChanged`` if they may not
  func checkBeforeDeletion(_ selection: Selection, archive: Int32?) throws
  /// Deletes the rows of a file.
  /// - Returns: how many were deleted
  func delete(_ content: FileContent, _ selection: Selection) throws -> Int
}

extension FileContent {
  /// The table of call logs for this content; nil for CELs.
  var part: CallLogTables.Part? {
    switch self {
    case .callLogs: .callLogs
    case .participants: .participants
    case .destinations: .destinations
    case .recordings: .recordings
    case .cel: nil
    }
  }
}

/// Call logs that are due, oldest first.
struct CallLogSource: PartSource {
  let kind = ArchiveKind.callLogs
  let context: RunContext
  let cutoffs: CallLogTables.Cutoffs
  let words: [String]
  let limit: Int
  private(set) var kept = KeptRows()
  var besides: IDSet
  private let restored: IDSet
  private var last: (date: Int64, id: Int32)?
  /// The time of the first due row, and the time before which rows are due.
  private var first: Int64?
  private let end: Int64

  /// By dates, because counting would read all due rows once more.
  var share: Double {
    guard let first, let last, end > first else { return 1 }
    return min(max((Double(last.date) - Double(first)) / (Double(end) - Double(first)), 0), 1)
  }

  var connection: Connection { context.databases.logs }

  init(_ context: RunContext, _ retention: Retention, tenant: UUIDValue?, now: Int64, limit: Int) throws {
    (self.context, self.limit) = (context, limit)
    (cutoffs, words) = try retention.due(.callLogs, only: tenant, now: now, on: context.databases.logs)
    restored = try RestoredRows.kept(kind: kind.rawValue, on: context.databases.logs)
    besides = restored
    kept.restored = try CallLogTables.countDue(cutoffs, among: besides.ranges, on: context.databases.logs)
    end = min(cutoffs.map(\.before).max() ?? now, now)
  }

  private func due(from start: Int64? = nil, before end: Int64?, limit: Int) throws -> [CallLogTables.Due] {
    var last = last
    // Rows that appeared in an earlier month meanwhile are for the next run: a part is of one
    // month.
    if let start, last.map({ $0.date < start }) ?? true { last = (start - 1, .max) }
    return try CallLogTables.due(cutoffs, after: last, before: end, besides: besides.ranges, limit: limit, on: connection)
  }

  mutating func nextMonth() throws -> Month? { try due(before: nil, limit: 1).first.flatMap { Month(of: $0.date) } }

  func select(_ month: Month) throws -> Selection? {
    CallLogSource.selection(try due(from: month.start, before: month.end, limit: limit))
  }

  func select(_ ids: [Range<Int64>], rows: Int) throws -> Selection? {
    let wanted = IDSet(ids)
    guard !restored.ranges.contains(where: { !wanted.parts(in: $0.lowerBound...$0.upperBound - 1).isEmpty }) else { return nil }
    let found = try CallLogTables.due(cutoffs, among: ids, on: connection)
    return found.count == rows ? CallLogSource.selection(found) : nil
  }

  private static func selection(_ due: [CallLogTables.Due]) -> Selection? {
    guard let first = due.first, let last = due.last else { return nil }
    return Selection(
      ids: due.map { Int64($0.id) }, dates: first.date...last.date, tenants: Set(due.map(\.tenant)).sorted(),
      last: (last.date, last.id))
  }

  mutating func advance(past selection: Selection) {
    first = first ?? selection.dates.lowerBound
    last = selection.last
  }

  func columns(_ content: FileContent) throws -> TableColumns {
    try TableColumns.read((content.part ?? .callLogs).rawValue, on: connection)
  }

  func copyOut(
    _ content: FileContent, _ columns: TableColumns, _ selection: Selection, _ sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int {
    try CallLogTables.copyOut(content.part ?? .callLogs, columns: columns, ofCallLogs: selection.ids, on: connection, sink)
  }

  func count(_ content: FileContent, _ selection: Selection) throws -> Int {
    try CallLogTables.count(content.part ?? .callLogs, ofCallLogs: selection.ids, on: connection)
  }

  func checkBeforeDeletion(_ selection: Selection, archive: Int32?) throws {
    // Where links are missing, this keeps a later run from making these call logs again.
    try CallLogTables.notePurged(selection.ids, archive: archive, on: connection)
  }

  func delete(_ content: FileContent, _ selection: Selection) throws -> Int {
    try CallLogTables.delete(content.part ?? .callLogs, ofCallLogs: selection.ids, on: connection)
  }
}
