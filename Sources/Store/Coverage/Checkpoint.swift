import CallLogs
import PostgreSQL
import Values

/// The durable checkpoint of one CEL table: `call_logd_checkpoint`, and the linkedids that are
/// noted in `call_logd_reach`.
public struct Checkpoint: Sendable {
  /// The row's id.
  public let id: Int32
  /// The CEL ids that are covered.
  public var coverage: IDSet
  /// Grows by one with every change of the coverage.
  public var generation: Int64
  /// A covered CEL and its `eventtime` when it was covered, in microseconds since 2000-01-01 UTC.
  public typealias Witness = (id: Int64, time: Int64)
  /// Covered CELs, the greatest id first. If one of them has another time now, ids were given a
  /// second time. There are several, because any program may delete one.
  public var witnesses: [Witness]
  /// The last value of the id sequence that a run has seen; nil where no run has seen one.
  public var sequenceValue: Int64?
  /// The time that this run waits for another run's lock on the checkpoint.
  public var lockWait = LockWait()

  /// The checkpoint of a table without coverage. It has no row in the database.
  public static let empty = Checkpoint(id: 0, coverage: IDSet(), generation: 0, witnesses: [])

  /// The number of witnesses with the greatest ids. One more witness has the smallest id. A
  /// deletion of old CELs leaves the former, a deletion of new CELs leaves the latter.
  private static let witnessLimit = 3

  /// Reads the checkpoint of that CEL table; nil where it has none.
  /// - Parameter isEarlier: true where the schema is from a version before `m009_presence`, with
  ///   fewer columns
  public static func read(_ identity: CELTable.Identity, isEarlier: Bool = false, on connection: Connection)
    throws(PostgreSQLError) -> Checkpoint?
  {
    try decode(
      connection.query(
        "SELECT \(isEarlier ? earlierColumns : columns) FROM call_logd_checkpoint WHERE cel_system = $1 AND cel_database = $2 AND cel_table = $3",
        [.int8(identity.system), .int8(identity.database), .int8(identity.table)], purpose: "Reading the checkpoint"))
  }

  /// Reads the checkpoint and locks it until the end of the transaction, so that one worker at a
  /// time continues.
  /// - Throws: ``StoreError`` (`busy`), naming the holder, when no run has made progress for the
  ///   time of ``lockWait``.
  public func locked(on connection: Connection) throws -> Checkpoint {
    // NO KEY, so that other sessions can insert rows that refer to the checkpoint, such as claims.
    let sql = "SELECT \(Checkpoint.columns) FROM call_logd_checkpoint WHERE id = $1 FOR NO KEY UPDATE"
    var rows = try connection.query(sql + " SKIP LOCKED", [.int4(id)], purpose: "Locking the checkpoint")
    if rows.count == 0 {
      // A worker holds the lock while it stores the calls that reach beyond its chunk.
      rows = try lockWait.inSlices(
        "Locking the checkpoint", for: "the checkpoint", on: connection,
        progress: {
          try connection.query(
            "SELECT generation FROM call_logd_checkpoint WHERE id = $1", [.int4(id)],
            purpose: "Checking whether other runs make progress"
          ).int64(0, 0)
        }, holders: { try LockHolders.ofCheckpoint(on: connection) },
        { try connection.query(sql, [.int4(id)], purpose: "Locking the checkpoint") })
    }
    guard var checkpoint = Checkpoint.decode(rows) else { throw Checkpoint.removed }
    checkpoint.lockWait = lockWait
    return checkpoint
  }

  static var removed: StoreError {
    StoreError(.wentBack, "the checkpoint was removed while the job was running; run it again")
  }

  /// Takes the gate in shared mode until the end of the transaction. Chunks, the closing of calls
  /// and `regenerate --conversation` share the gate, and so do not block each other. This waits for
  /// any transaction that has closed the gate, and keeps others from closing it.
  /// - Throws: ``StoreError`` (`busy`), naming the holder, after the time of ``lockWait``.
  public func shareGate(on connection: Connection) throws {
    try gate("_shared", "Waiting for the gate", on: connection)
  }

  /// Takes the gate exclusively until the end of the transaction, and waits for the transactions
  /// that share it. Deletions, purges, restores, the queue of audio files, `--rebase` and the check
  /// of covered ids close the gate. So each of them comes wholly before or wholly after a chunk.
  /// - Throws: ``StoreError`` (`busy`), naming the holder, after the time of ``lockWait``.
  public func closeGate(on connection: Connection) throws {
    try gate("", "Waiting for chunks under way", on: connection)
  }

  private func gate(_ kind: String, _ purpose: String, on connection: Connection) throws {
    let parameters = [Parameter.int4(AdvisoryLock.gate.rawValue), .int4(id)]
    // The gate is not free either if a session waits for it: that session came first.
    let isFree = try connection.query("SELECT pg_try_advisory_xact_lock\(kind)($1, $2)", parameters, purpose: purpose)
    guard isFree.bool(0, 0) != true else { return }
    try lockWait.once(
      purpose, for: "the gate", on: connection, holders: { try .ofAdvisory(.gate, id, on: connection) }
    ) {
      _ = try connection.query("SELECT pg_advisory_xact_lock\(kind)($1, $2)", parameters, purpose: purpose)
    }
  }

