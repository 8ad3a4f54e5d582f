import API
import HTTPTypes
import Hummingbird
import Listing
import Logging
import PostgreSQL
import Store
import Values

/// The search page: what the service answers beside the API.
struct PageRoutes: Sendable {
  let desk: Desk
  let gate: Gate
  let log: Logger

  private static let pageSize: Int64 = 50
  /// Calls that are counted at most, so that a page never waits for a long count.
  private static let mostCounted = 1000

  var routes: [Route] {
    [
      Route(.get, "/", .open) { visit in
        try await reading(visit, PageFrame(text: .of(visit.request))) { try await list(visit, $0) }
      },
      Route(.get, "/calls.csv", .open) { visit in
        try await reading(visit, PageFrame(text: .of(visit.request))) { try await csv(visit, $0) }
      },
      Route(.get, "/calls/{call_id}", .open) { visit in
        try await reading(visit, PageFrame(text: .of(visit.request), root: "../")) { try await call(visit, $0) }
      },
      charts,
    ]
      + SignInRoutes(gate: gate, log: log).routes
      + PageFile.all.map { file in Route(.get, file.path, .open) { visit in file.response(visit.request) } }
  }

  /// An error, as a page for people.
  static func refusal(_ error: APIError, _ request: Request) -> Response {
    let text = PageText.of(request)
    var response = Answers.error(error)
    let isDeep = (request.head.path ?? "").split(separator: "/").count > 1
    let page = PageFrame(text: text, root: isDeep ? "../" : "./").notice(text.error, error.message)
    let bytes = Array(page.text.utf8)
    response.body = Answers.body(bytes)
    response.headers[.contentLength] = String(bytes.count)
    response.headers[.contentType] = "text/html; charset=utf-8"
    response.headers[.cacheControl] = "no-store"
    return response
  }

  /// Answers somebody who has signed in; the page to sign in at for others.
  func reading(
    _ visit: Visit, _ frame: PageFrame, _ answer: (PageReader) async throws -> Response
  ) async throws -> Response {
    try await SignInRoutes(gate: gate, log: log).reading(visit, frame, answer)
  }

  // MARK: Calls

  func filter(_ visit: Visit, _ reader: PageReader) async throws -> (PageFilter, CallLogQuery) {
    let zone = PageZone(named: try await desk.timeZoneName()) ?? .utc
    let filter = PageFilter(visit.query, zone: zone)
    var selection = filter.selection
    selection.participant = reader.me
    return (filter, CallLogQuery(tenants: reader.tenants, selection))
  }

  private func list(_ visit: Visit, _ reader: PageReader) async throws -> Response {
    let (filter, all) = try await filter(visit, reader)
    var query = all
    let text = PageText.of(visit.request)
    let isOwn = reader.me != nil
    guard filter.problems.isEmpty else {
      let page = ListPage(text: text, filter: filter, calls: [], count: nil, next: nil, hasTags: !isOwn)
      return PageFrame.response(page.markup, .badRequest)
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
    let isFirst = filter.selection.before == nil
    let count = isFirst ? isLast ? (calls.count, false) : try await self.count(query) : nil
    let next = isLast ? nil : calls.last.map { PageFilter.place(start: $0.start, id: $0.id) }
    return PageFrame.response(
      ListPage(text: text, filter: filter, calls: calls, count: count, next: next, hasTags: !isOwn).markup)
  }

  /// How many calls there are, as far as they are counted; nil where that takes too long.
  private func count(_ query: CallLogQuery) async throws -> (Int, Bool)? {
    var query = query
    query.limit = Int64(PageRoutes.mostCounted) + 1
    let wanted = query
    do {
      let number = try await desk.counts.run { try CallLogTables.ids(of: wanted, on: $0).count }
      return (min(number, PageRoutes.mostCounted), number > PageRoutes.mostCounted)
    } catch let error as PostgreSQLError where error.sqlState == .queryCanceled {
      return nil
    }
  }

  private func call(_ visit: Visit, _ reader: PageReader) async throws -> Response {
    let text = PageText.of(visit.request)
    let (filter, _) = try await filter(visit, reader)
    let (id, isOwn) = (visit.path.callLog, reader.me != nil)
    let call = try await desk.lists.run { connection in
      let arena = TextArena()
      return try withExtendedLifetime(arena) {
        try CallLogTables.view(ofCallLog: id, tenants: reader.tenants, participant: reader.me, in: arena, on: connection)
          .map { ShownCall($0, hidesTags: isOwn) }
      }
    }
    guard let call else {
      return PageFrame.response(
        PageFrame(text: text, root: "../").notice(text.call, text.noCall, isSignedIn: true), .notFound)
    }
    visit.note.rows = 1
    return PageFrame.response(CallPage(text: text, call: call, zone: filter.zone, isOwn: isOwn).markup)
  }

  // MARK: CSV

  /// All calls of the filter: in the API's columns, or in those of the former administration guide.
  private func csv(_ visit: Visit, _ reader: PageReader) async throws -> Response {
    let (filter, query) = try await filter(visit, reader)
    let text = PageText.of(visit.request)
    var problems = filter.problems.map(text.text)
    let columns = visit.query.first("columns").map { $0.value ?? "" } ?? "api"
    if columns != "api", columns != "guide" {
      problems.append(text.text(PageFilter.Problem(kind: .badChoice, text: columns)))
    }
    guard problems.isEmpty else {
      let message = problems.joined(separator: " ")
      return PageFrame.response(PageFrame(text: text).notice(text.error, message, isSignedIn: true), .badRequest)
    }
    let (isOwn, zone) = (reader.me != nil, filter.zone)
    let stream = desk.streams.stream { connection, writer in
      try connection.transaction(.readOnly, purpose: "Listing call logs") {
        if columns == "guide" {
          try PageRoutes.guide(query, zone, visit.note, connection) { try writer.write($0) }
        } else {
          try CallLogRoutes(desk: desk).csvStream(query, isOwn, visit, connection) { try writer.write($0) }
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
    let csv = LegacyCallLogCSV { zone.offset($0) }
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
