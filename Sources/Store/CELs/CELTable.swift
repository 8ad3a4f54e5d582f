import CallLogs
import PostgreSQL

/// The table of CELs in one database: its name, its columns and the way to read them.
public struct CELTable: Sendable {
  /// The identity of a table, which does not depend on its name. Coverage belongs to one table.
  public struct Identity: Hashable, Sendable {
    /// The server's system identifier.
    public let system: Int64
    /// The oid of the database.
    public let database: Int64
    /// The oid of the table.
    public let table: Int64
  }

  /// The name with its schema, quoted if needed.
  public let name: String
  /// The identity of the table.
  public let identity: Identity
  /// Whether it has a column `call_log_id`, which Wazo's own programs read.
  public let hasCallLogID: Bool
  /// Whether the server can set `call_log_id`, regardless of rights. Some views and all standbys
  /// cannot.
  public let canSetCallLogID: Bool
  /// Whether the server is a standby, which is read-only.
  public let isOnStandby: Bool
  /// The GRANT that lets this role set `call_log_id`; nil where it may, or where the column does
  /// not exist.
  public let missingLinkRight: String?
  /// Columns that call logs need and the table lacks. They count as empty.
  public let absentColumns: [String]
  /// Columns that look-ups need and that no index starts with.
  public let unindexedColumns: [String]
  /// Whether the server can tell which indexes serve the look-ups. It cannot for a view or a
  /// foreign table.
  let showsIndexes: Bool
  /// The sequence that gives the ids; nil where there is none.
  public let sequence: String?
  /// The rule by which a missing id becomes final.
  public let lateRule: LateRule
  /// Whether text may contain invalid UTF-8.
  let needsRepair: Bool
  /// Whether the time comes as text.
  let timeIsText: Bool
  let selectList: String
  private let timeZone: String?
  /// SQL for the time of a row as a `timestamptz`; nil where the time is text that only this
  /// program can read.
  let instant: String?
  /// SQL that excludes SIP chats.
  var isNoChat: String {
    absentColumns.contains(CELColumns.Name.channame.rawValue) ? "true" : "channame IS DISTINCT FROM '\(CELBatch.chatChannel)'"
  }

  static let textColumns = CELColumns.Name.allCases

  /// Finds the table and reads its columns.
  /// - Parameters:
  ///   - name: with or without a schema, as in SQL
  ///   - timeZone: the zone of the wall clock in `eventtime`; nil where `eventtime` needs no
  ///     conversion
  /// - Throws: ``StoreError`` (`configuration`) where the table or a required column is missing; an
  ///   error of PostgreSQL.
  public static func find(_ name: String, timeZone: String?, on connection: Connection) throws -> CELTable {
    let written = Connection.quoteQualifiedName(name)
    let database = connection.server.database
    let found = try connection.query(
      """
      SELECT c.oid::int8, format('%I.%I', n.nspname, c.relname),
             (SELECT oid::int8 FROM pg_database WHERE datname = current_database()),
             (SELECT system_identifier FROM pg_control_system()), pg_is_in_recovery(), current_user::text, c.relkind IN ('v', 'f'),
             (SELECT c.relkind IN ('r', 'p') OR pg_column_is_updatable(c.oid::regclass, a.attnum, false) FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attname = 'call_log_id' AND NOT a.attisdropped)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid = to_regclass($1)
      """, [.text(written)], purpose: "Looking for the CEL table \(name)")
    guard found.count == 1, let oid = found.int64(0, 0), let qualified = found.string(0, 1), let databaseOID = found.int64(0, 2),
      let system = found.int64(0, 3)
    else {
      throw StoreError(
        .configuration,
        "there is no table \(name) in database \(database) (\(connection.server)); set cel_table to the table in which Asterisk writes CELs (and cel_db_uri, if it is in another database)"
      )
    }
    if connection.serverEncoding == "SQL_ASCII" {
      // A SQL_ASCII server converts no text. It refuses to send text that is invalid in the
      // client's encoding, unless that is SQL_ASCII, too (PostgreSQL, "Character Set Support").
      try connection.execute(
        "SELECT set_config('client_encoding', 'SQL_ASCII', false)", purpose: "Setting up the reading of CELs")
    }
    let columns = try readColumns(oid, connection)
    for required in ["id", "eventtype", "eventtime", "uniqueid", "linkedid"] where columns[required] == nil {
      let hint = required == "id" ? "; add it with ALTER TABLE \(written) ADD COLUMN id bigserial PRIMARY KEY" : ""
      throw StoreError(.configuration, "the table \(name) in database \(database) has no column \(required)\(hint)")
    }
    let type = columns["eventtime"] ?? ""
    let isText = !type.hasPrefix("timestamp")
    if let timeZone { try checkTimeZone(timeZone, connection) }
    let time = timeExpression(type, isText: isText, hasZone: timeZone != nil)
    let isOnStandby = found.bool(0, 4) == true
    let late = try readLateRule(oid, name: qualified, isOnStandby: isOnStandby, connection)
    return CELTable(
      name: qualified,
      identity: Identity(system: system, database: databaseOID, table: oid),
      hasCallLogID: columns["call_log_id"] != nil,
      canSetCallLogID: found.bool(0, 7) == true && !isOnStandby,
      isOnStandby: isOnStandby,
      missingLinkRight: try columns["call_log_id"] == nil
        ? nil : missingLinkRight(oid, user: found.string(0, 5) ?? "", name, connection),
      absentColumns: textColumns.map(\.rawValue).filter { columns[$0] == nil },
      // The indexes behind a view or a foreign table are not visible.
      unindexedColumns: found.bool(0, 6) == true ? [] : try readUnindexed(oid, connection),
      showsIndexes: found.bool(0, 6) != true,
      sequence: late.sequence,
      lateRule: late.rule,
      needsRepair: connection.serverEncoding == "SQL_ASCII",
      timeIsText: isText,
      selectList: selectList(columns, time: time),
      timeZone: timeZone,
      instant: isText ? nil : time)
  }

