import API
import Hummingbird
import Recordings
import Values

/// The audio of recordings.
struct MediaRoutes: Sendable {
  let desk: Desk
  /// The folder of audio files.
  let folder: String

  private static let media = "/cdr/{cdr_id}/recordings/{recording_uuid}/media"

  var routes: [Route] {
    [
      Route(
        .get, MediaRoutes.media, .needed { RequiredAccess.readMedia($0.uuid, ofCallLog: $0.callLog) }, query: .tokenAndTenant
      ) { visit in
        try await read(visit, tenants: try await visit.tenants(isRecursive: true), participant: nil)
      },
      Route(.delete, MediaRoutes.media, .needed { RequiredAccess.deleteMedia($0.uuid, ofCallLog: $0.callLog) }) { visit in
        try await deleteOne(visit)
      },
      Route(
        .get, "/users/me" + MediaRoutes.media, .needed { RequiredAccess.readOwnMedia($0.uuid, ofCallLog: $0.callLog) },
        query: .tenant
      ) { visit in
        let me = try visit.me()
        return try await read(visit, tenants: try await visit.tenants(isRecursive: false), participant: me)
      },
      Route(.delete, "/cdr/recordings/media", .needed { _ in RequiredAccess.deleteManyMedia }) { visit in
        try await deleteMany(visit)
      },
    ]
  }

  private func read(_ visit: Visit, tenants: VisibleTenants, participant: UUIDValue?) async throws -> Response {
    let path = visit.path
    let found = try await desk.lists.run { connection in
      try Recordings.find(
        path.uuid, ofCallLog: Int64(path.callLog), tenants: tenants, participant: participant, on: connection)
    }
    switch found {
    case .noCallLog: throw APIError.noCallLog(Int64(path.callLog))
    case .noRecording: throw APIError.noRecording(path.uuid)
    case .deleted: throw APIError.noMedia(path.uuid)
    case .found(let recording):
      switch Recordings.open(recording, below: folder) {
      case .opened(let file): return FileAnswer.response(file, type: "audio/wav", name: recording.fileName, visit)
      case .missing: throw APIError.mediaMissing(path.uuid, path: recording.pathText)
      case .notPermitted, .failed: throw APIError.mediaForbidden(path.uuid, path: recording.pathText)
      }
    }
  }

  // MARK: Deleting

  private func deleteOne(_ visit: Visit) async throws -> Response {
    let tenants = try await visit.tenants(isRecursive: true)
    let (path, folder) = (visit.path, folder)
    let outcome = try await desk.streams.run { connection in
      try Recordings.delete(
        path.uuid, ofCallLog: Int64(path.callLog), tenants: tenants, folder: folder, on: connection)
    }
    switch outcome {
    case .done: return Answers.nothing
    case .noCallLog(let id): throw APIError.noCallLog(id)
    case .noRecording: throw APIError.noRecording(path.uuid)
    case .notRemoved(let recording, _): throw APIError.mediaForbidden(recording.uuid, path: recording.pathText)
    }
  }

  private func deleteMany(_ visit: Visit) async throws -> Response {
    let ids = try CallLogIDsBody.required(try await visit.body())
    let tenants = try await visit.tenants(isRecursive: true)
    let folder = folder
    let outcome = try await desk.streams.run { connection in
      try Recordings.delete(ofCallLogs: ids, tenants: tenants, folder: folder, on: connection)
    }
    switch outcome {
    case .done: return Answers.nothing
    case .noCallLog(let id): throw APIError.noCallLog(id)
    case .noRecording: throw APIError.fault
    case .notRemoved(let recording, _):
      throw APIError.mediaForbidden(recording.uuid, path: recording.pathText, callLog: Int64(recording.callLog))
    }
  }
}
