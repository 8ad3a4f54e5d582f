import CallLogs
import PostgreSQL
import Values

/// Puts rows of archives back into their tables.
public struct ArchiveRestore {
  /// A table that rows go back to.
  public struct Target: Sendable {
    /// Its name, quoted where it must be.
    public let table: String
    /// The columns of the file, in its order.
    public let columns: [String]

    /// That table and these columns.
    public init(table: String, columns: [String]) { (self.table, self.columns) = (table, columns) }

    var list: String { TableColumns.list(columns) }
  }

  /// Which rows of a part are wanted.
  public struct Filter: Equatable, Sendable {
    /// Those that began at or after this time; nil for no bound.
    public var from: Timestamp?
    /// Those that began before this time; nil for no bound.
    public var to: Int64?
    /// Those of this tenant; nil for all.
    public var tenant: UUIDValue?

    /// All rows.
    public init() {}

    /// Whether all rows are wanted.
    public var isEmpty: Bool { self == Filter() }
  }

  /// Copies one file into a table; the closure gives its bytes.
  public typealias Feed = (_ number: Int, _ sink: (UnsafeRawBufferPointer) throws -> Void) throws -> Void

  private let connection: Connection

  /// A restore in the open transaction of this connection.
  public init(on connection: Connection) throws {
    self.connection = connection
    try connection.setInputForms()
  }

  /// Has text taken as it was written.
  /// - Parameter encoding: as PostgreSQL names it
  public func setEncoding(_ encoding: String) throws(PostgreSQLError) {
    _ = try connection.query(
      "SELECT set_config('client_encoding', $1, true)", [.text(encoding)], purpose: "Setting the encoding of the archive")
  }

  /// Checks that a table has these columns.
  /// - Throws: ``StoreError`` that names those that it lacks
  public static func check(_ target: Target, on connection: Connection) throws {
    let present = Set(try TableColumns.read(target.table, on: connection).columns.map(\.name))
    let missing = target.columns.filter { !present.contains($0) }
    guard missing.isEmpty else {
      throw StoreError(
        .configuration,
        "the table \(target.table) in database \(connection.server.database) lacks \(missing.joined(separator: ", ")), which the archive has: it is of an older version; nothing was restored"
      )
    }
  }

  private func copy(_ number: Int, into target: Target, as name: String? = nil, _ feed: Feed) throws -> Int {
    try connection.copyIn(
      "COPY \(name ?? target.table) (\(target.list)) FROM STDIN (FORMAT csv, HEADER)", purpose: "Restoring into \(target.table)"
    ) { copy in try feed(number) { try copy.write($0) } }
  }

  /// What came of a part.
  public struct Outcome: Sendable {
    /// Rows of the table that are back.
    public var restored = 0
    /// Rows that were there already, and were left alone.
    public var existing = 0
    /// Rows among these whose id belongs to another call now: they are in the archive only.
    public var taken = 0
    /// Ids of the rows that are back.
    public var ids: [Range<Int64>] = []

    /// Nothing.
    public init() {}
  }

  // MARK: Call logs

  /// Puts a part of call logs back: four files in the order of ``CallLogTables/Part``.
  /// - Parameters:
  ///   - dates: when the part's calls began
  ///   - tenants: whose they are
  public func callLogs(
    _ targets: [Target], filter: Filter, dates: ClosedRange<Int64>, tenants: [UUIDValue], _ feed: Feed
  ) throws -> Outcome {
    try CallLogTables.add(tenants: tenants.filter { filter.tenant == nil || $0 == filter.tenant }, on: connection)
    if filter.isEmpty, let outcome = try straight(targets, dates, feed) { return outcome }
    for (number, target) in targets.enumerated() { try stage(number, target, feed) }
    let (condition, parameters) = condition(filter, date: "s.date")
    let wanted =
      try connection.query(
        "SELECT count(*)::int8 FROM \(stageName(0)) s WHERE \(condition)", parameters, purpose: "Counting what is wanted"
      ).int64(0, 0) ?? 0
    let taken = try connection.query(
      """
      SELECT count(*)::int8 FROM \(stageName(0)) s JOIN call_logd_call_log l ON l.id = s.id
      WHERE \(condition) AND l.conversation_id IS DISTINCT FROM s.conversation_id AND l.date <> s.date
      """, parameters, purpose: "Looking whether ids are taken"
    ).int64(0, 0)
    // A call that was made again since has another id: it is there, too.
    let restored = try connection.query(
      """
      INSERT INTO call_logd_call_log (\(targets[0].list)) OVERRIDING SYSTEM VALUE
      SELECT \(TableColumns.list(targets[0].columns, "s.")) FROM \(stageName(0)) s
      WHERE \(condition) AND NOT EXISTS (SELECT FROM call_logd_call_log l WHERE l.id = s.id)
        AND (s.conversation_id IS NULL OR NOT EXISTS (SELECT FROM call_logd_call_log l WHERE l.conversation_id = s.conversation_id))
      ON CONFLICT DO NOTHING RETURNING id
      """, parameters, purpose: "Restoring call logs"
    ).compactMap { $0.int64(0) }
    for (number, target) in targets.enumerated().dropFirst() {
      try connection.execute(
        """
        INSERT INTO \(target.table) (\(target.list)) OVERRIDING SYSTEM VALUE
        SELECT \(TableColumns.list(target.columns, "s.")) FROM \(stageName(number)) s
        JOIN unnest($1::int8[]) AS w(id) ON w.id = s.call_log_id ON CONFLICT DO NOTHING
        """, [.int8Array(restored)], purpose: "Restoring into \(target.table)")
    }
    var outcome = Outcome()
    (outcome.restored, outcome.existing, outcome.ids) = (restored.count, Int(wanted) - restored.count, restored.ranges)
    outcome.taken = Int(taken ?? 0)
    try raiseSequence("call_logd_call_log", greatest: restored.max())
    return outcome
  }

