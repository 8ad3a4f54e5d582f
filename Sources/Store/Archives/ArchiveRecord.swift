import CallLogs
import PostgreSQL
import Values

/// A row of `call_logd_archive`: a part of an archive, from the intent to write it until its manifest has its name.
public struct ArchiveRecord: Sendable {
  /// How far it has come.
  public enum State: String, Sendable {
    /// Files may exist; nothing is deleted, unless rows are in another database (see `written`).
    case intended
    /// The files are whole and verified; rows in another database are being deleted.
    case written
    /// The rows are deleted; the manifest may not have its name yet.
    case done
    /// The manifest has its name.
    case published
  }

  /// Which database: the server's system identifier and the oid.
  public struct Home: Hashable, Sendable {
    /// The server's system identifier.
    public let system: Int64
    /// The oid of the database.
    public let database: Int64

    /// That server and database.
    public init(system: Int64, database: Int64) { (self.system, self.database) = (system, database) }

    /// That of a connection.
    public static func read(_ connection: Connection) throws(PostgreSQLError) -> Home {
      let rows = try connection.query(
        "SELECT (SELECT system_identifier FROM pg_control_system()), (SELECT oid::int8 FROM pg_database WHERE datname = current_database())",
        purpose: "Looking up which database this is")
      return Home(system: rows.int64(0, 0) ?? 0, database: rows.int64(0, 1) ?? 0)
    }
  }

  /// The row's id.
  public let id: Int32
  /// The table, as `call-logs`.
  public let kind: String
  /// The month, as `2025-03`.
  public let month: String
  /// Its number there.
  public let part: Int
  /// The archive's folder.
  public let folder: String
  /// Where the intent was made.
  public let home: Home
  /// How far it has come.
  public let state: State
  /// Ids of its rows; empty while intended.
  public let ids: [Range<Int64>]
  /// What its manifest says; nil while intended.
  public let manifest: String?

  /// Takes the lock that one archive, purge or restore at a time holds, for this session; false where another session has it.
  public static func lock(on connection: Connection) throws(PostgreSQLError) -> Bool {
    try connection.query(
      "SELECT pg_try_advisory_lock($1, 0)", [.int4(AdvisoryLock.archives.rawValue)],
      purpose: "Looking whether another archive, purge or restore is running"
    ).bool(0, 0) == true
  }

  /// Who has that lock, this session aside.
  public static func lockHolders(on connection: Connection) throws -> LockHolders {
    try .ofAdvisory(.archives, 0, on: connection)
  }

  /// Whether this session has that lock: one that took the place of a lost session may not have got it.
  public static func hasLock(on connection: Connection) throws(PostgreSQLError) -> Bool {
    try connection.query(
      """
      SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND classid = $1::int4::oid AND objid = 0 AND objsubid = 2)
      """, [.int4(AdvisoryLock.archives.rawValue)], purpose: "Looking for the archives' lock"
    ).bool(0, 0) == true
  }

  /// Gives the lock back.
  public static func unlock(on connection: Connection) throws(PostgreSQLError) {
    _ = try connection.query(
      "SELECT pg_advisory_unlock($1, 0)", [.int4(AdvisoryLock.archives.rawValue)], purpose: "Giving the archives' lock back")
  }