  /// Reads the checkpoint of that table. If the table has none, inserts an empty one.
  /// - Throws: ``StoreError`` (`wentBack`) where another process removes it at the same moment.
  public static func obtain(_ table: CELTable, on connection: Connection) throws -> Checkpoint {
    if let known = try read(table.identity, on: connection) { return known }
    try connection.execute(
      """
      INSERT INTO call_logd_checkpoint (cel_system, cel_database, cel_table, cel_name) VALUES ($1, $2, $3, $4)
      ON CONFLICT (cel_system, cel_database, cel_table) DO NOTHING
      """, [.int8(table.identity.system), .int8(table.identity.database), .int8(table.identity.table), .text(table.name)],
      purpose: "Entering a checkpoint for \(table.name)")
    guard let made = try read(table.identity, on: connection) else { throw removed }
    return made
  }

  static let earlierColumns = "id, covered, generation, witness_id, witness_time, NULL, NULL, NULL"
  static let columns = "id, covered, generation, witness_id, witness_time, witness_ids, witness_times, sequence_value"

  private static func decode(_ rows: Rows) -> Checkpoint? { rows.count == 1 ? decode(rows[0]) : nil }

  static func decode(_ row: RowView) -> Checkpoint? {
    guard let id = row.int64(0), let covered = row.ranges(1), let generation = row.int64(2) else { return nil }
    var witnesses: [Witness] = []
    if let id = row.int64(3), let time = row.timestamp(4) {
      witnesses = [(id, time)] + zip(row.integers(5) ?? [], row.integers(6) ?? []).map { ($0, $1) }
    }
    return Checkpoint(
      id: Int32(truncatingIfNeeded: id), coverage: IDSet(covered), generation: generation, witnesses: witnesses,
      sequenceValue: row.int64(7))
  }

  // MARK: Changes, in the transaction that does the work

  /// Adds `ids`, in ascending order, to the coverage, and `counters` to the checkpoint's counters.
  ///
  /// Of the former and the new witnesses, it keeps those with the greatest ids and the one with the
  /// smallest.
  public func cover(_ ids: [Range<Int64>], witnesses: [Witness], counters: String, on connection: Connection)
    throws(PostgreSQLError)
  {
    try connection.execute(
      """
      UPDATE call_logd_checkpoint SET
        covered = covered + $2, generation = generation + 1, changed = now(), counters = call_logd_sum(counters, $3::jsonb)
      WHERE id = $1
      """, [.int4(id), .int8Multirange(ids), .json(counters)], purpose: "Covering the CELs \(IDSet(ids))")
    let known = Dictionary((self.witnesses + witnesses).map { ($0.id, $0.time) }) { $1 }
    let sorted = known.sorted { $0.key > $1.key }
    let kept = sorted.prefix(Checkpoint.witnessLimit) + sorted.dropFirst(Checkpoint.witnessLimit).suffix(1)
    guard let first = kept.first, kept.map(\.key) != self.witnesses.map(\.id) else { return }
    try connection.execute(
      """
      UPDATE call_logd_checkpoint SET witness_id = $2, witness_time = $3, witness_ids = $4, witness_times = $5 WHERE id = $1
      """,
      [
        .int4(id), .int8(first.key), .timestamptz(first.value), .int8Array(kept.dropFirst().map(\.key)),
        .int8Array(kept.dropFirst().map(\.value)),
      ], purpose: "Recording witnesses")
  }

  /// Records ids of call logs that this program has made.
  public func noteMade(_ callLogs: [Range<Int64>], on connection: Connection) throws(PostgreSQLError) {
    guard !callLogs.isEmpty else { return }
    try connection.execute(
      "UPDATE call_logd_checkpoint SET made = made + $2 WHERE id = $1", [.int4(id), .int8Multirange(callLogs)],
      purpose: "Recording the call logs that were made")
  }

  /// Records the last value of the id sequence if it is greater than the recorded value. The caller
  /// must have locked the checkpoint.
  public func noteSequence(_ value: Int64?, on connection: Connection) throws(PostgreSQLError) {
    guard let value, sequenceValue.map({ value > $0 }) ?? true else { return }
    try connection.execute(
      "UPDATE call_logd_checkpoint SET sequence_value = $2 WHERE id = $1", [.int4(id), .int8(value)],
      purpose: "Recording the sequence of ids")
  }

