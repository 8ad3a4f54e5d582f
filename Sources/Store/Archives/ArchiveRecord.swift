import CallLogs
import PostgreSQL
import Values

/// A row of `call_logd_archive`. It records a part of an archive, from the intent to write it until
/// its manifest has its name.
public struct ArchiveRecord: Sendable {
  /// The progress of a part.
  public enum State: String, Sendable {
    /// Files may exist. No row is deleted.
    case intended
    /// The files are complete and verified. Rows in another database are being deleted.
    case written
    /// The part is committed: its rows are deleted, except those of a copy. The manifest may not
    /// have its name.
    case done
    /// The manifest has its name.
    case published
  }

  /// A database: the server's system identifier and the oid.
  public struct Home: Hashable, Sendable {
    /// The server's system identifier.
    public let system: Int64
    /// The oid of the database.
    public let database: Int64

    /// Creates the identity of a database.
    public init(system: Int64, database: Int64) { (self.system, self.database) = (system, database) }

    /// Reads the identity of a connection's database.
    public static func read(_ connection: Connection) throws(PostgreSQLError) -> Home {
      let rows = try connection.query(
        "SELECT (SELECT system_identifier FROM pg_control_system()), (SELECT oid::int8 FROM pg_database WHERE datname = current_database())",
        purpose: "Looking up which database this is")
      return Home(system: rows.int64(0, 0) ?? 0, database: rows.int64(0, 1) ?? 0)
    }
  }

  /// The row's id.
  public let id: Int32
  /// The table, for example `call-logs`.
  public let kind: String
  /// The month, for example `2025-03`.
  public let month: String
  /// The number of the part in that month.
  public let part: Int
  /// The archive's folder.
  public let folder: String
  /// The database in which the intent was recorded.
  public let home: Home
  /// The progress of the part.
  public let state: State
  /// The ids of its rows; empty while intended.
  public let ids: [Range<Int64>]
  /// Its manifest; nil while intended.
  public let manifest: String?

  /// Takes the lock of archives for this session, so that at most one archive, purge or restore
  /// runs. The result is false where another session holds it.
  public static func lock(on connection: Connection) throws(PostgreSQLError) -> Bool {
    try connection.query(
      "SELECT pg_try_advisory_lock($1, 0)", [.int4(AdvisoryLock.archives.rawValue)],
      purpose: "Checking whether another archive, purge or restore is running"
    ).bool(0, 0) == true
  }

  /// The sessions that hold that lock, without this session.
  /// - Throws: an error of PostgreSQL.
  public static func lockHolders(on connection: Connection) throws -> LockHolders {
    try .ofAdvisory(.archives, 0, on: connection)
  }

  /// Whether this session holds that lock. A session that replaced a lost one may have failed to
  /// get it.
  public static func hasLock(on connection: Connection) throws(PostgreSQLError) -> Bool {
    try connection.query(
      """
      SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND classid = $1::int4::oid AND objid = 0 AND objsubid = 2)
      """, [.int4(AdvisoryLock.archives.rawValue)], purpose: "Looking for the archives' lock"
    ).bool(0, 0) == true
  }

  /// Releases the lock.
  public static func unlock(on connection: Connection) throws(PostgreSQLError) {
    _ = try connection.query(
      "SELECT pg_advisory_unlock($1, 0)", [.int4(AdvisoryLock.archives.rawValue)], purpose: "Releasing the archives' lock")
  }

  /// Records the intent to write the files of a part. The statement commits at once, outside a
  /// transaction.
  /// - Returns: the row's id.
  public static func intend(
    kind: String, month: String, part: Int, folder: String, files: [String], home: Home, run: Int32, deletes: Bool,
    on connection: Connection
  ) throws(PostgreSQLError) -> Int32 {
    let rows = try connection.query(
      """
      INSERT INTO call_logd_archive (kind, month, part, folder, files, system, database, run_id, deletes, notes_conversations)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, true) RETURNING id
      """,
      [
        .text(kind), .text(month), .int4(Int32(clamping: part)), .text(folder), .textArray(files), .int8(home.system),
        .int8(home.database), .int4(run), .bool(deletes),
      ], purpose: "Recording the files that will be written")
    return Int32(truncatingIfNeeded: rows.int64(0, 0) ?? 0)
  }

