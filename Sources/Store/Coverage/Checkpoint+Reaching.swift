import PostgreSQL
import Values

/// Conversations of which a chunk does not see all: `call_logd_reach` has those with CELs that are not covered, `call_logd_open` those whose CELs lack a LINKEDID_END.
extension Checkpoint {
  /// Those of `linkedids` that are noted: their conversations have CELs that are not covered, or covered CELs elsewhere and no end yet.
  public func reaching(among linkedids: BinaryArray, on connection: Connection) throws -> Set<String> {
    guard linkedids.count > 0 else { return [] }
    let rows = try connection.query(
      """
      SELECT linkedid FROM call_logd_reach WHERE checkpoint_id = $1 AND linkedid = ANY($2)
      UNION ALL SELECT linkedid FROM call_logd_open WHERE checkpoint_id = $1 AND linkedid = ANY($2)
      """, [.int4(id), .array(linkedids)],
      purpose: "Looking up conversations that reach beyond their chunk")
    return Set(rows.compactMap { $0.string(0) })
  }

  /// Those of `linkedids` whose conversations have CELs that are not covered, as is noted.
  public func withUncovered(among linkedids: BinaryArray, on connection: Connection) throws(PostgreSQLError) -> Set<String> {
    guard linkedids.count > 0 else { return [] }
    let rows = try connection.query(
      "SELECT linkedid FROM call_logd_reach WHERE checkpoint_id = $1 AND linkedid = ANY($2)", [.int4(id), .array(linkedids)],
      purpose: "Looking up conversations that are not covered whole")
    return Set(rows.compactMap { $0.string(0) })
  }

  /// Notes `linkedids` as having got CELs while others of their conversation, or its call log, were in an archive only.
  public func noteLate(_ linkedids: BinaryArray, on connection: Connection) throws(PostgreSQLError) {
    guard linkedids.count > 0 else { return }
    try connection.execute(
      "INSERT INTO call_logd_late (checkpoint_id, linkedid) SELECT $1, l FROM unnest($2::text[]) AS l WHERE octet_length(l) <= 2000 ON CONFLICT DO NOTHING",
      [.int4(id), .array(linkedids)], purpose: "Noting conversations that got CELs late")
  }

  /// Those of `linkedids` that are noted so.
  public func late(among linkedids: BinaryArray, on connection: Connection) throws(PostgreSQLError) -> Set<String> {
    guard linkedids.count > 0 else { return [] }
    let rows = try connection.query(
      "SELECT linkedid FROM call_logd_late WHERE checkpoint_id = $1 AND linkedid = ANY($2)", [.int4(id), .array(linkedids)],
      purpose: "Looking up conversations that got CELs late")
    return Set(rows.compactMap { $0.string(0) })
  }

  /// Forgets `linkedids`: their call logs are made from all their CELs.
  public func forgetLate(_ linkedids: BinaryArray, on connection: Connection) throws(PostgreSQLError) {
    guard linkedids.count > 0 else { return }
    try connection.execute(
      "DELETE FROM call_logd_late WHERE checkpoint_id = $1 AND linkedid = ANY($2)", [.int4(id), .array(linkedids)],
      purpose: "Forgetting conversations that got CELs late")
  }

  /// Notes `linkedids` as having CELs that are not covered.
  public func noteReaching(_ linkedids: BinaryArray, on connection: Connection) throws(PostgreSQLError) {
    guard linkedids.count > 0 else { return }
    try connection.execute(
      // What no index can hold is longer than a conversation_id by far and is refused in any case.
      "INSERT INTO call_logd_reach (checkpoint_id, linkedid) SELECT $1, l FROM unnest($2::text[]) AS l WHERE octet_length(l) <= 2000 ON CONFLICT DO NOTHING",
      [.int4(id), .array(linkedids)],
      purpose: "Noting conversations that reach beyond their chunk")
  }

  /// Forgets `linkedids`: all their CELs are covered.
  public func forgetReaching(_ linkedids: BinaryArray, on connection: Connection) throws(PostgreSQLError) {
    guard linkedids.count > 0 else { return }
    try connection.execute(
      "DELETE FROM call_logd_reach WHERE checkpoint_id = $1 AND linkedid = ANY($2)", [.int4(id), .array(linkedids)],
      purpose: "Forgetting conversations that are whole")
  }

