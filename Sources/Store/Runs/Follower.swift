import PostgreSQL
import Values

/// The process that follows the CELs of a checkpoint: the row of `call_logd_follower`.
///
/// Several processes may follow at the same time for a moment: claims keep their work apart. The
/// row only spares the others the work.
public struct Follower: Sendable {
  /// Seconds without a sign of life after which a follower counts as gone.
  public static let staleAfter = 6

  /// The number of its term.
  public let owner: UUIDValue
  /// Its host.
  public let host: String
  /// Its process id there.
  public let pid: Int64
  /// Name and version of its program.
  public let program: String
  /// The beginning of its term (microseconds since 2000-01-01 UTC).
  public let since: Timestamp
  /// Seconds since its last sign of life, by the server's clock.
  public let age: Double
  /// Call logs that it wrote in the last minute.
  public let perMinute: Int64
  /// CELs that it saw and has not covered yet.
  public let ahead: Int64

  /// Whether it has given a sign of life. A sign from the future counts as none: the server's clock
  /// was set back.
  public var isAlive: Bool { abs(age) <= Double(Follower.staleAfter) }

  private init?(_ row: RowView) {
    guard let owner = row.uuid(0), let since = row.timestamp(4), let age = row.string(5).flatMap({ Double($0) }) else {
      return nil
    }
    (self.owner, self.since, self.age) = (owner, since, age)
    (host, pid, program) = (row.string(1) ?? "", row.int64(2) ?? 0, row.string(3) ?? "")
    (perMinute, ahead) = (row.int64(6) ?? 0, row.int64(8) ?? 0)
  }

  private static let columns =
    "owner, host, pid::int8, program, since, extract(epoch FROM clock_timestamp() - beat)::text, (state ->> 'per_minute')::int8, sessions::text, (state ->> 'ahead')::int8"

  /// Reads the follower of a checkpoint; nil where none ever was, or the last one ended orderly.
  public static func read(_ checkpoint: Checkpoint, on connection: Connection) throws(PostgreSQLError) -> Follower? {
    try connection.query(
      "SELECT \(columns) FROM call_logd_follower WHERE checkpoint_id = $1", [.int4(checkpoint.id)],
      purpose: "Looking for a follower"
    ).first.flatMap { Follower($0) }
  }

  /// The outcome of an attempt to become the follower.
  public enum Attempt: Sendable {
    /// This process is the follower now. The sessions of one before it, as JSON; nil where there
    /// was none, or where it ended orderly.
    case leads(formerSessions: String?)
    /// Another process is.
    case waits(Follower)
  }

  /// Becomes the follower, unless another one is alive.
  ///
  /// The recorded sessions of the one before stay until this process records its own. So if this
  /// process dies before it has ended them, the next one ends them.
  /// - Throws: an error of PostgreSQL; ``JobError`` (75) where others come first again and again
  public static func lead(
    _ checkpoint: Checkpoint, owner: UUIDValue, host: String, pid: Int32, program: String, on connection: Connection
  ) throws -> Attempt {
    let me: [Parameter] = [.int4(checkpoint.id), .uuid(owner), .text(host), .int4(pid), .text(program)]
    // Each statement commits by itself. So a process that freezes in between holds no lock, and
    // one that waits writes nothing.
    for _ in 0..<10 {
      let rows = try connection.query(
        "SELECT \(columns) FROM call_logd_follower WHERE checkpoint_id = $1", [.int4(checkpoint.id)],
        purpose: "Looking for a follower")
      guard let row = rows.first, let former = Follower(row) else {
        let added = try connection.execute(
          """
          INSERT INTO call_logd_follower (checkpoint_id, owner, host, pid, program, beat) VALUES ($1, $2, $3, $4, $5, clock_timestamp())
          ON CONFLICT DO NOTHING
          """, me, purpose: "Becoming the follower")
        if added > 0 { return .leads(formerSessions: nil) }
        continue
      }
      // The answer to an earlier attempt was lost.
      if former.owner == owner { return .leads(formerSessions: row.string(7)) }
      let isGone = try former.isAlive && !hasSessions(row.string(7) ?? "{}", on: connection)
      if former.isAlive, !isGone { return .waits(former) }
      let taken = try connection.execute(
        """
        UPDATE call_logd_follower SET owner = $2, host = $3, pid = $4, program = $5, since = now(), beat = clock_timestamp(), state = '{}'
        WHERE checkpoint_id = $1 AND owner = $6 AND ($7 OR abs(extract(epoch FROM clock_timestamp() - beat)) > $8)
        """, me + [.uuid(former.owner), .bool(isGone), .int4(Int32(staleAfter))], purpose: "Becoming the follower")
      if taken > 0 { return .leads(formerSessions: row.string(7)) }
    }
    throw JobError(.busy, "other processes became the follower again and again; this one tries later")
  }

