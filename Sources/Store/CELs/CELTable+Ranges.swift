import CallLogs
import PostgreSQL

extension CELTable {
  /// SQL that excludes the greatest possible id. No coverage can contain it, because the end of a
  /// range must be greater than its last id.
  static let isFollowed = "id < \(Int64.max)"

  /// Whether a CEL has the greatest possible id, which is never covered.
  public func hasLastID(on connection: Connection) throws(PostgreSQLError) -> Bool {
    try connection.query(
      "SELECT EXISTS (SELECT FROM \(name) WHERE id >= $1)", [.int8(.max)], purpose: "Looking for the greatest possible id"
    ).bool(0, 0) == true
  }

  /// The smallest and greatest id in the table that can be covered; nil where there is none.
  /// - Throws: an error of PostgreSQL.
  public func bounds(on connection: Connection) throws -> ClosedRange<Int64>? {
    let rows = try connection.query(
      "SELECT min(id)::int8, max(id)::int8 FROM \(name) WHERE \(CELTable.isFollowed)",
      purpose: "Looking up the least and greatest CEL id")
    guard let least = rows.int64(0, 0), let greatest = rows.int64(0, 1) else { return nil }
    return least...greatest
  }

  /// Gives the id from which on `ranges` contain at least `count` CELs, without SIP chats; the
  /// smallest id where there are fewer CELs.
  /// - Throws: an error of PostgreSQL.
  public func threshold(ofNewest count: Int, in ranges: [Range<Int64>], on connection: Connection) throws -> Int64? {
    var wanted = count
    var lowest: Int64?
    for range in ranges.reversed() {
      let rows = try connection.query(
        """
        SELECT count(*)::int8, min(id)::int8 FROM (
          SELECT id FROM \(name) WHERE id >= $1 AND id < $2 AND \(isNoChat) ORDER BY id DESC LIMIT $3) newest
        """, [.int8(range.lowerBound), .int8(range.upperBound), .int8(Int64(wanted))],
        purpose: "Looking for the newest \(count) uncovered CELs")
      guard let found = rows.int64(0, 0), found > 0, let least = rows.int64(0, 1) else { continue }
      lowest = least
      wanted -= Int(found)
      if wanted <= 0 { return least }
    }
    return lowest
  }

  /// Counts the rows with ids in `ranges`.
  /// - Throws: an error of PostgreSQL.
  public func count(in ranges: [Range<Int64>], on connection: Connection) throws -> Int64 {
    guard !ranges.isEmpty else { return 0 }
    return try connection.query(
      "SELECT count(*)::int8 FROM unnest($1::int8multirange) AS r(ids) JOIN \(name) c ON \(CELTable.isWithin("c.id", "r.ids"))",
      [.int8Multirange(ranges)], purpose: "Counting CELs"
    ).int64(0, 0) ?? 0
  }

  /// Whether a row has an id in `ranges`.
  /// - Throws: an error of PostgreSQL.
  public func hasRows(in ranges: [Range<Int64>], on connection: Connection) throws -> Bool {
    for range in ranges {
      let rows = try connection.query(
        "SELECT EXISTS (SELECT FROM \(name) WHERE id >= $1 AND id < $2)", [.int8(range.lowerBound), .int8(range.upperBound)],
        purpose: "Looking for CELs in a range of ids")
      if rows.bool(0, 0) == true { return true }
    }
    return false
  }

  /// The last value that the id sequence gave; nil without a sequence, or where it has given none.
  /// - Throws: an error of PostgreSQL.
  public func lastSequenceValue(on connection: Connection) throws -> Int64? {
    guard let sequence else { return nil }
    let rows = try connection.query(
      "SELECT CASE WHEN is_called THEN last_value END::int8 FROM \(Connection.quoteQualifiedName(sequence))",
      purpose: "Looking up the sequence of the CELs' ids")
    return rows.int64(0, 0)
  }

