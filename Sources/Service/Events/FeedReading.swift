import CallLogs
import PostgreSQL
import Store

/// A call log that is new, or that was made again.
struct FeedEntry: Hashable, Comparable, Sendable {
  /// Its place among all changes: a number of the sequence that gives ids to call logs.
  let number: Int64
  let callLog: Int32

  /// A new call log, whose id is its number.
  init?(new id: Int64) {
    guard let callLog = Int32(exactly: id) else { return nil }
    self.init(number: id, callLog: callLog)
  }

  init(number: Int64, callLog: Int32) { (self.number, self.callLog) = (number, callLog) }

  static func < (a: FeedEntry, b: FeedEntry) -> Bool { (a.number, a.callLog) < (b.number, b.callLog) }
}

/// What one look at the database shows: the entries above a number, and which transactions may
/// still bring some.
struct FeedReading: Sendable {
  /// Who may still bring entries with numbers below the greatest one.
  enum Writers: Equatable, Sendable {
    /// These transactions have taken numbers, and have not ended.
    case known(Set<String>)
    /// Nobody can say, as on a standby. The numbers are those of the snapshot: the least
    /// transaction that has not ended, and the next one.
    case unknown(least: Int64, next: Int64)
  }

  /// The entries above the number, ascending. They are the greatest ones where there are more than
  /// the limit.
  var entries: [FeedEntry]
  /// Whether there are more than the limit.
  var isPart: Bool
  /// The greatest number of all; nil where there is none.
  var greatest: Int64?
  var writers: Writers

  /// Looks at the database.
  ///
  /// `nextval` locks its sequence until the end of the transaction (PostgreSQL's `sequence.c`). So
  /// `pg_locks` shows which transactions have taken ids. It is read after the snapshot of the
  /// statement was taken: whoever is not in it has ended, and the next statement sees its rows.
  ///
  /// A job may make a call log again under its old id. It notes the id in `call_logd_remade`, with
  /// a number of the same sequence.
  /// - Parameter limit: entries at most
  static func read(above floor: Int64, limit: Int, on connection: Connection) throws -> FeedReading {
    let notesRemade =
      try connection.query("SELECT to_regclass('call_logd_remade') IS NOT NULL", purpose: "Looking for a table").bool(0, 0)
      == true
    let rows = try connection.query(
      statement(notesRemade), [.int8(floor), .int8(Int64(limit) + 1)], purpose: "Looking for new call logs")
    var reading = FeedReading(entries: [], isPart: false, greatest: nil, writers: .known([]))
    for row in rows {
      reading.entries = (row.integers(0) ?? []).compactMap { FeedEntry(new: $0) }
      for (number, id) in zip(row.integers(1) ?? [], row.integers(2) ?? []) {
        if let callLog = Int32(exactly: id) { reading.entries.append(FeedEntry(number: number, callLog: callLog)) }
      }
      reading.greatest = row.int64(3)
      reading.writers =
        row.bool(4) == true
        ? .unknown(least: row.int64(5) ?? 0, next: row.int64(6) ?? .max) : .known(Set(row.strings(7) ?? []))
    }
    reading.cut(to: limit)
    return reading
  }

  private static func statement(_ notesRemade: Bool) -> String {
    let rows = "FROM call_logd_remade r, unnest(r.call_logs) c WHERE r.number > $1 ORDER BY r.number DESC, c DESC LIMIT $2"
    let remade =
      notesRemade ? "ARRAY(SELECT r.number::int8 \(rows)), ARRAY(SELECT c::int8 \(rows))" : "'{}'::int8[], '{}'::int8[]"
    let greatest = notesRemade ? ", (SELECT max(r.number)::int8 FROM call_logd_remade r)" : ""
    let isAny = notesRemade ? " OR EXISTS (SELECT FROM call_logd_remade r WHERE r.number > $1)" : ""
    return """
      SELECT ARRAY(SELECT l.id FROM call_logd_call_log l WHERE l.id > $1 ORDER BY l.id DESC LIMIT $2), \(remade),
        greatest((SELECT max(l.id)::int8 FROM call_logd_call_log l)\(greatest)),
        pg_is_in_recovery() OR s.name IS NULL,
        pg_snapshot_xmin(pg_current_snapshot())::text::int8, pg_snapshot_xmax(pg_current_snapshot())::text::int8,
        CASE WHEN EXISTS (SELECT FROM call_logd_call_log l WHERE l.id > $1)\(isAny) THEN
          ARRAY(SELECT k.virtualtransaction FROM pg_locks k WHERE k.locktype = 'relation' AND k.relation = s.name::regclass
            AND k.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())) END
      FROM (SELECT pg_get_serial_sequence('call_logd_call_log', 'id') AS name) s
      """
  }

  private mutating func cut(to limit: Int) {
    entries.sort()
    guard entries.count > limit else { return }
    isPart = true
    entries.removeFirst(entries.count - limit)
  }
}
