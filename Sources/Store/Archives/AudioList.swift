import CallLogs
import PostgreSQL
import Values

/// The list of audio files to remove: `call_logd_audio`. The transaction that deletes or clears a
/// recording puts its path on the list. The row goes when the file is gone.
public enum AudioList {
  /// A file on the list.
  public struct Entry: Sendable {
    /// The row's id.
    public let id: Int64
    /// The path as the recording had it, as bytes.
    public let path: [UInt8]
  }

  /// The size of the list.
  public struct Waiting: Equatable, Sendable {
    /// Files to remove.
    public var files: Int64 = 0
    /// Of these, files that could not be removed the last time.
    public var failed: Int64 = 0
    /// Other files, which are refused because they are outside the recordings folder.
    public var refused: Int64 = 0
    /// The time at which the oldest file to remove was listed (microseconds since 2000-01-01 UTC);
    /// nil where there is none.
    public var since: Timestamp?

    /// Starts with zero.
    public init() {}
  }

  /// Different spellings of a path (`/a//b`, `/a/./b`) count as one file. The index
  /// `call_logd_recording__idx__path` has this expression.
  private static func spelling(_ column: String) -> String { "regexp_replace(\(column), '/(\\.?/)+', '/', 'g')" }

  /// Puts the files of these call logs' recordings on the list, in the transaction that deletes the
  /// rows. A file that is on the list already is not listed twice. That happens after a purge, a
  /// restore and another purge.
  public static func add(ofCallLogs ids: [Int64], run: Int32, on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      """
      INSERT INTO call_logd_audio (path, run_id)
      SELECT DISTINCT ON (\(spelling("r.path"))) r.path, $2 FROM call_logd_recording r
      WHERE r.call_log_id = ANY($1::int8[]::int4[]) AND r.path IS NOT NULL AND r.path <> ''
        AND NOT EXISTS (SELECT FROM call_logd_audio a WHERE \(spelling("a.path")) = \(spelling("r.path")))
      """, [.int8Array(ids), .int4(run)], purpose: "Listing the audio files of deleted call logs")
  }

  /// Puts the files of these call logs' recordings on the list, and clears the recordings' paths.
  /// - Returns: the number of recordings that lost their path.
  public static func forget(ofCallLogs ids: [Int64], run: Int32, on connection: Connection) throws(PostgreSQLError) -> Int {
    try add(ofCallLogs: ids, run: run, on: connection)
    return try connection.execute(
      "UPDATE call_logd_recording SET path = NULL WHERE call_log_id = ANY($1::int8[]::int4[]) AND path IS NOT NULL",
      [.int8Array(ids)], purpose: "Clearing paths of audio files")
  }

  /// Gives the next files to remove, in the order of the list.
  /// - Parameters:
  ///   - id: gives only files after this one
  ///   - folder: the recordings folder; files that it refused are left out
  ///   - locks: true to lock the rows until the end of the transaction
  public static func next(after id: Int64, folder: String, limit: Int, locks: Bool, on connection: Connection)
    throws(PostgreSQLError) -> [Entry]
  {
    try connection.query(
      "SELECT id, path FROM call_logd_audio WHERE id > $1 AND refused_by IS DISTINCT FROM $2 ORDER BY id LIMIT $3"
        + (locks ? " FOR UPDATE" : ""),
      [.int8(id), .text(folder), .int8(Int64(limit))], purpose: "Looking for audio files to remove"
    ).map { row in Entry(id: row.int64(0) ?? 0, path: row.bytes(1) { bytes in bytes.map { Array($0) } ?? [] }) }
  }

  /// Gives the ones of these files that some recording still names.
  public static func named(_ ids: [Int64], on connection: Connection) throws(PostgreSQLError) -> Set<Int64> {
    Set(
      try connection.query(
        """
        SELECT DISTINCT a.id FROM call_logd_audio a JOIN call_logd_recording r ON \(spelling("r.path")) = \(spelling("a.path"))
        WHERE a.id = ANY($1) AND r.path IS NOT NULL
        """, [.int8Array(ids)], purpose: "Checking whether other recordings name the same audio files"
      ).compactMap { $0.int64(0) })
  }

  /// Gives the files of these call logs' recordings, and whether a recording of another call log
  /// names the same file.
  /// - Parameter forgotten: call logs whose recordings do not count
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

  /// Removes files from the list, because they are gone or other recordings name them.
  public static func remove(_ ids: [Int64], on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "DELETE FROM call_logd_audio WHERE id = ANY($1)", [.int8Array(ids)], purpose: "Removing audio files from the list")
  }

  /// Records the reasons why files still exist.
  /// - Parameter folder: the recordings folder that refuses them; nil where a later purge tries
  ///   again
  public static func note(_ reasons: [(id: Int64, reason: String)], refusedBy folder: String?, on connection: Connection)
    throws(PostgreSQLError)
  {
    guard !reasons.isEmpty else { return }
    try connection.execute(
      """
      UPDATE call_logd_audio a SET error = n.reason, refused_by = $3 FROM unnest($1::int8[], $2::text[]) AS n(id, reason)
      WHERE a.id = n.id AND (a.error, a.refused_by) IS DISTINCT FROM (n.reason, $3)
      """, [.int8Array(reasons.map(\.id)), .textArray(reasons.map(\.reason)), folder.map { .text($0) } ?? .null],
      purpose: "Recording why audio files still exist")
  }

  /// Gives the size of the list.
  public static func waiting(on connection: Connection) throws(PostgreSQLError) -> Waiting {
    let rows = try connection.query(
      """
      SELECT count(*) FILTER (WHERE refused_by IS NULL), count(*) FILTER (WHERE refused_by IS NULL AND error IS NOT NULL),
        count(*) FILTER (WHERE refused_by IS NOT NULL), min(forgotten) FILTER (WHERE refused_by IS NULL) FROM call_logd_audio
      """, purpose: "Counting the listed audio files")
    var waiting = Waiting()
    (waiting.files, waiting.failed) = (rows.int64(0, 0) ?? 0, rows.int64(0, 1) ?? 0)
    (waiting.refused, waiting.since) = (rows.int64(0, 2) ?? 0, rows.timestamp(0, 3))
    return waiting
  }
}

