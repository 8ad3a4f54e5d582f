import CallLogs
import PostgreSQL
import Values

/// Which ids had a row when they were covered: `call_logd_seen`.
///
/// A covered id without a row is a hole. A hole is final for writers that take their ids from the sequence, and for nobody else: rows that are copied in by hand, or come with a partition that is attached, fill
/// holes. So holes are what has to be looked through to find them.
extension Checkpoint {
  /// The ids of a block, as a power of two.
  private static let blockBits: Int64 = 16

  /// Ids of one block that had a row.
  private struct Block {
    var number: Int64
    var ids: [Range<Int64>]
  }

  private static func ids(ofBlock number: Int64) -> Range<Int64> {
    let first = number << blockBits
    let (end, overflows) = first.addingReportingOverflow(1 << blockBits)
    return first..<(overflows ? .max : end)
  }

  /// Cuts ranges (ascending) where blocks end.
  private static func blocks(of ranges: [Range<Int64>]) -> [Block] {
    var blocks: [Block] = []
    for range in ranges where !range.isEmpty {
      var from = range.lowerBound
      while from < range.upperBound {
        let number = from >> blockBits
        let upper = min(Checkpoint.ids(ofBlock: number).upperBound, range.upperBound)
        if blocks.last?.number == number {
          blocks[blocks.count - 1].ids.append(from..<upper)
        } else {
          blocks.append(Block(number: number, ids: [from..<upper]))
        }
        from = upper
      }
    }
    return blocks
  }

