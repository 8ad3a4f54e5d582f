import API
import CallLogs
import Hummingbird
import Listing
import Store
import Values

/// The events of a call: what each channel did, and why the call log is what it is. Wazo has no
/// such request.
struct EventRoutes: Sendable {
  let desk: Desk

  var routes: [Route] {
    [
      Route(.get, "/cdr/{cdr_id}/events", .needed { RequiredAccess.readEvents(ofCallLog: $0.callLog) }) { visit in
        try await events(visit, tenants: try await visit.tenants(isRecursive: true), participant: nil)
      },
      Route(.get, "/users/me/cdr/{cdr_id}/events", .needed { _ in RequiredAccess.listOwnCallLogs }) { visit in
        let me = try visit.me()
        return try await events(visit, tenants: try await visit.tenants(isRecursive: false), participant: me)
      },
    ]
  }

  private func events(_ visit: Visit, tenants: VisibleTenants, participant: UUIDValue?) async throws -> Response {
    let id = visit.path.callLog
    let call = try await desk.lists.run { connection in
      let arena = TextArena()
      return try withExtendedLifetime(arena) {
        try CallLogTables.view(ofCallLog: id, tenants: tenants, participant: participant, in: arena, on: connection)
          .map { ShownCall($0, hidesTags: true) }
      }
    }
    guard let call else { throw APIError.noCallLog(Int64(id)) }
    let story = try await CallStory.of(call, tenants: tenants, participant: participant, at: desk)
    visit.note.rows = story.timeline.events.count
    return Answers.json(EventsAnswer(call: call, story: story, isOwn: participant != nil).json)
  }
}
