import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Answers whoever watches the service: metrics, and whether it is well. It has an address of its
/// own, since nothing there needs a token.
struct ManagementSite: HTTPResponder {
  typealias Context = SiteContext

  let metrics: Metrics
  let desk: Desk
  let ending: Ending
  let samples: @Sendable () -> [Metrics.Sample]

  func respond(to request: Request, context: SiteContext) async throws -> Response {
    guard request.method == .get || request.method == .head else {
      return Response(status: .methodNotAllowed, headers: [.allow: "GET, HEAD"])
    }
    switch request.uri.path {
    case "/metrics":
      var lanes = [("list", desk.lists.counts), ("count", desk.counts.counts), ("stream", desk.streams.counts)]
      if let cels = desk.cels { lanes.append(("cel", cels.lanes.counts)) }
      let text = metrics.text(Metrics.Sample.lanes(lanes.map { (name: $0.0, counts: $0.1) }) + samples())
      return answer(text, "text/plain; version=0.0.4; charset=utf-8", .ok, request)
    case "/health":
      let isWell = await isWell()
      return answer(
        isWell ? "ok\n" : "the database cannot be reached\n", "text/plain; charset=utf-8", isWell ? .ok : .serviceUnavailable,
        request)
    default: return Response(status: .notFound)
    }
  }

  private func isWell() async -> Bool {
    guard !ending.isEnding else { return false }
    return (try? await desk.counts.run { try $0.query("SELECT 1", purpose: "Asking whether the database is there").int64(0, 0) })
      != nil
  }

  private func answer(_ text: String, _ type: String, _ status: HTTPResponse.Status, _ request: Request) -> Response {
    var response = Response(status: status, headers: [.contentType: type], body: Answers.body(Array(text.utf8)))
    if request.method == .head { response = response.createHeadResponse() }
    return response
  }
}
