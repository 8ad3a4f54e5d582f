import PostgreSQL
import Values

/// The counts of call logs by tenant and hour, which triggers keep in the transactions that write
/// call logs. So they are exact, whoever writes.
///
/// Without the triggers there are no counts, whatever the tables hold.
public enum CallLogCounts {
  /// A kind of call log that is counted by itself.
  public enum Kind {
    /// The parts of the names of columns, by direction; the last one is for none.
    package static let directions = ["inbound", "internal", "outbound", "none"]
    /// The parts of the names of columns, by status.
    package static let statuses = ["unknown", "blocked", "voicemail", "answered"]
  }

  /// The columns with numbers, in their order.
  package static let columns = Kind.directions.flatMap { direction in Kind.statuses.map { "\(direction)_\($0)" } }

  /// Hours in microseconds.
  package static let hour: Int64 = 3_600_000_000

  /// The triggers of `call_logd_call_log`, by name.
  private static let triggers: KeyValuePairs<String, String> = [
    "call_logd_count_inserted":
      "AFTER INSERT ON call_logd_call_log REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION call_logd_count_note('1')",
    "call_logd_count_deleted":
      "AFTER DELETE ON call_logd_call_log REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION call_logd_count_note('-1')",
    "call_logd_count_updated_from":
      "AFTER UPDATE ON call_logd_call_log REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION call_logd_count_note('-1')",
    "call_logd_count_updated_to":
      "AFTER UPDATE ON call_logd_call_log REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION call_logd_count_note('1')",
    "call_logd_count_truncated":
      "AFTER TRUNCATE ON call_logd_call_log FOR EACH STATEMENT EXECUTE FUNCTION call_logd_count_clear()",
  ]

  /// Whether the triggers keep the counts, and the role may read them. It only reads.
  /// - Throws: `PostgreSQLError` where the server refuses
  public static func areKept(on connection: Connection) throws(PostgreSQLError) -> Bool {
    let rows = try connection.query(
      """
      SELECT count(*), coalesce(has_table_privilege(to_regclass('call_logd_count'), 'SELECT')
        AND has_table_privilege(to_regclass('call_logd_count_change'), 'SELECT'), false)
      FROM pg_trigger WHERE tgrelid = to_regclass('call_logd_call_log') AND tgname = ANY($1) AND tgenabled IN ('O', 'A')
      """, [.textArray(triggers.map(\.key))], purpose: "Looking whether call logs are counted")
    return rows.int64(0, 0) == Int64(triggers.count) && rows.bool(0, 1) == true
  }

  /// Counts all call logs, and makes the triggers that keep the counts from then on. What was there
  /// before goes. Nobody writes call logs meanwhile: 5 seconds for 5 million.
  /// - Throws: `PostgreSQLError`: `lockNotAvailable` after the session's `lock_timeout`,
  ///   `insufficientPrivilege` where the role does not own the table of call logs
  public static func make(on connection: Connection) throws {
    let purpose = "Counting call logs by tenant and hour"
    try connection.transaction(purpose: purpose) {
      // Whoever may not make triggers must not hold up those who write call logs.
      try connection.script(checkOwner, purpose: purpose)
      // Whoever adds the changes up now would add them to the new counts.
      _ = try connection.query(
        "SELECT pg_advisory_xact_lock($1, 0)", [.int4(AdvisoryLock.counts.rawValue)], purpose: purpose)
      try connection.script("LOCK TABLE call_logd_call_log IN SHARE ROW EXCLUSIVE MODE", purpose: purpose)
      try drop(on: connection)
      // Unlike TRUNCATE, DELETE leaves the old counts to transactions that have begun before.
      try connection.script("DELETE FROM call_logd_count; DELETE FROM call_logd_count_change", purpose: purpose)
      for (name, trigger) in triggers {
        try connection.execute("CREATE TRIGGER \(name) \(trigger)", purpose: "Making the trigger \(name)")
      }
      try connection.execute("INSERT INTO call_logd_count \(recount)", purpose: purpose)
    }
  }

  private static let checkOwner = """
    DO $$
    BEGIN
      IF NOT (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'call_logd_call_log'::regclass) THEN
        RAISE insufficient_privilege USING MESSAGE = 'must be owner of table call_logd_call_log';
      END IF;
    END
    $$
    """

  /// Removes the triggers. Then there are no counts.
  /// - Throws: `PostgreSQLError`: `insufficientPrivilege` where the role does not own the table
  public static func drop(on connection: Connection) throws(PostgreSQLError) {
    let rows = try connection.query(
      "SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'call_logd_call_log'::regclass AND tgname = ANY($1)",
      [.textArray(triggers.map(\.key))], purpose: "Looking for the counts' triggers")
    for name in rows.compactMap({ $0.string(0) }) {
      try connection.execute(
        "DROP TRIGGER \(Connection.quoteIdentifier(name)) ON call_logd_call_log", purpose: "Dropping the trigger \(name)")
    }
  }

