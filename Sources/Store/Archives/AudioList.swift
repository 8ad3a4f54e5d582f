import PostgreSQL
import Values

/// Audio files that are to be removed: `call_logd_audio`. A path comes on the list in the transaction that forgets it, and goes when the file is gone.
public enum AudioList {
  /// A file on the list.
  public struct Entry: Sendable {
    /// The row's id.
    public let id: Int64
    /// The path as the recording had it, as bytes.
    public let path: [UInt8]
  }

  /// What is on the list.
  public struct Waiting: Equatable, Sendable {
    /// Files that are to be removed.
    public var files: Int64 = 0
    /// Files among them that could not be removed the last time.
    public var failed: Int64 = 0
    /// Files besides that are refused, since they are not in the recordings folder.
    public var refused: Int64 = 0
    /// When the oldest of those that are to be removed was forgotten; nil where there is none.
    public var since: Timestamp?

    /// Nothing.
    public init() {}
  }

  /// Two spellings of a path (`/a//b`, `/a/./b`) are one file. An index goes by this.
  private static func spelling(_ column: String) -> String { "regexp_replace(\(column), '/(\\.?/)+', '/', 'g')" }

  /// Puts the files of these call logs' recordings on the list, in the transaction that deletes the rows. What waits there already, since it was purged, restored and purged again, comes
  /// on it no second time.
  public static func add(ofCallLogs ids: [Int64], run: Int32, on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      """
      INSERT INTO call_logd_audio (path, run_id)
      SELECT DISTINCT ON (\(spelling("r.path"))) r.path, $2 FROM call_logd_recording r
      WHERE r.call_log_id = ANY($1::int8[]::int4[]) AND r.path IS NOT NULL AND r.path <> ''
        AND NOT EXISTS (SELECT FROM call_logd_audio a WHERE \(spelling("a.path")) = \(spelling("r.path")))
      """, [.int8Array(ids), .int4(run)], purpose: "Noting the audio files of call logs that go")
  }

  /// Puts the files of these call logs' recordings on the list, and takes their paths from the recordings.
  /// - Returns: how many recordings lost their path
  public static func forget(ofCallLogs ids: [Int64], run: Int32, on connection: Connection) throws(PostgreSQLError) -> Int {
    try add(ofCallLogs: ids, run: run, on: connection)
    return try connection.execute(
      "UPDATE call_logd_recording SET path = NULL WHERE call_log_id = ANY($1::int8[]::int4[]) AND path IS NOT NULL",
      [.int8Array(ids)], purpose: "Forgetting audio files")
  }

  /// The next files that are to be removed, in the order in which they were forgotten. Nobody else gets them until the end of the transaction where `locks` is set.
  /// - Parameters:
  ///   - id: only those that come after this one
  ///   - folder: the recordings folder; those that it refuses are left out
  public static func next(after id: Int64, folder: String, limit: Int, locks: Bool, on connection: Connection)
    throws(PostgreSQLError) -> [Entry]
  {
    try connection.query(
      "SELECT id, path FROM call_logd_audio WHERE id > $1 AND refused_by IS DISTINCT FROM $2 ORDER BY id LIMIT $3"
        + (locks ? " FOR UPDATE" : ""),
      [.int8(id), .text(folder), .int8(Int64(limit))], purpose: "Looking for audio files to remove"
    ).map { row in Entry(id: row.int64(0) ?? 0, path: row.bytes(1) { bytes in bytes.map { Array($0) } ?? [] }) }
  }

  /// Which of these files a recording still has.
  public static func named(_ ids: [Int64], on connection: Connection) throws(PostgreSQLError) -> Set<Int64> {
    Set(
      try connection.query(
        """
        SELECT DISTINCT a.id FROM call_logd_audio a JOIN call_logd_recording r ON \(spelling("r.path")) = \(spelling("a.path"))
        WHERE a.id = ANY($1) AND r.path IS NOT NULL
        """, [.int8Array(ids)], purpose: "Looking whether other recordings have the same audio files"
      ).compactMap { $0.int64(0) })
  }

  /// The files of these call logs' recordings, and whether a recording of another call log has the same.
  /// - Parameter forgotten: call logs that are not asked
  public static func files(
    ofCallLogs ids: [Int64], forgotten: [Range<Int64>], on connection: Connection
  ) throws(PostgreSQLError) -> [(path: [UInt8], isNamed: Bool)] {
    try connection.query(
      """
      SELECT f.path, EXISTS (SELECT FROM call_logd_recording r
        WHERE \(spelling("r.path")) = \(spelling("f.path")) AND r.path IS NOT NULL AND NOT $2::int8multirange @> r.call_log_id::int8)
      FROM (SELECT DISTINCT ON (\(spelling("path"))) path FROM call_logd_recording
        WHERE call_log_id = ANY($1::int8[]::int4[]) AND path IS NOT NULL AND path <> '') f
      """, [.int8Array(ids), .int8Multirange(forgotten)], purpose: "Looking up audio files"
    ).map { row in (row.bytes(0) { bytes in bytes.map { Array($0) } ?? [] }, row.bool(1) == true) }
  }

  /// Takes files from the list that are gone, or that other recordings have.
  public static func remove(_ ids: [Int64], on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "DELETE FROM call_logd_audio WHERE id = ANY($1)", [.int8Array(ids)], purpose: "Noting that audio files are removed")
  }

  /// Notes why files are still there.
  /// - Parameter folder: the recordings folder that refuses them; nil where they are tried again
  public static func note(_ reasons: [(id: Int64, reason: String)], refusedBy folder: String?, on connection: Connection)
    throws(PostgreSQLError)
  {
    guard !reasons.isEmpty else { return }
    try connection.execute(
      """
      UPDATE call_logd_audio a SET error = n.reason, refused_by = $3 FROM unnest($1::int8[], $2::text[]) AS n(id, reason)
      WHERE a.id = n.id AND (a.error, a.refused_by) IS DISTINCT FROM (n.reason, $3)
      """, [.int8Array(reasons.map(\.id)), .textArray(reasons.map(\.reason)), folder.map { .text($0) } ?? .null],
      purpose: "Noting why audio files are still there")
  }

  /// What is on the list.
  public static func waiting(on connection: Connection) throws(PostgreSQLError) -> Waiting {
    let rows = try connection.query(
      """
      SELECT count(*) FILTER (WHERE refused_by IS NULL), count(*) FILTER (WHERE refused_by IS NULL AND error IS NOT NULL),
        count(*) FILTER (WHERE refused_by IS NOT NULL), min(forgotten) FILTER (WHERE refused_by IS NULL) FROM call_logd_audio
      """, purpose: "Looking how many audio files wait to be removed")
    var waiting = Waiting()
    (waiting.files, waiting.failed) = (rows.int64(0, 0) ?? 0, rows.int64(0, 1) ?? 0)
    (waiting.refused, waiting.since) = (rows.int64(0, 2) ?? 0, rows.timestamp(0, 3))
    return waiting
  }
}

