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

  /// How many calls of a user are faster read than looked for.
  private static let fewCalls: Int64 = 2000
  /// How long a page of several tenants is at most that one statement finds as well.
  private static let longPage: Int64 = 100
  /// Call logs that a walk gathers at most. Further pages come from one statement.
  private static let mostGathered: Int64 = 20_000

  private let query: CallLogQuery
  private let wanted: Int
  private let connection: Connection
  private let steps: Steps
  /// From where on the next part is: the start of the selection, or the end of the part before it.
  private var selection: CallLogSelection
  private var found: [Int32] = []
  private var isFirst = true
  /// Which share of a part the tenant with most call logs has; a guess at first.
  private var share = 0.1

  /// A walk for a page; nil where the server finds it as well by one statement.
  init?(_ query: CallLogQuery, steps: Steps = Steps(), on connection: Connection) {
    guard query.order.key == .start, let limit = query.limit, limit > 0, let selection = query.visibleSelection,
      !selection.hasOwnIndex, selection.firstID == nil
    else { return nil }
    let (wanted, overflows) = limit.addingReportingOverflow(query.offset)
    guard !overflows, wanted <= CallLogWalk.mostGathered else { return nil }
    // One statement reads a page of each tenant, to find the page of all.
    let isLongOfMany = selection.tenants.count != 1 && wanted > CallLogWalk.longPage
    guard selection.isSought || isLongOfMany else { return nil }
    (self.query, self.wanted, self.selection) = (query, Int(wanted), selection)
    (self.steps, self.connection) = (steps, connection)
  }

  /// Walks.
  /// - Parameter most: how many call logs it looks at, at most, where no index helps; nil for all
  mutating func run(most: Int? = nil) throws -> CallLogPage {
    if !selection.users.isEmpty || selection.participant != nil,
      try selection.callsOfUsers(upTo: CallLogWalk.fewCalls, on: connection) <= CallLogWalk.fewCalls
    {
      return CallLogPage(ids: try query.plainIDs(on: connection), continuation: nil)
    }
    var (size, seen) = (steps.first, 0)
    while true {
      if let most { size = max(1, min(size, most - seen)) }
      let part = seen + size > steps.longest ? nil : try self.part(of: size)
      try look(upTo: part?.end)
      guard found.count < wanted, let part else { return page(nil) }
      seen += part.size
      if isFirst, let narrowed = try query.narrowed(on: connection) {
        return CallLogPage(ids: try narrowed.plainIDs(on: connection), continuation: nil)
      }
      isFirst = false
      if let most, seen >= most { return page(part.end) }
      guard begin(behind: part.end) else { return page(nil) }
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
    part.selection.reach = isFirst ? .few : .many
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

  /// The start of the last call log of a part with about so many, and how many it has; nil where
  /// fewer are left.
  private mutating func part(of size: Int) throws(PostgreSQLError) -> (end: Timestamp, size: Int)? {
    var dates = CallLogSelection()
    dates.statuses = Set(CallLogView.Status.allCases)
    (dates.from, dates.to, dates.before, dates.after) = (selection.from, selection.to, selection.before, selection.after)
    let tenants = selection.tenants
    if tenants.count == 1 { dates.tenants = tenants }
    var (condition, parameters) = dates.condition
    let purpose = "Dividing a list of call logs"
    func one(_ condition: String, _ offset: Int) -> String {
      """
      SELECT l.date FROM call_logd_call_log l WHERE \(condition)
      ORDER BY l.date\(query.order.isAscending ? "" : " DESC") OFFSET \(offset) LIMIT 1
      """
    }
    if tenants.count == 1 {
      let end = try connection.query(one(condition, size - 1), parameters, purpose: purpose).first?.timestamp(0)
      return end.map { ($0, size) }
    }
    var source = "call_logd_tenant t"
    if !tenants.isEmpty {
      parameters.append(.array(BinaryArray(uuids: tenants)))
      source = "unnest($\(parameters.count)) AS t (uuid)"
    }
    // Nobody knows which tenants have most call logs. The largest ends first; all others' call logs
    // up to there are counted.
    let offset = max(1, min(Int(Double(size) * share), Int(Int32.max))) - 1
    let isOfTenant = "l.tenant_uuid = t.uuid AND \(condition)"
    let last = try connection.query(
      "SELECT \(query.order.isAscending ? "min" : "max")(x.date) FROM \(source), LATERAL (\(one(isOfTenant, offset))) AS x",
      parameters, purpose: purpose)
    guard let end = last.first?.timestamp(0) else { return nil }
    parameters.append(.timestamptz(end))
    let isInside = "l.date \(query.order.isAscending ? "<=" : ">=") $\(parameters.count)"
    let rows = try connection.query(
      "SELECT sum((SELECT count(*) FROM call_logd_call_log l WHERE \(isOfTenant) AND \(isInside)))::int8 FROM \(source)",
      parameters, purpose: purpose)
    let found = rows.int64(0, 0) ?? 0
    share = min(1, Double(offset + 1) / Double(max(found, 1)))
    return (end, Int(clamping: found))
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
    guard let narrowed = try visibleSelection?.narrowed(takesCounts: takesCounts, on: connection) else { return nil }
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
