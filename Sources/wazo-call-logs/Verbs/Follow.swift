import ArgumentParser
import CallLogs
import Foundation
import Generation
import Settings
import Synchronization
import Terminal

struct Follow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make call logs as calls end, until it is stopped.",
    discussion: """
      The follower looks for new CELs a few times a second. A call gets its call log within a \
      second of its LINKEDID_END. Where nothing is done yet, it begins at the newest CEL: \
      `backfill` or --follow-history adds what lies before.

      One follower works for a CEL table. Further ones wait, and one of them takes over if the \
      first gives no sign of life for some seconds. All other verbs may run beside it. It \
      survives restarts of the server: it tries again until it is stopped.

      On a Wazo server Wazo's own daemon does the same work. Stop that one first, or leave this \
      verb alone.

      Examples:
        wazo-call-logs follow                         until Ctrl-C
        wazo-call-logs follow --follow-history 50000  with 50,000 older CELs a minute when idle
        wazo-call-logs status                         who follows, and how far behind it is
      """)

  @Option(
    help: ArgumentHelp("CELs of history that it adds each minute when it is idle (default: 0).", valueName: "n"))
  var followHistory: String?
  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await Session.run(common, more: [(.followHistory, followHistory)]) { session in
      var follow = FollowSettings()
      follow.history = session.settings.followHistory
      let systemd = SystemdNotification(ProcessInfo.processInfo.environment)
      let reporter = FollowReporter(systemd)
      let job = FollowJob(
        try session.runSettings(), follow, interruption: session.interruption, log: session.log
      ) { reporter.note($0) }
      defer {
        Console.clearProgress()
        systemd.stopping()
      }
      try job.run()
    }
  }
}

/// Shows what a follower does: on the terminal, and to systemd.
private final class FollowReporter: Sendable {
  private struct State {
    var isReady = false
    var lastSign = ContinuousClock.now
    var lastShown = ContinuousClock.now
  }

  private let systemd: SystemdNotification
  private let state = Mutex(State())

  init(_ systemd: SystemdNotification) { self.systemd = systemd }

  func note(_ event: FollowJob.Event) {
    switch event {
    case .waits(let other):
      becomeReady()
      systemd.status("waits: process \(other.pid) on \(other.host) follows")
      Console.progress("process \(other.pid) on \(other.host) follows; waiting")
    case .leads:
      becomeReady()
      systemd.status("follows")
      Console.progress("following")
    case .wrote: giveSign()
    case .looked(let now):
      giveSign()
      show(now)
    case .failed(let message, let pause):
      // The process is well: it does what it can.
      giveSign()
      systemd.status("tries again in \(Int(pause.rounded(.up))) s: \(message)")
    }
  }

  private func becomeReady() {
    let isFirst = state.withLock { state in
      defer { state.isReady = true }
      return !state.isReady
    }
    if isFirst { systemd.ready() }
  }

  private func giveSign() {
    let isDue = state.withLock { state in
      let time = ContinuousClock.now
      let isDue = systemd.watchdogInterval.map { time - state.lastSign >= min($0, .seconds(10)) } ?? false
      if isDue { state.lastSign = time }
      return isDue
    }
    if isDue { systemd.watchdog() }
  }

  private func show(_ now: FollowState) {
    let isDue = state.withLock { state in
      let time = ContinuousClock.now
      let isDue = time - state.lastShown >= .seconds(1) && now.passes > 0
      if isDue { state.lastShown = time }
      return isDue
    }
    guard isDue else { return }
    let text = "\(Human.count(now.callLogs)) call logs of \(Human.count(now.cels)) CELs, \(now.perMinute) in the last minute"
    systemd.status(text)
    Console.progress(text)
  }
}
