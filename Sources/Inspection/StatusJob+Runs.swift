import CallLogs
import PostgreSQL
import Store
import Values

extension StatusJob {
  /// Runs, claims, and calls that are still open.
  public struct Runs: Sendable {
    /// The last runs, newest first.
    public var last: [Run] = []
    /// Claimed ids.
    public var claims: [Claims.Seen] = []
    /// Whether it is known which runs are alive. A standby does not know: the sessions are
    /// elsewhere.
    public var knowsWhoIsAlive = true
    /// Calls without an end; nil if the schema does not record them yet.
    public var open: OpenCalls?
    /// The server's time.
    public var now: Timestamp = 0

    /// An empty value.
    public init() {}
  }

  /// A run with its state and pace.
  public struct Run: Sendable {
    /// Its record.
    public var record: RunRecord.Summary
    /// Its outcome; nil while it runs, or if the outcome is unknown.
    public var outcome: RunRecord.Outcome?
    /// Whether its session exists, so that it is at work.
    public var isAtWork = false
    /// Its duration in seconds, up to now if it is at work. nil if it died, because the time of
    /// that is unknown.
    public var seconds: Double?

    /// One of its counts; 0 if it is absent.
    public subscript(key: String) -> Int64 { record.counters.first { $0.key == key }?.value ?? 0 }
    /// CELs read in a second; nil if it read none or its duration is unknown.
    public var rate: Double? {
      guard let seconds, seconds > 0, self["cels"] > 0 else { return nil }
      return Double(self["cels"]) / seconds
    }
  }

  /// Calls whose covered CELs lack a LINKEDID_END.
  public struct OpenCalls: Sendable {
    /// Their number.
    public var count: Int64
    /// When the first of them began.
    public var since: Timestamp?
    /// `close_after` in seconds; nil if it is off.
    public var closeAfter: Double?
    /// How many had no event for `close_after`. The next run ends them.
    public var due: Int64 = 0
    /// How many had no event for a day.
    public var silentForADay: Int64 = 0

    /// Whether so many calls have been open for so long that Asterisk does not seem to log their
    /// end.
    public var suggestsClosing: Bool { closeAfter == nil && silentForADay > 1000 }
  }

  /// How many runs to show.
  private static let shown: Int64 = 10

  /// Reads the runs. Each statement takes no lock and waits for none.
  static func runs(_ checkpoint: Checkpoint, closeAfter: Double?, on connection: Connection) throws -> Runs {
    var runs = Runs()
    runs.now = try CallLogTables.time(secondsAgo: 0, on: connection)
    let recovery = try connection.query("SELECT pg_is_in_recovery()", purpose: "Looking whether this is a standby")
    runs.knowsWhoIsAlive = recovery.bool(0, 0) == false
    runs.last = try RunRecord.recent(checkpoint, limit: shown, on: connection).map { describe($0, runs) }
    runs.claims = try Claims(checkpoint).seen(on: connection)
    runs.open = try openCalls(checkpoint, closeAfter: closeAfter, on: connection)
    return runs
  }

  private static func describe(_ record: RunRecord.Summary, _ runs: Runs) -> Run {
    var run = Run(record: record, outcome: record.outcome)
    if record.ended == nil {
      if !runs.knowsWhoIsAlive { run.outcome = nil }
      run.isAtWork = runs.knowsWhoIsAlive && record.outcome == nil
    }
    // The record of a run that died ends when the next run noticed.
    guard run.outcome != .died, let end = record.ended ?? (run.isAtWork ? runs.now : nil) else { return run }
    run.seconds = Double(max(end - record.started, 0)) / 1_000_000
    return run
  }

  private static func openCalls(_ checkpoint: Checkpoint, closeAfter: Double?, on connection: Connection) throws -> OpenCalls {
    let all = try checkpoint.openCalls(on: connection)
    var open = OpenCalls(count: all.count, since: all.since, closeAfter: closeAfter)
    guard open.count > 0 else { return open }
    func silent(for seconds: Double) throws -> Int64 {
      let time = try CallLogTables.time(secondsAgo: seconds, on: connection)
      return try checkpoint.openCalls(withoutEventSince: time, on: connection)
    }
    open.silentForADay = try silent(for: 86_400)
    if let closeAfter { open.due = try silent(for: closeAfter) }
    return open
  }
}