  /// Forgets every linkedid that was noted: nothing is covered any more.
  public func forgetAllReaching(on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "DELETE FROM call_logd_reach WHERE checkpoint_id = $1", [.int4(id)], purpose: "Forgetting noted conversations")
    try connection.execute(
      "DELETE FROM call_logd_open WHERE checkpoint_id = $1", [.int4(id)], purpose: "Forgetting calls that have not ended")
  }

  // MARK: Calls that have not ended

  /// A conversation without all its LINKEDID_ENDs.
  public struct OpenCall {
    /// Its conversation_id: the least of its linkedids.
    public var conversation: Text
    /// Its linkedids.
    public var linkedids: [Text]
    /// When its first event was.
    public var first: Int64
    /// When its newest event was.
    public var newest: Int64
    /// How many CELs it has.
    public var cels: Int

    /// A conversation of these values.
    public init(conversation: Text, linkedids: [Text], first: Int64, newest: Int64, cels: Int) {
      (self.conversation, self.linkedids, self.first, self.newest, self.cels) = (conversation, linkedids, first, newest, cels)
    }
  }

  /// Notes calls that have not ended, in place of what was noted of their linkedids.
  public func noteOpen(_ calls: [OpenCall], on connection: Connection) throws(PostgreSQLError) {
    guard !calls.isEmpty else { return }
    var linkedids = BinaryArray(.text)
    var conversations = BinaryArray(.text)
    var first: [Int64] = []
    var newest: [Int64] = []
    var cels: [Int64] = []
    for call in calls {
      for linkedid in call.linkedids {
        linkedids.append(UnsafeRawBufferPointer(linkedid.bytes))
        conversations.append(UnsafeRawBufferPointer(call.conversation.bytes))
        first.append(call.first)
        newest.append(call.newest)
        cels.append(Int64(call.cels))
      }
    }
    try connection.execute(
      """
      INSERT INTO call_logd_open (checkpoint_id, linkedid, conversation, first_event, newest_event, cels)
      SELECT $1, l, c, \(Checkpoint.instant("f")), \(Checkpoint.instant("n")), count
      FROM unnest($2::text[], $3::text[], $4::int8[], $5::int8[], $6::int8[]) AS v(l, c, f, n, count) WHERE octet_length(l) <= 2000
      ON CONFLICT (checkpoint_id, linkedid) DO UPDATE SET
        conversation = excluded.conversation, first_event = excluded.first_event, newest_event = excluded.newest_event, cels = excluded.cels
      """, [.int4(id), .array(linkedids), .array(conversations), .int8Array(first), .int8Array(newest), .int8Array(cels)],
      purpose: "Noting calls that have not ended")
  }

  /// `timestamptz` from, to the microsecond.
  private static func instant(_ column: String) -> String {
    "timestamptz '2000-01-01Z' + make_interval(secs => (\(column) / 1000000)::double precision) + (\(column) % 1000000) * interval '1 microsecond'"
  }

  /// Forgets calls that have ended, or of which nothing is left.
  public func forgetOpen(_ linkedids: BinaryArray, on connection: Connection) throws(PostgreSQLError) {
    guard linkedids.count > 0 else { return }
    try connection.execute(
      "DELETE FROM call_logd_open WHERE checkpoint_id = $1 AND linkedid = ANY($2)", [.int4(id), .array(linkedids)],
      purpose: "Forgetting calls that have ended")
  }

  /// The linkedids of at most `limit` calls whose newest event was before `time`, in order, after the linkedid `after`.
  public func openCalls(before time: Int64, after: String, limit: Int, on connection: Connection) throws(PostgreSQLError)
    -> [String]
  {
    try connection.query(
      """
      SELECT linkedid FROM call_logd_open WHERE checkpoint_id = $1 AND newest_event < $2 AND linkedid > $3
      ORDER BY linkedid LIMIT $4
      """, [.int4(id), .timestamptz(time), .text(after), .int8(Int64(limit))], purpose: "Looking for calls that never ended"
    ).compactMap { $0.string(0) }
  }

  /// How many calls have not ended, and when the first of them began.
  public func openCalls(on connection: Connection) throws(PostgreSQLError) -> (count: Int64, since: Int64?) {
    let rows = try connection.query(
      "SELECT count(DISTINCT conversation)::int8, min(first_event) FROM call_logd_open WHERE checkpoint_id = $1", [.int4(id)],
      purpose: "Counting calls that have not ended")
    return (rows.int64(0, 0) ?? 0, rows.timestamp(0, 1))
  }
}
