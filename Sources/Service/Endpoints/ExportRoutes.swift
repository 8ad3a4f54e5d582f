import API
import Exports
import HTTPTypes
import Hummingbird
import Listing
import Values

/// Exports of recordings.
struct ExportRoutes: Sendable {
  let desk: Desk
  /// The folders in which the files of exports are: of exports, and of recordings.
  let folders: [String]
  /// Called when there is a new export.
  let wake: @Sendable () -> Void

  var routes: [Route] {
    [
      Route(.post, "/cdr/recordings/media/export", .needed { _ in RequiredAccess.createExport }) { visit in
        try await create(visit)
      },
      Route(.get, "/exports/{export_uuid}", .needed { RequiredAccess.readExport($0.uuid) }) { visit in
        try await read(visit)
      },
      Route(
        .get, "/exports/{export_uuid}/download", .needed { RequiredAccess.downloadExport($0.uuid) }, query: .tokenAndTenant
      ) { visit in
        try await download(visit)
      },
    ]
  }

  private func create(_ visit: Visit) async throws -> Response {
    let parameters = try ExportParameters(visit.query, zone: try await desk.timeZone())
    let ids = try CallLogIDsBody(forExport: try await visit.body()).ids
    let tenants = try await visit.tenants(isRecursive: parameters.isRecursive)
    var selection = parameters.selection
    // An id that no call log can have finds none.
    selection.ids = ids?.compactMap { Int32(exactly: $0) }
    let prefix = ExportRoutes.prefix(of: visit.request)
    // A token that nobody owns gives an export that nobody owns.
    let user = visit.identity.owner ?? visit.identity.user ?? UUIDValue(high: 0, low: 0)
    let request = ExportRequest(
      selection, visible: tenants, tenant: visit.identity.tenant, user: user, email: parameters.email,
      baseURL: ExportRoutes.origin(of: visit.request) + prefix + Site.prefix)
    // Not again after its answer was lost: that would be a second export.
    let export = try await desk.streams.run(isRepeatable: false) { try request.store(on: $0) }
    guard let export else { throw APIError.nothingToExport }
    wake()
    var response = Answers.json(.fields(["uuid": .uuid(export.uuid)]), .accepted)
    response.headers[.location] = "\(prefix)\(Site.prefix)/exports/\(export.uuid)"
    return response
  }

  private func read(_ visit: Visit) async throws -> Response {
    let tenants = try await visit.tenants(isRecursive: true)
    let uuid = visit.path.uuid
    let export = try await desk.lists.run { try ExportRecord.read(uuid, tenants: tenants, on: $0) }
    guard let export else { throw APIError.noExport(uuid) }
    return Answers.json(
      .fields([
        "uuid": .uuid(export.uuid), "tenant_uuid": .uuid(export.tenant), "user_uuid": .uuid(export.user),
        "requested_at": .string(ExportRoutes.text(of: export.requestedAt)), "filename": .string(export.fileName),
        "status": export.status.map { .string($0.rawValue) } ?? .null,
      ]))
  }

  private func download(_ visit: Visit) async throws -> Response {
    let tenants = try await visit.tenants(isRecursive: false)
    let (uuid, folders) = (visit.path.uuid, folders)
    switch try await desk.lists.run({ try ExportDownload.open(uuid, tenants: tenants, folders: folders, on: $0) }) {
    case .notFound: throw APIError.noExport(uuid)
    case .notDone: throw APIError.exportNotDone(uuid)
    case .failed: throw APIError.exportFailed(uuid)
    case .opened(let file, let export): return FileAnswer.response(file, type: "application/zip", name: export.fileName, visit)
    case .missing(let path): throw APIError.exportMissing(uuid, path: path)
    case .notPermitted(let path, _): throw APIError.exportForbidden(uuid, path: path)
    }
  }

  // MARK: Addresses

  /// What a proxy has cut off before the path.
  private static func prefix(of request: Request) -> String {
    guard let name = request.headers[.scriptName], name.hasPrefix("/"), !name.hasPrefix("//"), name.utf8.count <= 200 else {
      return ""
    }
    let isFine = name.unicodeScalars.allSatisfy { scalar in
      scalar.isASCII
        && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "/-._~".unicodeScalars.contains(scalar))
    }
    return isFine ? String(name.reversed().drop { $0 == "/" }.reversed()) : ""
  }

  /// The address of the service as the client knows it.
  private static func origin(of request: Request) -> String {
    let host = request.head.authority ?? ""
    let isFine =
      !host.isEmpty && host.utf8.count <= 300
      && host.unicodeScalars.allSatisfy { scalar in
        scalar.isASCII
          && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "-.:[]".unicodeScalars.contains(scalar))
      }
    return "https://" + (isFine ? host : "localhost")
  }

  private static func text(of time: Timestamp) -> String {
    var json = JSONWriter(out: [])
    json.open("{")
    json.time("t", time, isShort: true)
    json.close("}")
    return String(decoding: json.out.dropFirst(6).dropLast(2), as: UTF8.self)
  }
}
