import Runs

/// How the follower works.
public struct FollowSettings: Sendable {
  /// How long it pauses between two looks while CELs come.
  public var pause = Duration.milliseconds(100)
  /// The same when none have come for a while.
  public var idlePause = Duration.milliseconds(250)
  /// How long the last events of a call may take to come after LINKEDID_END.
  public var debounce = Duration.milliseconds(100)
  /// How long CELs of calls that go on wait to be covered.
  public var longest = Duration.seconds(5)
  /// CELs of history that it adds each minute when it has nothing else to do; 0 for none.
  public var history = 0
  /// How long no CEL may have come for it to be idle.
  public var idleAfter = Duration.seconds(10)
  /// How old its knowledge of users and lines may be.
  public var directoryAge = Duration.seconds(10)
  /// How often it looks after calls that never end, and after what is noted and settled.
  public var housekeeping = Duration.seconds(60)
  /// How long the database may leave a sign of life without an answer before the follower connects
  /// again.
  public var silence = Duration.seconds(30)
  /// How long the work may take to end after an interruption. Then the connections are broken, and
  /// a moment later the follower ends without it.
  public var grace = Duration.milliseconds(400)
  /// How often it looks for rows that came with covered ids.
  public var coveredCheck = Duration.seconds(6 * 3600)

  /// The defaults.
  public init() {}
}

/// What a follower has done in its term.
public struct FollowState: Equatable, Sendable {
  /// Passes: each covers all that was new.
  public var passes = 0
  /// CELs read.
  public var cels = 0
  /// Call logs written.
  public var callLogs = 0
  /// CELs that were seen and are not covered yet.
  public var ahead = 0
  /// The greatest id that is covered; nil where nothing is.
  public var covered: Int64?
  /// Seconds that the last pass took.
  public var lastPass = 0.0
  /// Call logs written in the last minute.
  public var perMinute = 0

  /// Nothing yet.
  public init() {}

  mutating func add(_ counters: Counters) {
    cels += counters.cels
    callLogs += counters.callLogsWritten
  }

  /// The state for the table `call_logd_follower`.
  var json: String {
    let covered = covered.map(String.init) ?? "null"
    return """
      {"passes": \(passes), "cels": \(cels), "call_logs": \(callLogs), "ahead": \(ahead), "covered": \(covered), \
      "last_pass": \(lastPass), "per_minute": \(perMinute)}
      """
  }
}