  /// Adds the changes up, unless another session does.
  /// - Returns: whether this one did
  /// - Throws: `PostgreSQLError`
  @discardableResult
  public static func fold(on connection: Connection) throws -> Bool {
    let purpose = "Adding up counts of call logs"
    let isZero = columns.map { "\($0) = 0" }.joined(separator: " AND ")
    return try connection.transaction(purpose: purpose) {
      let taken = try connection.query(
        "SELECT pg_try_advisory_xact_lock($1, 0)", [.int4(AdvisoryLock.counts.rawValue)], purpose: purpose)
      guard taken.bool(0, 0) == true else { return false }
      let rows = try connection.query(
        """
        WITH gone AS (DELETE FROM call_logd_count_change RETURNING *), kept AS (
          INSERT INTO call_logd_count AS c
          SELECT tenant_uuid, hour, \(columns.map { "sum(\($0))" }.joined(separator: ", ")) FROM gone GROUP BY 1, 2
          HAVING \(columns.map { "sum(\($0)) <> 0" }.joined(separator: " OR "))
          ON CONFLICT (tenant_uuid, hour) DO UPDATE SET \(columns.map { "\($0) = c.\($0) + excluded.\($0)" }.joined(separator: ", "))
          RETURNING \(isZero) AS is_zero)
        SELECT coalesce(bool_or(is_zero), false) FROM kept
        """, purpose: purpose)
      if rows.bool(0, 0) == true { try connection.execute("DELETE FROM call_logd_count WHERE \(isZero)", purpose: purpose) }
      return true
    }
  }

  /// A query of what the counts should be, with their columns.
  private static var recount: String {
    let kind = """
      CASE direction WHEN 'inbound' THEN 0 WHEN 'internal' THEN 4 WHEN 'outbound' THEN 8 ELSE 12 END
        + CASE WHEN blocked THEN 1 WHEN date_answer IS NOT NULL THEN 3 WHEN reached_voicemail THEN 2 ELSE 0 END
      """
    let sums = columns.indices.map { "coalesce(sum(calls) FILTER (WHERE kind = \($0)), 0)::integer AS \(columns[$0])" }
    return """
      SELECT tenant_uuid, hour, \(sums.joined(separator: ", ")) FROM (
        SELECT tenant_uuid, date_bin('1 hour', date, '0001-01-01Z') AS hour, \(kind) AS kind, count(*)::integer AS calls
        FROM call_logd_call_log GROUP BY 1, 2, 3) AS kinds
      GROUP BY 1, 2
      """
  }
}

extension CallLogCounts {
  /// Where counts differ from the call logs.
  public struct Difference: Equatable, Sendable {
    /// Hours of a tenant that were compared.
    public var hours: Int64 = 0
    /// Those of them whose counts are wrong.
    public var wrong: Int64 = 0
    /// Call logs by the counts.
    public var counted: Int64 = 0
    /// Call logs in the table.
    public var callLogs: Int64 = 0
  }

  /// Counts all call logs again and compares. It reads the whole table.
  /// - Returns: nil where nothing keeps counts
  /// - Throws: `PostgreSQLError`
  public static func compare(on connection: Connection) throws(PostgreSQLError) -> Difference? {
    guard try areKept(on: connection) else { return nil }
    func sum(_ table: String) -> String { columns.map { "\(table).\($0)" }.joined(separator: " + ") }
    let isEqual = columns.map { "coalesce(c.\($0), 0) = coalesce(r.\($0), 0)" }.joined(separator: " AND ")
    let rows = try connection.query(
      """
      WITH r AS (\(recount)), c AS (
        SELECT tenant_uuid, hour, \(columns.map { "sum(\($0)) AS \($0)" }.joined(separator: ", "))
        FROM (SELECT * FROM call_logd_count UNION ALL SELECT * FROM call_logd_count_change) AS parts GROUP BY 1, 2)
      SELECT count(*), count(*) FILTER (WHERE NOT (\(isEqual))), coalesce(sum(\(sum("c")))::int8, 0), coalesce(sum(\(sum("r")))::int8, 0)
      FROM c FULL JOIN r USING (tenant_uuid, hour)
      """, purpose: "Comparing the counts of call logs")
    return Difference(
      hours: rows.int64(0, 0) ?? 0, wrong: rows.int64(0, 1) ?? 0, counted: rows.int64(0, 2) ?? 0,
      callLogs: rows.int64(0, 3) ?? 0)
  }
}