  /// Adds the counts of work outside chunks to the checkpoint's counters.
  public func count(_ counters: String, on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "UPDATE call_logd_checkpoint SET counters = call_logd_sum(counters, $2::jsonb) WHERE id = $1",
      [.int4(id), .json(counters)],
      purpose: "Adding to the checkpoint's counters")
  }

  // MARK: Ids that may still come

  /// A range of missing ids that a transaction may still commit.
  public struct Gap: Sendable {
    /// The ids.
    public let ids: Range<Int64>
    /// The time at which they were first missing.
    public let since: Timestamp
    /// The time since then, in seconds, by the server's clock at the start of the transaction.
    public let age: Double
  }

  /// Gives the waiting ids in ascending order: all gaps, or those that overlap `ids`.
  public func gaps(in ids: Range<Int64>? = nil, on connection: Connection) throws(PostgreSQLError) -> [Gap] {
    let rows = try connection.query(
      """
      SELECT lower(ids), upper(ids), first_missing, (1000000 * extract(epoch FROM now() - first_missing))::int8
      FROM call_logd_gap WHERE checkpoint_id = $1 AND ids && int8range($2, $3) ORDER BY ids
      """, [.int4(id), ids.map { .int8($0.lowerBound) } ?? .null, ids.map { .int8($0.upperBound) } ?? .null],
      purpose: "Reading the gaps")
    return rows.compactMap { row in
      guard let lower = row.int64(0), let upper = row.int64(1), let since = row.timestamp(2), let age = row.int64(3) else {
        return nil
      }
      return Gap(ids: lower..<upper, since: since, age: Double(age) / 1_000_000)
    }
  }

  /// Replaces the recorded gaps in `ids` with `gaps`. A gap that was missing before, with all its
  /// ids, keeps its earlier time.
  public func replaceGaps(in ids: Range<Int64>, with gaps: [Range<Int64>], on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      """
      WITH old AS (
        DELETE FROM call_logd_gap WHERE checkpoint_id = $1 AND ids && int8range($2, $3) RETURNING ids, first_missing)
      INSERT INTO call_logd_gap (checkpoint_id, ids, first_missing)
      SELECT $1, rest, first_missing FROM old, unnest(int8multirange(ids) - int8multirange(int8range($2, $3))) AS rest
      UNION ALL
      SELECT $1, gap, coalesce((SELECT max(first_missing) FROM old WHERE old.ids && gap HAVING range_agg(ids) @> gap), now())
      FROM unnest($4::int8multirange) AS gap
      """, [.int4(id), .int8(ids.lowerBound), .int8(ids.upperBound), .int8Multirange(gaps)],
      purpose: "Noting CEL ids that may still come")
  }

  /// Removes `ranges` (ascending) from the coverage.
  public func uncover(_ ranges: [Range<Int64>], on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "UPDATE call_logd_checkpoint SET covered = covered - $2, generation = generation + 1, changed = now() WHERE id = $1",
      [.int4(id), .int8Multirange(ranges)], purpose: "Uncovering CELs")
    try forgetSeen(ranges, on: connection)
  }

  /// Empties the checkpoint: no CEL of the table counts as covered. The generation continues to
  /// grow.
  /// - Throws: ``StoreError`` (`busy`) where the gate stays in use for too long.
  public func restart(on connection: Connection) throws {
    try connection.transaction(purpose: "Emptying the checkpoint") {
      try closeGate(on: connection)
      try connection.execute(
        """
        UPDATE call_logd_checkpoint SET
          covered = '{}', generation = generation + 1, witness_id = NULL, witness_time = NULL, witness_ids = '{}', witness_times = '{}',
          sequence_value = NULL, looked = now(), counters = '{}', changed = now()
        WHERE id = $1
        """, [.int4(id)], purpose: "Emptying the checkpoint")
      try connection.execute(
        "DELETE FROM call_logd_seen WHERE checkpoint_id = $1", [.int4(id)], purpose: "Forgetting which CELs were there")
      try forgetAllReaching(on: connection)
      try connection.execute("DELETE FROM call_logd_gap WHERE checkpoint_id = $1", [.int4(id)], purpose: "Forgetting the gaps")
      try connection.execute(
        "DELETE FROM call_logd_link WHERE checkpoint_id = $1", [.int4(id)], purpose: "Forgetting links to make")
    }
  }

  /// Gives the number of noted linkedids, the number of links to make, and the counters over all
  /// runs.
  /// - Throws: an error of PostgreSQL.
  public func details(on connection: Connection) throws -> (
    reaching: Int64, pendingLinks: Int64, counters: [(key: String, value: Int64)]
  ) {
    let counts = try connection.query(
      """
      SELECT (SELECT count(*)::int8 FROM call_logd_reach WHERE checkpoint_id = $1),
             (SELECT coalesce(sum(cardinality(cel_ids)), 0)::int8 FROM call_logd_link WHERE checkpoint_id = $1)
      """, [.int4(id)], purpose: "Looking up the checkpoint's details")
    let counters = try connection.query(
      "SELECT key, value::int8 FROM call_logd_checkpoint, jsonb_each_text(counters) WHERE id = $1 ORDER BY key", [.int4(id)],
      purpose: "Looking up the checkpoint's counters")
    return (counts.int64(0, 0) ?? 0, counts.int64(0, 1) ?? 0, counters.map { ($0.string(0) ?? "", $0.int64(1) ?? 0) })
  }
}