  /// Gives the stored `eventtime` of each of these rows, in microseconds since 2000-01-01 without
  /// regard to zones; rows without a time are left out. It does not depend on settings, so a
  /// different value proves a different row.
  /// - Throws: an error of PostgreSQL.
  public func storedTimes(of ids: [Int64], on connection: Connection) throws -> [Int64: Int64] {
    guard !ids.isEmpty else { return [:] }
    let expression = timeIsText ? "eventtime::text" : "eventtime"
    let rows = try connection.query(
      "SELECT id::int8, \(expression) FROM \(name) WHERE id = ANY($1)", [.int8Array(ids)],
      purpose: "Looking up CELs that are covered")
    var times: [Int64: Int64] = [:]
    for row in rows { if let id = row.int64(0) { times[id] = row.bytes(1) { time($0) } } }
    return times
  }

  /// Sets `call_log_id` of each of `cels` to the call log at the same position, or to NULL where
  /// that is 0.
  /// - Throws: an error of PostgreSQL.
  public func link(_ cels: [Int64], to callLogs: [Int32], on connection: Connection) throws {
    guard hasCallLogID, !cels.isEmpty else { return }
    try connection.execute(
      """
      UPDATE \(name) AS c SET call_log_id = nullif(v.call_log_id, 0)
      FROM unnest($1::int8[], $2::int4[]) AS v(id, call_log_id) WHERE c.id = v.id
      """, [.int8Array(cels), .int4Array(callLogs)], purpose: "Linking \(cels.count) CELs to their call logs")
  }

  /// Gives the linkedids of the CELs that point to a call log.
  /// - Throws: an error of PostgreSQL.
  public func linkedids(ofCallLog id: Int32, on connection: Connection) throws -> [String] {
    guard hasCallLogID else { return [] }
    return try connection.query(
      "SELECT DISTINCT linkedid::text FROM \(name) WHERE call_log_id = $1", [.int4(id)],
      purpose: "Looking up the CELs of call log \(id)"
    ).compactMap { $0.string(0) }
  }

  // MARK: For deletion

  /// Gives the ids from the smallest to the greatest CEL of these conversations and call logs; nil
  /// where there is none.
  /// - Throws: an error of PostgreSQL.
  public func celRange(ofConversations conversations: [String], callLogs: [Int32], on connection: Connection) throws
    -> ClosedRange<Int64>?
  {
    var range: ClosedRange<Int64>?
    func extend(_ rows: Rows) {
      guard let least = rows.int64(0, 0), let greatest = rows.int64(0, 1) else { return }
      range = range.map { min($0.lowerBound, least)...max($0.upperBound, greatest) } ?? least...greatest
    }
    if !conversations.isEmpty {
      extend(
        try connection.query(
          "SELECT min(id)::int8, max(id)::int8 FROM \(name) WHERE linkedid = ANY($1) AND \(CELTable.isFollowed)",
          [.textArray(conversations)],
          purpose: "Looking up the CELs of \(conversations.count) conversations"))
    }
    if hasCallLogID {
      extend(
        try connection.query(
          "SELECT min(id)::int8, max(id)::int8 FROM \(name) WHERE call_log_id = ANY($1) AND \(CELTable.isFollowed)",
          [.int4Array(callLogs)],
          purpose: "Looking up the CELs of \(callLogs.count) call logs"))
    }
    return range
  }

  /// Gives the linkedids of conversations that have CELs both inside and outside `range`.
  /// - Throws: an error of PostgreSQL.
  public func linkedids(reachingBeyond range: ClosedRange<Int64>, on connection: Connection) throws -> BinaryArray {
    let isOutside = "(b.id < $1 OR b.id > $2) AND b.\(CELTable.isFollowed)"
    let rows = try connection.query(
      """
      SELECT DISTINCT a.linkedid::text FROM \(name) a WHERE a.id >= $1 AND a.id <= $2 AND a.linkedid <> '' AND \(isNoChat) AND (
        EXISTS (SELECT FROM \(name) b WHERE b.linkedid = a.linkedid AND \(isOutside))
        OR a.uniqueid <> '' AND EXISTS (SELECT FROM \(name) b WHERE b.uniqueid = a.uniqueid AND \(isOutside)))
      """, [.int8(range.lowerBound), .int8(range.upperBound)],
      purpose: "Looking for conversations that reach beyond the uncovered range")
    return BinaryArray(strings: rows.compactMap { $0.string(0) })
  }