  /// Records that the files of a part are about to be written, and commits that.
  /// - Returns: the row's id
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
      ], purpose: "Recording the files that are to be written")
    return Int32(truncatingIfNeeded: rows.int64(0, 0) ?? 0)
  }

  /// The greatest number of a part of that month that was ever recorded, 0 where there is none.
  public static func greatestPart(kind: String, month: String, folder: String, on connection: Connection) throws(PostgreSQLError)
    -> Int
  {
    Int(
      try connection.query(
        "SELECT coalesce(max(part), 0) FROM call_logd_archive WHERE folder = $1 AND kind = $2 AND month = $3",
        [.text(folder), .text(kind), .text(month)], purpose: "Looking up the parts of \(month)"
      ).int64(0, 0) ?? 0)
  }

  /// Records how far a part has come.
  /// - Returns: false where the row is not there
  public static func set(
    _ state: State, of id: Int32, ids: [Range<Int64>], counts: String, manifest: String, on connection: Connection
  ) throws(PostgreSQLError) -> Bool {
    try connection.execute(
      "UPDATE call_logd_archive SET state = $2, ids = $3, counts = $4::jsonb, manifest = $5, ended = now() WHERE id = $1",
      [.int4(id), .text(state.rawValue), .int8Multirange(ids), .json(counts), .text(manifest)],
      purpose: "Recording a part of the archive as \(state.rawValue)") == 1
  }

  /// Records that its rows are deleted, or that its manifest has its name.
  public static func set(_ state: State, of id: Int32, on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "UPDATE call_logd_archive SET state = $2 WHERE id = $1", [.int4(id), .text(state.rawValue)],
      purpose: "Recording a part of the archive as \(state.rawValue)")
  }

  /// Records that the rows of a copy are deleted now.
  /// - Returns: false where it is no copy any more
  public static func setDeleted(_ id: Int32, on connection: Connection) throws(PostgreSQLError) -> Bool {
    try connection.execute(
      "UPDATE call_logd_archive SET deletes = true, notes_conversations = true, ended = now() WHERE id = $1 AND NOT deletes",
      [.int4(id)],
      purpose: "Recording that what was copied is deleted") == 1
  }

  /// How far a part has come now; nil where its row is gone.
  /// - Parameter locked: whether to wait for who is changing it, and to keep others from doing so until the end of the transaction
  public static func state(of id: Int32, locked: Bool, on connection: Connection) throws(PostgreSQLError) -> State? {
    try connection.query(
      "SELECT state FROM call_logd_archive WHERE id = $1" + (locked ? " FOR UPDATE" : ""), [.int4(id)],
      purpose: "Looking how far a part of the archive has come"
    ).first.flatMap { $0.string(0) }.flatMap { State(rawValue: $0) }
  }

  /// Forgets an intent that came to nothing.
  public static func forget(_ id: Int32, on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "DELETE FROM call_logd_archive WHERE id = $1", [.int4(id)], purpose: "Forgetting a part that was not completed")
  }

  /// Parts that somebody began and whose manifest may not have its name yet, oldest first.
  public static func unfinished(on connection: Connection) throws(PostgreSQLError) -> [ArchiveRecord] {
    try read("state <> 'published'", [], on: connection)
  }

  /// Parts of that table in that folder whose rows were copied and not deleted, oldest first.
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
      purpose: "Looking whether CEL \(id) was purged"
    ).bool(0, 0) == true
  }

  /// Those of these call logs that a purge deleted that noted no conversations: one of an earlier version.
  public static func purgedByID(among ids: [Int32], on connection: Connection) throws(PostgreSQLError) -> Set<Int32> {
    let rows = try connection.query(
      """
      SELECT i FROM unnest($1::int4[]) AS i WHERE EXISTS (
        SELECT FROM call_logd_archive a WHERE a.kind = 'call-logs' AND a.deletes AND NOT a.notes_conversations AND a.ids @> i::int8)
      """, [.int4Array(ids)], purpose: "Looking which call logs were purged")
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

/// Ids that were restored and are not to be purged again for some time: `call_logd_restored`.
public enum RestoredRows {
  /// Notes ids that were restored just now.
  /// - Parameter seconds: for how long they are kept
  public static func note(kind: String, ids: [Range<Int64>], keptFor seconds: Double, on connection: Connection)
    throws(PostgreSQLError)
  {
    guard !ids.isEmpty, seconds > 0 else { return }
    try connection.execute(
      "INSERT INTO call_logd_restored (kind, ids, kept_to) SELECT $1, r, now() + make_interval(secs => $3::text::double precision) FROM unnest($2::int8multirange) AS r",
      [.text(kind), .int8Multirange(ids), .text("\(seconds)")], purpose: "Noting what was restored")
  }

  /// Forgets those whose time is up.
  public static func forgetOld(on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "DELETE FROM call_logd_restored WHERE kept_to <= now()", purpose: "Forgetting what was restored long ago")
  }

  /// Those that are still kept.
  public static func kept(kind: String, on connection: Connection) throws(PostgreSQLError) -> IDSet {
    IDSet(
      try connection.query(
        "SELECT range_agg(ids) FROM call_logd_restored WHERE kind = $1 AND kept_to > now()", [.text(kind)],
        purpose: "Looking up what was restored"
      ).ranges(0, 0) ?? [])
  }
}
