import PostgreSQL
import Values

/// Conversations that a chunk does not see whole. `call_logd_reach` lists linkedids with CELs that
/// are not covered. `call_logd_open` lists linkedids of conversations that lack a LINKEDID_END.
/// `call_logd_awaited` lists channels that lack a CHAN_START.
extension Checkpoint {
  /// What is noted about conversations that look whole in a chunk.
  public struct Notes: Sendable {
    /// Linkedids of conversations that have CELs that are not covered, or that have covered CELs
    /// elsewhere and no end.
    public var linkedids: Set<String> = []
    /// The uniqueids of all awaited channels; nil if nobody looked, or if there are more than
    /// ``Checkpoint/listedAwaited``.
    public var awaited: Set<String>?

    /// Nothing is known.
    public init() {}
  }

  /// Gives what is noted about these linkedids, and the awaited channels of any call.
  public func notes(among linkedids: BinaryArray, on connection: Connection) throws(PostgreSQLError) -> Notes {
    var notes = Notes()
    guard linkedids.count > 0 else { return notes }
    let rows = try connection.query(
      """
      SELECT linkedid, false FROM call_logd_reach WHERE checkpoint_id = $1 AND linkedid = ANY($2)
      UNION ALL SELECT linkedid, false FROM call_logd_open WHERE checkpoint_id = $1 AND linkedid = ANY($2)
      UNION ALL (SELECT uniqueid, true FROM call_logd_awaited WHERE checkpoint_id = $1 LIMIT \(Checkpoint.listedAwaited + 1))
      """, [.int4(id), .array(linkedids)],
      purpose: "Looking up conversations that reach beyond their chunk")
    var awaited: Set<String> = []
    for row in rows {
      guard let name = row.string(0) else { continue }
      if row.bool(1) == true { awaited.insert(name) } else { notes.linkedids.insert(name) }
    }
    if awaited.count <= Checkpoint.listedAwaited { notes.awaited = awaited }
    return notes
  }

  /// Gives the ones of `linkedids` that are noted as having CELs that are not covered.
  public func withUncovered(among linkedids: BinaryArray, on connection: Connection) throws(PostgreSQLError) -> Set<String> {
    guard linkedids.count > 0 else { return [] }
    let rows = try connection.query(
      "SELECT linkedid FROM call_logd_reach WHERE checkpoint_id = $1 AND linkedid = ANY($2)", [.int4(id), .array(linkedids)],
      purpose: "Looking up conversations that are not covered whole")
    return Set(rows.compactMap { $0.string(0) })
  }

  /// Notes that `linkedids` got CELs while other CELs of their conversations, or their call logs,
  /// were only in an archive.
  public func noteLate(_ linkedids: BinaryArray, on connection: Connection) throws(PostgreSQLError) {
    guard linkedids.count > 0 else { return }
    try connection.execute(
      "INSERT INTO call_logd_late (checkpoint_id, linkedid) SELECT $1, l FROM unnest($2::text[]) AS l WHERE octet_length(l) <= 2000 ON CONFLICT DO NOTHING",
      [.int4(id), .array(linkedids)], purpose: "Noting conversations that got CELs late")
  }

  /// Gives the ones of `linkedids` that ``noteLate(_:on:)`` noted.
  public func late(among linkedids: BinaryArray, on connection: Connection) throws(PostgreSQLError) -> Set<String> {
    guard linkedids.count > 0 else { return [] }
    let rows = try connection.query(
      "SELECT linkedid FROM call_logd_late WHERE checkpoint_id = $1 AND linkedid = ANY($2)", [.int4(id), .array(linkedids)],
      purpose: "Looking up conversations that got CELs late")
    return Set(rows.compactMap { $0.string(0) })
  }

  /// Forgets late `linkedids`, because their call logs are now made from all their CELs.
  public func forgetLate(_ linkedids: BinaryArray, on connection: Connection) throws(PostgreSQLError) {
    guard linkedids.count > 0 else { return }
    try connection.execute(
      "DELETE FROM call_logd_late WHERE checkpoint_id = $1 AND linkedid = ANY($2)", [.int4(id), .array(linkedids)],
      purpose: "Forgetting conversations that got CELs late")
  }

