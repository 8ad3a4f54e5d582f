import CallLogs
import PostgreSQL
import Values

/// Wazo's tables of call logs, as far as this program writes them.
public enum CallLogTables {
  /// A call log in the database.
  public struct Stored: Sendable {
    /// Its id.
    public let id: Int32
    /// Its conversation_id; empty for rows that older programs wrote without one.
    public let conversationID: String
    /// The start of the call, in microseconds since 2000-01-01 UTC.
    public let date: Timestamp
    /// The end of the call, in microseconds since 2000-01-01 UTC; nil where it is unknown.
    public var dateEnd: Int64?
  }

  /// The columns that this program writes.
  static let columns = [
    "id", "date", "date_answer", "date_end", "tenant_uuid", "source_name", "source_exten", "source_internal_name",
    "source_internal_exten",
    "source_internal_context", "source_line_identity", "requested_name", "requested_exten", "requested_context",
    "requested_internal_exten",
    "requested_internal_context", "destination_name", "destination_exten", "destination_internal_exten",
    "destination_internal_context",
    "destination_line_identity", "direction", "user_field", "conversation_id", "blocked", "reached_voicemail",
  ]

  /// Checks that the database can hold call logs: PostgreSQL 14 or later, and the encoding UTF-8.
  /// - Throws: ``StoreError`` (`configuration`) that names the obstacle.
  public static func check(on connection: Connection) throws {
    let database = connection.server.database
    guard connection.serverVersion >= 140_000 else {
      throw StoreError(
        .configuration,
        "the server of database \(database) is PostgreSQL \(connection.serverVersion / 10_000), but this program needs PostgreSQL 14 or later (multiranges); upgrade the server, or set db_uri to another one"
      )
    }
    guard connection.serverEncoding == "UTF8" else {
      throw StoreError(
        .configuration,
        "database \(database) is encoded in \(connection.serverEncoding), which cannot hold every name; set db_uri to a database created with ENCODING 'UTF8' for the call logs; the CELs may stay where they are (cel_db_uri)"
      )
    }
  }

  /// Checks that Wazo's table has every column that this program writes. An older Wazo lacks some.
  /// - Throws: ``StoreError`` (`configuration`) that names the missing columns.
  public static func checkColumns(on connection: Connection) throws {
    let rows = try connection.query(
      "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass('call_logd_call_log') AND attnum > 0 AND NOT attisdropped",
      purpose: "Looking up the columns of call_logd_call_log")
    let present = Set(rows.compactMap { $0.string(0) })
    let missing = columns.filter { !present.contains($0) }
    guard missing.isEmpty else {
      throw StoreError(
        .configuration,
        "the table call_logd_call_log in database \(connection.server.database) lacks \(missing.joined(separator: ", ")): it is from an older Wazo; upgrade Wazo first"
      )
    }
  }

  // MARK: Look-ups

  /// Gives the stored call logs of these conversations, and those with these ids that have no
  /// conversation_id.
  /// - Throws: an error of PostgreSQL.
  public static func stored(conversations: BinaryArray, ids: [Int32], on connection: Connection) throws -> [Stored] {
    var found: [Stored] = []
    func add(_ rows: Rows) {
      for row in rows {
        found.append(
          Stored(
            id: Int32(truncatingIfNeeded: row.int64(0) ?? 0), conversationID: row.string(1) ?? "", date: row.timestamp(2) ?? 0,
            dateEnd: row.timestamp(3)))
      }
    }
    if conversations.count > 0 {
      add(
        try connection.query(
          "SELECT id, conversation_id, date, date_end FROM call_logd_call_log WHERE conversation_id = ANY($1)",
          [.array(conversations)],
          purpose: "Looking up stored call logs"))
    }
    if !ids.isEmpty {
      add(
        try connection.query(
          "SELECT id, NULL::text, date, date_end FROM call_logd_call_log WHERE id = ANY($1) AND conversation_id IS NULL",
          [.int4Array(ids)],
          purpose: "Looking up stored call logs without a conversation"))
    }
    return found
  }