  /// Whether some of the recorded sessions in the database of the call logs are there, or none are
  /// recorded. The server ends those of a process that was killed at once, so nobody has to wait
  /// for its signs of life to stay away.
  private static func hasSessions(_ sessions: String, on connection: Connection) throws(PostgreSQLError) -> Bool {
    let rows = try connection.query(
      """
      SELECT count(*), count(a.pid) FROM jsonb_to_recordset($1::jsonb -> 'logs') AS s (pid integer, start text)
      LEFT JOIN pg_stat_activity a ON a.pid = s.pid AND (a.backend_start IS NULL OR extract(epoch FROM a.backend_start)::text = s.start)
      """, [.text(sessions)], purpose: "Looking for the sessions of a follower")
    return rows.int64(0, 0) == 0 || rows.int64(0, 1) != 0
  }

  /// Gives a sign of life.
  /// - Returns: false where another process has become the follower
  public static func beat(
    _ checkpoint: Checkpoint, owner: UUIDValue, state: String, on connection: Connection
  ) throws(PostgreSQLError) -> Bool {
    try connection.execute(
      "UPDATE call_logd_follower SET beat = clock_timestamp(), state = $3::jsonb WHERE checkpoint_id = $1 AND owner = $2",
      [.int4(checkpoint.id), .uuid(owner), .text(state)], purpose: "Giving a sign of life") > 0
  }

  /// Records the sessions of the follower, so that whoever takes over can end them.
  /// The start of each session is recorded as seconds: its text would depend on the session's time
  /// zone.
  public static func record(
    _ sessions: [Int32], as kind: String, owner: UUIDValue, of checkpoint: Checkpoint, from server: Connection,
    on connection: Connection
  ) throws(PostgreSQLError) {
    let rows = try server.query(
      """
      SELECT coalesce(jsonb_agg(jsonb_build_object('pid', pid, 'start', extract(epoch FROM backend_start)::text)), '[]')::text
      FROM pg_stat_activity WHERE pid = ANY($1)
      """, [.int4Array(sessions)], purpose: "Looking up sessions")
    try connection.execute(
      "UPDATE call_logd_follower SET sessions = sessions || jsonb_build_object($3::text, $4::jsonb) WHERE checkpoint_id = $1 AND owner = $2",
      [.int4(checkpoint.id), .uuid(owner), .text(kind), .text(rows.string(0, 0) ?? "[]")], purpose: "Recording sessions")
  }

  /// Ends what is left of recorded sessions on a server. A frozen process, or one that the network
  /// has cut off, still holds its locks there.
  /// - Parameters:
  ///   - sessions: the JSON of the former follower
  ///   - kind: `logs` or `cels`
  /// - Returns: how many were there
  public static func end(_ sessions: String, _ kind: String, on server: Connection) throws(PostgreSQLError) -> Int {
    let rows = try server.query(
      """
      SELECT count(*) FILTER (WHERE pg_terminate_backend(a.pid)) FROM jsonb_to_recordset($1::jsonb -> $2) AS s (pid integer, start text)
      JOIN pg_stat_activity a ON a.pid = s.pid AND extract(epoch FROM a.backend_start)::text = s.start
      """, [.text(sessions), .text(kind)], purpose: "Ending the sessions of a follower that is gone")
    return Int(clamping: rows.int64(0, 0) ?? 0)
  }

  /// Ends the term, so that another process can follow at once.
  public static func leave(_ checkpoint: Checkpoint, owner: UUIDValue, on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "DELETE FROM call_logd_follower WHERE checkpoint_id = $1 AND owner = $2", [.int4(checkpoint.id), .uuid(owner)],
      purpose: "Ending to follow")
  }
}
