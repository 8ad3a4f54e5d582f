import PostgreSQL
import Values

extension CELTable {
  /// As much of a CEL as tells to which call it belongs and when it was.
  public struct Outline: Sendable {
    /// Its id.
    public let id: Int64
    /// Its instant; nil where it has none.
    public let time: Timestamp?
    /// The call; nil for SIP chats and rows without a linkedid, each of which stands for itself.
    public let linkedid: String?
    /// The channel; nil where it connects nothing.
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

  /// At most `limit` CELs of before `time` with ids above `id` and up to `last`, in id order. Nothing lies below `Int64.min`: it stands for all ids, itself included.
  /// - Parameter besides: ids that are left out
  /// - Throws: ``StoreError`` where the times are text, which no query can compare
  public func outlines(
    before time: Int64, after id: Int64, upTo last: Int64, besides: [Range<Int64>] = [], limit: Int, on connection: Connection
  ) throws -> [Outline] {
    guard let instant else {
      throw StoreError(
        .configuration,
        "eventtime of \(name) is text, by which the server cannot tell which CELs are due; CELs can be archived and purged where it is a timestamp"
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

  /// All CELs of the calls to which these linkedids belong, to any depth.
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
          [.array(BinaryArray(texts: round))], purpose: "Looking up \(round.count) calls whole"))
      found += rows
      let fresh = Set(rows.compactMap(\.uniqueid)).subtracting(channels)
      guard !fresh.isEmpty else { break }
      channels.formUnion(fresh)
      round = try walk.next(from: fresh.map { names.text($0) })
    }
    return found
  }

  /// The linkedids of the CELs with these ids, SIP chats aside; those of them whose calls have other CELs besides; and those that share a channel.
  public func linkedids(in ids: [Range<Int64>], on connection: Connection) throws(PostgreSQLError) -> (
    all: Set<String>, withOthers: Set<String>, joined: [[String]]
  ) {
    let rows = try connection.query(
      """
      SELECT DISTINCT c.linkedid::text, c.uniqueid::text FROM unnest($1::int8multirange) AS r(ids) JOIN \(name) c ON \(CELTable.isWithin("c.id", "r.ids"))
      WHERE c.linkedid <> '' AND \(isNoChat)
      """, [.int8Multirange(ids)], purpose: "Looking up the calls of CELs that are back")
    var calls: [String: [String]] = [:]
    for row in rows { calls[row.string(1) ?? "", default: []].append(row.string(0) ?? "") }
    let all = Set(calls.values.joined())
    func others(_ column: String, _ names: some Collection<String>) throws(PostgreSQLError) -> [String] {
      try connection.query(
        "SELECT DISTINCT \(column)::text FROM \(name) c WHERE \(column) = ANY($1) AND NOT $2::int8multirange @> c.id::int8 AND \(isNoChat) AND linkedid <> ''",
        [.array(BinaryArray(strings: names.sorted())), .int8Multirange(ids)],
        purpose: "Looking for other CELs of the calls that are back"
      ).compactMap { $0.string(0) }
    }
    var withOthers = Set(try others("linkedid", all))
    for channel in try others("uniqueid", calls.keys.filter { !$0.isEmpty }) { withOthers.formUnion(calls[channel] ?? []) }
    return (all, withOthers, calls.filter { !$0.key.isEmpty && $0.value.count > 1 }.map(\.value))
  }

  /// Takes the links of these CELs back.
  public func unlink(cels ids: [Int64], on connection: Connection) throws(PostgreSQLError) {
    guard !ids.isEmpty else { return }
    let among = IDCondition(ids).bound("c.id")
    try connection.execute(
      "UPDATE \(name) c SET call_log_id = NULL WHERE \(among.sql) AND c.call_log_id IS NOT NULL", among.parameters,
      purpose: "Unlinking CELs whose call logs are to be made anew")
  }

  /// The greatest id of before `time`; nil where there is none.
  public func greatestID(before time: Int64, on connection: Connection) throws -> Int64? {
    guard let instant else { return nil }
    return try connection.query(
      "SELECT max(id)::int8 FROM \(name) WHERE \(instant) < $1", [.timestamptz(time)], purpose: "Looking for CELs that are due"
    ).int64(0, 0)
  }

  /// Writes these CELs as PostgreSQL's CSV, with a line of names, in id order to `sink`. Needs a transaction.
  /// - Returns: how many rows there were
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
  /// - Returns: how many
  public func delete(_ ids: [Int64], on connection: Connection) throws(PostgreSQLError) -> Int {
    let among = IDCondition(ids).bound("c.id")
    return try connection.execute(
      "DELETE FROM \(name) c WHERE \(among.sql)", among.parameters, purpose: "Deleting \(ids.count) CELs")
  }

  /// How many CELs with these ids there are, after whoever is deleting some of them has ended. Needs a transaction.
  public func countLocked(in ids: [Range<Int64>], on connection: Connection) throws(PostgreSQLError) -> Int64 {
    try connection.query(
      """
      SELECT count(*)::int8 FROM (
        SELECT c.id FROM unnest($1::int8multirange) AS r(ids) JOIN \(name) c ON \(CELTable.isWithin("c.id", "r.ids"))
        FOR KEY SHARE OF c) AS found
      """, [.int8Multirange(ids)], purpose: "Looking whether CELs are deleted"
    ).int64(0, 0) ?? 0
  }
}