  /// Straight into the tables, where no call log of that time is there.
  /// - Returns: nil where any is, or where one of the ids is taken
  private func straight(_ targets: [Target], _ dates: ClosedRange<Int64>, _ feed: Feed) throws -> Outcome? {
    let bounds: [Parameter] = [.timestamptz(dates.lowerBound), .timestamptz(dates.upperBound)]
    // Tenant by tenant, as the index has them.
    let callLogs =
      "call_logd_tenant t CROSS JOIN LATERAL (SELECT id FROM call_logd_call_log WHERE tenant_uuid = t.uuid AND date BETWEEN $1 AND $2) l"
    let isThere = try connection.query(
      "SELECT EXISTS (SELECT FROM \(callLogs))", bounds, purpose: "Looking whether any of the call logs are there")
    guard isThere.bool(0, 0) == false else { return nil }
    var outcome = Outcome()
    do {
      try connection.savepoint {
        for (number, target) in targets.enumerated() {
          let rows = try copy(number, into: target, feed)
          if number == 0 { outcome.restored = rows }
        }
      }
    } catch let error as PostgreSQLError {
      guard error.sqlState == .uniqueViolation else { throw error }
      return nil
    }
    // Nobody else made any of that time: the gate is closed.
    let ids = try connection.query("SELECT l.id FROM \(callLogs)", bounds, purpose: "Looking up what was restored")
      .compactMap { $0.int64(0) }
    outcome.ids = ids.ranges
    try raiseSequence("call_logd_call_log", greatest: ids.max())
    return outcome
  }

  private func condition(_ filter: Filter, date: String) -> (String, [Parameter]) {
    var conditions = ["true"]
    var parameters: [Parameter] = []
    if let from = filter.from {
      parameters.append(.timestamptz(from))
      conditions.append("\(date) >= $\(parameters.count)::timestamptz")
    }
    if let to = filter.to {
      parameters.append(.timestamptz(to))
      conditions.append("\(date) < $\(parameters.count)::timestamptz")
    }
    if let tenant = filter.tenant {
      parameters.append(.uuid(tenant))
      conditions.append("s.tenant_uuid = $\(parameters.count)::uuid")
    }
    return (conditions.joined(separator: " AND "), parameters)
  }

  // MARK: CELs

