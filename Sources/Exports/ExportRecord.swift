import PostgreSQL
import Recordings
import Values

/// An export as the API shows it: a row of `call_logd_export`.
public struct ExportRecord: Equatable, Sendable {
  /// The states of an export. The raw value is its name in the API.
  public enum Status: String, Sendable {
    /// The export waits for a service.
    case pending
    /// A service makes the file.
    case processing
    /// The file is there.
    case finished
    /// The file was removed, because its days are over.
    case deleted
    /// The file could not be made.
    case error
  }

  /// Its uuid.
  public let uuid: UUIDValue
  /// The tenant of the token with which it was asked for.
  public let tenant: UUIDValue
  /// The user of that token.
  public let user: UUIDValue
  /// The time of the request, in microseconds since 2000-01-01 UTC.
  public let requestedAt: Timestamp
  /// Its state; nil where another program stored none.
  public let status: Status?
  /// The path of the file, as bytes; nil where there is none.
  public let path: [UInt8]?

  /// The name of the download, such as `2026-03-02T08_00_03UTC-….zip`. It has the time of the
  /// request without the fraction of a second.
  public var fileName: String {
    var name: [UInt8] = []
    let micros = requestedAt % 1_000_000
    TimestampText.appendWallClock(requestedAt &- (micros < 0 ? micros + 1_000_000 : micros), isShort: true, to: &name)
    for index in name.indices where name[index] == UInt8(ascii: ":") { name[index] = UInt8(ascii: "_") }
    return String(decoding: name, as: UTF8.self) + "UTC-\(uuid).zip"
  }

  static let columns = "e.uuid, e.tenant_uuid, e.user_uuid, e.requested_at, e.status, e.path"

  /// Reads ``columns`` from a row, which begins with them.
  init?(_ row: RowView) {
    guard let uuid = row.uuid(0), let tenant = row.uuid(1), let user = row.uuid(2), let time = row.timestamp(3) else {
      return nil
    }
    (self.uuid, self.tenant, self.user, requestedAt) = (uuid, tenant, user, time)
    (status, path) = (row.string(4).flatMap { Status(rawValue: $0) }, row.path(5))
  }

  /// Reads an export of these tenants, whichever program made it; nil where they have none of that
  /// uuid.
  public static func read(_ uuid: UUIDValue, tenants: VisibleTenants, on connection: Connection) throws(PostgreSQLError)
    -> ExportRecord?
  {
    try connection.query(
      "SELECT \(columns) FROM call_logd_export e WHERE e.uuid = $1 AND ($2::uuid[] IS NULL OR e.tenant_uuid = ANY($2))",
      [.uuid(uuid), .tenants(tenants)], purpose: "Reading an export"
    ).first.flatMap { ExportRecord($0) }
  }
}
