import PostgreSQL
import Values

extension CallLogTables {
  /// The tables of an archive's part in the order of its files: the call logs first, then what belongs to them.
  public enum Part: String, CaseIterable, Sendable {
    /// The call logs themselves.
    case callLogs = "call_logd_call_log"
    /// Their participants.
    case participants = "call_logd_call_log_participant"
    /// Details of their destinations.
    case destinations = "call_logd_call_log_destination"
    /// Their recordings: rows.
    case recordings = "call_logd_recording"

    /// The column that has the call log's id.
    var key: String { self == .callLogs ? "id" : "call_log_id" }
    var order: String { self == .callLogs ? "date, id" : "call_log_id, uuid" }
  }

  /// A call log that is due.
  public struct Due: Sendable {
    /// Its id.
    public let id: Int32
    /// When the call began.
    public let date: Timestamp
    /// Its tenant.
    public let tenant: UUIDValue
  }

  /// Which call logs are due: those of these tenants that began before the time that goes with them.
  public typealias Cutoffs = [(tenant: UUIDValue, before: Int64)]

  /// The cutoffs as rows of `tenant` and `before`, from the first two parameters.
  static var cutoffRows: String {
    "(SELECT tenant, \(instant("micros")) AS before FROM unnest($1::uuid[], $2::int8[]) AS c(tenant, micros))"
  }

  /// The parameters for ``cutoffRows``.
  static func cutoffParameters(_ cutoffs: Cutoffs) -> [Parameter] {
    var tenants = BinaryArray(.uuid)
    for (tenant, _) in cutoffs { tenants.append(tenant) }
    return [.array(tenants), .int8Array(cutoffs.map(\.before))]
  }

  /// At most `limit` call logs that are due, oldest first.
  /// - Parameters:
  ///   - last: only those that come after this one in that order
  ///   - end: only those that began before this time; nil for no bound
  ///   - besides: ids that are left out
  public static func due(
    _ cutoffs: Cutoffs, after last: (date: Int64, id: Int32)?, before end: Int64?, besides: [Range<Int64>], limit: Int,
    on connection: Connection
  ) throws(PostgreSQLError) -> [Due] {
    // Each tenant gives its share and a quarter more at first; more where that does not tell which are the oldest of all.
    var share = min(limit, max(100, limit / max(cutoffs.count, 1) * 5 / 4))
    while true {
      let rows = try oldest(share, cutoffs, last, end, besides, connection)
      guard share < limit else { return Array(rows.prefix(limit)) }
      // A tenant that gave as many as it was asked for may have more, all of them later than its last.
      var given: [UUIDValue: (count: Int, last: Int64)] = [:]
      for row in rows { given[row.tenant] = (given[row.tenant, default: (0, 0)].count + 1, row.date) }
      let horizon = given.values.filter { $0.count >= share }.map(\.last).min()
      let known = horizon.map { horizon in Array(rows.prefix { $0.date <= horizon }) } ?? rows
      if horizon == nil || known.count >= limit { return Array(known.prefix(limit)) }
      share = min(limit, share * 4)
    }
  }

  /// The oldest due call logs of each tenant, `share` of each and those of the same time as its last, oldest first.
  private static func oldest(
    _ share: Int, _ cutoffs: Cutoffs, _ last: (date: Int64, id: Int32)?, _ end: Int64?, _ besides: [Range<Int64>],
    _ connection: Connection
  ) throws(PostgreSQLError) -> [Due] {
    // Tenant by tenant, as the index has them: none that came before is read. The index knows no order of those of the very same time; with all of them, nothing is sorted
    // that is not wanted, also where the table was never analysed. The planner takes it for scattered, as each tenant's rows lie among the others', and would rather read and sort
    // all that is left, for each part again.
    let bitmaps = try connection.query(
      "SELECT current_setting('enable_bitmapscan'), set_config('enable_bitmapscan', 'off', true)", purpose: "Preparing a look-up"
    ).string(0, 0)
    defer {
      _ = try? connection.query(
        "SELECT set_config('enable_bitmapscan', $1, true)", [.text(bitmaps ?? "on")], purpose: "Ending a look-up")
    }
    return read(
      try connection.query(
        """
        SELECT l.id, l.date, d.tenant FROM \(cutoffRows) d CROSS JOIN LATERAL (
          SELECT id, date FROM call_logd_call_log
          WHERE tenant_uuid = d.tenant AND date < least(d.before, $5::timestamptz)
            AND date >= greatest($3::timestamptz, timestamptz '0001-01-01Z') AND (date, id) > ($3::timestamptz, $4::int4)
            AND NOT $6::int8multirange @> id::int8
          ORDER BY date FETCH FIRST ($7) ROWS WITH TIES) l
        ORDER BY l.date, l.id
        """,
        cutoffParameters(cutoffs) + [
          .timestamptz(last?.date ?? .min), .int4(last?.id ?? 0), .timestamptz(end ?? .max), .int8Multirange(besides),
          .int8(Int64(share)),
        ], purpose: "Looking for call logs that are due"))
  }