  /// Gives the ones of `conversations` that have a call log with an id outside `own`.
  /// - Parameter andPurged: true to include conversations whose call log was purged
  /// - Throws: an error of PostgreSQL.
  public static func conversations(
    among conversations: BinaryArray, besides own: [Int32] = [], andPurged: Bool = false, on connection: Connection
  ) throws -> Set<String> {
    guard conversations.count > 0 else { return [] }
    let purged = andPurged ? "UNION ALL SELECT conversation_id FROM call_logd_purged WHERE conversation_id = ANY($1)" : ""
    let rows = try connection.query(
      "SELECT conversation_id FROM call_logd_call_log WHERE conversation_id = ANY($1) AND NOT id = ANY($2) \(purged)",
      [.array(conversations), .int4Array(own)],
      purpose: "Looking up conversations that have a call log")
    return Set(rows.compactMap { $0.string(0) })
  }

  /// Gives the ones of `conversations` whose call log was purged.
  /// - Throws: an error of PostgreSQL.
  public static func purged(among conversations: BinaryArray, on connection: Connection) throws -> Set<String> {
    guard conversations.count > 0 else { return [] }
    let rows = try connection.query(
      "SELECT conversation_id FROM call_logd_purged WHERE conversation_id = ANY($1)", [.array(conversations)],
      purpose: "Looking up conversations that were purged")
    return Set(rows.compactMap { $0.string(0) })
  }

  /// Gives the conversation_id of each of these call logs that exists; it is empty where the row
  /// has none.
  /// - Throws: an error of PostgreSQL.
  public static func conversations(ofCallLogs ids: [Int32], on connection: Connection) throws -> [Int32: String] {
    var found: [Int32: String] = [:]
    let rows = try connection.query(
      "SELECT id, coalesce(conversation_id, '') FROM call_logd_call_log WHERE id = ANY($1)", [.int4Array(ids)],
      purpose: "Looking up the call logs that CELs point to")
    for row in rows { found[Int32(truncatingIfNeeded: row.int64(0) ?? 0)] = row.string(1) ?? "" }
    return found
  }

  /// Gives the call logs among `ids` that this program made from the CELs of that checkpoint. There
  /// are two signs: the checkpoint's own record, and details or participants with a uuid of version
  /// 8, which only this program writes.
  /// - Throws: an error of PostgreSQL.
  public static func own(among ids: [Int32], _ checkpoint: Checkpoint, on connection: Connection) throws -> Set<Int32> {
    let rows = try connection.query(
      """
      SELECT i FROM unnest($1::int4[]) AS i WHERE EXISTS (SELECT FROM call_logd_checkpoint WHERE id = $2 AND made @> i::int8)
        OR EXISTS (SELECT FROM call_logd_call_log_destination WHERE call_log_id = i AND substr(uuid::text, 15, 1) = '8')
        OR EXISTS (SELECT FROM call_logd_call_log_participant WHERE call_log_id = i AND substr(uuid::text, 15, 1) = '8')
      """, [.int4Array(ids), .int4(checkpoint.id)], purpose: "Looking up the call logs that this program made")
    return Set(rows.compactMap { $0.int64(0).map { Int32(truncatingIfNeeded: $0) } })
  }

  /// The number of all call logs.
  /// - Throws: an error of PostgreSQL.
  public static func count(on connection: Connection) throws -> Int64 {
    try connection.query("SELECT count(*)::int8 FROM call_logd_call_log", purpose: "Counting call logs").int64(0, 0) ?? 0
  }

  /// Gives the conversation_id of a call log: empty where the row has none, nil where the call log
  /// does not exist.
  /// - Throws: an error of PostgreSQL.
  public static func conversation(ofCallLog id: Int32, on connection: Connection) throws -> String? {
    let rows = try connection.query(
      "SELECT coalesce(conversation_id, '') FROM call_logd_call_log WHERE id = $1", [.int4(id)],
      purpose: "Looking up call log \(id)")
    return rows.count == 1 ? rows.string(0, 0) : nil
  }