  /// Puts a part of CELs back. With a range of dates, all CELs of every linkedid that has one in it.
  public func cels(_ table: CELTable, _ target: Target, filter: Filter, ids: ClosedRange<Int64>, _ feed: Feed) throws -> Outcome {
    let isThere =
      try connection.query(
        "SELECT EXISTS (SELECT FROM \(table.name) WHERE id BETWEEN $1 AND $2)", [.int8(ids.lowerBound), .int8(ids.upperBound)],
        purpose: "Looking whether any of the CELs are there"
      ).bool(0, 0) == true
    var outcome = Outcome()
    if filter.isEmpty, !isThere {
      outcome.restored = try copy(0, into: target, feed)
      outcome.ids = try connection.query(
        "SELECT id::int8 FROM \(table.name) WHERE id BETWEEN $1 AND $2",
        [.int8(ids.lowerBound), .int8(ids.upperBound)], purpose: "Looking up what was restored"
      ).compactMap { $0.int64(0) }.ranges
      try checkBounds(outcome.ids.reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) } == outcome.restored, ids)
    } else {
      try stage(0, target, feed)
      let outside = try connection.query(
        "SELECT EXISTS (SELECT FROM \(stageName(0)) WHERE id < $1 OR id > $2)", [.int8(ids.lowerBound), .int8(ids.upperBound)],
        purpose: "Looking at the archive's ids")
      try checkBounds(outside.bool(0, 0) == false, ids)
      let (condition, parameters) = condition(filter, date: table.instant ?? "eventtime")
      if !filter.isEmpty {
        // Sessions avoid sequential scans, so without an index each row would look through all of them.
        try connection.script(
          "CREATE INDEX ON \(stageName(0)) (linkedid)", purpose: "Indexing the archive's rows by call")
      }
      let wanted =
        filter.isEmpty ? "true" : "s.linkedid IN (SELECT linkedid FROM \(stageName(0)) s WHERE \(condition))"
      let count =
        try connection.query(
          "SELECT count(*)::int8 FROM \(stageName(0)) s WHERE \(wanted)", parameters, purpose: "Counting what is wanted"
        ).int64(0, 0) ?? 0
      let taken = try connection.query(
        """
        SELECT count(*)::int8 FROM \(stageName(0)) s JOIN \(table.name) c ON c.id = s.id
        WHERE \(wanted) AND c.linkedid IS DISTINCT FROM s.linkedid AND c.eventtime IS DISTINCT FROM s.eventtime
        """, parameters, purpose: "Looking whether ids are taken"
      ).int64(0, 0)
      outcome.taken = Int(taken ?? 0)
      // Not every CEL table has a unique index.
      let restored = try connection.query(
        """
        INSERT INTO \(target.table) (\(target.list)) OVERRIDING SYSTEM VALUE SELECT \(TableColumns.list(target.columns, "s."))
        FROM \(stageName(0)) s WHERE \(wanted) AND NOT EXISTS (SELECT FROM \(table.name) c WHERE c.id = s.id) RETURNING id::int8
        """, parameters, purpose: "Restoring CELs"
      ).compactMap { $0.int64(0) }
      (outcome.restored, outcome.existing, outcome.ids) = (restored.count, Int(count) - restored.count, restored.ranges)
    }
    if let greatest = outcome.ids.last.map({ $0.upperBound - 1 }),
      let last = try table.lastSequenceValue(on: connection) ?? (table.sequence == nil ? nil : 0),
      last < greatest, let sequence = table.sequence
    {
      try raise(sequence, to: greatest)
    }
    return outcome
  }

  /// - Throws: ``StoreError`` where the rows are not those that the manifest speaks of.
  private func checkBounds(_ isGood: Bool, _ ids: ClosedRange<Int64>) throws {
    guard !isGood else { return }
    throw StoreError(
      .damaged,
      "the rows of the archive have other ids than their manifest says (\(ids.lowerBound) to \(ids.upperBound)), or an id twice; nothing of the part was restored"
    )
  }

  // MARK: Common

  private func stageName(_ number: Int) -> String { "pg_temp.call_logd_stage_\(number)" }

  private func stage(_ number: Int, _ target: Target, _ feed: Feed) throws {
    let name = stageName(number)
    try connection.script(
      "CREATE TEMP TABLE \(name.dropFirst("pg_temp.".count)) (LIKE \(target.table)) ON COMMIT DROP",
      purpose: "Making room for the archive's rows")
    // Only the file's columns are filled; what the table has besides gets its defaults.
    let others = try TableColumns.read(name, on: connection).columns.map(\.name).filter { !target.columns.contains($0) }
    for column in others {
      try connection.execute(
        "ALTER TABLE \(name) ALTER \(Connection.quoteIdentifier(column)) DROP NOT NULL",
        purpose: "Making room for the archive's rows")
    }
    _ = try copy(number, into: target, as: name, feed)
    try connection.script("ANALYZE \(name)", purpose: "Making room for the archive's rows")
  }

  /// Ids that come back from elsewhere must not be given out again.
  private func raiseSequence(_ table: String, greatest: Int64?) throws {
    guard let greatest else { return }
    let sequence = try connection.query(
      "SELECT pg_get_serial_sequence($1, 'id'), coalesce((SELECT last_value FROM pg_sequences WHERE format('%I.%I', schemaname, sequencename) = pg_get_serial_sequence($1, 'id')), 0)",
      [.text(table)], purpose: "Looking up the sequence of ids")
    guard let name = sequence.string(0, 0), let last = sequence.int64(0, 1), last < greatest else { return }
    try raise(name, to: greatest)
  }

  private func raise(_ sequence: String, to greatest: Int64) throws(PostgreSQLError) {
    _ = try connection.query(
      "SELECT setval($1::regclass, $2)", [.text(sequence), .int8(greatest)],
      purpose: "Keeping the sequence \(sequence) ahead of the ids that come back")
  }
}

extension ArchiveRecord {
  /// Records that the rows of a part are in the table again: it is a copy now, which the next purge takes if they have not changed.
  public static func setCopied(kind: String, month: String, part: Int, folder: String, home: Home, on connection: Connection)
    throws(PostgreSQLError)
  {
    try connection.execute(
      """
      UPDATE call_logd_archive SET deletes = false
      WHERE kind = $1 AND month = $2 AND part = $3 AND folder = $4 AND system = $5 AND database = $6 AND state = 'published' AND deletes
      """,
      [.text(kind), .text(month), .int4(Int32(clamping: part)), .text(folder), .int8(home.system), .int8(home.database)],
      purpose: "Recording that a part is restored")
  }
}
