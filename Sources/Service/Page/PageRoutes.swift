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

  var routes: [Route] {
    [
      Route(.get, "/", .open) { visit in
        try await reading(visit, PageFrame(text: .of(visit.request))) { try await list(visit, $0) }
      },
      Route(.get, "/count", .open) { visit in
        try await reading(visit, PageFrame(text: .of(visit.request))) { try await count(visit, $0) }
      },
      Route(.get, "/calls.csv", .open) { visit in
        try await reading(visit, PageFrame(text: .of(visit.request))) { try await csv(visit, $0) }
      },
      Route(.get, "/calls/{call_id}", .open) { visit in
        try await reading(visit, PageFrame(text: .of(visit.request), root: "../")) { try await call(visit, $0) }
      },
      Route(.post, "/session", .open) { visit in try await signIn(visit) },
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

  // MARK: One call

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
}