  /// Which of these linkedids and channels have CELs outside of `range`.
  public func outside(
    _ range: ClosedRange<Int64>, linkedids: BinaryArray, channels: BinaryArray, on connection: Connection
  ) throws -> (linkedids: Set<String>, channels: Set<String>) {
    func found(_ column: String, _ names: BinaryArray) throws -> Set<String> {
      guard names.count > 0 else { return [] }
      let rows = try connection.query(
        """
        SELECT DISTINCT b.\(column)::text FROM \(name) b
        WHERE b.\(column) = ANY($3) AND (b.id < $1 OR b.id > $2) AND b.\(CELTable.isFollowed) AND b.linkedid <> '' AND \(isNoChat)
        """, [.int8(range.lowerBound), .int8(range.upperBound), .array(names)],
        purpose: "Looking for CELs outside of the chunk")
      return Set(rows.compactMap { $0.string(0) })
    }
    return (try found("linkedid", linkedids), try found("uniqueid", channels))
  }

  /// Whether some CEL points to a call log, and this program can clear the link.
  /// - Throws: an error of PostgreSQL.
  public func hasLinks(on connection: Connection) throws -> Bool {
    guard canSetCallLogID else { return false }
    return try connection.query(
      "SELECT EXISTS (SELECT FROM \(name) WHERE call_log_id IS NOT NULL)", purpose: "Looking for CELs that point to call logs"
    ).bool(0, 0) == true
  }

  /// Gives the CELs that point to one of these call logs.
  /// - Throws: an error of PostgreSQL.
  public func linked(to callLogs: [Int32], on connection: Connection) throws -> [Int64] {
    try connection.query(
      "SELECT id::int8 FROM \(name) WHERE call_log_id = ANY($1)", [.int4Array(callLogs)],
      purpose: "Looking up the CELs of \(callLogs.count) call logs"
    ).compactMap { $0.int64(0) }
  }

  /// Counts the CELs that point to one of these call logs.
  /// - Throws: an error of PostgreSQL.
  public func countLinked(to callLogs: [Int32], on connection: Connection) throws -> Int64 {
    guard hasCallLogID else { return 0 }
    return try connection.query(
      "SELECT count(*)::int8 FROM \(name) WHERE call_log_id = ANY($1)", [.int4Array(callLogs)],
      purpose: "Counting the CELs of \(callLogs.count) call logs"
    ).int64(0, 0) ?? 0
  }

  /// Counts the CELs that point to a call log, whether it exists or not.
  /// - Throws: an error of PostgreSQL.
  public func countLinked(on connection: Connection) throws -> Int64 {
    guard hasCallLogID else { return 0 }
    return try connection.query(
      "SELECT count(*)::int8 FROM \(name) WHERE call_log_id IS NOT NULL", purpose: "Counting CELs that point to call logs"
    ).int64(0, 0) ?? 0
  }

  /// Clears the links to these call logs.
  /// - Returns: the number of cleared links.
  /// - Throws: an error of PostgreSQL.
  public func unlink(_ callLogs: [Int32], on connection: Connection) throws -> Int {
    try connection.execute(
      "UPDATE \(name) SET call_log_id = NULL WHERE call_log_id = ANY($1)", [.int4Array(callLogs)],
      purpose: "Unlinking the CELs of \(callLogs.count) call logs")
  }

  /// Clears at most `limit` links: those to call logs that do not exist. Where the call logs are in
  /// another database, it clears links to ids up to `greatest`.
  /// - Returns: the number of cleared links.
  /// - Throws: an error of PostgreSQL.
  public func unlinkSome(_ limit: Int, upTo greatest: Int32?, on connection: Connection) throws -> Int {
    let isVoid =
      greatest == nil
      ? "NOT EXISTS (SELECT FROM call_logd_call_log l WHERE l.id = c.call_log_id) AND $2::int4 IS NULL" : "call_log_id <= $2"
    return try connection.execute(
      """
      UPDATE \(name) SET call_log_id = NULL
      WHERE id = ANY(ARRAY(SELECT id FROM \(name) c WHERE call_log_id IS NOT NULL AND \(isVoid) LIMIT $1))
      """, [.int8(Int64(limit)), greatest.map { .int4($0) } ?? .null], purpose: "Unlinking CELs")
  }
}
