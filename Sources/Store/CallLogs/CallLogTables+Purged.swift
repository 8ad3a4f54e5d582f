import PostgreSQL
import Values

/// Purged call logs: `call_logd_purged`.
extension CallLogTables {
  /// Records the conversations of call logs that will be purged, in the transaction that deletes
  /// them. Later runs do not make these call logs again.
  /// - Parameter archive: the id of the part's record in `call_logd_archive`; nil for a purge
  ///   without an archive
  /// - Throws: an error of PostgreSQL.
  public static func notePurged(_ ids: [Int64], archive: Int32?, on connection: Connection) throws(PostgreSQLError) {
    let among = IDCondition(ids).bound("id")
    // Two call logs may name the same conversation.
    try connection.execute(
      """
      INSERT INTO call_logd_purged (conversation_id, archive_id)
      SELECT DISTINCT conversation_id, $\(among.parameters.count + 1)::int4 FROM call_logd_call_log
      WHERE \(among.sql) AND conversation_id <> ''
      ON CONFLICT (conversation_id) DO UPDATE SET archive_id = excluded.archive_id
      """, among.parameters + [.int4(archive ?? .max)], purpose: "Recording purged calls")
  }

  /// Gives the conversations whose newest state is not, or not surely, in that part of an archive:
  /// a later part has it, a purge deleted it without an archive, or the call log has come back and
  /// may have changed since. None, where this database has recorded no archive of call logs: it is
  /// a new one that takes over an archive.
  /// - Parameters:
  ///   - month: such as `2025-03`
  ///   - part: the number of the part in the month
  ///   - run: the run that wrote the part
  /// - Throws: an error of PostgreSQL.
  public static func notNewest(
    among conversations: BinaryArray, inPart part: Int, of month: String, run: Int, on connection: Connection
  ) throws(PostgreSQLError) -> [String] {
    guard conversations.count > 0 else { return [] }
    return try connection.query(
      """
      SELECT c FROM unnest($1::text[]) AS c
      WHERE EXISTS (SELECT FROM call_logd_archive WHERE kind = 'call-logs')
        AND NOT EXISTS (
          SELECT FROM call_logd_purged p WHERE p.conversation_id = c AND (p.archive_id IS NULL OR EXISTS (
            SELECT FROM call_logd_archive a
            WHERE a.kind = 'call-logs' AND a.month = $2 AND a.part = $3 AND a.run_id = $4 AND a.id >= p.archive_id)))
      """, [.array(conversations), .text(month), .int4(Int32(clamping: part)), .int4(Int32(clamping: run))],
      purpose: "Looking up which archived call logs are the newest"
    ).compactMap { $0.string(0) }
  }

  /// Removes conversations from the record of purges, because they have a call log again.
  public static func forgetPurged(_ conversations: BinaryArray, on connection: Connection) throws(PostgreSQLError) {
    guard conversations.count > 0 else { return }
    try connection.execute(
      "DELETE FROM call_logd_purged WHERE conversation_id = ANY($1)", [.array(conversations)],
      purpose: "Forgetting that calls were purged")
  }

  /// Gives the conversation_ids of the call logs with these ids.
  public static func conversations(of ids: [Range<Int64>], on connection: Connection) throws(PostgreSQLError) -> [String] {
    guard !ids.isEmpty else { return [] }
    return try connection.query(
      """
      SELECT l.conversation_id FROM unnest($1::int8multirange) AS r(ids) JOIN call_logd_call_log l ON \(CELTable.isWithin("l.id", "r.ids"))
      WHERE l.conversation_id <> ''
      """, [.int8Multirange(ids)], purpose: "Looking up conversations of restored call logs"
    ).compactMap { $0.string(0) }
  }

  /// Removes the conversations of these call logs from the record of purges, because the call logs
  /// are back.
  public static func forgetPurged(ofCallLogs ids: [Range<Int64>], on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      """
      DELETE FROM call_logd_purged WHERE conversation_id IN (
        SELECT l.conversation_id FROM unnest($1::int8multirange) AS r(ids) JOIN call_logd_call_log l ON \(CELTable.isWithin("l.id", "r.ids")))
      """, [.int8Multirange(ids)], purpose: "Forgetting that calls were purged")
  }
}
