import Foundation
import Logging
import PostgreSQL
import Runs
import Store
import Values

/// `follow`: makes call logs as calls end.
///
/// It looks for new CELs a few times a second. What it sees decides only *when* a pass runs. The
/// coverage decides *what* a pass takes, as in every other run. So rows that come late, other runs
/// and kills are no cases of their own.
public struct FollowJob: Sendable {
  private let settings: RunContext.Settings
  private let follow: FollowSettings
  private let interruption: Interruption
  private let log: Logger
  private let report: @Sendable (Event) -> Void

  /// What a follower tells its program.
  public enum Event: Sendable {
    /// Another process follows; this one waits.
    case waits(Follower)
    /// This process follows now.
    case leads
    /// A pass has committed a chunk with so many call logs.
    case wrote(Int)
    /// It looked, and works or has nothing to do. It comes at least each second while all is well.
    case looked(FollowState)
    /// It failed, and tries again after so many seconds.
    case failed(String, pause: Double)
  }

  /// A job on these databases.
  /// - Parameter report: called from the job's thread
  public init(
    _ settings: RunContext.Settings, _ follow: FollowSettings, interruption: Interruption, log: Logger,
    report: @escaping @Sendable (Event) -> Void = { _ in }
  ) {
    var settings = settings
    // A chunk waits for no writer: the next look finds the late row.
    settings.patience = 0
    settings.workers = 1
    settings.history = follow.history
    // Another try comes anyway, with new connections.
    settings.retryFor = min(settings.retryFor, 10)
    (self.settings, self.follow, self.interruption, self.log, self.report) = (settings, follow, interruption, log, report)
  }

  private static let longestPause = 30.0

  /// Follows until it is interrupted. It ends within a second of that, also where the database
  /// does not answer.
  /// - Throws: ``JobError``: what is wrong with the settings or the rights at the start, and the
  ///   interruption. Later errors are reported, and it tries again.
  public func run() throws {
    let supervision = FollowSupervision(follow, interruption, log: log)
    BlockingThread.start("follower") {
      do {
        try work(supervision)
      } catch {
        supervision.ended(error)
      }
    }
    throw supervision.wait() ?? interrupted
  }

  /// Follows, term after term.
  private func work(_ supervision: FollowSupervision) throws -> Never {
    var memory = Memory()
    var pause = 1.0
    while true {
      let started = ContinuousClock.now
      do {
        try term(&memory, supervision)
      } catch {
        if interruption.isRequested { throw interrupted }
        let failure = Failure(error)
        let isForGood = [ExitReason.configuration, .permission, .usage, .badInput].contains(failure.exitReason)
        if !memory.hasWorked, isForGood { throw error }
        if ContinuousClock.now - started > .seconds(60) { pause = 1 }
        log.error("\(failure.message); the follower tries again in \(Int(pause)) s")
        var left = pause
        while left > 0, !interruption.isRequested {
          report(.failed(failure.message, pause: left))
          wait(.seconds(min(left, 1)))
          left -= 1
        }
        pause = min(pause * 2, FollowJob.longestPause)
      }
      if interruption.isRequested { throw interrupted }
    }
  }

  /// What outlasts a term.
  private struct Memory {
    /// Whether the settings and rights once were right.
    var hasWorked = false
    /// Where the first term began while nothing was covered.
    var begin: Int64?
  }

  /// A term: connects, waits until no other process follows, and follows.
  private func term(_ memory: inout Memory, _ supervision: FollowSupervision) throws {
    defer { supervision.termEnded() }
    let report = { @Sendable (event: Event) in
      supervision.sign()
      self.report(event)
    }
    let context = try RunContext(settings, interruption: interruption, log: log)
    defer { context.databases.close() }
    let leadership = Leadership(context) { supervision.sign() }
    var other: UUIDValue?
    while let leader = try context.retry({ try leadership.take(context.databases) }) {
      if other != leader.owner {
        log.info("process \(leader.pid) on \(leader.host) follows already; this one waits")
        report(.waits(leader))
      }
      other = leader.owner
      memory.hasWorked = true
      supervision.waits()
      if interruption.isRequested { throw interrupted }
      report(.looked(FollowState()))
      wait(.seconds(1))
    }
    leadership.start()
    supervision.leads(beats: leadership.interruption)
    defer { leadership.end(context.databases) }
    try context.retry { try leadership.recordSessions(context.databases) }
    context.databases.prepareNext { try leadership.recordSessions($0) }
    memory.hasWorked = true
    let before = try context.retry { try claimed(context) }
    try context.recorded("follow", "") { record in
      var pass = try FollowPass(context, record)
      defer { pass.end() }
      // The claims of processes that died are gone now. Other runs may have covered ids above, so
      // nothing else would tell of these.
      let after = try context.retry { try claimed(context) }
      let dead = before.filter { !after.contains($0) }
      var watch = try FollowWatch(context, follow, begin: memory.begin)
      memory.begin = watch.begin
      try lead(&pass, &watch, leadership, dead, report)
    }
  }

