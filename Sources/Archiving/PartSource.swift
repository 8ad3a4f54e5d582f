import Archive
import PostgreSQL
import Runs
import Store
import Values

/// The rows of one part.
struct Selection: Sendable {
  /// Ids of call logs or CELs.
  var ids: [Int64]
  /// When they began.
  var dates: ClosedRange<Timestamp>
  /// Whose they are, in order; none for CELs.
  var tenants: [UUIDValue] = []
  /// How far this selection goes, for the one that comes after it.
  var last: (date: Int64, id: Int32) = (0, 0)
  /// Of CELs the greatest of the calls' least ids.
  var lastCall: Int64 = 0
  /// Of CELs the linkedids.
  var linkedids: Set<String> = []
}

/// Rows that were due and are left alone, by reason.
public struct KeptRows: Equatable, Sendable {
  /// CELs of calls that also have newer ones.
  public var young: Int64 = 0
  /// CELs of calls that are not covered, all or in part.
  public var uncovered: Int64 = 0
  /// Restored not long ago.
  public var restored: Int64 = 0
  /// CELs of calls that changed while the run was under way, or whose turn had passed.
  public var changed: Int64 = 0
}

/// One table's rows that are due, part by part.
protocol PartSource {
  /// The table.
  var kind: ArchiveKind { get }
  /// The connection to the database that has the rows.
  var connection: Connection { get }
  /// Which rows are due, in words.
  var words: [String] { get }
  /// What is left alone; complete when ``nextMonth()`` has given nil.
  var kept: KeptRows { get }
  /// Ids that are left out, as they are archived already.
  var besides: IDSet { get set }
  /// The share of what is due that lies behind, from 0 to 1; an estimate.
  var share: Double { get }

  /// The month of the next part; nil where nothing is due any more.
  mutating func nextMonth() throws -> Month?
  /// The next part's rows of that month, in a transaction that sees one state; nil where there are none any more.
  func select(_ month: Month) throws -> Selection?
  /// These rows, if all of them are there and due; nil otherwise.
  func select(_ ids: [Range<Int64>], rows: Int) throws -> Selection?
  /// Goes on after these rows.
  mutating func advance(past selection: Selection)
  /// The columns of a file.
  func columns(_ content: FileContent) throws -> TableColumns
  /// The rows of a file as CSV.
  func copyOut(
    _ content: FileContent, _ columns: TableColumns, _ selection: Selection, _ sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int
  /// How many rows a file would have.
  func count(_ content: FileContent, _ selection: Selection) throws -> Int
  /// Looks, where nobody can change it any more, whether the rows may still go.
  func checkBeforeDeletion(_ selection: Selection) throws
  /// Deletes the rows of a file.
  func delete(_ content: FileContent, _ selection: Selection) throws -> Int
}

extension FileContent {
  /// Its table of call logs.
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
  /// When the first of what is due began, and the time before which all of it did.
  private var first: Int64?
  private let end: Int64

  /// By dates: counting would read all that is due once more.
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
    // What has come in an earlier month meanwhile is for the next run: a part is of one month.
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

  func checkBeforeDeletion(_ selection: Selection) throws {
    // Where links cannot tell, this does that their call logs are not made again.
    try CallLogTables.notePurged(selection.ids, on: connection)
  }

  func delete(_ content: FileContent, _ selection: Selection) throws -> Int {
    try CallLogTables.delete(content.part ?? .callLogs, ofCallLogs: selection.ids, on: connection)
  }
}
