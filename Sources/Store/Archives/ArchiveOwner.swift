import CallLogs
import PostgreSQL

/// The ownership of an archive: the former databases of this one, and its recorded parts.
public enum ArchiveOwner {
  /// Gives the databases that this one replaces, because it moved to another server or was restored
  /// from a dump: `call_logd_former`. `generate --adopt` fills that table. A usual run fills it,
  /// too, where the CELs have their own database.
  public static func former(on connection: Connection) throws(PostgreSQLError) -> [ArchiveRecord.Home] {
    guard try exists("call_logd_former", on: connection) else { return [] }
    return try connection.query(
      "SELECT system, database FROM call_logd_former", purpose: "Looking up the former databases of this one"
    ).map { ArchiveRecord.Home(system: $0.int64(0) ?? 0, database: $0.int64(1) ?? 0) }
  }

  /// Gives the parts that this database has recorded, each as its table, month and number,
  /// separated by spaces.
  public static func recorded(on connection: Connection) throws(PostgreSQLError) -> Set<String> {
    guard try exists("call_logd_archive", on: connection) else { return [] }
    return Set(
      try connection.query(
        "SELECT kind || ' ' || month || ' ' || part FROM call_logd_archive", purpose: "Looking up the recorded parts of archives"
      ).compactMap { $0.string(0) })
  }

  private static func exists(_ table: String, on connection: Connection) throws(PostgreSQLError) -> Bool {
    try connection.query(
      "SELECT to_regclass($1) IS NOT NULL", [.text(table)], purpose: "Looking for the table \(table)"
    ).bool(0, 0) == true
  }
}

extension ArchiveRecord {
  /// Whether a part is recorded, with the same folder or with the same manifest.
  public static func claims(
    kind: String, month: String, part: Int, folder: String, manifest: String, on connection: Connection
  ) throws(PostgreSQLError) -> Bool {
    try connection.query(
      """
      SELECT EXISTS (SELECT FROM call_logd_archive
        WHERE kind = $1 AND month = $2 AND part = $3 AND (folder = $4 OR manifest = $5))
      """, [.text(kind), .text(month), .int4(Int32(clamping: part)), .text(folder), .text(manifest)],
      purpose: "Looking for a part in the record of archives"
    ).bool(0, 0) == true
  }

  /// Records the state of a part whose files were found, and whether its rows are deleted. This
  /// replaces its recorded ids, counts and manifest.
  /// - Parameter state: `done` if the manifest does not have its name yet
  /// - Returns: false where the row does not exist.
  public static func set(
    _ state: State, of id: Int32, deletes: Bool, ids: [Range<Int64>], counts: String, manifest: String, on connection: Connection
  ) throws(PostgreSQLError) -> Bool {
    try connection.execute(
      """
      UPDATE call_logd_archive SET state = $2, deletes = $3, ids = $4, counts = $5::jsonb, manifest = $6, ended = now()
      WHERE id = $1
      """,
      [.int4(id), .text(state.rawValue), .bool(deletes), .int8Multirange(ids), .json(counts), .text(manifest)],
      purpose: "Recording a part of the archive as \(state.rawValue)") == 1
  }

  /// Counts the call logs with these ids.
  public static func countCallLogs(in ids: [Range<Int64>], on connection: Connection) throws(PostgreSQLError) -> Int64 {
    try connection.query(
      """
      SELECT count(*)::int8 FROM unnest($1::int8multirange) AS r(ids)
      JOIN call_logd_call_log l ON l.id >= lower(r.ids) AND l.id < upper(r.ids)
      """, [.int8Multirange(ids)], purpose: "Checking whether call logs are deleted"
    ).int64(0, 0) ?? 0
  }
}
