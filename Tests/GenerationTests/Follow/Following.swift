import Foundation
import Generation
import PostgreSQL
import Runs
import Store
import Synchronization
import TestSupport
import Testing
import Values

/// A follower in this process, on a thread of its own.
final class Following: Sendable {
  private struct State {
    var leads = 0
    var waits = 0
    var looks = 0
    var failures: [String] = []
    var last = FollowState()
    var error: (any Error)?
    var isOver = false
  }

  private let interruption = Interruption()
  private let state = Mutex(State())
  private let thread = Mutex<BlockingThread?>(nil)

  /// Starts one that looks more often than a real one.
  init(_ runner: Runner, _ adjust: (inout FollowSettings) -> Void = { _ in }) {
    var follow = FollowSettings()
    (follow.pause, follow.idlePause, follow.debounce) = (.milliseconds(20), .milliseconds(50), .milliseconds(20))
    (follow.longest, follow.idleAfter) = (.seconds(1), .milliseconds(300))
    // Beside many other tests an end in order may take its time.
    follow.grace = .seconds(60)
    adjust(&follow)
    let (settings, log, final) = (runner.settings, runner.log, follow)
    let started = BlockingThread.start("follower") { [self] in
      do {
        try FollowJob(settings, final, interruption: interruption, log: log) { self.note($0) }.run()
      } catch {
        state.withLock { $0.error = error }
      }
      state.withLock { $0.isOver = true }
    }
    thread.withLock { $0 = started }
  }

  private func note(_ event: FollowJob.Event) {
    state.withLock { state in
      switch event {
      case .leads: state.leads += 1
      case .waits: state.waits += 1
      case .wrote: break
      case .looked(let now): (state.looks, state.last) = (state.looks + 1, now)
      case .failed(let message, _): state.failures.append(message)
      }
    }
  }

  /// How often it became the follower.
  var leads: Int { state.withLock(\.leads) }
  /// How often it began to wait for another one.
  var waits: Int { state.withLock(\.waits) }
  var looks: Int { state.withLock(\.looks) }
  var failures: [String] { state.withLock(\.failures) }
  var last: FollowState { state.withLock(\.last) }
  var isOver: Bool { state.withLock(\.isOver) }

  func waitUntilItLeads(_ times: Int = 1, _ location: SourceLocation = #_sourceLocation) throws {
    try waitUntil("the follower leads", location) { leads >= times || isOver }
    if isOver { Issue.record("the follower has ended: \(String(describing: error))", sourceLocation: location) }
  }

  func waitUntilItWaits(_ times: Int = 1, _ location: SourceLocation = #_sourceLocation) throws {
    try waitUntil("the follower waits", location) { waits >= times || isOver }
  }

  /// Waits for so many further looks.
  func waitForLooks(_ count: Int, _ location: SourceLocation = #_sourceLocation) throws {
    let before = looks
    try waitUntil("the follower looks", location) { looks >= before + count || isOver }
  }

  /// What it ended with.
  var error: (any Error)? { state.withLock(\.error) }

  /// Interrupts it and waits for its end.
  @discardableResult
  func stop() -> (any Error)? {
    // It asks the server, which may not answer.
    BlockingThread.start("stop") { [interruption] in interruption.request() }
    thread.withLock { $0 }?.join()
    return error
  }
}

/// Waits until everything that was committed is covered and nothing waits.
func waitUntilAllIsCovered(
  _ logs: TestDatabase, cels: TestDatabase? = nil, _ location: SourceLocation = #_sourceLocation
) throws {
  try waitUntil("everything is covered", location) {
    let coverage = try logs.coverage()
    guard coverage.hasPrefix("{") else { return false }
    let open = try (cels ?? logs).value("count(*) FROM cel WHERE NOT '\(coverage)'::int8multirange @> id::int8")
    return try open == "0" && logs.value("count(*) FROM call_logd_gap") == "0"
      && logs.value("count(*) FROM call_logd_link") == "0" && logs.value("count(*) FROM call_logd_claim") == "0"
  }
}
