import PostgreSQL

/// Where chunks end, and what lies ahead of them.
extension CELTable {
  /// The id at which the chunk after the first `size` CELs of `ids` begins; nil where there are no more than these.
  public func end(ofChunk size: Int, in ids: Range<Int64>, on connection: Connection) throws -> Int64? {
    let rows = try connection.query(
      "SELECT id::int8 FROM \(name) c WHERE c.id >= $1 AND c.id < $2 ORDER BY c.id OFFSET $3 LIMIT 1",
      [.int8(ids.lowerBound), .int8(ids.upperBound), .int8(Int64(size))], purpose: "Looking for the end of a chunk")
    return rows.count == 1 ? rows.int64(0, 0) : nil
  }

  /// Those of `linkedids` that have a CEL with an id of at least `id`; none where SQL cannot tell whether a row is a CEL that belongs to a call.
  ///
  /// Found by linkedid, a row at a time until there is one: `id + 0` keeps the planner from walking over all ids ahead.
  public func linkedids(among linkedids: BinaryArray, withCELsFrom id: Int64, on connection: Connection) throws -> Set<String> {
    guard linkedids.count > 0, !timeIsText else { return [] }
    let rows = try connection.query(
      """
      SELECT l FROM unnest($1::text[]) AS l WHERE EXISTS (
        SELECT FROM \(name) c WHERE c.linkedid = l AND c.id + 0 >= $2 AND c.\(CELTable.isFollowed) AND isfinite(c.eventtime) AND \(isNoChat))
      """,
      [.array(linkedids), .int8(id)], purpose: "Looking for CELs ahead of \(linkedids.count) conversations")
    return Set(rows.compactMap { $0.string(0) })
  }
}
