import Listing
import PostgreSQL
import Recordings
import Store
import Values

/// A request for an export of recordings.
public struct ExportRequest: Sendable {
  /// The call logs of which the recordings are exported. If it has no statuses, blocked calls are
  /// left out.
  public var selection: CallLogSelection
  /// The tenants whose call logs the client may see.
  public var visible: VisibleTenants
  /// The tenant of the token. The export belongs to it.
  public var tenant: UUIDValue
  /// The user of the token.
  public var user: UUIDValue
  /// Where a mail is sent when the file is there; nil for no mail. It must be an address.
  public var email: String?
  /// The address of the API as the client knows it, for the link in the mail. It must not have a
  /// token in it.
  public var baseURL: String

  /// A request of these.
  public init(
    _ selection: CallLogSelection, visible: VisibleTenants, tenant: UUIDValue, user: UUIDValue, email: String? = nil,
    baseURL: String = ""
  ) {
    (self.selection, self.visible, self.tenant, self.user) = (selection, visible, tenant, user)
    (self.email, self.baseURL) = (email, baseURL)
  }

  private struct NothingToExport: Error {}

  /// Stores the request, with the recordings that have audio now. A service makes the file later.
  /// - Returns: the export; nil where none of the call logs has audio. Nothing is stored then.
  /// - Throws: `PostgreSQLError`
  public func store(on connection: Connection) throws -> ExportRecord? {
    do {
      return try connection.transaction(purpose: "Storing a request for an export") { try insert(on: connection) }
    } catch is NothingToExport {
      return nil
    }
  }

  private func insert(on connection: Connection) throws -> ExportRecord {
    var selection = selection
    selection.isRecorded = selection.isRecorded ?? true
    let callLogs = try CallLogTables.ids(of: CallLogQuery(tenants: visible, selection), on: connection)
    guard !callLogs.isEmpty else { throw NothingToExport() }
    try connection.execute(
      "INSERT INTO call_logd_tenant (uuid) VALUES ($1) ON CONFLICT DO NOTHING", [.uuid(tenant)], purpose: "Recording a tenant")
    let rows = try connection.query(
      """
      INSERT INTO call_logd_export AS e (uuid, tenant_uuid, user_uuid, requested_at, status)
      VALUES (gen_random_uuid(), $1, $2, now(), 'pending') RETURNING \(ExportRecord.columns)
      """, [.uuid(tenant), .uuid(user)], purpose: "Storing an export")
    guard let export = rows.first.flatMap({ ExportRecord($0) }) else {
      throw PostgreSQLError(
        kind: .protocol, purpose: "Storing an export", message: "the server gave no row", server: connection.server)
    }
    try connection.execute(
      "INSERT INTO call_logd_export_request (export_uuid, mail, email, base_url) VALUES ($1, $2, $3, $4)",
      [.uuid(export.uuid), .text(email == nil ? "none" : "waiting"), email.map { .text($0) } ?? .null, .text(baseURL)],
      purpose: "Storing a request for an export")
    let recordings = try connection.execute(
      """
      INSERT INTO call_logd_export_recording (export_uuid, call_log_id, recording_uuid)
      SELECT $1, call_log_id, uuid FROM call_logd_recording WHERE call_log_id = ANY($2) AND path <> ''
      """, [.uuid(export.uuid), .int4Array(callLogs)], purpose: "Storing the recordings of an export")
    guard recordings > 0 else { throw NothingToExport() }
    return export
  }
}
