import PostgreSQL

/// What the table has of awaited channels.
extension CELTable {
  /// SQL that selects CHAN_START, written as a name or a number.
  static let isChanStart = "(eventtype::text = 'CHAN_START' OR ltrim(eventtype::text, '0') = '1')"

  /// The CELs of awaited channels.
  public struct AwaitedState: Sendable {
    /// Channels that have a CEL, or that a call with a CEL is named after.
    public var present: Set<String> = []
    /// The least id of the CHAN_START of each channel that has one.
    public var starts: [String: Int64] = [:]

    /// Whether the note of a channel is of no use any more: no CEL is left that may join its call,
    /// or its CHAN_START is covered, so it can be in no later chunk.
    public func isSettled(_ uniqueid: String, covered: (Int64) -> Bool) -> Bool {
      !present.contains(uniqueid) || starts[uniqueid].map(covered) ?? false
    }
  }

  /// Gives what there is of these channels, by the indexes of uniqueid and linkedid.
  public func state(ofAwaited uniqueids: [String], on connection: Connection) throws(PostgreSQLError) -> AwaitedState {
    var state = AwaitedState()
    let names = Parameter.textArray(uniqueids)
    let channels = try connection.query(
      """
      SELECT uniqueid::text, (min(id) FILTER (WHERE \(CELTable.isChanStart)))::int8 FROM \(name)
      WHERE uniqueid = ANY($1) AND \(isNoChat) GROUP BY uniqueid
      """, [names], purpose: "Looking for the CELs of \(uniqueids.count) awaited channels")
    for row in channels {
      guard let channel = row.string(0) else { continue }
      state.present.insert(channel)
      state.starts[channel] = row.int64(1)
    }
    let calls = try connection.query(
      "SELECT DISTINCT linkedid::text FROM \(name) WHERE linkedid = ANY($1) AND \(isNoChat)", [names],
      purpose: "Looking for calls named after \(uniqueids.count) awaited channels")
    state.present.formUnion(calls.compactMap { $0.string(0) })
    return state
  }

  /// Gives the channels and linkedids of the rows with these ids that are channels without a
  /// CHAN_START. Channels that Asterisk makes for itself never have one, and are left out.
  /// - Parameter starts: the ids among which a CHAN_START counts; nil for all in the table
  public func awaited(
    in ids: [Range<Int64>], startsIn starts: [Range<Int64>]? = nil, on connection: Connection
  ) throws(PostgreSQLError) -> BinaryArray {
    guard !ids.isEmpty else { return BinaryArray(.text) }
    let isInternal =
      absentColumns.contains("channame") ? "false" : "coalesce(c.channame ~ '^(CBAnn|CBRec|Announcer|Recorder)/', false)"
    let rows = try connection.query(
      """
      SELECT DISTINCT v.name FROM unnest($1::int8multirange) AS r(ids) JOIN \(name) c ON \(CELTable.isWithin("c.id", "r.ids"))
      CROSS JOIN LATERAL (
        VALUES (c.uniqueid::text COLLATE "default"), (c.linkedid::text COLLATE "default")) AS v(name)
      WHERE c.linkedid <> '' AND v.name <> '' AND NOT \(isInternal) AND \(isNoChat)
        AND NOT EXISTS (SELECT FROM \(name) WHERE uniqueid = v.name AND \(CELTable.isChanStart) AND ($2::int8multirange IS NULL OR id::int8 <@ $2))
      """, [.int8Multirange(ids), starts.map { .int8Multirange($0) } ?? .null],
      purpose: "Looking for channels without a CHAN_START")
    return BinaryArray(strings: rows.compactMap { $0.string(0) })
  }
}
