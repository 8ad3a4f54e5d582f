import PostgreSQL
import Values

/// Wazo's tables of call logs, as far as the job writes them.
public enum CallLogTables {
  /// A call log that is stored already.
  public struct Stored: Sendable {
    /// Its id.
    public let id: Int32
    /// Its conversation; empty for rows that older programs wrote without one.
    public let conversationID: String
    /// When the call began.
    public let date: Timestamp
    /// When it ended, in the same; nil where that is not known.
    public var dateEnd: Int64?
  }

  /// Columns without which the job cannot write.
  static let columns = [
    "id", "date", "date_answer", "date_end", "tenant_uuid", "source_name", "source_exten", "source_internal_name",
    "source_internal_exten",
    "source_internal_context", "source_line_identity", "requested_name", "requested_exten", "requested_context",
    "requested_internal_exten",
    "requested_internal_context", "destination_name", "destination_exten", "destination_internal_exten",
    "destination_internal_context",
    "destination_line_identity", "direction", "user_field", "conversation_id", "blocked", "reached_voicemail",
  ]

  /// Checks that the database can hold call logs: UTF-8, PostgreSQL 14 or later, every column there.
  /// - Throws: ``StoreError`` that says what is missing.
  public static func check(on connection: Connection) throws {
    let database = connection.server.database
    guard connection.serverVersion >= 140_000 else {
      throw StoreError(
        .configuration,
        "the server of database \(database) is PostgreSQL \(connection.serverVersion / 10_000); coverage needs multiranges, which came with 14"
      )
    }
    guard connection.serverEncoding == "UTF8" else {
      throw StoreError(
        .configuration,
        "database \(database) is encoded in \(connection.serverEncoding), in which not every name can be stored; call logs need a database created with ENCODING 'UTF8' (db_uri), the CELs may stay where they are (cel_db_uri)"
      )
    }
  }

  /// Checks that Wazo's table has every column that is written; an older Wazo lacks some.
  public static func checkColumns(on connection: Connection) throws {
    let rows = try connection.query(
      "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass('call_logd_call_log') AND attnum > 0 AND NOT attisdropped",
      purpose: "Looking up the columns of call_logd_call_log")
    let present = Set(rows.compactMap { $0.string(0) })
    let missing = columns.filter { !present.contains($0) }
    guard missing.isEmpty else {
      throw StoreError(
        .configuration,
        "the table call_logd_call_log in database \(connection.server.database) lacks \(missing.joined(separator: ", ")): it is of an older Wazo; upgrade Wazo first"
      )
    }
  }

  // MARK: What is there

  /// The stored call logs of these conversations, and of these ids where a row has no conversation_id.
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

  /// Those of `conversations` that have a call log, other than those with the ids `own`.
  /// - Parameter andPurged: whether those count as well whose call log was purged
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

  /// Those of `conversations` whose call log was purged.
  public static func purged(among conversations: BinaryArray, on connection: Connection) throws -> Set<String> {
    guard conversations.count > 0 else { return [] }
    let rows = try connection.query(
      "SELECT conversation_id FROM call_logd_purged WHERE conversation_id = ANY($1)", [.array(conversations)],
      purpose: "Looking up conversations that were purged")
    return Set(rows.compactMap { $0.string(0) })
  }

  /// The conversations of those of these call logs that are there; empty for one that has none.
  public static func conversations(ofCallLogs ids: [Int32], on connection: Connection) throws -> [Int32: String] {
    var found: [Int32: String] = [:]
    let rows = try connection.query(
      "SELECT id, coalesce(conversation_id, '') FROM call_logd_call_log WHERE id = ANY($1)", [.int4Array(ids)],
      purpose: "Looking up the call logs that CELs point to")
    for row in rows { found[Int32(truncatingIfNeeded: row.int64(0) ?? 0)] = row.string(1) ?? "" }
    return found
  }

  /// Those of these call logs that this program made of the CELs of that checkpoint: by what the checkpoint says, and by what belongs to them, whose uuids are of version 8 where this program made them.
  public static func own(among ids: [Int32], _ checkpoint: Checkpoint, on connection: Connection) throws -> Set<Int32> {
    let rows = try connection.query(
      """
      SELECT i FROM unnest($1::int4[]) AS i WHERE EXISTS (SELECT FROM call_logd_checkpoint WHERE id = $2 AND made @> i::int8)
        OR EXISTS (SELECT FROM call_logd_call_log_destination WHERE call_log_id = i AND substr(uuid::text, 15, 1) = '8')
        OR EXISTS (SELECT FROM call_logd_call_log_participant WHERE call_log_id = i AND substr(uuid::text, 15, 1) = '8')
      """, [.int4Array(ids), .int4(checkpoint.id)], purpose: "Looking which call logs this program made")
    return Set(rows.compactMap { $0.int64(0).map { Int32(truncatingIfNeeded: $0) } })
  }

