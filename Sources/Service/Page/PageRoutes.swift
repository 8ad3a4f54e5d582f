import API
import Authentication
import HTTPTypes
import Hummingbird
import Listing
import PostgreSQL
import Store
import Values

/// The search page: what the service answers beside the API.
struct PageRoutes: Sendable {
  let desk: Desk
  let gate: Gate

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
      charts, Route(.post, "/session", .open) { visit in try await signIn(visit) },
      Route(.post, "/session/end", .open) { visit in signOut(visit) },
    ]
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

  // MARK: Signing in and out

  /// Answers somebody who has signed in; the page to sign in at for others.
  func reading(
    _ visit: Visit, _ frame: PageFrame, _ answer: (PageReader) async throws -> Response
  ) async throws -> Response {
    let headers = visit.request.headers
    let token = gate.sessions.token(of: headers)
    let reader: PageReader
    do throws(AuthenticationError) {
      reader = try await gate.reader(of: token ?? "", address: nil)
    } catch {
      let wasSignedIn = token != nil || gate.sessions.isNamed(in: headers)
      let query = PageRoutes.rawQuery(visit.request)
      switch error {
      case .unknownToken, .missingAccess:
        let isElsewhere = headers[PageRoutes.fetchSite] == "cross-site"
        var response = PageFrame.response(
          frame.signIn(wasSignedIn ? frame.text.sessionEnded : nil, query: query, comesFromElsewhere: isElsewhere),
          wasSignedIn || visit.request.uri.path != "/" ? .unauthorized : .ok)
        if wasSignedIn { response.headers[.setCookie] = gate.sessions.end(headers) }
        return response
      default: return PageRoutes.refused(error, frame, query: query)
      }
    }
    visit.note.tenant = reader.tenant
    return try await answer(reader)
  }

  private func signIn(_ visit: Visit) async throws -> Response {
    let frame = PageFrame(text: .of(visit.request))
    guard PageRoutes.isOfThisSite(visit.request) else {
      return PageFrame.response(frame.notice(frame.text.error, frame.text.otherSite), .forbidden)
    }
    let form = QueryString(String(decoding: try await visit.body(), as: UTF8.self))
    let query = form.first("query")?.value ?? ""
    let token = (form.first("token")?.value ?? "").filter { !$0.isWhitespace }
    do throws(AuthenticationError) {
      guard !token.isEmpty else { throw .unknownToken }
      visit.note.tenant = try await gate.reader(of: token, address: visit.limitedAddress).tenant
    } catch {
      return PageRoutes.refused(error, frame, query: query)
    }
    // Fields of the page alone: what a form sends must not lead anywhere else.
    let wanted = QueryString(query)
    var address = PageFilter(wanted, zone: .utc).address()
    if let id = (wanted.first("open")?.value).flatMap({ PathValue.id($0) }) {
      address += (address.isEmpty ? "" : "&") + "open=\(id)"
    }
    return Response(
      status: .seeOther,
      headers: [
        .location: address.isEmpty ? "./" : "./?" + address, .setCookie: gate.sessions.begin(token: token),
        .cacheControl: "no-store",
      ])
  }

  private func signOut(_ visit: Visit) -> Response {
    let frame = PageFrame(text: .of(visit.request), root: "../")
    guard PageRoutes.isOfThisSite(visit.request) else {
      return PageFrame.response(frame.notice(frame.text.error, frame.text.otherSite), .forbidden)
    }
    return Response(
      status: .seeOther,
      headers: [.location: "../", .setCookie: gate.sessions.end(visit.request.headers), .cacheControl: "no-store"])
  }

  /// The page to sign in at again.
  private static func refused(_ error: AuthenticationError, _ frame: PageFrame, query: String) -> Response {
    let (message, status): (String, HTTPResponse.Status) =
      switch error {
      case .unknownToken: (frame.text.unknownToken, .unauthorized)
      case .missingAccess: (frame.text.missingAccess, .forbidden)
      case .tooManyAttempts: (frame.text.tooManyAttempts, .tooManyRequests)
      case .unreachable, .notInitialized: (frame.text.tokensAway, .serviceUnavailable)
      }
    var response = PageFrame.response(frame.signIn(message, query: query), status)
    switch error {
    case .tooManyAttempts(let seconds): response.headers[.retryAfter] = String(seconds)
    case .unreachable, .notInitialized: response.headers[.retryAfter] = "5"
    default: break
    }
    return response
  }

  private static let fetchSite = HTTPField.Name("Sec-Fetch-Site") ?? .server

  /// Whether a form is one of the service's own (Fetch Metadata Request Headers, 2.4). Browsers
  /// that do not say send the origin.
  private static func isOfThisSite(_ request: Request) -> Bool {
    if let site = request.headers[fetchSite] { return site == "same-origin" || site == "none" }
    guard let origin = request.headers[.origin], origin != "null" else { return true }
    return origin.split(separator: "/", maxSplits: 1).last.map { $0.drop { $0 == "/" } } == request.head.authority.map { $0[...] }
  }

  private static func rawQuery(_ request: Request) -> String {
    let target = request.head.path ?? ""
    return target.firstIndex(of: "?").map { String(target[target.index(after: $0)...]) } ?? ""
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
