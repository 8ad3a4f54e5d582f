import Generation
import Logging
import PostgreSQL
import Runs
import Service
import ServiceLifecycle
import Synchronization
import Values

/// The follower inside of the service: it makes call logs as calls end.
///
/// The service goes on without it: people who look at their calls need not wait for a setting.
struct FollowWork: ServiceLifecycle.Service {
  private let job: FollowJob
  private let interruption: Interruption
  private let log: Logger

  /// - Parameter wrote: called after each commit of call logs
  init(
    _ settings: RunContext.Settings, history: Int, _ progress: FollowProgress, log: Logger,
    wrote: @escaping @Sendable () -> Void
  ) {
    let interruption = Interruption()
    var follow = FollowSettings()
    follow.history = history
    (self.interruption, self.log) = (interruption, log)
    job = FollowJob(settings, follow, interruption: interruption, log: log) { event in
      switch event {
      case .waits(let other):
        log.notice("process \(other.pid) on \(other.host) makes call logs as calls end; this one waits")
        progress.state.withLock { $0 = nil }
      case .leads: log.notice("call logs are made as calls end")
      case .wrote: wrote()
      case .looked(let state): progress.state.withLock { $0 = state }
      case .failed: progress.state.withLock { $0 = nil }
      }
    }
  }

  func run() async throws {
    await withGracefulShutdownHandler {
      do {
        try await BlockingThread.run("follow") { try job.run() }
      } catch {
        guard !interruption.isRequested else { return }
        log.error("no call logs are made as calls end: \(Failure(error).message)")
        // Without this the whole service would end.
        try? await gracefulShutdown()
      }
    } onGracefulShutdown: {
      // It asks the server to cancel, which may take its time to answer.
      BlockingThread.start("follow-end") { interruption.request() }
    }
  }
}

/// What a follower did, for metrics.
final class FollowProgress: Sendable {
  /// nil while another process follows, or none.
  let state = Mutex<FollowState?>(nil)

  var gauges: [ServiceGauge] {
    let state = state.withLock { $0 }
    let leads = ServiceGauge("follower_leads", "Whether this process makes call logs as calls end.", state == nil ? 0 : 1)
    guard let state else { return [leads] }
    return [
      leads, ServiceGauge("follower_cels_behind", "CELs seen and not covered yet.", Double(state.ahead)),
      ServiceGauge("follower_call_logs_total", "Call logs written by the follower.", isCounter: true, Double(state.callLogs)),
      ServiceGauge("follower_cels_total", "CELs read by the follower.", isCounter: true, Double(state.cels)),
      ServiceGauge("follower_pass_seconds", "Seconds that the last pass took.", state.lastPass),
    ]
  }
}