  /// Notes that these call logs are about to be purged, in the transaction that deletes them: they are not made again.
  public static func notePurged(_ ids: [Int64], on connection: Connection) throws(PostgreSQLError) {
    let among = IDCondition(ids).bound("id")
    try connection.execute(
      "INSERT INTO call_logd_purged (conversation_id) SELECT conversation_id FROM call_logd_call_log WHERE \(among.sql) AND conversation_id <> '' ON CONFLICT DO NOTHING",
      among.parameters, purpose: "Noting which calls are purged")
  }

  /// Forgets that calls were purged that have a call log again.
  public static func forgetPurged(_ conversations: BinaryArray, on connection: Connection) throws(PostgreSQLError) {
    guard conversations.count > 0 else { return }
    try connection.execute(
      "DELETE FROM call_logd_purged WHERE conversation_id = ANY($1)", [.array(conversations)],
      purpose: "Forgetting that calls were purged")
  }

  /// The conversations of the call logs with these ids.
  public static func conversations(of ids: [Range<Int64>], on connection: Connection) throws(PostgreSQLError) -> [String] {
    guard !ids.isEmpty else { return [] }
    return try connection.query(
      """
      SELECT l.conversation_id FROM unnest($1::int8multirange) AS r(ids) JOIN call_logd_call_log l ON \(CELTable.isWithin("l.id", "r.ids"))
      WHERE l.conversation_id <> ''
      """, [.int8Multirange(ids)], purpose: "Looking up conversations of call logs that are back"
    ).compactMap { $0.string(0) }
  }

