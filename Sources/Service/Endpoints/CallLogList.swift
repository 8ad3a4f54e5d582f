import API
import CallLogs
import Listing
import PostgreSQL
import Store
import Values

/// A list of call logs that a client asks for: a page of it, and what is counted beside the page.
struct CallLogList: Sendable {
  /// The page.
  let page: CallLogQuery
  /// Whether a user asks for the own calls.
  let isOwn: Bool
  /// Whether the client has asked for more than Wazo's answers have.
  let tellsMore: Bool
  private let whole: CallLogQuery
  private let count: ListParameters.Count
  private let isBehindPlace: Bool

  init(_ parameters: ListParameters, tenants: VisibleTenants, isOwn: Bool, takesCounts: Bool) {
    var whole = parameters.query(tenants: tenants)
    whole.takesCounts = takesCounts
    self.whole = whole
    page = parameters.after.map { [whole] in whole.behind($0) } ?? whole
    (self.isOwn, count, tellsMore) = (isOwn, parameters.count, parameters.tellsMore)
    isBehindPlace = parameters.after != nil
  }

  /// How many call logs are looked at for a page, where no index helps. A client who knows where
  /// the list goes on may get a page that is not full. Others get what there is.
  var most: Int? { count == .exact ? nil : 200_000 }

  /// Call logs without any filter.
  func total(on connection: Connection) throws -> ListEnd.Number? {
    try number(of: whole.whole, on: connection)
  }

  /// Call logs on all pages, as far as a page tells; nil where they must be counted.
  /// - Parameters:
  ///   - rows: of the page
  ///   - next: where the list goes on
  func filtered(_ rows: Int, _ next: CallLogSelection.Place?) -> ListEnd.Number?? {
    if count == .none { return .some(nil) }
    // A page that is not full is the last one, and tells how many there are.
    let isLast = rows > 0 || page.offset == 0 ? Int64(rows) < page.limit ?? .max : false
    guard isLast, !isBehindPlace, next == nil else { return nil }
    return ListEnd.Number(Int(clamping: page.offset.addingReportingOverflow(Int64(rows)).partialValue))
  }

  /// Call logs on all pages.
  func filtered(on connection: Connection) throws -> ListEnd.Number? {
    try number(of: whole, on: connection)
  }

  private func number(of query: CallLogQuery, on connection: Connection) throws -> ListEnd.Number? {
    switch count {
    case .none: return nil
    case .exact:
      return ListEnd.Number(try CallLogTables.filteredCount(query, on: connection))
    case .bounded:
      let (number, isBounded) = try CallLogTables.boundedCount(
        query, upTo: ListParameters.mostCounted, looked: most, on: connection)
      return ListEnd.Number(number, isBounded: isBounded)
    }
  }

  /// Where the list goes on behind a page; nil at its end, and in a list without places.
  func next(_ last: CallLogView?, _ rows: Int, _ continuation: CallLogSelection.Place?) -> CallLogSelection.Place? {
    if let continuation { return continuation }
    guard let limit = page.limit, rows >= limit else { return nil }
    return last.flatMap { place(of: $0) }
  }

  /// The place of a call log; nil in a list without places.
  func place(of view: CallLogView) -> CallLogSelection.Place? {
    guard page.order.key == .start, let id = Int32(exactly: view.id) else { return nil }
    return CallLogSelection.Place(start: view.start, id: id)
  }
}
