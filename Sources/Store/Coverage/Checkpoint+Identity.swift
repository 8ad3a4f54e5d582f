import PostgreSQL

/// The identity of a checkpoint. It belongs to one CEL table of one database of one server. A
/// database that was restored from a dump is a different one, although it looks the same.
extension Checkpoint {
  /// A checkpoint in this database that belongs to a different CEL table.
  public struct Foreign: Sendable {
    /// The row's id.
    public let id: Int32
    /// The table that it belongs to.
    public let identity: CELTable.Identity
    /// Its coverage, generation and witnesses.
    public let checkpoint: Checkpoint
  }

  /// Gives the checkpoints of tables with the same name on another server, in another database, or
  /// of a table that no longer exists.
  ///
  /// A table of this database that still exists under its oid keeps its own checkpoint, even if its
  /// name has changed. It is left out.
  ///
  /// - Parameter isEarlier: true where the schema is from a version before `m009_presence`
  /// - Throws: an error of PostgreSQL.
  public static func foreign(to table: CELTable, isEarlier: Bool, logs: Connection, cels: Connection) throws -> [Foreign] {
    let rows = try logs.query(
      """
      SELECT \(isEarlier ? earlierColumns : columns), cel_system, cel_database, cel_table FROM call_logd_checkpoint
      WHERE cel_name = $1 AND covered <> '{}' AND (cel_system, cel_database, cel_table) IS DISTINCT FROM ($2::int8, $3::int8, $4::int8)
      ORDER BY changed DESC
      """,
      [
        .text(table.name), .int8(table.identity.system), .int8(table.identity.database), .int8(table.identity.table),
      ], purpose: "Looking for checkpoints of other tables")
    var found: [Foreign] = []
    for row in rows {
      guard let checkpoint = decode(row), let system = row.int64(8), let database = row.int64(9), let oid = row.int64(10) else {
        continue
      }
      let identity = CELTable.Identity(system: system, database: database, table: oid)
      if system == table.identity.system, database == table.identity.database,
        try cels.query(
          "SELECT EXISTS (SELECT FROM pg_class WHERE oid = $1::int8::oid AND relkind IN ('r', 'p', 'v', 'm', 'f'))", [.int8(oid)],
          purpose: "Checking whether a table still exists"
        ).bool(0, 0) == true
      {
        continue
      }
      found.append(Foreign(id: checkpoint.id, identity: identity, checkpoint: checkpoint))
    }
    return found
  }

  /// Whether other tables have checkpoints that are not empty.
  public func hasOthers(on connection: Connection) throws(PostgreSQLError) -> Bool {
    try connection.query(
      "SELECT EXISTS (SELECT FROM call_logd_checkpoint WHERE id <> $1 AND covered <> '{}')", [.int4(id)],
      purpose: "Looking for checkpoints of other tables"
    ).bool(0, 0) == true
  }

  /// Adopts a checkpoint: from then on it belongs to `table`. The archives of its former database
  /// become archives of this one.
  /// - Parameter archives: the database of the call logs, which records parts of archives
  /// - Throws: an error of PostgreSQL; then nothing has changed.
  public static func adopt(_ foreign: Foreign, for table: CELTable, archives: ArchiveRecord.Home, on connection: Connection)
    throws
  {
    try connection.transaction(purpose: "Adopting the checkpoint") {
      // An earlier run may have entered an empty checkpoint.
      try connection.execute(
        "DELETE FROM call_logd_checkpoint WHERE cel_system = $1 AND cel_database = $2 AND cel_table = $3 AND id <> $4 AND covered = '{}'",
        [
          .int8(table.identity.system), .int8(table.identity.database), .int8(table.identity.table), .int4(foreign.id),
        ], purpose: "Adopting the checkpoint")
      try connection.execute(
        """
        UPDATE call_logd_checkpoint SET cel_system = $2, cel_database = $3, cel_table = $4, generation = generation + 1, changed = now(),
          sequence_value = NULL WHERE id = $1
        """,
        [
          .int4(foreign.id), .int8(table.identity.system), .int8(table.identity.database), .int8(table.identity.table),
        ], purpose: "Adopting the checkpoint")
      // These claims were made in the former database.
      try connection.execute(
        "DELETE FROM call_logd_claim WHERE checkpoint_id = $1", [.int4(foreign.id)], purpose: "Adopting the checkpoint")
      try adoptArchives(
        home: archives, former: ArchiveRecord.Home(system: foreign.identity.system, database: foreign.identity.database),
        on: connection)
    }
  }

  /// Makes the archives of former databases archives of this database. `generate --adopt` calls it.
  /// A usual run calls it, too, where the CELs have their own database.
  /// - Parameters:
  ///   - home: the database that records parts of archives
  ///   - former: a database that this one replaces, even if it has no recorded archives
  /// - Returns: the databases whose archives this one took over, recorded in `call_logd_former`.
  /// - Throws: an error of PostgreSQL.
  @discardableResult
  public static func adoptArchives(home: ArchiveRecord.Home, former: ArchiveRecord.Home?, on connection: Connection) throws
    -> Set<ArchiveRecord.Home>
  {
    let moved = try connection.query(
      """
      UPDATE call_logd_archive SET system = $1, database = $2 WHERE (system, database) IS DISTINCT FROM ($1::int8, $2::int8)
      RETURNING (SELECT o.system FROM call_logd_archive o WHERE o.id = call_logd_archive.id),
                (SELECT o.database FROM call_logd_archive o WHERE o.id = call_logd_archive.id)
      """, [.int8(home.system), .int8(home.database)], purpose: "Adopting the archives")
    var homes: Set<ArchiveRecord.Home> = former.map { [$0] } ?? []
    for row in moved { homes.insert(ArchiveRecord.Home(system: row.int64(0) ?? 0, database: row.int64(1) ?? 0)) }
    for home in homes {
      try connection.execute(
        "INSERT INTO call_logd_former (system, database) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        [.int8(home.system), .int8(home.database)], purpose: "Adopting the archives")
    }
    return homes
  }
}