  /// Gives the greatest part number ever recorded for that month; 0 where there is none.
  public static func greatestPart(kind: String, month: String, folder: String, on connection: Connection) throws(PostgreSQLError)
    -> Int
  {
    Int(
      try connection.query(
        "SELECT coalesce(max(part), 0) FROM call_logd_archive WHERE folder = $1 AND kind = $2 AND month = $3",
        [.text(folder), .text(kind), .text(month)], purpose: "Looking up the parts of \(month)"
      ).int64(0, 0) ?? 0)
  }

  /// Records the progress of a part, its ids, counts and manifest.
  /// - Returns: false where the row does not exist.
  public static func set(
    _ state: State, of id: Int32, ids: [Range<Int64>], counts: String, manifest: String, on connection: Connection
  ) throws(PostgreSQLError) -> Bool {
    try connection.execute(
      "UPDATE call_logd_archive SET state = $2, ids = $3, counts = $4::jsonb, manifest = $5, ended = now() WHERE id = $1",
      [.int4(id), .text(state.rawValue), .int8Multirange(ids), .json(counts), .text(manifest)],
      purpose: "Recording a part of the archive as \(state.rawValue)") == 1
  }

  /// Records that the rows of a part are deleted, or that its manifest has its name.
  public static func set(_ state: State, of id: Int32, on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "UPDATE call_logd_archive SET state = $2 WHERE id = $1", [.int4(id), .text(state.rawValue)],
      purpose: "Recording a part of the archive as \(state.rawValue)")
  }

  /// Records that the rows of a copy are deleted now.
  /// - Returns: false where the part is not a copy any more.
  public static func setDeleted(_ id: Int32, on connection: Connection) throws(PostgreSQLError) -> Bool {
    try connection.execute(
      "UPDATE call_logd_archive SET deletes = true, notes_conversations = true, ended = now() WHERE id = $1 AND NOT deletes",
      [.int4(id)],
      purpose: "Recording that copied rows are deleted") == 1
  }

  /// Gives the progress of a part; nil where its row does not exist.
  /// - Parameter locked: true to lock the row until the end of the transaction, after waiting for
  ///   other sessions that change it
  public static func state(of id: Int32, locked: Bool, on connection: Connection) throws(PostgreSQLError) -> State? {
    try connection.query(
      "SELECT state FROM call_logd_archive WHERE id = $1" + (locked ? " FOR UPDATE" : ""), [.int4(id)],
      purpose: "Looking up the state of a part of the archive"
    ).first.flatMap { $0.string(0) }.flatMap { State(rawValue: $0) }
  }

  /// Removes the record of a part that was not completed.
  public static func forget(_ id: Int32, on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "DELETE FROM call_logd_archive WHERE id = $1", [.int4(id)], purpose: "Removing the record of an incomplete part")
  }

  /// Gives the parts whose manifest may not have its name, oldest first.
  public static func unfinished(on connection: Connection) throws(PostgreSQLError) -> [ArchiveRecord] {
    try read("state <> 'published'", [], on: connection)
  }

  /// Gives the parts of that table in that folder whose rows were copied and not deleted, oldest
  /// first.
  public static func copies(kind: String, folder: String, on connection: Connection) throws(PostgreSQLError) -> [ArchiveRecord] {
    try read(
      "NOT deletes AND state = 'published' AND kind = $1 AND folder = $2", [.text(kind), .text(folder)], on: connection)
  }

  /// Whether a purge deleted that CEL.
  public static func hasPurged(cel id: Int64, on connection: Connection) throws(PostgreSQLError) -> Bool {
    guard
      try connection.query("SELECT to_regclass('call_logd_archive') IS NOT NULL", purpose: "Looking for the record of archives")
        .bool(0, 0) == true
    else { return false }
    return try connection.query(
      "SELECT EXISTS (SELECT FROM call_logd_archive WHERE kind = 'cel' AND deletes AND ids @> $1::int8)", [.int8(id)],
      purpose: "Checking whether CEL \(id) was purged"
    ).bool(0, 0) == true
  }

  /// Gives the ones of these months of which an archive has CELs that a purge deleted.
  /// - Parameter months: such as `2025-03`
  public static func monthsOfPurgedCELs(among months: [String], on connection: Connection) throws(PostgreSQLError) -> [String] {
    guard
      try connection.query("SELECT to_regclass('call_logd_archive') IS NOT NULL", purpose: "Looking for the record of archives")
        .bool(0, 0) == true
    else { return [] }
    return try connection.query(
      """
      SELECT DISTINCT month FROM call_logd_archive
      WHERE kind = 'cel' AND deletes AND state IN ('done', 'published') AND month = ANY($1) ORDER BY month
      """, [.textArray(months)], purpose: "Looking for months whose CELs were purged"
    ).compactMap { $0.string(0) }
  }

  /// Gives the ones of these call logs that an earlier version's purge deleted. Such a purge
  /// recorded ids only, without conversations.
  public static func purgedByID(among ids: [Int32], on connection: Connection) throws(PostgreSQLError) -> Set<Int32> {
    let rows = try connection.query(
      """
      SELECT i FROM unnest($1::int4[]) AS i WHERE EXISTS (
        SELECT FROM call_logd_archive a WHERE a.kind = 'call-logs' AND a.deletes AND NOT a.notes_conversations AND a.ids @> i::int8)
      """, [.int4Array(ids)], purpose: "Looking up purged call logs")
    return Set(rows.compactMap { $0.int64(0).map { Int32(truncatingIfNeeded: $0) } })
  }

  private static func read(_ condition: String, _ parameters: [Parameter], on connection: Connection) throws(PostgreSQLError)
    -> [ArchiveRecord]
  {
    try connection.query(
      "SELECT id, kind, month, part, folder, system, database, state, ids, manifest FROM call_logd_archive WHERE \(condition) ORDER BY id",
      parameters, purpose: "Reading the record of archives"
    ).map { row in
      ArchiveRecord(
        id: Int32(truncatingIfNeeded: row.int64(0) ?? 0), kind: row.string(1) ?? "", month: row.string(2) ?? "",
        part: Int(row.int64(3) ?? 0), folder: row.string(4) ?? "",
        home: Home(system: row.int64(5) ?? 0, database: row.int64(6) ?? 0),
        state: row.string(7).flatMap { State(rawValue: $0) } ?? .intended, ids: row.ranges(8) ?? [], manifest: row.string(9))
    }
  }
}

