import PostgreSQL

/// Channels that lack a CHAN_START. `call_logd_awaited` lists the uniqueid of a channel if CELs of
/// the channel are covered and its CHAN_START is not there. A linkedid is the uniqueid of the first
/// channel of a call (Asterisk, CEL fields). So the list also has each linkedid of covered CELs
/// whose channel has no CHAN_START.
///
/// When the channel comes later, with all of its call, those CELs may join its call to another one.
/// No CEL of its call existed when they were covered, so no other note tells of it.
extension Checkpoint {
  /// Up to this number of awaited channels, ``notes(among:on:)`` lists all.
  public static let listedAwaited = 1000

  /// The number of channels that may be awaited. Ordinary events leave next to none. The number is
  /// reached only where a server logs CHAN_START for some of its channels.
  private static let mostAwaited: Int64 = 100_000
  /// The same where no CHAN_START was seen: mostly the server logs none, and then no conversation
  /// ever looks whole.
  private static let mostAwaitedWithoutStarts: Int64 = 1000

  /// Whether the awaited channels of covered CELs are noted. Those of an earlier version are not.
  public func knowsAwaited(on connection: Connection) throws(PostgreSQLError) -> Bool {
    try connection.query(
      "SELECT knows_awaited FROM call_logd_checkpoint WHERE id = $1", [.int4(id)],
      purpose: "Looking whether awaited channels are known"
    ).bool(0, 0) ?? true
  }

  /// Notes that they are noted.
  public func noteKnowsAwaited(on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "UPDATE call_logd_checkpoint SET knows_awaited = true WHERE id = $1", [.int4(id)], purpose: "Noting awaited channels")
  }

  /// Gives the awaited ones of these channels.
  public func awaited(among uniqueids: BinaryArray, on connection: Connection) throws(PostgreSQLError) -> Set<String> {
    guard uniqueids.count > 0 else { return [] }
    let rows = try connection.query(
      "SELECT uniqueid FROM call_logd_awaited WHERE checkpoint_id = $1 AND uniqueid = ANY($2)",
      [.int4(id), .array(uniqueids)], purpose: "Looking up awaited channels")
    return Set(rows.compactMap { $0.string(0) })
  }

  /// Gives at most `limit` awaited channels after the uniqueid `after`, in order.
  public func awaited(after: String, limit: Int, on connection: Connection) throws(PostgreSQLError) -> [String] {
    try connection.query(
      "SELECT uniqueid FROM call_logd_awaited WHERE checkpoint_id = $1 AND uniqueid > $2 ORDER BY uniqueid LIMIT $3",
      [.int4(id), .text(after), .int8(Int64(limit))], purpose: "Looking for awaited channels"
    ).compactMap { $0.string(0) }
  }

  /// Notes that these channels lack a CHAN_START. The number of noted channels is limited.
  /// - Parameter hasStarts: whether the server logs CHAN_START, as far as is known
  public func noteAwaited(_ uniqueids: BinaryArray, hasStarts: Bool, on connection: Connection) throws(PostgreSQLError) {
    guard uniqueids.count > 0 else { return }
    let limit = hasStarts ? Checkpoint.mostAwaited : Checkpoint.mostAwaitedWithoutStarts
    try connection.execute(
      // A uniqueid that is too long for an index is that of no real channel.
      """
      INSERT INTO call_logd_awaited (checkpoint_id, uniqueid)
      SELECT DISTINCT $1::int4, u FROM unnest($2::text[]) AS u
      WHERE octet_length(u) <= 2000 AND NOT EXISTS (SELECT FROM call_logd_awaited WHERE checkpoint_id = $1 AND uniqueid = u)
      LIMIT greatest($3 - (SELECT count(*) FROM (SELECT FROM call_logd_awaited WHERE checkpoint_id = $1 LIMIT $3) AS noted), 0)
      ON CONFLICT DO NOTHING
      """, [.int4(id), .array(uniqueids), .int8(limit)], purpose: "Noting channels that lack a CHAN_START")
  }

  /// Forgets channels whose CHAN_START has come, or for which no CEL waits any more.
  public func forgetAwaited(_ uniqueids: BinaryArray, on connection: Connection) throws(PostgreSQLError) {
    guard uniqueids.count > 0 else { return }
    try connection.execute(
      "DELETE FROM call_logd_awaited WHERE checkpoint_id = $1 AND uniqueid = ANY($2)", [.int4(id), .array(uniqueids)],
      purpose: "Forgetting awaited channels")
  }
}
