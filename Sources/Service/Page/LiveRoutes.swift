import API
import Authentication
import Hummingbird
import Listing
import Values

/// New rows of the list, as their calls end.
///
/// The stream has the page's own filter, and what a session may see: so users who see their own
/// calls alone get those. Its rows are those of the list.
struct LiveRoutes: Sendable {
  let page: PageRoutes
  let streams: StreamRoutes

  var routes: [Route] {
    [
      Route(.get, "/live", .open) { visit in
        try await page.reading(visit, PageFrame(text: .of(visit.request))) { try await live(visit, $0) }
      }
    ]
  }

  private func live(_ visit: Visit, _ reader: PageReader) async throws -> Response {
    let (filter, query) = try await page.filter(visit, reader)
    guard filter.problems.isEmpty else { return PageRoutes.refused(filter, visit) }
    let isOwn = reader.me != nil
    let rows = ListRows(text: .of(visit.request), filter: filter, hasTags: !isOwn)
    let (gate, headers, isSecure) = (page.gate, visit.request.headers, visit.requester.usesTLS)
    let audience = StreamAudience(
      selection: query.selection, keepsList: true,
      tenantsNow: { () async throws(APIError) in
        // A session that has ended gets nothing more, nor does a token with other rights.
        let session = gate.sessions.session(of: headers, isSecure: isSecure)
        let now = try await LiveRoutes.reader(gate, token: session?.token ?? "")
        guard now.me == reader.me else { throw .unknownToken("", access: "") }
        return now.tenants
      },
      append: { view, out in
        var json = JSONWriter(out: out)
        out = []
        json.open("{")
        json.number("id", view.id)
        json.string("rows", Markup(rows.days([ShownCall(view, hidesTags: isOwn)])).text)
        json.close("}")
        out = json.out
      })
    return try await streams.answer(visit, audience, tenants: reader.tenants)
  }

  private static func reader(_ gate: Gate, token: String) async throws(APIError) -> PageReader {
    do throws(AuthenticationError) {
      return try await gate.reader(of: token, address: nil)
    } catch {
      switch error {
      case .unreachable(let host, let port, let reason):
        throw .authenticationUnreachable(host: host, port: port, reason: reason)
      case .notInitialized: throw .notInitialized
      default: throw .unknownToken("", access: "")
      }
    }
  }
}