  private func claimed(_ context: RunContext) throws -> [Range<Int64>] {
    try Claims(context.checkpoint).standing(on: context.databases.logs).claims.map(\.ids)
  }

  // MARK: Following

  /// - Parameters:
  ///   - dead: ids that processes had claimed which died
  ///   - report: reports, and shows that this thread is not stuck
  private func lead(
    _ pass: inout FollowPass, _ watch: inout FollowWatch, _ leadership: Leadership, _ dead: [Range<Int64>],
    _ report: @escaping @Sendable (Event) -> Void
  ) throws {
    let databases = pass.context.databases
    var (state, recent, dead) = (FollowState(), RecentCount(), dead)
    // Whoever hears that this process leads may write: no later CEL is history, also to the next
    // follower. Where nothing is covered, that holds after the first pass.
    var isAnnounced = watch.covered != nil
    if isAnnounced { report(.leads) }
    while !leadership.isLost {
      if interruption.isRequested { throw interrupted }
      let context = pass.context
      let due = try context.retry { try watch.look(on: databases) }
      state.ahead = watch.ahead
      if case .nothing = due {
        if watch.historyDue > 0 {
          let done = try runPass(.following(from: watch.begin, history: watch.historyDue), &pass, &watch, &state, &recent, report)
          watch.historyIsDone(cels: done)
        } else if watch.coveredCheckIsDue {
          try CoveredCheck(context).run()
          try AwaitedSweep(context).run()
          try context.retry { try watch.reread(databases) }
          watch.coveredCheckIsDone()
        }
      } else {
        if case .afterDebounce = due { wait(follow.debounce) }
        try pass.refresh(olderThan: follow.directoryAge)
        try runPass(.following(from: watch.begin, history: 0), and: dead, &pass, &watch, &state, &recent, report)
        dead = []
        if !isAnnounced { report(.leads) }
        isAnnounced = true
      }
      if watch.housekeepingIsDue {
        let closed = try pass.housekeeping()
        state.add(closed)
        recent.add(closed.callLogsWritten)
        watch.housekeepingIsDone()
      }
      state.perMinute = recent.sum
      leadership.note(state)
      report(.looked(state))
      wait(watch.isIdle ? follow.idlePause : follow.pause)
    }
    log.warning("another process follows now, or the database was away for too long; this one waits")
  }

  /// Runs a pass.
  /// - Returns: the CELs that it read
  @discardableResult
  private func runPass(
    _ scope: Scope, and others: [Range<Int64>] = [], _ pass: inout FollowPass, _ watch: inout FollowWatch,
    _ state: inout FollowState, _ recent: inout RecentCount, _ report: @escaping @Sendable (Event) -> Void
  ) throws -> Int {
    let started = Stopwatch()
    let counters = try pass.run(scope, and: others) { report(.wrote($0)) }
    let context = pass.context
    try context.retry { try watch.passed(counters, on: context.databases) }
    state.passes += 1
    state.add(counters)
    state.covered = watch.covered
    state.lastPass = (started.seconds * 1000).rounded() / 1000
    recent.add(counters.callLogsWritten)
    if counters.callLogsWritten > 0 {
      log.debug("\(counters.callLogsWritten) call logs of \(counters.cels) CELs")
    }
    return counters.cels
  }

  private func wait(_ duration: Duration) {
    let end = ContinuousClock.now + duration
    while !interruption.isRequested {
      let left = end - .now
      guard left > .zero else { return }
      let (seconds, attoseconds) = min(left, .milliseconds(100)).components
      Thread.sleep(forTimeInterval: Double(seconds) + Double(attoseconds) / 1e18)
    }
  }

  private var interrupted: JobError {
    JobError(
      interruption.signal == 15 ? .terminated : .interrupted,
      "stopped; everything done so far is committed, the next start goes on from there")
  }
}

/// A count over the last minute.
private struct RecentCount {
  private var entries: [(time: ContinuousClock.Instant, count: Int)] = []

  mutating func add(_ count: Int) { if count > 0 { entries.append((.now, count)) } }

  var sum: Int {
    mutating get {
      let start = ContinuousClock.now - .seconds(60)
      entries.removeAll { $0.time < start }
      return entries.reduce(0) { $0 + $1.count }
    }
  }
}
