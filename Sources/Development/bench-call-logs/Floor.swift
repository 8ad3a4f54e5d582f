/// PostgreSQL's own time for the same rows, through psql, one statement after the other.
struct Floor {
  let stage: Stage
  private var commands: Commands { stage.commands }

  static let tables = [
    "call_logd_call_log", "call_logd_call_log_participant", "call_logd_call_log_destination", "call_logd_recording",
  ]
  private static let columns =
    "id, eventtime, call_log_id, eventtype, userdeftype, cid_name, cid_num, exten, context, channame, appname, appdata, uniqueid, linkedid, "
    + "userfield, peer, extra"

  init(_ stage: Stage) { self.stage = stage }

  /// COPY out of the columns from which call logs are made.
  func read(_ database: String) throws -> Commands.Took {
    try commands.psql(database, ["-c", "\\copy (SELECT \(Floor.columns) FROM cel ORDER BY id) TO '/dev/null' (FORMAT binary)"])
  }

  /// Writes the call logs of a database to files, and creates empty tables like theirs.
  func prepareWrite(_ database: String) throws {
    for table in Floor.tables {
      try commands.psql(database, ["-c", "\\copy \(table) TO '\(commands.file(table))' (FORMAT binary)"])
      try commands.sql(database, "CREATE TABLE floor_\(table) (LIKE \(table) INCLUDING ALL)")
    }
    try commands.sql(
      database,
      "ALTER TABLE floor_call_logd_call_log ADD FOREIGN KEY (tenant_uuid) REFERENCES call_logd_tenant ON DELETE CASCADE")
    for table in Floor.tables.dropFirst() {
      try commands.sql(
        database,
        "ALTER TABLE floor_\(table) ADD FOREIGN KEY (call_log_id) REFERENCES floor_call_logd_call_log ON DELETE CASCADE")
    }
  }

  /// COPY into those tables.
  func write(_ database: String) throws -> Commands.Took {
    try commands.sql(database, "TRUNCATE \(Floor.tables.map { "floor_" + $0 }.joined(separator: ", "))", "CHECKPOINT")
    return try commands.psql(
      database, Floor.tables.flatMap { ["-c", "\\copy floor_\($0) FROM '\(commands.file($0))' (FORMAT binary)"] })
  }

  /// One UPDATE of every CEL.
  func update(_ database: String) throws -> Commands.Took {
    try commands.psql(database, ["-c", "UPDATE cel SET call_log_id = 1"])
  }

  /// DELETE of all call logs, with cascades, and the UPDATE that clears the links of their CELs.
  func delete(_ database: String) throws -> Commands.Took {
    try commands.psql(
      database,
      [
        "-c", "DELETE FROM call_logd_call_log", "-c", "UPDATE cel SET call_log_id = NULL WHERE call_log_id IS NOT NULL",
      ])
  }
}
