import PostgreSQL
import Values

/// For how many days a tenant's call logs, exports and recordings are kept. nil stands for no
/// value.
public struct RetentionDays: Equatable, Sendable {
  /// Days of call logs.
  public var callLogs: Int32?
  /// Days of exports.
  public var exports: Int32?
  /// Days of recordings.
  public var recordings: Int32?

  /// Days of these kinds.
  public init(callLogs: Int32? = nil, exports: Int32? = nil, recordings: Int32? = nil) {
    (self.callLogs, self.exports, self.recordings) = (callLogs, exports, recordings)
  }

  /// The days that Wazo stores in a new database.
  public static let builtIn = RetentionDays(callLogs: 365, exports: 2, recordings: 365)
}

/// The retention of a tenant: its own days, and the days that count where it has none.
public struct TenantRetention: Equatable, Sendable {
  /// The tenant's own days.
  public var own: RetentionDays
  /// The stored days (`call_logd_config`), or Wazo's built-in days where nothing is stored.
  public var defaults: RetentionDays

  /// A retention of these.
  public init(own: RetentionDays, defaults: RetentionDays) { (self.own, self.defaults) = (own, defaults) }

  /// Reads the retention of a tenant. An unknown tenant has no days of its own.
  public static func read(_ tenant: UUIDValue, on connection: Connection) throws(PostgreSQLError) -> TenantRetention {
    let rows = try connection.query(
      """
      SELECT r.cdr_days, r.export_days, r.recording_days, c.retention_cdr_days, c.retention_export_days, c.retention_recording_days,
        c.id IS NOT NULL
      FROM (SELECT) AS one LEFT JOIN call_logd_retention r ON r.tenant_uuid = $1
      LEFT JOIN (SELECT * FROM call_logd_config ORDER BY id LIMIT 1) c ON true
      """, [.uuid(tenant)], purpose: "Reading the retention of a tenant")
    guard let row = rows.first else { return TenantRetention(own: RetentionDays(), defaults: .builtIn) }
    func days(_ column: Int) -> RetentionDays {
      func number(_ column: Int) -> Int32? { row.int64(column).flatMap { Int32(exactly: $0) } }
      return RetentionDays(callLogs: number(column), exports: number(column + 1), recordings: number(column + 2))
    }
    return TenantRetention(own: days(0), defaults: row.bool(6) == true ? days(3) : .builtIn)
  }

  /// Sets the days of a tenant. A value of nil removes the tenant's own. Rows of the tenant are
  /// made where they are missing.
  public static func write(_ days: RetentionDays, of tenant: UUIDValue, on connection: Connection) throws {
    try connection.transaction(purpose: "Setting the retention of a tenant") {
      try connection.execute(
        "INSERT INTO call_logd_tenant (uuid) VALUES ($1) ON CONFLICT DO NOTHING", [.uuid(tenant)], purpose: "Recording a tenant")
      try connection.execute(
        """
        INSERT INTO call_logd_retention (tenant_uuid, cdr_days, export_days, recording_days) VALUES ($1, $2, $3, $4)
        ON CONFLICT (tenant_uuid) DO UPDATE SET
          cdr_days = excluded.cdr_days, export_days = excluded.export_days, recording_days = excluded.recording_days
        """, [.uuid(tenant), .days(days.callLogs), .days(days.exports), .days(days.recordings)],
        purpose: "Setting the retention of a tenant")
    }
  }

  /// Stores the days of the configuration, as Wazo's service does at its start. A kind without a
  /// value keeps its stored days.
  /// - Parameter configured: the section `retention` of the configuration
  public static func storeDefaults(_ configured: RetentionDays, on connection: Connection) throws {
    try connection.transaction(purpose: "Storing the default retention") {
      // Two services that start at the same time must not make two rows.
      try connection.script("LOCK TABLE call_logd_config IN SHARE ROW EXCLUSIVE MODE", purpose: "Storing the default retention")
      try connection.execute(
        """
        INSERT INTO call_logd_config (retention_cdr_days, retention_cdr_days_from_file, retention_export_days,
          retention_export_days_from_file, retention_recording_days, retention_recording_days_from_file)
        SELECT $1, false, $2, false, $3, false WHERE NOT EXISTS (SELECT FROM call_logd_config)
        """,
        [.days(RetentionDays.builtIn.callLogs), .days(RetentionDays.builtIn.exports), .days(RetentionDays.builtIn.recordings)],
        purpose: "Storing the default retention")
      try connection.execute(
        """
        UPDATE call_logd_config SET
          retention_cdr_days = coalesce($1, retention_cdr_days), retention_cdr_days_from_file = $1 IS NOT NULL,
          retention_export_days = coalesce($2, retention_export_days), retention_export_days_from_file = $2 IS NOT NULL,
          retention_recording_days = coalesce($3, retention_recording_days), retention_recording_days_from_file = $3 IS NOT NULL
        """, [.days(configured.callLogs), .days(configured.exports), .days(configured.recordings)],
        purpose: "Storing the default retention")
    }
  }
}

extension Parameter {
  fileprivate static func days(_ days: Int32?) -> Parameter { days.map { .int4($0) } ?? .null }
}