  /// Replaces what is known of rows in `ids`, in the transaction that covers or uncovers them. Blocks in which no row is left keep what is known, unless `forgets` is set.
  /// - Parameters:
  ///   - present: the ids in `ids` that have a row, ascending
  ///   - forgets: whether rows may have gone since they were seen
  public func noteSeen(_ present: [Range<Int64>], in ids: [Range<Int64>], forgets: Bool, on connection: Connection)
    throws(PostgreSQLError)
  {
    if forgets { try forgetSeen(ids, on: connection) }
    let blocks = Checkpoint.blocks(of: present)
    guard !blocks.isEmpty else { return }
    try connection.execute(
      """
      INSERT INTO call_logd_seen AS s (checkpoint_id, block, ids, pieces, rows)
      SELECT $1, block, ids::int8multirange, pieces, rows FROM unnest($2::int8[], $3::text[], $4::int4[], $5::int4[]) AS v(block, ids, pieces, rows)
      ON CONFLICT (checkpoint_id, block) DO UPDATE SET (ids, pieces, rows) = (
        SELECT m, (SELECT count(*) FROM unnest(m)), (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(m) AS r)
        FROM (SELECT (s.ids - $6::int8multirange) + excluded.ids AS m) AS merged)
      """,
      [
        .int4(id), .int8Array(blocks.map(\.number)), .textArray(blocks.map { Checkpoint.text($0.ids) }),
        .int4Array(blocks.map { Int32(clamping: $0.ids.count) }),
        .int4Array(blocks.map { Int32(clamping: $0.ids.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) }) }),
        .int8Multirange(ids),
      ], purpose: "Noting which CELs were there")
  }

  /// Forgets that there were rows with these ids.
  public func forgetSeen(_ ids: [Range<Int64>], on connection: Connection) throws(PostgreSQLError) {
    guard let first = ids.first?.lowerBound, let last = ids.last?.upperBound, first < last else { return }
    try connection.execute(
      "DELETE FROM call_logd_seen WHERE checkpoint_id = $1 AND block BETWEEN $2 AND $3 AND $4::int8multirange @> ids",
      [
        .int4(id), .int8(first >> Checkpoint.blockBits), .int8((last - 1) >> Checkpoint.blockBits), .int8Multirange(ids),
      ], purpose: "Forgetting which CELs were there")
    try connection.execute(
      """
      UPDATE call_logd_seen AS s SET (ids, pieces, rows) = (
        SELECT m, (SELECT count(*) FROM unnest(m)), (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(m) AS r)
        FROM (SELECT s.ids - $4::int8multirange AS m) AS rest)
      WHERE checkpoint_id = $1 AND block BETWEEN $2 AND $3 AND ids && $4::int8multirange
      """,
      [
        .int4(id), .int8(first >> Checkpoint.blockBits), .int8((last - 1) >> Checkpoint.blockBits), .int8Multirange(ids),
      ], purpose: "Forgetting which CELs were there")
  }

  /// PostgreSQL's text of a multirange of ascending ranges.
  private static func text(_ ranges: [Range<Int64>]) -> String {
    "{" + ranges.map { "[\($0.lowerBound),\($0.upperBound))" }.joined(separator: ",") + "}"
  }

  /// How many ranges `call_logd_seen` has, and whether and how long ago the covered ids were looked through.
  public struct SeenState: Sendable {
    /// Ranges of ids, over all blocks: some more than there are holes.
    public let pieces: Int64
    /// Seconds since the covered ids were last looked through; nil where it is not known which rows there were.
    public let age: Double?
  }

  /// What is known of rows, without reading it.
  public func seenState(on connection: Connection) throws(PostgreSQLError) -> SeenState {
    let rows = try connection.query(
      """
      SELECT (SELECT coalesce(sum(pieces), 0)::int8 FROM call_logd_seen WHERE checkpoint_id = $1),
             (1000000 * extract(epoch FROM now() - looked))::int8 FROM call_logd_checkpoint WHERE id = $1
      """, [.int4(id)], purpose: "Looking up what is known of CELs")
    return SeenState(pieces: rows.int64(0, 0) ?? 0, age: rows.int64(0, 1).map { Double($0) / 1_000_000 })
  }

  /// The covered ids that had no row when they were covered, with the coverage, both of one moment.
  public func holes(on connection: Connection) throws -> [Range<Int64>] {
    let rows = try connection.query(
      """
      SELECT p.covered - coalesce(range_agg(r), '{}') FROM call_logd_checkpoint p
      LEFT JOIN call_logd_seen s ON s.checkpoint_id = p.id LEFT JOIN LATERAL unnest(s.ids) AS r ON true
      WHERE p.id = $1 GROUP BY p.id
      """, [.int4(id)], purpose: "Looking up which covered ids had no CEL")
    guard rows.count == 1, let holes = rows.ranges(0, 0) else { throw Checkpoint.removed }
    return holes
  }

  /// The covered ids that had a row when they were covered: a row with another covered id came later, and no call log was made with it yet.
  public func done(on connection: Connection) throws -> IDSet {
    let rows = try connection.query(
      """
      SELECT CASE WHEN p.looked IS NULL THEN p.covered ELSE p.covered * coalesce(range_agg(r), '{}') END FROM call_logd_checkpoint p
      LEFT JOIN call_logd_seen s ON s.checkpoint_id = p.id LEFT JOIN LATERAL unnest(s.ids) AS r ON true
      WHERE p.id = $1 GROUP BY p.id
      """, [.int4(id)], purpose: "Looking up which CELs are done")
    guard rows.count == 1, let done = rows.ranges(0, 0) else { return IDSet() }
    return IDSet(done)
  }

  /// How many rows each block had, for blocks that are covered at least in part: by the block's number.
  public func seenRows(on connection: Connection) throws(PostgreSQLError) -> [Int64: Int64] {
    let rows = try connection.query(
      "SELECT block, rows::int8 FROM call_logd_seen WHERE checkpoint_id = $1", [.int4(id)],
      purpose: "Looking up how many CELs were there")
    var counts: [Int64: Int64] = [:]
    for row in rows { counts[row.int64(0) ?? 0] = row.int64(1) ?? 0 }
    return counts
  }

  /// The covered ids of one block that had no row.
  public func holes(inBlock block: Int64, on connection: Connection) throws(PostgreSQLError) -> [Range<Int64>] {
    try connection.query(
      """
      SELECT p.covered * $3::int8multirange - coalesce((SELECT ids FROM call_logd_seen WHERE checkpoint_id = $1 AND block = $2), '{}')
      FROM call_logd_checkpoint p WHERE p.id = $1
      """, [.int4(id), .int8(block), .int8Multirange([Checkpoint.ids(ofBlock: block)])],
      purpose: "Looking up which covered ids had no CEL"
    ).ranges(0, 0) ?? []
  }

  /// Records that the covered ids were looked through just now.
  public func noteLooked(on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "UPDATE call_logd_checkpoint SET looked = now() WHERE id = $1", [.int4(id)], purpose: "Recording a look through covered ids"
    )
  }
}

