import PostgreSQL
import Values

extension CELTable {
  /// The parts of a CEL that identify its call and its time.
  public struct Outline: Sendable {
    /// Its id.
    public let id: Int64
    /// Its time in microseconds since 2000-01-01 UTC; nil where it has none.
    public let time: Timestamp?
    /// The linkedid; nil for SIP chats and rows without a linkedid, each of which stands alone.
    public let linkedid: String?
    /// The channel's uniqueid; nil where it connects no CELs.
    public let uniqueid: String?
  }

  private var outlineColumns: String {
    "id::int8, \(instant ?? "NULL::timestamptz"), CASE WHEN \(isNoChat) THEN nullif(linkedid::text, '') END, CASE WHEN \(isNoChat) AND linkedid <> '' THEN nullif(uniqueid::text, '') END"
  }

  private func outlines(_ rows: Rows) -> [Outline] {
    rows.map { row in
      let time = row.timestamp(1)
      return Outline(
        id: row.int64(0) ?? 0, time: time == .max || time == .min ? nil : time, linkedid: row.string(2), uniqueid: row.string(3))
    }
  }

  /// Gives at most `limit` CELs from before `time`, with ids above `id` and up to `last`, in the
  /// order of ids. `Int64.min` as `id` includes all ids, even `Int64.min` itself.
  /// - Parameter besides: ids to leave out
  /// - Throws: ``StoreError`` (`configuration`) where the times are text, which no query can
  ///   compare.
  public func outlines(
    before time: Int64, after id: Int64, upTo last: Int64, besides: [Range<Int64>] = [], limit: Int, on connection: Connection
  ) throws -> [Outline] {
    guard let instant else {
      throw StoreError(
        .configuration,
        "eventtime of \(name) is text, so the server cannot select due CELs; change the column to a timestamp to archive or purge CELs"
      )
    }
    guard id < .max else { return [] }
    return outlines(
      try connection.query(
        """
        SELECT \(outlineColumns) FROM \(name) c
        WHERE c.id >= $1 AND c.id <= $2 AND \(instant) < $3 AND \(instant) >= '0001-01-01Z'
          AND NOT $5::int8multirange @> c.id::int8
        ORDER BY c.id LIMIT $4
        """, [.int8(id == .min ? id : id + 1), .int8(last), .timestamptz(time), .int8(Int64(limit)), .int8Multirange(besides)],
        purpose: "Looking for CELs that are due"))
  }

  /// Gives all CELs of the calls of these linkedids, including calls that are joined to them
  /// through channels.
  /// - Throws: an error of PostgreSQL.
  public func outlines(ofCalls linkedids: Set<String>, on connection: Connection) throws -> [Outline] {
    let names = TextArena()
    var walk = CallWalk(self, names: names, on: connection)
    var found: [Outline] = []
    var channels: Set<String> = []
    var round = walk.fresh(linkedids.map { names.text($0) })
    while !round.isEmpty {
      let rows = outlines(
        try connection.query(
          "SELECT \(outlineColumns) FROM \(name) c WHERE linkedid = ANY($1) AND \(isNoChat)",
          [.array(BinaryArray(texts: round))], purpose: "Looking up all CELs of \(round.count) calls"))
      found += rows
      let fresh = Set(rows.compactMap(\.uniqueid)).subtracting(channels)
      guard !fresh.isEmpty else { break }
      channels.formUnion(fresh)
      round = try walk.next(from: fresh.map { names.text($0) })
    }
    return found
  }

