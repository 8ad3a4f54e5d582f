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
    let timeline = try await timeline(visit, reader, call, filter.zone)
    return PageFrame.response(CallPage(text: text, call: call, zone: filter.zone, isOwn: isOwn, timeline: timeline).markup)
  }
}