  /// Prepares another session to read the table.
  /// - Throws: an error of PostgreSQL.
  public func setUp(_ connection: Connection) throws {
    if needsRepair {
      try connection.execute(
        "SELECT set_config('client_encoding', 'SQL_ASCII', false)", purpose: "Setting up the reading of CELs")
    }
    if let timeZone {
      try connection.execute(
        "SELECT set_config('wazo_call_logs.cel_time_zone', $1, false)", [.text(timeZone)], purpose: "Setting cel_time_zone")
    }
  }

  /// Reads the name and type of each column.
  private static func readColumns(_ oid: Int64, _ connection: Connection) throws -> [String: String] {
    var columns: [String: String] = [:]
    let rows = try connection.query(
      "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped",
      [.int8(oid)], purpose: "Looking up the columns of the CEL table")
    for row in rows { columns[row.string(0) ?? ""] = row.string(1) ?? "" }
    return columns
  }

  private static func missingLinkRight(_ oid: Int64, user: String, _ name: String, _ connection: Connection) throws -> String? {
    let may = try connection.query(
      "SELECT has_column_privilege($1::oid, 'call_log_id', 'UPDATE')", [.int8(oid)], purpose: "Looking up the right to link CELs")
    if may.bool(0, 0) == true { return nil }
    return
      "GRANT UPDATE (call_log_id) ON \(name) TO \(Connection.quoteIdentifier(user))"
  }

  private static func readUnindexed(_ oid: Int64, _ connection: Connection) throws -> [String] {
    let rows = try connection.query(
      """
      SELECT a.attname::text FROM pg_attribute a
      WHERE a.attrelid = $1::oid AND a.attname IN ('id', 'linkedid', 'uniqueid')
        AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum)
      ORDER BY a.attnum
      """, [.int8(oid)], purpose: "Looking up the indexes of the CEL table")
    return rows.compactMap { $0.string(0) }
  }

  private static func checkTimeZone(_ zone: String, _ connection: Connection) throws {
    let known = try connection.query(
      "SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1)", [.text(zone)], purpose: "Looking up cel_time_zone")
    guard known.bool(0, 0) == true else {
      throw StoreError(
        .configuration, "cel_time_zone is \"\(zone)\", which the server does not know; use a name such as Europe/Paris")
    }
    // SELECT lists refer to this setting by its name. So the zone is bound here and never becomes
    // part of a statement.
    try connection.execute(
      "SELECT set_config('wazo_call_logs.cel_time_zone', $1, false)", [.text(zone)], purpose: "Setting cel_time_zone")
  }

  /// SQL for the time of a row. With `cel_time_zone`, the wall clock is read in that zone. For
  /// `timestamptz` the wall clock is the time in the session's default zone, because the server
  /// read Asterisk's text in that zone.
  private static func timeExpression(_ type: String, isText: Bool, hasZone: Bool) -> String {
    let zone = "current_setting('wazo_call_logs.cel_time_zone')"
    if isText { return "eventtime::text" }
    if type.hasSuffix("with time zone") {
      return hasZone
        ? "(eventtime AT TIME ZONE (SELECT reset_val FROM pg_settings WHERE name = 'TimeZone')) AT TIME ZONE \(zone)"
        : "eventtime"
    }
    return hasZone ? "eventtime AT TIME ZONE \(zone)" : "eventtime::timestamptz"
  }

  private static func selectList(_ columns: [String: String], time: String) -> String {
    let texts = textColumns.map {
      columns[$0.rawValue] == nil ? "NULL::text" : Connection.quoteIdentifier($0.rawValue) + "::text"
    }
    let link = columns["call_log_id"] == nil ? "NULL::int4" : "call_log_id::int4"
    return (["id::int8", time, link] + texts).joined(separator: ", ")
  }
}
