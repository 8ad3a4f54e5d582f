import Generation
import Logging
import PostgreSQL
import Runs
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
  /// What it did so far; nil while another process follows.
  let progress: FollowProgress

  /// - Parameter wrote: called after each commit of call logs
  init(
    _ settings: RunContext.Settings, history: Int, log: Logger, wrote: @escaping @Sendable () -> Void
  ) {
    let (interruption, progress) = (Interruption(), FollowProgress())
    var follow = FollowSettings()
    follow.history = history
    (self.interruption, self.progress, self.log) = (interruption, progress, log)
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
      interruption.request()
    }
  }
}

/// What a follower did, for metrics.
final class FollowProgress: Sendable {
  let state = Mutex<FollowState?>(nil)
}
