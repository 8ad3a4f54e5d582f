import API
import Hummingbird
import Listing
import PostgreSQL
import Store
import Values

/// The list, its count and its CSV.
extension PageRoutes {
  private static let pageSize: Int64 = 50
  /// Calls that are counted at most, so that nobody waits for a long count.
  private static let mostCounted = 10_000

  /// What a request asks for: its filter, and the query for those of its calls that the reader
  /// sees.
  /// - Throws: errors of the lanes and of the server
  func filter(_ visit: Visit, _ reader: PageReader) async throws -> (PageFilter, CallLogQuery) {
    let zone = PageZone(named: try await desk.timeZoneName()) ?? .utc
    var filter = PageFilter(visit.query, zone: zone)
    if !filter.userTerms.isEmpty { filter.take(users: try await users(filter, reader)) }
    var selection = filter.selection
    selection.participant = reader.me
    var query = CallLogQuery(tenants: reader.tenants, selection)
    query.takesCounts = desk.takesCounts
    return (filter, query)
  }

  /// The users that the filter names.
  private func users(_ filter: PageFilter, _ reader: PageReader) async throws -> [[UUIDValue]] {
    // Names are looked for in calls of the time that is asked for: users come and go.
    var selection = CallLogSelection()
    (selection.to, selection.participant) = (filter.selection.to, reader.me)
    let query = CallLogQuery(tenants: reader.tenants, selection)
    let names = filter.userTerms.map(\.value)
    return try await desk.lists.run { connection in
      try names.map { name in
        try CallLogTables.users(
          named: name, in: query, directory: reader.me == nil, most: PageFilter.mostUsers + 1, on: connection)
      }
    }
  }

  func list(_ visit: Visit, _ reader: PageReader) async throws -> Response {
    let (filter, all) = try await filter(visit, reader)
    var query = all
    let isOwn = reader.me != nil
    let rows = ListRows(text: .of(visit.request), filter: filter, hasTags: !isOwn)
    guard filter.problems.isEmpty else {
      return PageFrame.response(ListPage(rows: rows, calls: [], tally: nil, next: nil).markup, .badRequest)
    }
    let size = PageRoutes.pageSize
    query.limit = size + 1
    let wanted = query
    var calls = try await desk.lists.run { connection in
      let arena = TextArena()
      return try withExtendedLifetime(arena) {
        try CallLogTables.views(of: wanted, in: arena, on: connection).map { ShownCall($0, hidesTags: isOwn) }
      }
    }
    let isLast = calls.count <= size
    if !isLast { calls.removeLast(calls.count - Int(size)) }
    visit.note.rows = calls.count
    // A page that has all calls has counted them. Otherwise the count is a request of its own, for
    // which no row waits.
    let answered = calls.count { $0.status == .answered }
    let tally =
      isLast && filter.selection.before == nil ? CallLogTally(calls: calls.count, answered: answered, isMore: false) : nil
    let next = isLast ? nil : calls.last.map { PageFilter.place(start: $0.start, id: $0.id) }
    return PageFrame.response(ListPage(rows: rows, calls: calls, tally: tally, next: next).markup)
  }

  /// How many calls the filter has, and how many of them were answered, as far as they are counted.
  func count(_ visit: Visit, _ reader: PageReader) async throws -> Response {
    let (filter, all) = try await filter(visit, reader)
    guard filter.problems.isEmpty else { return PageRoutes.refused(filter, visit) }
    var query = all
    query.selection.before = nil
    let wanted = query
    var tally: CallLogTally?
    do {
      tally = try await desk.count(for: visit) { try CallLogTables.tally(of: wanted, most: PageRoutes.mostCounted, on: $0) }
    } catch let error as PostgreSQLError where error.sqlState == .queryCanceled {
      // That takes too long. The list is there all the same.
    }
    return PageFrame.response(CountPage(text: .of(visit.request), filter: filter, tally: tally).markup)
  }

  /// A page that says what is wrong with a filter.
  static func refused(_ filter: PageFilter, _ visit: Visit, further: [String] = []) -> Response {
    let text = PageText.of(visit.request)
    let message = (filter.problems.map(text.text) + further).joined(separator: " ")
    return PageFrame.response(PageFrame(text: text).notice(text.error, message, isSignedIn: true), .badRequest)
  }

  // MARK: CSV

  /// All calls of the filter: in the API's columns, or in those of the former administration guide.
  ///
  /// People open these files in spreadsheets, and callers choose their names: a name that begins as
  /// a formula gets a single quote in front. Telephone numbers stay as they are. The API's CSV is
  /// for programs, and has everything as it was recorded.
  func csv(_ visit: Visit, _ reader: PageReader) async throws -> Response {
    let (filter, query) = try await filter(visit, reader)
    let columns = visit.query.first("columns").map { $0.value ?? "" } ?? "api"
    let isKnown = columns == "api" || columns == "guide"
    let unknown = PageFilter.Problem(kind: .badChoice, text: columns)
    guard filter.problems.isEmpty, isKnown else {
      return PageRoutes.refused(filter, visit, further: isKnown ? [] : [PageText.of(visit.request).text(unknown)])
    }
    let (isOwn, zone) = (reader.me != nil, filter.zone)
    let stream = desk.streams.stream { connection, writer in
      try connection.transaction(.readOnly, purpose: "Listing call logs") {
        if columns == "guide" {
          try PageRoutes.guide(query, zone, visit.note, connection) { try writer.write($0) }
        } else {
          try CallLogRoutes(desk: desk).csvStream(query, isOwn, visit, isForSpreadsheets: true, connection) {
            try writer.write($0)
          }
        }
      }
    }
    var response = try await Streams.response(stream, visit, "text/csv; charset=utf-8")
    response.headers[.contentDisposition] = "attachment; filename=calls.csv"
    response.headers[.cacheControl] = "no-store"
    return response
  }

  /// The guide's CSV, which begins with the earliest call.
  private static func guide(
    _ query: CallLogQuery, _ zone: PageZone, _ note: AccessNote, _ connection: Connection, _ write: ([UInt8]) throws -> Void
  ) throws {
    var query = query
    query.order = CallLogOrder(by: .start, isAscending: true)
    let csv = LegacyCallLogCSV(isSpreadsheetSafe: true, keepsTelephoneNumbers: true) { zone.offset($0) }
    var out: [UInt8] = []
    csv.appendHeader(to: &out)
    var rows = 0
    try CallLogTables.forEachPage(of: query, on: connection) { views in
      for view in views { csv.append(view, to: &out) }
      rows += views.count
      note.rows = rows
      try write(out)
      out = []
    }
    try write(out)
  }
}
