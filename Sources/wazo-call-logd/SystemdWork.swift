import ServiceLifecycle
import Terminal

/// Tells systemd that the service is alive, and that it ends.
struct SystemdWork: ServiceLifecycle.Service {
  let systemd: SystemdNotification

  func run() async throws {
    let interval = systemd.watchdogInterval
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        try? await Task.sleep(for: interval ?? .seconds(3600))
        if interval != nil, !Task.isCancelled { systemd.watchdog() }
      }
    }
    systemd.stopping()
  }
}