/// Restored ids that no purge deletes for some time: `call_logd_restored`.
public enum RestoredRows {
  /// Records ids that were restored just now.
  /// - Parameter seconds: the time for which they are kept, in seconds
  public static func note(kind: String, ids: [Range<Int64>], keptFor seconds: Double, on connection: Connection)
    throws(PostgreSQLError)
  {
    guard !ids.isEmpty, seconds > 0 else { return }
    try connection.execute(
      "INSERT INTO call_logd_restored (kind, ids, kept_to) SELECT $1, r, now() + make_interval(secs => $3::text::double precision) FROM unnest($2::int8multirange) AS r",
      [.text(kind), .int8Multirange(ids), .text("\(seconds)")], purpose: "Recording restored ids")
  }

  /// Removes ids whose time is up.
  public static func forgetOld(on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "DELETE FROM call_logd_restored WHERE kept_to <= now()", purpose: "Removing restored ids whose time is up")
  }

  /// Gives the ids that are still kept.
  public static func kept(kind: String, on connection: Connection) throws(PostgreSQLError) -> IDSet {
    IDSet(
      try connection.query(
        "SELECT range_agg(ids) FROM call_logd_restored WHERE kind = $1 AND kept_to > now()", [.text(kind)],
        purpose: "Looking up restored ids"
      ).ranges(0, 0) ?? [])
  }
}
