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
  let gate: Gate
  let settings: SiteSettings
  let ending: Ending
  let metrics: Metrics
  let log: Logger

  func respond(to request: Request, context: SiteContext) async throws -> Response {
    let note = AccessNote()
    let (path, queryText) = Site.parts(of: request)
    var route: Route?
    var response: Response
    do {
      (response, route) = try await answer(request, path, QueryString(queryText), note, context.channel)
    } catch let error as APIError {
      response = Answers.error(error)
    } catch {
      response = Answers.error(refusal(error))
    }
    finish(&response, request)
    let line = AccessLine(request, path: path, query: queryText, address: context.channel.remoteAddress?.ipAddress)
    let (status, name) = (response.status.code, route.map { Site.prefix + $0.path } ?? "other")
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
    let pieces = Site.pieces(of: path)
    let found = pieces.map { pieces in routes.compactMap { route in route.values(of: pieces).map { (route, $0) } } } ?? []
    guard !found.isEmpty else { throw APIError.notFound }
    let method = request.method == .head ? .get : request.method
    guard let (route, values) = found.first(where: { $0.0.method == method }) else {
      let allowed = Site.methods(of: found.map(\.0))
      if request.method == .options {
        return (Response(status: .ok, headers: [.allow: allowed, .contentType: "text/html; charset=utf-8"]), found[0].0)
      }
      var response = Answers.error(.methodNotAllowed)
      response.headers[.allow] = allowed
      return (response, found[0].0)
    }
    do {
      let visit = try await visit(request, route, values, query, note, channel)
      return (try await route.answer(visit), route)
    } catch {
      return (Answers.error(refusal(error)), route)
    }
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
  private func finish(_ response: inout Response, _ request: Request) {
    response.headers[.contentTypeOptions] = "nosniff"
    CrossOrigin.add(to: &response, request, settings.crossOrigin)
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