  /// Gives at most `limit` call logs that began at or after `from` and before `to`, newest first.
  /// Times are in microseconds since 2000-01-01 UTC; nil for no bound.
  /// - Parameter last: gives only call logs that come after this one in that order
  /// - Throws: an error of PostgreSQL.
  public static func newest(_ limit: Int, from: Int64?, to: Int64?, after last: Stored? = nil, on connection: Connection) throws
    -> [Stored]
  {
    // A deletion goes from new to old: if it stops, the remaining call logs are older than the
    // deleted ones. The index has the tenant first, so the query goes tenant by tenant. A role that
    // may not create the index does without.
    let hasIndex = try connection.query(
      "SELECT to_regclass('call_logd_call_log__idx__tenant_uuid_date') IS NOT NULL", purpose: "Looking for an index"
    ).bool(0, 0)
    let condition = """
      date >= $1 AND ($2::timestamptz IS NULL OR date < $2) AND ($3::timestamptz IS NULL OR (date <= $3 AND (date, id) < ($3, $4)))
      """
    let source =
      hasIndex == true
      ? """
      call_logd_tenant t CROSS JOIN LATERAL (SELECT id, conversation_id, date FROM call_logd_call_log
        WHERE tenant_uuid = t.uuid AND \(condition) ORDER BY date DESC, id DESC LIMIT $5) l
      """ : "call_logd_call_log l WHERE \(condition)"
    let rows = try connection.query(
      """
      SELECT l.id, l.conversation_id, l.date FROM \(source)
      ORDER BY l.date DESC, l.id DESC LIMIT $5
      """,
      [
        .timestamptz(from ?? Int64.min), to.map { .timestamptz($0) } ?? .null, last.map { .timestamptz($0.date) } ?? .null,
        .int4(last?.id ?? 0), .int8(Int64(limit)),
      ], purpose: "Looking up call logs to delete")
    return rows.map {
      Stored(id: Int32(truncatingIfNeeded: $0.int64(0) ?? 0), conversationID: $0.string(1) ?? "", date: $0.timestamp(2) ?? 0)
    }
  }

  /// Counts the participants and recordings of these call logs.
  /// - Throws: an error of PostgreSQL.
  public static func countParts(ofCallLogs ids: [Int32], on connection: Connection) throws -> (
    participants: Int64, recordings: Int64
  ) {
    let counts = try connection.query(
      """
      SELECT (SELECT count(*)::int8 FROM call_logd_call_log_participant WHERE call_log_id = ANY($1)),
             (SELECT count(*)::int8 FROM call_logd_recording WHERE call_log_id = ANY($1))
      """, [.int4Array(ids)], purpose: "Counting participants and recordings of \(ids.count) call logs")
    return (counts.int64(0, 0) ?? 0, counts.int64(0, 1) ?? 0)
  }

  /// Whether Wazo's table of call logs exists, whichever program made it.
  public static func exist(on connection: Connection) throws(PostgreSQLError) -> Bool {
    try connection.query(
      "SELECT to_regclass('call_logd_call_log') IS NOT NULL", purpose: "Looking for the table of call logs"
    ).bool(0, 0) == true
  }

  /// The server's time minus so many days of 24 hours, in microseconds since 2000-01-01 UTC.
  /// - Throws: an error of PostgreSQL.
  public static func time(daysAgo days: Int, on connection: Connection) throws -> Int64 {
    try connection.query(
      // PostgreSQL's earliest time is 4713 BC ("Date/Time Types"). 2,000,000 days (5,475 years)
      // stay within its limits.
      "SELECT now() - make_interval(hours => 24 * $1)", [.int4(Int32(clamping: min(days, 2_000_000)))],
      purpose: "Looking up the time \(days) days ago"
    ).timestamp(0, 0) ?? Int64.min
  }

  /// The server's time minus so many seconds, in microseconds since 2000-01-01 UTC.
  /// - Throws: an error of PostgreSQL.
  public static func time(secondsAgo seconds: Double, on connection: Connection) throws -> Int64 {
    try connection.query(
      "SELECT now() - make_interval(secs => $1::text::double precision)", [.text("\(seconds)")],
      purpose: "Looking up the time \(Int(seconds)) seconds ago"
    ).timestamp(0, 0) ?? Int64.min
  }

  /// Gives the uuids of recordings of these call logs whose audio files are deleted.
  /// - Throws: an error of PostgreSQL.
  public static func deletedRecordings(ofCallLogs ids: [Int32], on connection: Connection) throws -> Set<UUIDValue> {
    uuids(
      try connection.query(
        "SELECT uuid FROM call_logd_recording WHERE call_log_id = ANY($1) AND path IS NULL", [.int4Array(ids)],
        purpose: "Looking up deleted recordings"))
  }

  /// A stored recording and its call.
  public struct StoredRecording: Sendable {
    /// Its uuid.
    public let uuid: UUIDValue
    /// The path of its audio file; nil where the file is deleted.
    public let path: String?
    /// The call's conversation_id; nil where an older program wrote none.
    public let conversationID: String?
    /// The start of the call, in microseconds since 2000-01-01 UTC.
    public let date: Timestamp
  }

