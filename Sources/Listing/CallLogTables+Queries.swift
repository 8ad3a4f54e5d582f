import CallLogs
import PostgreSQL
import Store
import Values

extension CallLogTables {
  /// The ids of a query's page, in its order.
  /// - Throws: `PostgreSQLError`
  public static func ids(of query: CallLogQuery, on connection: Connection) throws -> [Int32] {
    try page(of: query, on: connection).ids
  }

  /// The ids of a query's page, in its order, or of its beginning. A page that is not full, with no
  /// place where to go on, is the end of the list.
  /// - Parameter most: how many call logs are looked at, at most, where filters fit few and no
  ///   index finds them; nil for all. A list that is not sorted by the start, or that begins after
  ///   some call logs, is never cut short
  /// - Throws: `PostgreSQLError`
  public static func page(of query: CallLogQuery, most: Int? = nil, on connection: Connection) throws -> CallLogPage {
    guard var walk = CallLogWalk(query, on: connection) else {
      return CallLogPage(ids: try query.plainIDs(on: connection), continuation: nil)
    }
    // Whoever goes on behind a place cannot know how many of those to skip were before it.
    return try walk.run(most: query.offset > 0 ? nil : most)
  }

  /// The call logs of a query's page, in its order. They are in the connection's transaction, if it
  /// has one: else a call log that goes meanwhile is left out.
  /// - Parameter arena: where their texts are put
  public static func views(of query: CallLogQuery, in arena: TextArena, on connection: Connection) throws -> [CallLogView] {
    let ids = try ids(of: query, on: connection)
    return ids.isEmpty ? [] : try views(ofCallLogs: ids, in: arena, on: connection)
  }

  /// How many call logs a query has on all of its pages.
  /// - Throws: `PostgreSQLError`
  public static func filteredCount(_ query: CallLogQuery, on connection: Connection) throws -> Int {
    guard var selection = query.visibleSelection else { return 0 }
    if query.takesCounts, let number = try CallLogCounts.number(of: selection, on: connection) { return number }
    if selection.isSought, let narrowed = try selection.narrowed(takesCounts: query.takesCounts, on: connection) {
      selection = narrowed
    }
    return try count(selection, on: connection)
  }

  /// How many call logs a query has on all of its pages, up to a number, above which nobody counts.
  /// - Parameters:
  ///   - most: the number
  ///   - looked: how many call logs are looked at, at most, as in ``page(of:most:on:)``
  /// - Returns: the number, and whether there may be more
  /// - Throws: `PostgreSQLError`
  public static func boundedCount(
    _ query: CallLogQuery, upTo most: Int, looked: Int? = nil, on connection: Connection
  ) throws -> (number: Int, isBounded: Bool) {
    var first = query
    (first.limit, first.offset) = (Int64(most) + 1, 0)
    // Counts of many tenants are many. Up to a number, call logs are found sooner.
    if query.takesCounts, let selection = query.visibleSelection, selection.tenants.count == 1,
      let number = try CallLogCounts.number(of: selection, on: connection)
    {
      return (number, false)
    }
    let page = try page(of: first, most: looked, on: connection)
    return (min(page.ids.count, most), page.ids.count > most || page.continuation != nil)
  }

  /// How many call logs there are without any filter, blocked ones included: of the tenants, or of
  /// them those in which the participant took part.
  /// - Throws: `PostgreSQLError`
  public static func totalCount(_ query: CallLogQuery, on connection: Connection) throws -> Int {
    try filteredCount(query.whole, on: connection)
  }

  /// The greatest number of recordings that a call log of a query's page has.
  public static func greatestNumberOfRecordings(_ query: CallLogQuery, on connection: Connection) throws -> Int {
    guard let page = query.page else { return 0 }
    let rows = try connection.query(
      """
      SELECT coalesce(max(number), 0)::int8 FROM (
        SELECT count(*) AS number FROM call_logd_recording r WHERE r.call_log_id IN (\(page.sql)) GROUP BY r.call_log_id) AS numbers
      """, page.parameters, purpose: "Counting recordings")
    return Int(clamping: rows.int64(0, 0) ?? 0)
  }

  /// A call log of these tenants, blocked or not; nil where they have none of that id.
  /// - Parameters:
  ///   - participant: who must have taken part; nil for anybody
  ///   - arena: where its texts are put
  public static func view(
    ofCallLog id: Int32, tenants: VisibleTenants, participant: UUIDValue? = nil, in arena: TextArena, on connection: Connection
  ) throws -> CallLogView? {
    var selection = CallLogSelection()
    selection.statuses = Set(CallLogView.Status.allCases)
    selection.ids = [id]
    selection.participant = participant
    return try views(of: CallLogQuery(tenants: tenants, selection), in: arena, on: connection).first
  }

  /// Gives the call logs of a query, some after the others in its order, in the memory of some of
  /// them. Needs a transaction, all of which sees one state of the tables.
  /// - Parameters:
  ///   - size: call logs that are read at once
  ///   - body: gets some call logs; their texts are valid while it runs. What it throws ends the
  ///     reading
  public static func forEachPage(
    of query: CallLogQuery, size: Int = 2000, on connection: Connection, _ body: ([CallLogView]) throws -> Void
  ) throws {
    guard let page = query.page else { return }
    // The cursor is read to its end: the plan that is best for all rows, not for the first of them.
    try connection.script("SET LOCAL cursor_tuple_fraction = 1", purpose: "Preparing to read call logs")
    try connection.execute(
      "DECLARE call_logs_to_list NO SCROLL CURSOR FOR \(page.sql)", page.parameters, purpose: "Listing call logs")
    let arena = TextArena()
    while true {
      let rows = try connection.query("FETCH \(max(1, size)) FROM call_logs_to_list", purpose: "Listing call logs")
      let ids = rows.compactMap { row in row.int64(0).flatMap { Int32(exactly: $0) } }
      if ids.isEmpty { break }
      try body(try views(ofCallLogs: ids, in: arena, on: connection))
      arena.removeAll()
      if ids.count < size { break }
    }
    try connection.script("CLOSE call_logs_to_list", purpose: "Listing call logs")
  }
}