  /// Forgets that these call logs were purged: they are back.
  public static func forgetPurged(ofCallLogs ids: [Range<Int64>], on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      """
      DELETE FROM call_logd_purged WHERE conversation_id IN (
        SELECT l.conversation_id FROM unnest($1::int8multirange) AS r(ids) JOIN call_logd_call_log l ON \(CELTable.isWithin("l.id", "r.ids")))
      """, [.int8Multirange(ids)], purpose: "Forgetting that calls were purged")
  }

  /// How many call logs there are.
  public static func count(on connection: Connection) throws -> Int64 {
    try connection.query("SELECT count(*)::int8 FROM call_logd_call_log", purpose: "Counting call logs").int64(0, 0) ?? 0
  }

  /// The conversation of a call log, empty where the row has none; nil where there is no such call log.
  public static func conversation(ofCallLog id: Int32, on connection: Connection) throws -> String? {
    let rows = try connection.query(
      "SELECT coalesce(conversation_id, '') FROM call_logd_call_log WHERE id = $1", [.int4(id)],
      purpose: "Looking up call log \(id)")
    return rows.count == 1 ? rows.string(0, 0) : nil
  }

  /// At most `limit` call logs that began at or after `from` and before `to` (nil for no bound), newest first.
  /// - Parameter last: only those that come after this one in that order
  public static func newest(_ limit: Int, from: Int64?, to: Int64?, after last: Stored? = nil, on connection: Connection) throws
    -> [Stored]
  {
    // The newest first: whatever stops the run, what is left is older than what went. Tenant by tenant, as the index has them; a role that may not create it does without.
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

  /// How many participants and recordings these call logs have.
  public static func countParts(ofCallLogs ids: [Int32], on connection: Connection) throws -> (
    participants: Int64, recordings: Int64
  ) {
    let counts = try connection.query(
      """
      SELECT (SELECT count(*)::int8 FROM call_logd_call_log_participant WHERE call_log_id = ANY($1)),
             (SELECT count(*)::int8 FROM call_logd_recording WHERE call_log_id = ANY($1))
      """, [.int4Array(ids)], purpose: "Counting what belongs to \(ids.count) call logs")
    return (counts.int64(0, 0) ?? 0, counts.int64(0, 1) ?? 0)
  }

  /// Whether Wazo's table of call logs is there, whoever made it.
  public static func exist(on connection: Connection) throws(PostgreSQLError) -> Bool {
    try connection.query(
      "SELECT to_regclass('call_logd_call_log') IS NOT NULL", purpose: "Looking for the table of call logs"
    ).bool(0, 0) == true
  }

  /// The time so many days of 24 hours before the server's now.
  public static func time(daysAgo days: Int, on connection: Connection) throws -> Int64 {
    try connection.query(
      // More days than that, some 5,000 years, lead to before the beginning of the server's time.
      "SELECT now() - make_interval(hours => 24 * $1)", [.int4(Int32(clamping: min(days, 2_000_000)))],
      purpose: "Looking up the time \(days) days ago"
    ).timestamp(0, 0) ?? Int64.min
  }

  /// The time so many seconds before the server's now.
  public static func time(secondsAgo seconds: Double, on connection: Connection) throws -> Int64 {
    try connection.query(
      "SELECT now() - make_interval(secs => $1::text::double precision)", [.text("\(seconds)")],
      purpose: "Looking up the time \(Int(seconds)) seconds ago"
    ).timestamp(0, 0) ?? Int64.min
  }

  /// The uuids of recordings of these call logs whose audio was deleted.
  public static func deletedRecordings(ofCallLogs ids: [Int32], on connection: Connection) throws -> Set<UUIDValue> {
    uuids(
      try connection.query(
        "SELECT uuid FROM call_logd_recording WHERE call_log_id = ANY($1) AND path IS NULL", [.int4Array(ids)],
        purpose: "Looking up deleted recordings"))
  }

  /// A stored recording and the call that it belongs to.
  public struct StoredRecording: Sendable {
    /// Its uuid.
    public let uuid: UUIDValue
    /// Where its audio is; nil where that was deleted.
    public let path: String?
    /// The call's conversation_id; nil where an older program wrote none.
    public let conversationID: String?
    /// When the call began.
    public let date: Timestamp
  }

  /// The stored recordings that have one of these uuids.
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

  /// Gives a stored recording another uuid.
  public static func change(recording uuid: UUIDValue, to other: UUIDValue, on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "UPDATE call_logd_recording SET uuid = $2 WHERE uuid = $1",
      [.uuid(uuid), .uuid(other)],
      purpose: "Giving a recording another uuid")
  }

  private static func uuids(_ rows: Rows) -> Set<UUIDValue> {
    Set(rows.compactMap { row in row.uuid(0) })
  }

  // MARK: Changes

  /// Deletes call logs with all that belongs to them.
  @discardableResult
  public static func delete(_ ids: [Int32], on connection: Connection) throws(PostgreSQLError) -> Int {
    guard !ids.isEmpty else { return 0 }
    return try connection.execute(
      "DELETE FROM call_logd_call_log WHERE id = ANY($1)", [.int4Array(ids)], purpose: "Deleting \(ids.count) call logs")
  }

  /// As many new ids of call logs as asked for.
  public static func newIDs(_ count: Int, on connection: Connection) throws -> [Int32] {
    guard count > 0 else { return [] }
    let rows = try connection.query(
      "SELECT nextval((SELECT pg_get_serial_sequence('call_logd_call_log', 'id'))::regclass) FROM generate_series(1, $1)",
      [.int4(Int32(clamping: count))],
      purpose: "Taking \(count) ids for call logs")
    let ids = rows.compactMap { $0.int64(0).flatMap { Int32(exactly: $0) } }
    guard ids.count == count else {
      throw StoreError(
        .configuration, "call_logd_call_log.id has no sequence, or its sequence has run past what an integer holds")
    }
    return ids
  }

  /// The last id that was given to a call log, the greatest possible one where no sequence tells.
  public static func lastID(on connection: Connection) throws -> Int32 {
    let rows = try connection.query(
      "SELECT last_value FROM pg_sequences WHERE format('%I.%I', schemaname, sequencename) = pg_get_serial_sequence('call_logd_call_log', 'id')",
      purpose: "Looking up the last id of a call log")
    return rows.count == 1 ? rows.int64(0, 0).flatMap { Int32(exactly: $0) } ?? .max : .max
  }

  /// Every known tenant.
  public static func tenants(on connection: Connection) throws -> Set<UUIDValue> {
    uuids(try connection.query("SELECT uuid FROM call_logd_tenant", purpose: "Reading the tenants"))
  }

  /// Enters tenants that are not there yet, in a transaction of its own and in order, so that two processes that enter the same never wait for each other in a
  /// circle.
  public static func add(tenants: [UUIDValue], on connection: Connection) throws(PostgreSQLError) {
    guard !tenants.isEmpty else { return }
    var array = BinaryArray(.uuid)
    for tenant in tenants.sorted() { array.append(tenant) }
    try connection.execute(
      "INSERT INTO call_logd_tenant (uuid) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING", [.array(array)],
      purpose: "Entering new tenants")
  }
}