extension CELTable {
  /// The condition that an id lies in a range, in a form that an index serves. A bound that is infinite stands for the least or greatest `bigint`.
  static func isWithin(_ id: String, _ range: String) -> String {
    "\(id) >= coalesce(lower(\(range)), '\(Int64.min)'::int8) AND \(id) < coalesce(upper(\(range)), '\(Int64.max)'::int8)"
  }

  /// A run of ids in which rows were found where none were known.
  public struct Found: Sendable {
    /// From the least to the greatest of them.
    public let ids: Range<Int64>
    /// How many rows.
    public let rows: Int64
  }

  /// The rows that there are in ranges of ids (ascending), by range.
  public func rows(in ranges: [Range<Int64>], on connection: Connection) throws(PostgreSQLError) -> [Found] {
    guard !ranges.isEmpty else { return [] }
    let sql =
      unindexedColumns.contains("id") || !showsIndexes && ranges.count > 20
      // One reading of the table in place of one for each range.
      ? """
      SELECT min(id)::int8, max(id)::int8, count(*)::int8 FROM (
        SELECT c.id, (SELECT lower(r) FROM unnest($1::int8multirange) AS r WHERE r @> c.id::int8) AS place FROM \(name) c
        WHERE $1::int8multirange @> c.id::int8) AS found
      GROUP BY place ORDER BY 1
      """
      : """
      SELECT min(c.id)::int8, max(c.id)::int8, count(*)::int8 FROM unnest($1::int8multirange) WITH ORDINALITY AS r(ids, place)
      JOIN \(name) c ON \(CELTable.isWithin("c.id", "r.ids")) GROUP BY r.place ORDER BY 1
      """
    return try connection.query(sql, [.int8Multirange(ranges)], purpose: "Looking for CELs with covered ids").compactMap { row in
      guard let least = row.int64(0), let greatest = row.int64(1), greatest < .max else { return nil }
      return Found(ids: least..<greatest + 1, rows: row.int64(2) ?? 0)
    }
  }

  /// How many rows each block of 65,536 ids has, between two ids: one reading of the index, or of the table.
  public func rowsByBlock(in bounds: ClosedRange<Int64>, on connection: Connection) throws -> [Int64: Int64] {
    try connection.transaction(.readOnly, purpose: "Counting CELs") {
      // The one statement that reads everything.
      try connection.script(
        "SET LOCAL enable_seqscan = on; SET LOCAL max_parallel_workers_per_gather = 2", purpose: "Preparing to count CELs")
      let rows = try connection.query(
        "SELECT id::int8 >> 16, count(*)::int8 FROM \(name) WHERE id >= $1 AND id <= $2 GROUP BY 1",
        [.int8(bounds.lowerBound), .int8(bounds.upperBound)], purpose: "Counting CELs")
      var counts: [Int64: Int64] = [:]
      for row in rows { counts[row.int64(0) ?? 0] = row.int64(1) ?? 0 }
      return counts
    }
  }

  /// The ids between two ids that have a row, ascending: reads the whole index.
  public func idsPresent(in bounds: ClosedRange<Int64>, on connection: Connection) throws -> [Range<Int64>] {
    var ranges: [Range<Int64>] = []
    var reader = BinaryRowReader()
    try connection.copyOut(
      "COPY (SELECT id::int8 FROM \(name) c WHERE c.id >= \(bounds.lowerBound) AND c.id <= \(bounds.upperBound) ORDER BY c.id) TO STDOUT (FORMAT binary)",
      purpose: "Looking which CELs there are"
    ) { message in
      reader.load(message)
      try withUnsafeTemporaryAllocation(of: UnsafeRawBufferPointer.self, capacity: 1) { fields in
        while try reader.nextRow() {
          try reader.nextFields(fields)
          guard fields[0].count == 8 else { continue }
          let id = Int64(bigEndian: fields[0].loadUnaligned(as: Int64.self))
          guard id < .max else { continue }
          if let last = ranges.last, last.upperBound >= id {
            ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, id + 1)
          } else {
            ranges.append(id..<id + 1)
          }
        }
      }
    }
    return ranges
  }
}
