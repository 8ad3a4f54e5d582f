import API
import Hummingbird
import Listing
import PostgreSQL
import Values

/// How many calls there were and when, and who had most of them. Wazo has no such requests.
struct StatsRoutes: Sendable {
  let desk: Desk

  var routes: [Route] {
    [
      Route(.get, "/cdr/stats", .needed { _ in RequiredAccess.readStatistics }, query: .tokenAndTenant) { visit in
        try await answer(visit) { _ in .everybody }
      },
      // Whoever sees the own calls can count them.
      Route(.get, "/users/me/cdr/stats", .needed { _ in RequiredAccess.listOwnCallLogs }, query: .tokenAndTenant) { visit in
        try await answer(visit) { visit throws(APIError) in .me(try visit.me()) }
      },
    ]
  }

  private func answer(_ visit: Visit, _ scope: (Visit) throws(APIError) -> ListScope) async throws -> Response {
    let zone = CallLogStatistics.Zone(named: try await desk.timeZoneName()) ?? .utc
    // Parameters are checked before the user, and the user before the tenant.
    _ = try StatsParameters(visit.query, scope: .everybody, zone: zone, now: .pageNow)
    let parameters = try StatsParameters(visit.query, scope: try scope(visit), zone: zone, now: .pageNow)
    let tenants = try await visit.tenants(isRecursive: parameters.isRecursive)
    let json = try await desk.count(for: visit) { connection in
      try parameters.answer(tenants: tenants) { query, question in
        try CallLogStatistics.read(query, question, counts: desk.takesCounts ? .kept : nil, on: connection)
      }
    }
    return Answers.json(json)
  }
}

extension Desk {
  /// Counts something for a client. A client that goes away does not keep others waiting.
  func count<Value: Sendable>(
    for visit: Visit, _ body: @escaping @Sendable (Connection) throws -> Value
  ) async throws -> Value {
    let counts = counts
    let task = Task { try await counts.run(body) }
    return try await Departure.watched(visit.channel, onGone: { task.cancel() }) {
      try await withTaskCancellationHandler {
        try await task.value
      } onCancel: {
        task.cancel()
      }
    }
  }
}
