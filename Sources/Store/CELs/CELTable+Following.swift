import PostgreSQL

/// What a follower asks each time it looks.
extension CELTable {
  /// SQL that selects LINKEDID_END, written as a name or a number.
  static let isLinkedidEnd = "(eventtype::text = 'LINKEDID_END' OR ltrim(eventtype::text, '0') = '14')"

  /// New CELs.
  public struct News: Equatable, Sendable {
    /// How many, up to the limit.
    public var cels = 0
    /// How many of them end a call.
    public var ends = 0
    /// The greatest id; nil where there are none.
    public var greatest: Int64?

    /// None.
    public init() {}
  }

  /// Looks for CELs with an id of at least `id`, the least ones first.
  public func news(from id: Int64, limit: Int, on connection: Connection) throws(PostgreSQLError) -> News {
    let rows = try connection.query(
      """
      SELECT count(*), count(*) FILTER (WHERE \(CELTable.isLinkedidEnd)), max(id)::int8 FROM (
        SELECT id, eventtype FROM \(name) WHERE id >= $1 AND \(CELTable.isFollowed) ORDER BY id LIMIT $2) AS new
      """, [.int8(id), .int8(Int64(limit))], purpose: "Looking for new CELs")
    var news = News()
    news.cels = Int(clamping: rows.int64(0, 0) ?? 0)
    news.ends = Int(clamping: rows.int64(0, 1) ?? 0)
    news.greatest = rows.int64(0, 2)
    return news
  }
}
