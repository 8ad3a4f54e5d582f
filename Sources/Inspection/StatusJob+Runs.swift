import CallLogs
import PostgreSQL
import Store
import Values

extension StatusJob {
  /// What ran, what runs, and what the runs have left for later.
  public struct Runs: Sendable {
    /// The last runs, newest first.
    public var last: [Run] = []
    /// Ids that somebody has claimed.
    public var claims: [Claims.Seen] = []
    /// Whether it can be told who is alive: on a standby it cannot, the sessions are elsewhere.
    public var knowsWhoIsAlive = true
    /// Calls that have not ended; nil where the schema does not note them yet.
    public var open: OpenCalls?
    /// The server's time.
    public var now: Timestamp = 0

    /// Nothing known.
    public init() {}
  }

  /// A run, and what can be told of its pace.
  public struct Run: Sendable {
    /// Its record.
    public var record: RunRecord.Summary
    /// How it ended; nil while it runs, and where that cannot be told.
    public var outcome: RunRecord.Outcome?
    /// Whether its session is there: it is at work.
    public var isAtWork = false
    /// Seconds that it took, or has taken so far; nil for one that died: when that was is not known.
    public var seconds: Double?

    /// One of its counts, 0 where there is none.
    public subscript(key: String) -> Int64 { record.counters.first { $0.key == key }?.value ?? 0 }
    /// CELs read in a second; nil where it read none, or it is not known how long it took.
    public var rate: Double? {
      guard let seconds, seconds > 0, self["cels"] > 0 else { return nil }
      return Double(self["cels"]) / seconds
    }
  }

  /// Calls whose covered CELs lack a LINKEDID_END.
  public struct OpenCalls: Sendable {
    /// How many.
    public var count: Int64
    /// When the first of them began.
    public var since: Timestamp?
    /// `close_after` in seconds; nil where it is off.
    public var closeAfter: Double?
    /// How many have had no event for that long, and are closed by the next run.
    public var due: Int64 = 0
    /// How many have had no event for a day.
    public var silentForADay: Int64 = 0

    /// Whether so many stand open for so long that Asterisk seems not to write their end.
    public var suggestsClosing: Bool { closeAfter == nil && silentForADay > 1000 }
  }

  /// How many runs are shown.
  private static let shown: Int64 = 10

  /// Looks the runs up, each by a statement that takes no lock and waits for none.
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
    // The end of one that died is when the next one noticed.
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