extension CallLogTables {
  /// A call log with due recordings.
  public struct DueRecordings: Sendable {
    /// The call log's id.
    public let callLog: Int32
    /// The start of the call, in microseconds since 2000-01-01 UTC.
    public let date: Timestamp
    /// The number of its recordings that have a path.
    public let recordings: Int
  }

  /// Reads the next recordings with a path, in the order of their call logs: `limit` of them, and
  /// the rest of the last call log's recordings.
  /// - Parameters:
  ///   - last: reads only call logs with a greater id
  ///   - besides: ids of call logs to leave out
  /// - Returns: the due call logs in the order of their ids, and the last call log that was read,
  ///   or nil where there was none.
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

  /// Counts the due recordings that stay, because their call logs were restored recently.
  public static func countDueRecordings(_ cutoffs: Cutoffs, among ids: [Range<Int64>], on connection: Connection)
    throws(PostgreSQLError) -> Int64
  {
    guard !ids.isEmpty else { return 0 }
    return try connection.query(
      """
      SELECT count(*)::int8 FROM \(callLogs(among: "$3")) JOIN \(cutoffRows) d ON l.tenant_uuid = d.tenant
      CROSS JOIN LATERAL (SELECT FROM call_logd_recording WHERE call_log_id = l.id AND path IS NOT NULL OFFSET 0) r
      WHERE l.date < d.before
      """, cutoffParameters(cutoffs) + [.int8Multirange(ids)], purpose: "Counting restored call logs"
    ).int64(0, 0) ?? 0
  }
}
