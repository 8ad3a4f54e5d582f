import Glibc
import Synchronization

extension Interruption {
  /// Lets SIGINT and SIGTERM request the interruption instead of ending the process; a second one ends it at once with
  /// status 128 + signal. Writing to a closed pipe (SIGPIPE) becomes an ordinary error. Call it once, early.
  ///
  /// The signals are blocked here and in all threads begun later, and waited for by a thread of their own. A thread that
  /// was there before passes them on to that thread. SIGINT stays ignored where the program was started so (nohup, a
  /// shell's background job).
  ///
  /// - Parameter onSignal: called on that thread after each signal that requested the interruption.
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
        // Not on this thread: a server that does not answer must not keep the second signal from being heard.
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
