import Glibc
import Synchronization

extension Interruption {
  /// Makes SIGINT and SIGTERM request the interruption instead of ending the process. A second
  /// signal ends the process at once with status 128 + signal. SIGPIPE is ignored, so that writing
  /// to a closed pipe gives an ordinary error. Call this once, early.
  ///
  /// The signals are blocked here and in all later threads. A separate thread waits for them.
  /// Earlier threads pass them on to that thread. SIGINT stays ignored if it was ignored at the
  /// start of the program (nohup, a shell's background job).
  ///
  /// - Parameter onSignal: called on another thread after the interruption was requested; gets
  ///   the signal
  public static func installSignalHandlers(
    _ interruption: Interruption, onSignal: @escaping @Sendable (Int32) -> Void = { _ in }
  ) {
    Glibc.signal(SIGPIPE, SIG_IGN)
    let signals = [SIGINT, SIGTERM].filter { !isIgnored($0) }
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal) }
    pthread_sigmask(SIG_BLOCK, &set, nil)

    let waited = set
    BlockingThread.start("signals") {
      waiter.store(UInt(pthread_self()), ordering: .sequentiallyConsistent)
      for signal in signals { passOn(signal) }
      var set = waited
      var arrived = false
      while true {
        var signal: Int32 = 0
        guard sigwait(&set, &signal) == 0 else { continue }
        if arrived { _exit(128 + signal) }
        arrived = true
        interruption.note(signal: signal)
        // Another thread makes the request, so that a server that does not answer cannot delay the
        // second signal.
        let first = signal
        BlockingThread.start("signals") {
          interruption.request()
          onSignal(first)
        }
      }
    }
  }

  private static func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    sigaction(signal, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  private static func passOn(_ signal: Int32) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { signal in
      pthread_kill(pthread_t(waiter.load(ordering: .sequentiallyConsistent)), signal)
    }
    action.sa_flags = SA_RESTART
    sigaction(signal, &action, nil)
  }
}

/// The thread that waits for signals.
private let waiter = Atomic<UInt>(0)
