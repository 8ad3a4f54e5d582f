import Foundation
import Synchronization

/// A running `postgres`, with a thread that starts it and waits for its end. The kernel interrupts
/// the server when that thread is gone, which happens however this process ends.
final class ServerProcess: Sendable {
  let pid: pid_t
  private let state: State

  private final class State: Sendable {
    struct Values {
      var started: Result<pid_t, PrivateServerError>?
      var hasEnded = false
    }
    let values = Mutex(Values())
  }

  init(_ arguments: [String], logFile: String, temporaryFolder: String?) throws(PrivateServerError) {
    let state = State()
    let log = open(logFile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
    guard log >= 0, null >= 0 else {
      throw PrivateServerError("cannot write \(logFile): \(String(cString: strerror(errno)))")
    }
    Thread.detachNewThread {
      do throws(PrivateServerError) {
        let pid = try Spawn.start(arguments, input: null, output: log, errors: log)
        state.values.withLock { $0.started = .success(pid) }
        _ = Spawn.wait(pid)
      } catch {
        state.values.withLock { $0.started = .failure(error) }
      }
      state.values.withLock { $0.hasEnded = true }
      close(log)
      close(null)
    }
    var started: Result<pid_t, PrivateServerError>?
    while started == nil {
      started = state.values.withLock(\.started)
      if started == nil { usleep(1000) }
    }
    guard let started else { throw PrivateServerError("the server was not started") }
    pid = try started.get()
    self.state = state
    RunningServers.add(self, temporaryFolder: temporaryFolder)
  }

  var isRunning: Bool { !state.values.withLock(\.hasEnded) }

  /// Ends the server, after half a minute with SIGKILL.
  func stop(signal: Int32) {
    for (signal, tenths) in [(signal, 300), (SIGQUIT, 100), (SIGKILL, 100)] {
      // The number belongs to the process for certain only until the waiting thread collects it.
      if isRunning { kill(pid, signal) }
      for _ in 0..<tenths * 10 where isRunning { usleep(10_000) }
      if !isRunning { break }
    }
    RunningServers.remove(self)
  }
}

/// The servers to end with the process.
private enum RunningServers {
  private static let all = Mutex<[(process: ServerProcess, temporaryFolder: String?)]>([])

  private static let atExit: Void = {
    atexit { RunningServers.stopAll() }
  }()

  static func add(_ process: ServerProcess, temporaryFolder: String?) {
    _ = atExit
    all.withLock { $0.append((process, temporaryFolder)) }
  }

  static func remove(_ process: ServerProcess) {
    all.withLock { $0.removeAll { $0.process === process } }
  }

  private static func stopAll() {
    let left = all.withLock { $0 }
    for entry in left {
      entry.process.stop(signal: SIGINT)
      if let folder = entry.temporaryFolder { ServerFolder.remove(folder) }
    }
  }
}
