import CallLogs
import PostgreSQL
import Store
import Values

/// The call logs of a page, as far as they were looked for.
public struct CallLogPage: Equatable, Sendable {
  /// Their ids, in the order of the list.
  public var ids: [Int32]
  /// From where the search goes on; nil where it has come to the page's end or to the list's.
  public var continuation: CallLogSelection.Place?
}

/// Finds a page of a list by its date, whose filter may fit any number of call logs.
///
/// It looks at some thousands of call logs at the list's beginning. Frequent filters have a page
/// then. Otherwise it takes an index that answers by few call logs. Without one it goes on in
/// longer and longer parts of the list.
struct CallLogWalk {
  /// How long the parts of the list are.
  struct Steps {
    /// Call logs in the first part. A server looks at these in some hundredths of a second,
    /// whatever the filter.
    var first = 5000
    /// How much longer than the parts before it all parts up to the next one's end are.
    var growth = 8
    /// Where a walk has looked at so many, the rest is one part.
    var longest = 1_000_000
  }

  /// Call logs that a walk gathers at most. Further pages come from one statement.
  private static let mostGathered: Int64 = 10_000

  private let query: CallLogQuery
  private let wanted: Int
  private let connection: Connection
  private let steps: Steps
  /// From where on the next part is: the start of the selection, or the end of the part before it.
  private var selection: CallLogSelection
  private var found: [Int32] = []

  /// A walk for a page; nil where the server finds it as well by one statement.
  init?(_ query: CallLogQuery, steps: Steps = Steps(), on connection: Connection) {
    guard query.order.key == .start, let limit = query.limit, limit > 0, let selection = query.visibleSelection,
      selection.isSought, !selection.hasOwnIndex, selection.firstID == nil
    else { return nil }
    let (wanted, overflows) = limit.addingReportingOverflow(query.offset)
    guard !overflows, wanted <= CallLogWalk.mostGathered else { return nil }
    (self.query, self.wanted, self.selection) = (query, Int(wanted), selection)
    (self.steps, self.connection) = (steps, connection)
  }

  /// Walks.
  /// - Parameter most: how many call logs it looks at, at most, where no index helps; nil for all
  mutating func run(most: Int? = nil) throws -> CallLogPage {
    var (size, seen) = (steps.first, 0)
    while true {
      let end = seen + size > steps.longest ? nil : try self.end(of: size)
      try look(upTo: end)
      guard found.count < wanted, let end else { return page(nil) }
      seen += size
      if seen == size, let narrowed = try query.narrowed(on: connection) {
        return CallLogPage(ids: try narrowed.plainIDs(on: connection), continuation: nil)
      }
      if let most, seen >= most { return page(end) }
      guard begin(behind: end) else { return page(nil) }
      size = seen * (steps.growth - 1)
    }
  }

  private func page(_ end: Timestamp?) -> CallLogPage {
    CallLogPage(
      ids: Array(found.prefix(wanted).dropFirst(Int(clamping: query.offset))),
      // Behind all call logs that start with the last one of the part.
      continuation: end.map { CallLogSelection.Place(start: $0, id: query.order.isAscending ? .max : .min) })
  }

  /// Adds what the filter leaves of the part that ends at a time, or of all that is left.
  private mutating func look(upTo end: Timestamp?) throws {
    var part = query
    part.selection = selection
    part.selection.looksAtEach = true
    if let end { part.selection.limit(to: end, isAscending: query.order.isAscending) }
    part.limit = Int64(wanted - found.count)
    part.offset = 0
    found += try part.plainIDs(on: connection)
  }

  /// Begins the next part behind the end of one.
  /// - Returns: false where nothing can be behind it
  private mutating func begin(behind end: Timestamp) -> Bool {
    guard query.order.isAscending else {
      selection.to = end
      return true
    }
    let (next, overflows) = end.addingReportingOverflow(1)
    selection.from = next
    return !overflows
  }

  /// The start of the last call log of a part with about so many; nil where fewer are left.
  private func end(of size: Int) throws(PostgreSQLError) -> Timestamp? {
    var dates = CallLogSelection()
    dates.statuses = Set(CallLogView.Status.allCases)
    (dates.from, dates.to, dates.before, dates.after) = (selection.from, selection.to, selection.before, selection.after)
    let tenants = selection.tenants
    let isOne = tenants.count == 1
    if isOne { dates.tenants = tenants }
    var (condition, parameters) = dates.condition
    let direction = query.order.isAscending ? "" : " DESC"
    let purpose = "Dividing a list of call logs"
    let (source, share): (String, Int)
    if isOne {
      (source, share) = ("", size)
    } else if tenants.isEmpty {
      (source, share) = ("call_logd_tenant t", max(size / 32, 1))
    } else {
      parameters.append(.array(BinaryArray(uuids: tenants)))
      // The largest tenants have most call logs, and end first.
      (source, share) = ("unnest($\(parameters.count)) AS t (uuid)", max(size * 4 / (tenants.count + 3), min(size, 100)))
    }
    let one = """
      SELECT l.date FROM call_logd_call_log l WHERE \(isOne ? "" : "l.tenant_uuid = t.uuid AND ")\(condition)
      ORDER BY l.date\(direction) OFFSET \(share - 1) LIMIT 1
      """
    let sql = isOne ? one : "SELECT \(query.order.isAscending ? "min" : "max")(x.date) FROM \(source), LATERAL (\(one)) AS x"
    return try connection.query(sql, parameters, purpose: purpose).first?.timestamp(0)
  }
}

extension CallLogSelection {
  /// Leaves out what comes behind a time in the list; what starts at the time stays.
  fileprivate mutating func limit(to end: Timestamp, isAscending: Bool) {
    guard isAscending else {
      from = end
      return
    }
    let (next, overflows) = end.addingReportingOverflow(1)
    if !overflows { to = next }
  }
}

extension CallLogQuery {
  /// The same list, with a condition that an index answers by few call logs; nil where there is
  /// none.
  func narrowed(on connection: Connection) throws -> CallLogQuery? {
    guard let narrowed = try visibleSelection?.narrowed(on: connection) else { return nil }
    var query = self
    query.selection = narrowed
    return query
  }

  /// The ids of the page by one statement, in its order.
  func plainIDs(on connection: Connection) throws(PostgreSQLError) -> [Int32] {
    guard let page else { return [] }
    let rows = try connection.query(page.sql, page.parameters, purpose: "Listing call logs")
    return rows.compactMap { row in row.int64(0).flatMap { Int32(exactly: $0) } }
  }
}