  /// Gives the stored recordings with these uuids.
  /// - Throws: an error of PostgreSQL.
  public static func recordings(withUUIDs wanted: [UUIDValue], on connection: Connection) throws -> [StoredRecording] {
    guard !wanted.isEmpty else { return [] }
    var array = BinaryArray(.uuid)
    for uuid in wanted { array.append(uuid) }
    return try connection.query(
      """
      SELECT r.uuid, r.path, l.conversation_id, l.date FROM call_logd_recording r JOIN call_logd_call_log l ON l.id = r.call_log_id
      WHERE r.uuid = ANY($1)
      """, [.array(array)], purpose: "Looking up recordings"
    ).compactMap { row in
      row.uuid(0).map {
        StoredRecording(
          uuid: $0, path: row.string(1), conversationID: row.string(2),
          date: row.timestamp(3) ?? 0)
      }
    }
  }

  /// Changes the uuid of a stored recording.
  public static func change(recording uuid: UUIDValue, to other: UUIDValue, on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "UPDATE call_logd_recording SET uuid = $2 WHERE uuid = $1",
      [.uuid(uuid), .uuid(other)],
      purpose: "Changing the uuid of a recording")
  }

  private static func uuids(_ rows: Rows) -> Set<UUIDValue> {
    Set(rows.compactMap { row in row.uuid(0) })
  }

  // MARK: Changes

  /// Deletes call logs. Their participants, destinations and recordings go with them (`ON DELETE
  /// CASCADE`).
  /// - Returns: the number of deleted call logs.
  @discardableResult
  public static func delete(_ ids: [Int32], on connection: Connection) throws(PostgreSQLError) -> Int {
    guard !ids.isEmpty else { return 0 }
    return try connection.execute(
      "DELETE FROM call_logd_call_log WHERE id = ANY($1)", [.int4Array(ids)], purpose: "Deleting \(ids.count) call logs")
  }

  /// Takes `count` new ids for call logs from the sequence.
  /// - Throws: ``StoreError`` (`configuration`) where there is no sequence, or it exceeds an
  ///   integer.
  public static func newIDs(_ count: Int, on connection: Connection) throws -> [Int32] {
    guard count > 0 else { return [] }
    let rows = try connection.query(
      "SELECT nextval((SELECT pg_get_serial_sequence('call_logd_call_log', 'id'))::regclass) FROM generate_series(1, $1)",
      [.int4(Int32(clamping: count))],
      purpose: "Taking \(count) ids for call logs")
    let ids = rows.compactMap { $0.int64(0).flatMap { Int32(exactly: $0) } }
    guard ids.count == count else {
      throw StoreError(
        .configuration, "call_logd_call_log.id has no sequence, or its sequence has passed the greatest integer")
    }
    return ids
  }

  /// The last id that the sequence gave to a call log; the greatest `Int32` where there is no
  /// sequence.
  /// - Throws: an error of PostgreSQL.
  public static func lastID(on connection: Connection) throws -> Int32 {
    let rows = try connection.query(
      "SELECT last_value FROM pg_sequences WHERE format('%I.%I', schemaname, sequencename) = pg_get_serial_sequence('call_logd_call_log', 'id')",
      purpose: "Looking up the last id of a call log")
    return rows.count == 1 ? rows.int64(0, 0).flatMap { Int32(exactly: $0) } ?? .max : .max
  }

  /// Gives every known tenant.
  /// - Throws: an error of PostgreSQL.
  public static func tenants(on connection: Connection) throws -> Set<UUIDValue> {
    uuids(try connection.query("SELECT uuid FROM call_logd_tenant", purpose: "Reading the tenants"))
  }

  /// Inserts tenants that are not in the table. They are sorted, so that two processes that insert
  /// the same ones cannot deadlock. The other process waits for the end of this transaction.
  public static func add(tenants: [UUIDValue], on connection: Connection) throws(PostgreSQLError) {
    guard !tenants.isEmpty else { return }
    var array = BinaryArray(.uuid)
    for tenant in tenants.sorted() { array.append(tenant) }
    try connection.execute(
      "INSERT INTO call_logd_tenant (uuid) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING", [.array(array)],
      purpose: "Entering new tenants")
  }
}