  /// Gives three sets for the CELs with these ids, without SIP chats: all linkedids; the linkedids
  /// whose calls have CELs with other ids; the linkedids that share a channel.
  public func linkedids(in ids: [Range<Int64>], on connection: Connection) throws(PostgreSQLError) -> (
    all: Set<String>, withOthers: Set<String>, joined: [[String]]
  ) {
    let rows = try connection.query(
      """
      SELECT DISTINCT c.linkedid::text, c.uniqueid::text FROM unnest($1::int8multirange) AS r(ids) JOIN \(name) c ON \(CELTable.isWithin("c.id", "r.ids"))
      WHERE c.linkedid <> '' AND \(isNoChat)
      """, [.int8Multirange(ids)], purpose: "Looking up the calls of restored CELs")
    var calls: [String: [String]] = [:]
    for row in rows { calls[row.string(1) ?? "", default: []].append(row.string(0) ?? "") }
    let all = Set(calls.values.joined())
    func others(_ column: String, _ names: some Collection<String>) throws(PostgreSQLError) -> [String] {
      try connection.query(
        "SELECT DISTINCT \(column)::text FROM \(name) c WHERE \(column) = ANY($1) AND NOT $2::int8multirange @> c.id::int8 AND \(isNoChat) AND linkedid <> ''",
        [.array(BinaryArray(strings: names.sorted())), .int8Multirange(ids)],
        purpose: "Looking for other CELs of restored calls"
      ).compactMap { $0.string(0) }
    }
    var withOthers = Set(try others("linkedid", all))
    for channel in try others("uniqueid", calls.keys.filter { !$0.isEmpty }) { withOthers.formUnion(calls[channel] ?? []) }
    return (all, withOthers, calls.filter { !$0.key.isEmpty && $0.value.count > 1 }.map(\.value))
  }

  /// Clears the links of these CELs.
  public func unlink(cels ids: [Int64], on connection: Connection) throws(PostgreSQLError) {
    guard !ids.isEmpty else { return }
    let among = IDCondition(ids).bound("c.id")
    try connection.execute(
      "UPDATE \(name) c SET call_log_id = NULL WHERE \(among.sql) AND c.call_log_id IS NOT NULL", among.parameters,
      purpose: "Unlinking CELs whose call logs will be made again")
  }

  /// Gives the greatest id of a CEL from before `time`; nil where there is none.
  /// - Throws: an error of PostgreSQL.
  public func greatestID(before time: Int64, on connection: Connection) throws -> Int64? {
    guard let instant else { return nil }
    return try connection.query(
      "SELECT max(id)::int8 FROM \(name) WHERE \(instant) < $1", [.timestamptz(time)], purpose: "Looking for CELs that are due"
    ).int64(0, 0)
  }

  /// Writes these CELs to `sink` in PostgreSQL's CSV format with a header, in the order of ids. It
  /// needs a transaction.
  /// - Returns: the number of rows.
  /// - Throws: an error of PostgreSQL or of `sink`.
  public func copyOut(
    _ ids: [Int64], columns: TableColumns, on connection: Connection, _ sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int {
    try connection.withTextForms {
      try connection.copyOut(
        "COPY (SELECT \(columns.list()) FROM \(name) c WHERE \(IDCondition(ids).literal("c.id")) ORDER BY c.id) TO STDOUT (FORMAT csv, HEADER)",
        purpose: "Reading \(ids.count) CELs", sink)
    }
  }

  /// Deletes these CELs.
  /// - Returns: the number of deleted CELs.
  public func delete(_ ids: [Int64], on connection: Connection) throws(PostgreSQLError) -> Int {
    let among = IDCondition(ids).bound("c.id")
    return try connection.execute(
      "DELETE FROM \(name) c WHERE \(among.sql)", among.parameters, purpose: "Deleting \(ids.count) CELs")
  }

  /// Counts the CELs with these ids. It waits for transactions that are deleting some of them. It
  /// needs a transaction.
  public func countLocked(in ids: [Range<Int64>], on connection: Connection) throws(PostgreSQLError) -> Int64 {
    try connection.query(
      """
      SELECT count(*)::int8 FROM (
        SELECT c.id FROM unnest($1::int8multirange) AS r(ids) JOIN \(name) c ON \(CELTable.isWithin("c.id", "r.ids"))
        FOR KEY SHARE OF c) AS found
      """, [.int8Multirange(ids)], purpose: "Checking whether CELs are deleted"
    ).int64(0, 0) ?? 0
  }
}
