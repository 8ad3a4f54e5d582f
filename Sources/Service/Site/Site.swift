import API
import Foundation
import HTTPTypes
import Hummingbird
import Lanes
import Logging
import NIOCore
import PostgreSQL
import Synchronization
import Values

/// Answers requests: finds the route, asks the gate, and turns errors into answers.
struct Site: HTTPResponder {
  typealias Context = SiteContext

  /// The prefix of every path.
  static let prefix = "/1.0"

  let routes: [Route]
  /// The routes of the page, which have no prefix.
  let pages: [Route]
  let gate: Gate
  let settings: SiteSettings
  let ending: Ending
  let metrics: Metrics
  let log: Logger

  func respond(to request: Request, context: SiteContext) async throws -> Response {
    let note = AccessNote()
    let (path, queryText) = Site.parts(of: request)
    let isPage = Site.pieces(of: path) == nil
    var route: Route?
    var response: Response
    do {
      (response, route) = try await answer(request, path, QueryString(queryText), note, context.channel)
    } catch {
      response = answer(refusal(error), request, isPage: isPage)
    }
    finish(&response, request, isPage: isPage)
    let line = AccessLine(request, path: path, query: queryText, address: context.channel.remoteAddress?.ipAddress)
    let (status, name) = (response.status.code, route.map { isPage ? $0.path : Site.prefix + $0.path } ?? "other")
    note.whenSent { [metrics, log] in
      metrics.note(route: name, method: request.method.rawValue, status: status, seconds: note.milliseconds / 1000)
      log.info("\(line.text(status: status, note))")
    }
    if request.method == .head { note.ended() }
    return response
  }

  private func answer(
    _ request: Request, _ path: String, _ query: QueryString, _ note: AccessNote, _ channel: any Channel
  ) async throws -> (Response, Route?) {
    if ending.isEnding { throw APIError.isEnding }
    guard Site.knownMethods.contains(request.method) else { throw APIError.methodUnknown }
    let ofAPI = Site.pieces(of: path)
    // Programs that bring a token find nothing outside of the API, as at Wazo's service.
    if ofAPI == nil, request.headers[.authToken] != nil { throw APIError.notFound }
    let found = (ofAPI == nil ? pages : routes).compactMap { route in
      route.values(of: ofAPI ?? Site.allPieces(of: path)).map { (route, $0) }
    }
    guard !found.isEmpty else { throw APIError.notFound }
    let method = request.method == .head ? .get : request.method
    guard let (route, values) = found.first(where: { $0.0.method == method }) else {
      let allowed = Site.methods(of: found.map(\.0))
      if request.method == .options {
        return (Response(status: .ok, headers: [.allow: allowed, .contentType: "text/html; charset=utf-8"]), found[0].0)
      }
      var response = answer(.methodNotAllowed, request, isPage: ofAPI == nil)
      response.headers[.allow] = allowed
      return (response, found[0].0)
    }
    do {
      let visit = try await visit(request, route, values, query, note, channel)
      return (try await route.answer(visit), route)
    } catch {
      return (answer(refusal(error), request, isPage: ofAPI == nil), route)
    }
  }

  /// An error: in the API's form, or as a page for people.
  private func answer(_ error: APIError, _ request: Request, isPage: Bool) -> Response {
    isPage ? PageRoutes.refusal(error, request) : Answers.error(error)
  }

  /// Lets a request in.
  private func visit(
    _ request: Request, _ route: Route, _ values: PathValues, _ query: QueryString, _ note: AccessNote,
    _ channel: any Channel
  ) async throws(APIError) -> Visit {
    switch route.access {
    case .open:
      Visit(open: request, values, query, gate: gate, limits: settings.limits, note: note, channel: channel)
    case .needed(let access):
      try await Visit(
        request, route, values, query, access: access(values), gate: gate, limits: settings.limits, note: note,
        channel: channel)
    }
  }

  /// What a client learns of an error that is not its own.
  private func refusal(_ error: any Error) -> APIError {
    switch error {
    case let error as APIError: return error
    case let error as LaneError:
      switch error {
      case .databaseIsAway: return .databaseUnreachable
      case .isClosed: return .isEnding
      default: return .isBusy
      }
    case let error as PostgreSQLError:
      switch (error.kind, error.sqlState) {
      case (.connectionLost, _), (.connection, _), (.commitUnknown, _): return .databaseUnreachable
      case (_, .queryCanceled): return .queryTimeout
      case (_, .lockNotAvailable), (_, .tooManyConnections), (_, .serializationFailure), (_, .deadlockDetected): return .isBusy
      case (_, .class("57")): return .databaseUnreachable
      default:
        log.error("\(error.description)")
        return .fault
      }
    case is CancellationError: return .isEnding
    default:
      log.error("a request failed: \(error)")
      return .fault
    }
  }

  /// The headers of every answer.
  private func finish(_ response: inout Response, _ request: Request, isPage: Bool) {
    response.headers[.contentTypeOptions] = "nosniff"
    // No other site has a use for the page, or may have it.
    if isPage {
      PageFrame.protect(&response)
    } else {
      CrossOrigin.add(to: &response, request, settings.crossOrigin)
    }
    guard request.method == .head else { return }
    // The length is that of the answer to GET, and stays.
    let length = response.headers[.contentLength]
    response.body = ResponseBody()
    response.headers[.contentLength] = length
  }

  private static let knownMethods: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]

  /// The methods of a path, for `Allow`.
  private static func methods(of routes: [Route]) -> String {
    var methods = routes.map(\.method.rawValue)
    if methods.contains("GET") { methods.append("HEAD") }
    methods.append("OPTIONS")
    return methods.joined(separator: ", ")
  }

  /// The path and the query as they came.
  private static func parts(of request: Request) -> (path: String, query: String) {
    let target = request.head.path ?? "/"
    guard let mark = target.firstIndex(of: "?") else { return (target, "") }
    return (String(target[..<mark]), String(target[target.index(after: mark)...]))
  }

  /// The names in a path of the page.
  private static func allPieces(of path: String) -> [String] {
    path == "/" ? [] : path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
  }

  /// The names in a path below the prefix; nil for another path.
  private static func pieces(of path: String) -> [String]? {
    let pieces = path.split(separator: "/", omittingEmptySubsequences: false).map { piece in
      piece.removingPercentEncoding ?? String(piece)
    }
    guard pieces.count > 2, pieces[0].isEmpty, pieces[1] == prefix.dropFirst() else { return nil }
    return Array(pieces[2...])
  }
}

/// What Hummingbird gives with each request.
struct SiteContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
  }
}

/// Whether the service ends.
final class Ending: Sendable {
  private let flag = Atomic<Bool>(false)
  private let (begun, continuation) = AsyncStream.makeStream(of: Void.self)

  var isEnding: Bool { flag.load(ordering: .acquiring) }

  func begin() {
    flag.store(true, ordering: .releasing)
    continuation.finish()
  }

  /// Waits until it does. One task waits.
  func hasBegun() async { for await _ in begun {} }
}
