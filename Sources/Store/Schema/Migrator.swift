import CallLogs
import Foundation
import PostgreSQL
import SQL
import Values

/// Brings the schema of the call logs' database up to date, one step after the other.
public struct Migrator {
  /// A step and its state.
  public struct Step: Sendable {
    /// The name, such as `m002_coverage`.
    public let name: String
    /// The SQL.
    public let sql: String
    /// Whether it has been done.
    public let isApplied: Bool
    /// Whether everything works without this step: it creates an index that makes lists faster.
    public var isOptional: Bool { sql.hasPrefix("-- outside a transaction") }
  }

  let connection: Connection

  /// A migrator on the database of the call logs.
  public init(_ connection: Connection) {
    self.connection = connection
  }

  /// Every step in order. It only reads.
  /// - Throws: `PostgreSQLError` where the server refuses.
  public func steps() throws(PostgreSQLError) -> [Step] {
    let applied = try applied()
    return SQL.migrations.map { Step(name: $0.name, sql: $0.text, isApplied: applied.contains($0.name)) }
  }

  private func applied() throws(PostgreSQLError) -> Set<String> {
    let exists = try connection.query("SELECT to_regclass('call_logd_migration') IS NOT NULL", purpose: "Looking for the schema")
    guard exists.bool(0, 0) == true else { return [] }
    let rows = try connection.query("SELECT name FROM call_logd_migration", purpose: "Looking up the schema's version")
    return Set(rows.compactMap { $0.string(0) })
  }

  /// Applies the missing steps, one process at a time. If no step is missing, it writes nothing.
  /// - Parameters:
  ///   - program: name and version of the program, kept with each step
  ///   - report: called with the name of each step before it runs
  /// - Returns: the names of the steps done, and of those put off because a long transaction blocks
  ///   them or the role does not own the table. Only optional indexes can be put off.
  /// - Throws: `PostgreSQLError` where the server refuses; ``StoreError`` where the schema is from
  ///   a later version of the program, or another migration is running.
  @discardableResult
  public func migrate(program: String, report: (String) -> Void = { _ in }) throws -> (done: [String], putOff: [String]) {
    let before = try applied()
    let known = Set(SQL.migrations.map(\.name))
    let unknown = before.subtracting(known)
    guard unknown.isEmpty else {
      throw StoreError(
        .configuration,
        "the schema in database \(connection.server.database) is from a later version of this program (it has \(unknown.sorted().joined(separator: ", "))); install that version"
      )
    }
    guard before.count < known.count else { return ([], []) }
    return try alone { try runMissing(program, report) }
  }

  /// Does something while no other process changes the schema.
  func alone<Value>(_ body: () throws -> Value) throws -> Value {
    try waitForOthers()
    defer {
      _ = try? connection.query("SELECT pg_advisory_unlock($1)", [.int8(AdvisoryLock.schema)], purpose: "Ending the migration")
    }
    return try body()
  }

  private func runMissing(_ program: String, _ report: (String) -> Void) throws -> (done: [String], putOff: [String]) {
    // Another process may have applied steps while this one waited.
    let applied = try applied()
    var done: [String] = []
    var putOff: [String] = []
    if applied.isEmpty {
      try connection.script(Migrator.ledger, purpose: "Creating the table call_logd_migration")
    }
    for migration in SQL.migrations where !applied.contains(migration.name) {
      report(migration.name)
      if migration.isOutsideTransaction {
        guard try runOutsideTransaction(migration, program) else {
          putOff.append(migration.name)
          continue
        }
      } else {
        try connection.transaction(purpose: "Migrating to \(migration.name)") {
          try connection.script(migration.text, purpose: "Migrating to \(migration.name)")
          try record(migration.name, program)
        }
      }
      done.append(migration.name)
    }
    return (done, putOff)
  }

  /// Takes the lock within `lock_timeout`, by polling. A session that waits inside pg_advisory_lock
  /// holds a snapshot. CREATE INDEX CONCURRENTLY in the other process would wait for its end, so
  /// both would wait for each other.
  private func waitForOthers() throws {
    let started = Stopwatch()
    while true {
      let rows = try connection.query(
        "SELECT pg_try_advisory_lock($1), (extract(epoch FROM current_setting('lock_timeout')::interval) * 1000)::text",
        [.int8(AdvisoryLock.schema)],
        purpose: "Waiting for another migration")
      if rows.bool(0, 0) == true { return }
      let limit = Double(rows.string(0, 1) ?? "") ?? 0
      guard limit <= 0 || started.seconds * 1000 < limit else {
        let holders = try LockHolders.ofAdvisory(AdvisoryLock.schema, on: connection)
        throw StoreError(
          .busy,
          "another migration of database \(connection.server.database) is running (\(connection.server)); its lock is \(holders.description)"
        )
      }
      Thread.sleep(forTimeInterval: 0.05)
    }
  }

  /// Runs a step that needs no transaction of its own.
  ///
  /// - Returns: false where a lock is not free in time, or the role lacks the right.
  private func runOutsideTransaction(_ migration: SQL.Migration, _ program: String) throws(PostgreSQLError) -> Bool {
    do {
      try dropInvalidIndexes()
      try connection.script(migration.text, purpose: "Migrating to \(migration.name)")
    } catch {
      // Steps outside a transaction only create indexes. A role that does not own the table cannot
      // create one, and must be able to run without.
      if error.sqlState == .lockNotAvailable || error.sqlState == .insufficientPrivilege { return false }
      throw error
    }
    try record(migration.name, program)
    return true
  }

  /// The table that records the applied steps.
  static let ledger = """
    CREATE TABLE IF NOT EXISTS call_logd_migration (
        name    text PRIMARY KEY,
        applied timestamptz NOT NULL DEFAULT now(),
        program text NOT NULL
    );
    """

  /// The whole schema as a script for psql, for an administrator who applies it by hand.
  public static func script(of steps: [Step]) -> String {
    guard steps.contains(where: { !$0.isApplied }) else { return "-- Nothing to do: the schema is up to date.\n" }
    var text = ledger + "\n"
    for step in steps where !step.isApplied {
      let outside = step.sql.hasPrefix("-- outside a transaction")
      let record = "INSERT INTO call_logd_migration (name, program) VALUES ('\(step.name)', 'psql');\n"
      text += "\n" + (outside ? step.sql + record : "BEGIN;\n" + step.sql + record + "COMMIT;\n")
    }
    return text
  }

  private func record(_ name: String, _ program: String) throws(PostgreSQLError) {
    try connection.execute(
      "INSERT INTO call_logd_migration (name, program) VALUES ($1, $2)", [.text(name), .text(program)],
      purpose: "Recording the step \(name)")
  }

  /// An interrupted CREATE INDEX CONCURRENTLY leaves an invalid index. PostgreSQL never uses it,
  /// and IF NOT EXISTS counts it as present (PostgreSQL, CREATE INDEX, "Building Indexes
  /// Concurrently").
  func dropInvalidIndexes() throws(PostgreSQLError) {
    let rows = try connection.query(
      """
      SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
      WHERE NOT i.indisvalid AND t.relname LIKE 'call\\_logd\\_%' AND x.relname LIKE 'call\\_logd\\_%\\_\\_idx\\_\\_%'
      """, purpose: "Looking for unfinished indexes")
    for index in rows.compactMap({ $0.string(0) }) {
      // regclass quotes the name where that is needed.
      try connection.execute("DROP INDEX CONCURRENTLY IF EXISTS \(index)", purpose: "Dropping the unfinished index \(index)")
    }
  }
}
