import PostgreSQL

/// The ends of chunks, and the CELs ahead of them.
extension CELTable {
  /// Gives the id at which the next chunk begins, after the first `size` CELs of `ids`; nil where
  /// `ids` has no more CELs.
  /// - Throws: an error of PostgreSQL.
  public func end(ofChunk size: Int, in ids: Range<Int64>, on connection: Connection) throws -> Int64? {
    let rows = try connection.query(
      "SELECT id::int8 FROM \(name) c WHERE c.id >= $1 AND c.id < $2 ORDER BY c.id OFFSET $3 LIMIT 1",
      [.int8(ids.lowerBound), .int8(ids.upperBound), .int8(Int64(size))], purpose: "Looking for the end of a chunk")
    return rows.count == 1 ? rows.int64(0, 0) : nil
  }

  /// Gives the ones of `linkedids` that have a CEL with an id of at least `id`. It is empty where
  /// the times are text, because SQL cannot tell then whether a row belongs to a call.
  ///
  /// The query looks up each linkedid until its first match. `id + 0` prevents the planner from
  /// scanning all ids ahead.
  /// - Throws: an error of PostgreSQL.
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
