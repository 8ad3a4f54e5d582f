import CallLogs
import PostgreSQL

/// A row of `call_logd_run`: what ran, and what came of it.
public struct RunRecord: Sendable {
  /// The row's id.
  public let id: Int32

  /// How a run ended.
  public enum Outcome: String, Sendable {
    /// All that was asked for.
    case done
    /// An error; what was committed before stays.
    case failed
    /// SIGINT or SIGTERM.
    case interrupted
    /// Its session was gone without an end: killed, or cut off.
    case died
  }

  /// A run as `status` shows it.
  public struct Summary: Sendable {
    /// The row's id.
    public let id: Int32
    /// Such as `generate`.
    public let verb: String
    /// What was asked for.
    public let parameters: String
    /// Program and version.
    public let program: String
    /// The machine it ran on.
    public let host: String
    /// Its process there.
    public let pid: Int32
    /// When it began.
    public let started: Int64
    /// When it ended; nil while it runs.
    public let ended: Int64?
    /// How it ended; nil while it runs. A run that nobody has marked yet is `died` where its session is gone.
    public let outcome: Outcome?
    /// What became of the CELs.
    public let counters: [(key: String, value: Int64)]
    /// Why it failed.
    public let error: String?
  }

  /// Rows that are kept for each CEL table.
  private static let kept: Int64 = 1000

  /// Records that a run begins. Its lock is held by this session from before the row is seen.
  public static func begin(
    _ checkpoint: Checkpoint, verb: String, parameters: String, program: String, host: String, pid: Int32,
    on connection: Connection
  ) throws -> RunRecord {
    let id = try connection.transaction(purpose: "Recording the run") {
      let rows = try connection.query(
        """
        INSERT INTO call_logd_run (checkpoint_id, verb, parameters, program, host, pid) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id
        """, [.int4(checkpoint.id), .text(verb), .text(parameters), .text(program), .text(host), .int4(pid)],
        purpose: "Recording the run")
      let id = Int32(truncatingIfNeeded: rows.int64(0, 0) ?? 0)
      // Of a new run, which is not to be seen yet: nobody should hold it.
      let isFree = try connection.query(
        "SELECT pg_try_advisory_lock($1, $2)", [.int4(AdvisoryLock.run.rawValue), .int4(id)], purpose: "Taking the run's lock")
      guard isFree.bool(0, 0) != true else { return id }
      try checkpoint.lockWait.once(
        "Taking the run's lock", for: "the lock of run \(id)", on: connection,
        holders: { try .ofAdvisory(.run, id, on: connection) }
      ) {
        _ = try connection.query(
          "SELECT pg_advisory_lock($1, $2)", [.int4(AdvisoryLock.run.rawValue), .int4(id)], purpose: "Taking the run's lock")
      }
      return id
    }
    try connection.execute(
      """
      DELETE FROM call_logd_run WHERE checkpoint_id = $1 AND ended IS NOT NULL
        AND id <= (SELECT id FROM call_logd_run WHERE checkpoint_id = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)
      """, [.int4(checkpoint.id), .int8(kept)], purpose: "Forgetting runs of long ago")
    return RunRecord(id: id)
  }

  /// Takes the lock again in a new session.
  public func lockAgain(on connection: Connection) throws(PostgreSQLError) {
    _ = try connection.query(
      "SELECT pg_try_advisory_lock($1, $2)", [.int4(AdvisoryLock.run.rawValue), .int4(id)], purpose: "Taking the run's lock")
    try connection.execute(
      "UPDATE call_logd_run SET ended = NULL, outcome = NULL WHERE id = $1 AND outcome = 'died'", [.int4(id)],
      purpose: "Recording that the run goes on")
  }

  /// Records how it ended.
  public func end(_ outcome: Outcome, error: String?, on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "UPDATE call_logd_run SET ended = now(), outcome = $2, error = $3 WHERE id = $1",
      [.int4(id), .text(outcome.rawValue), error.map { .text($0) } ?? .null], purpose: "Recording the end of the run")
    _ = try connection.query(
      "SELECT pg_advisory_unlock($1, $2)", [.int4(AdvisoryLock.run.rawValue), .int4(id)], purpose: "Giving the run's lock back")
  }

  /// Adds to its counts, in the transaction that did the work.
  public func count(_ counters: String, on connection: Connection) throws(PostgreSQLError) {
    try connection.execute(
      "UPDATE call_logd_run SET counters = call_logd_sum(counters, $2::jsonb) WHERE id = $1", [.int4(id), .json(counters)],
      purpose: "Counting for the run")
  }

  /// Marks runs whose session is gone.
  /// - Returns: those.
  public static func markDead(_ checkpoint: Checkpoint, on connection: Connection) throws -> [Summary] {
    var dead: [Summary] = []
    for run in try recent(checkpoint, limit: kept, onlyUnended: true, on: connection) {
      let locked = try connection.query(
        "SELECT pg_try_advisory_lock($1, $2)", [.int4(AdvisoryLock.run.rawValue), .int4(run.id)],
        purpose: "Looking whether a run is alive")
      guard locked.bool(0, 0) == true else { continue }
      let marked = try connection.execute(
        "UPDATE call_logd_run SET ended = now(), outcome = 'died' WHERE id = $1 AND ended IS NULL", [.int4(run.id)],
        purpose: "Marking a run that died")
      _ = try connection.query(
        "SELECT pg_advisory_unlock($1, $2)", [.int4(AdvisoryLock.run.rawValue), .int4(run.id)],
        purpose: "Giving a run's lock back")
      if marked == 1 { dead.append(run) }
    }
    return dead
  }

  /// The last runs, newest first.
  public static func recent(_ checkpoint: Checkpoint, limit: Int64, onlyUnended: Bool = false, on connection: Connection) throws
    -> [Summary]
  {
    let rows = try connection.query(
      """
      SELECT r.id, verb, parameters, program, host, r.pid, started, ended,
             CASE WHEN outcome IS NULL AND l.pid IS NULL THEN 'died' ELSE outcome END, counters::text, error
      FROM call_logd_run r
      LEFT JOIN pg_locks l ON l.locktype = 'advisory' AND l.classid = $3::int8::oid AND l.objid = r.id::int8::oid AND l.objsubid = 2
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      WHERE checkpoint_id = $1 AND (ended IS NULL OR NOT $4) ORDER BY r.id DESC LIMIT $2
      """, [.int4(checkpoint.id), .int8(limit), .int8(Int64(AdvisoryLock.run.rawValue)), .bool(onlyUnended)],
      purpose: "Reading the last runs")
    return try rows.map { row in
      let id = Int32(truncatingIfNeeded: row.int64(0) ?? 0)
      let counters = try connection.query(
        "SELECT key, value::int8 FROM jsonb_each_text($1::jsonb) ORDER BY key", [.text(row.string(9) ?? "{}")],
        purpose: "Reading the counts of a run")
      return Summary(
        id: id, verb: row.string(1) ?? "", parameters: row.string(2) ?? "", program: row.string(3) ?? "",
        host: row.string(4) ?? "", pid: Int32(truncatingIfNeeded: row.int64(5) ?? 0), started: row.timestamp(6) ?? 0,
        ended: row.timestamp(7), outcome: row.string(8).flatMap { Outcome(rawValue: $0) },
        counters: counters.map { ($0.string(0) ?? "", $0.int64(1) ?? 0) }, error: row.string(10))
    }
  }
}