  /// Those of these call logs that are due, oldest first.
  public static func due(_ cutoffs: Cutoffs, among ids: [Range<Int64>], on connection: Connection) throws(PostgreSQLError)
    -> [Due]
  {
    let before = Dictionary(cutoffs.map { ($0.tenant, $0.before) }) { max($0, $1) }
    return read(
      try connection.query(
        """
        SELECT l.id, l.date, l.tenant_uuid FROM \(callLogs(among: "$1")) WHERE l.date >= '0001-01-01Z' ORDER BY l.date, l.id
        """, [.int8Multirange(ids)], purpose: "Looking which call logs are due")
    ).filter { due in before[due.tenant].map { due.date < $0 } ?? false }
  }

  /// Call logs with these ids, looked up by them: OFFSET keeps the planner from looking up by anything else.
  static func callLogs(among parameter: String) -> String {
    """
    unnest(\(parameter)::int8multirange) AS k(ids) CROSS JOIN LATERAL (SELECT id, date, tenant_uuid FROM call_logd_call_log
      WHERE id >= lower(k.ids) AND id < upper(k.ids) OFFSET 0) l
    """
  }

  private static func read(_ rows: Rows) -> [Due] {
    rows.compactMap { row in
      guard let id = row.int64(0), let date = row.timestamp(1), let tenant = row.uuid(2) else { return nil }
      return Due(id: Int32(truncatingIfNeeded: id), date: date, tenant: UUIDValue(high: tenant.high, low: tenant.low))
    }
  }

  /// How many call logs that are due are left alone, since they were restored not long ago.
  public static func countDue(_ cutoffs: Cutoffs, among ids: [Range<Int64>], on connection: Connection)
    throws(PostgreSQLError) -> Int64
  {
    guard !ids.isEmpty else { return 0 }
    return try connection.query(
      """
      SELECT count(*)::int8 FROM \(callLogs(among: "$3")) JOIN \(cutoffRows) d ON l.tenant_uuid = d.tenant
      WHERE l.date < d.before
      """, cutoffParameters(cutoffs) + [.int8Multirange(ids)], purpose: "Counting what was restored"
    ).int64(0, 0) ?? 0
  }

  /// `timestamptz` from, to the microsecond.
  static func instant(_ column: String) -> String {
    "(timestamptz '2000-01-01Z' + make_interval(secs => (\(column) / 1000000)::double precision) + (\(column) % 1000000) * interval '1 microsecond')"
  }

  /// Writes the rows of these call logs as PostgreSQL's CSV, with a line of names, to `sink`. Needs a transaction.
  /// - Returns: how many rows there were
  public static func copyOut(
    _ part: Part, columns: TableColumns, ofCallLogs ids: [Int64], on connection: Connection,
    _ sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int {
    try connection.withTextForms {
      try connection.copyOut(
        """
        COPY (SELECT \(columns.list()) FROM \(part.rawValue) WHERE \(IDCondition(ids).literal(part.key)) ORDER BY \(part.order)) \
        TO STDOUT (FORMAT csv, HEADER)
        """, purpose: "Reading \(ids.count) call logs from \(part.rawValue)", sink)
    }
  }

  /// How many rows of that table belong to these call logs.
  public static func count(_ part: Part, ofCallLogs ids: [Int64], on connection: Connection) throws(PostgreSQLError) -> Int {
    let among = IDCondition(ids).bound(part.key)
    let rows = try connection.query(
      "SELECT count(*)::int8 FROM \(part.rawValue) WHERE \(among.sql)", among.parameters, purpose: "Counting \(part.rawValue)")
    return Int(rows.int64(0, 0) ?? 0)
  }

  /// Deletes the rows of that table that belong to these call logs.
  /// - Returns: how many
  public static func delete(_ part: Part, ofCallLogs ids: [Int64], on connection: Connection) throws(PostgreSQLError) -> Int {
    let among = IDCondition(ids).bound(part.key)
    return try connection.execute(
      "DELETE FROM \(part.rawValue) WHERE \(among.sql)", among.parameters, purpose: "Deleting from \(part.rawValue)")
  }

  /// What retention is told for.
  public enum Kept: Sendable {
    /// Call logs.
    case callLogs
    /// Audio files of recordings.
    case recordings

    var column: String { self == .callLogs ? "cdr_days" : "recording_days" }
  }

  /// Tenants with the days that they chose to keep call logs, or audio files, for; nil where a tenant chose none.
  public static func retention(of kept: Kept, on connection: Connection) throws -> [(tenant: UUIDValue, days: Int?)] {
    try connection.query(
      "SELECT t.uuid, r.\(kept.column) FROM call_logd_tenant t LEFT JOIN call_logd_retention r ON r.tenant_uuid = t.uuid ORDER BY t.uuid",
      purpose: "Reading the tenants' retention"
    ).compactMap { row in
      row.uuid(0).map { ($0, row.int64(1).map { Int($0) }) }
    }
  }

  /// The stored default of days that call logs, or audio files, are kept for; nil where none is stored.
  public static func storedDays(of kept: Kept, on connection: Connection) throws -> Int? {
    try connection.query(
      "SELECT retention_\(kept.column) FROM call_logd_config ORDER BY id LIMIT 1",
      purpose: "Reading the stored default of retention"
    ).first.flatMap { $0.int64(0) }.map { Int($0) }
  }

  /// The server's time at the beginning of the transaction.
  public static func now(on connection: Connection) throws -> Int64 {
    try connection.query("SELECT now()", purpose: "Looking at the server's clock").timestamp(0, 0) ?? 0
  }
}