  /// Notes that `linkedids` have CELs that are not covered.
  public func noteReaching(_ linkedids: BinaryArray, on connection: Connection) throws(PostgreSQLError) {
    guard linkedids.count > 0 else { return }
    try connection.execute(
      // A linkedid that is too long for an index is also too long for a conversation_id, so its
      // calls are refused anyway.
      "INSERT INTO call_logd_reach (checkpoint_id, linkedid) SELECT $1, l FROM unnest($2::text[]) AS l WHERE octet_length(l) <= 2000 ON CONFLICT DO NOTHING",
      [.int4(id), .array(linkedids)],
      purpose: "Noting conversations that reach beyond their chunk")
  }

  /// Forgets `linkedids`, because all their CELs are covered.
  public func forgetReaching(_ linkedids: BinaryArray, on connection: Connection) throws(PostgreSQLError) {
    guard linkedids.count > 0 else { return }
    try connection.execute(
      "DELETE FROM call_logd_reach WHERE checkpoint_id = $1 AND linkedid = ANY($2)", [.int4(id), .array(linkedids)],
      purpose: "Forgetting conversations that are whole")
  }

  /// Forgets all noted linkedids and awaited channels, because nothing is covered any more.
  public func forgetAllReaching(on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "DELETE FROM call_logd_reach WHERE checkpoint_id = $1", [.int4(id)], purpose: "Forgetting noted conversations")
    try connection.execute(
      "DELETE FROM call_logd_open WHERE checkpoint_id = $1", [.int4(id)], purpose: "Forgetting calls that have not ended")
    try connection.execute(
      "DELETE FROM call_logd_awaited WHERE checkpoint_id = $1", [.int4(id)], purpose: "Forgetting awaited channels")
  }

  // MARK: Calls that have not ended

  /// A conversation that lacks a LINKEDID_END.
  public struct OpenCall {
    /// Its conversation_id: the smallest of its linkedids.
    public var conversation: Text
    /// Its linkedids.
    public var linkedids: [Text]
    /// The time of its first event, in microseconds since 2000-01-01 UTC.
    public var first: Int64
    /// The time of its newest event, in microseconds since 2000-01-01 UTC.
    public var newest: Int64
    /// The number of its CELs.
    public var cels: Int

    /// Creates an open call.
    public init(conversation: Text, linkedids: [Text], first: Int64, newest: Int64, cels: Int) {
      (self.conversation, self.linkedids, self.first, self.newest, self.cels) = (conversation, linkedids, first, newest, cels)
    }
  }

  /// Notes calls that have not ended. This replaces earlier notes of their linkedids.
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

  /// SQL that converts microseconds since 2000-01-01 UTC to a timestamptz without rounding.
  private static func instant(_ column: String) -> String {
    "timestamptz '2000-01-01Z' + make_interval(secs => (\(column) / 1000000)::double precision) + (\(column) % 1000000) * interval '1 microsecond'"
  }

  /// Forgets calls that have ended, or that have no CELs left.
  public func forgetOpen(_ linkedids: BinaryArray, on connection: Connection) throws(PostgreSQLError) {
    guard linkedids.count > 0 else { return }
    try connection.execute(
      "DELETE FROM call_logd_open WHERE checkpoint_id = $1 AND linkedid = ANY($2)", [.int4(id), .array(linkedids)],
      purpose: "Forgetting calls that have ended")
  }

  /// Gives the linkedids of at most `limit` calls whose newest event was before `time`
  /// (microseconds since 2000-01-01 UTC), in order, after the linkedid `after`.
  public func openCalls(before time: Int64, after: String, limit: Int, on connection: Connection) throws(PostgreSQLError)
    -> [String]
  {
    try connection.query(
      """
      SELECT linkedid FROM call_logd_open WHERE checkpoint_id = $1 AND newest_event < $2 AND linkedid > $3
      ORDER BY linkedid LIMIT $4
      """, [.int4(id), .timestamptz(time), .text(after), .int8(Int64(limit))], purpose: "Looking for calls that have not ended"
    ).compactMap { $0.string(0) }
  }

  /// The number of calls that have not ended, and the start of the earliest of them (microseconds
  /// since 2000-01-01 UTC).
  public func openCalls(on connection: Connection) throws(PostgreSQLError) -> (count: Int64, since: Int64?) {
    let rows = try connection.query(
      "SELECT count(DISTINCT conversation)::int8, min(first_event) FROM call_logd_open WHERE checkpoint_id = $1", [.int4(id)],
      purpose: "Counting calls that have not ended")
    return (rows.int64(0, 0) ?? 0, rows.timestamp(0, 1))
  }
}
