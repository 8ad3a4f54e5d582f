import API
import HTTPTypes
import Hummingbird
import NIOCore
import Values

extension HTTPField.Name {
  fileprivate static let lastEventID = HTTPField.Name("Last-Event-ID") ?? .server
  fileprivate static let accelBuffering = HTTPField.Name("X-Accel-Buffering") ?? .server
}

/// New call logs as they come.
struct StreamRoutes: Sendable {
  let desk: Desk
  let feed: Feed
  /// How long a client may take nothing, and how long a stream may last.
  let limits: (idle: Duration, limit: Duration)

  var routes: [Route] {
    [
      Route(.get, "/cdr/stream", .needed { _ in RequiredAccess.streamCallLogs }, query: .tokenAndTenant) { visit in
        try await stream(visit)
      }
    ]
  }

  // A proxy must not wait for more before it passes an event on.
  private static let headers: HTTPFields = [
    .contentType: "text/event-stream", .cacheControl: "no-store", .accelBuffering: "no", .connection: "close",
  ]

  private func stream(_ visit: Visit) async throws -> Response {
    let parameters = try ListParameters(visit.query, scope: .everybody, zone: try await desk.timeZone())
    let isRecursive = parameters.isRecursive
    let audience = StreamAudience(
      selection: parameters.selection, keepsList: false,
      tenantsNow: { () async throws(APIError) in try await visit.tenantsNow(isRecursive: isRecursive) },
      append: { view, out in view.appendJSON(to: &out) })
    return try await answer(visit, audience, tenants: try await visit.tenants(isRecursive: isRecursive))
  }

  /// Sends an audience its call logs, until it goes away.
  /// - Throws: ``APIError``; errors of the lanes and of the server
  func answer(_ visit: Visit, _ audience: StreamAudience, tenants: VisibleTenants) async throws -> Response {
    if visit.request.method == .head { return Response(status: .ok, headers: StreamRoutes.headers) }
    let (feed, channel) = (feed, visit.channel)
    let subscription = Subscription(most: feed.settings.backlog * 2) { [weak feed] in
      feed?.note(cut: 1)
      channel.close(promise: nil)
    }
    let seat = Seat(feed, subscription)
    try await feed.add(subscription)
    let lastID = StreamRoutes.lastID(visit)
    if let lastID {
      let (entries, isPart) = try await feed.missed(since: lastID)
      subscription.add(missed: entries, hasGap: isPart)
    }
    let stream = EventStream(visit.note, feed, subscription, audience, tenants: tenants, lastID: lastID, limits: limits)
    let (request, note) = (visit.request, visit.note)
    note.becomesStream()
    let body = ResponseBody { writer in
      defer {
        seat.leave()
        note.ended()
      }
      var stream = stream
      try await request.body.consumeWithInboundCloseHandler { _ in
        try await stream.run { try await writer.write(ByteBuffer(bytes: $0)) }
      } onInboundClosed: {
        subscription.end()
      }
      try await writer.finish(nil)
    }
    return Response(status: .ok, headers: StreamRoutes.headers, body: body)
  }

  /// The place where a client was that comes again; nil for a new one. Scripts that stand in for a
  /// browser's EventSource have it in the query.
  private static func lastID(_ visit: Visit) -> Int64? {
    let texts = [visit.request.headers[.lastEventID], visit.query.first("last_event_id")?.value]
    return texts.lazy.compactMap(\.self).compactMap { text in
      text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } ? Int64(text) : nil
    }.first
  }
}

/// A client's place in the feed. It is given up with the answer, also with one that is never sent.
private final class Seat: Sendable {
  private let feed: Feed
  private let subscription: Subscription

  init(_ feed: Feed, _ subscription: Subscription) { (self.feed, self.subscription) = (feed, subscription) }

  deinit { leave() }

  func leave() { feed.remove(subscription) }
}