extension CallLogTables {
  /// A call log with recordings that are due.
  public struct DueRecordings: Sendable {
    /// The call log's id.
    public let callLog: Int32
    /// When the call began.
    public let date: Timestamp
    /// How many of its recordings have a path.
    public let recordings: Int
  }

  /// Looks at the next recordings with a path, in the order of their call logs: `limit`, and those of the last one's call log.
  /// - Parameters:
  ///   - last: only those of call logs with a greater id
  ///   - besides: ids of call logs that are left out
  /// - Returns: the call logs that are due, in the order of their ids, and the last that was looked at; nil where there was none
  public static func dueRecordings(
    _ cutoffs: Cutoffs, after last: Int32, besides: [Range<Int64>], limit: Int, on connection: Connection
  ) throws(PostgreSQLError) -> (due: [DueRecordings], last: Int32?) {
    var (due, greatest): ([DueRecordings], Int32?) = ([], nil)
    for row in try connection.query(
      """
      SELECT l.id, l.date, r.recordings, coalesce(l.date < d.before AND NOT $4::int8multirange @> l.id::int8, false)
      FROM (SELECT call_log_id, count(*)::int8 AS recordings FROM (SELECT call_log_id FROM call_logd_recording
          WHERE path IS NOT NULL AND call_log_id > $3 ORDER BY call_log_id FETCH FIRST ($5) ROWS WITH TIES) p
        GROUP BY call_log_id) r
      CROSS JOIN LATERAL (SELECT id, date, tenant_uuid FROM call_logd_call_log WHERE id = r.call_log_id OFFSET 0) l
      LEFT JOIN \(cutoffRows) d ON l.tenant_uuid = d.tenant ORDER BY l.id
      """, cutoffParameters(cutoffs) + [.int4(last), .int8Multirange(besides), .int8(Int64(limit))],
      purpose: "Looking for recordings that are due")
    {
      guard let id = row.int64(0).map({ Int32(truncatingIfNeeded: $0) }), let date = row.timestamp(1) else { continue }
      greatest = id
      if row.bool(3) == true { due.append(DueRecordings(callLog: id, date: date, recordings: Int(row.int64(2) ?? 0))) }
    }
    return (due, greatest)
  }

  /// How many recordings that are due are left alone, since their call logs were restored not long ago.
  public static func countDueRecordings(_ cutoffs: Cutoffs, among ids: [Range<Int64>], on connection: Connection)
    throws(PostgreSQLError) -> Int64
  {
    guard !ids.isEmpty else { return 0 }
    return try connection.query(
      """
      SELECT count(*)::int8 FROM \(callLogs(among: "$3")) JOIN \(cutoffRows) d ON l.tenant_uuid = d.tenant
      CROSS JOIN LATERAL (SELECT FROM call_logd_recording WHERE call_log_id = l.id AND path IS NOT NULL OFFSET 0) r
      WHERE l.date < d.before
      """, cutoffParameters(cutoffs) + [.int8Multirange(ids)], purpose: "Counting what was restored"
    ).int64(0, 0) ?? 0
  }
}
