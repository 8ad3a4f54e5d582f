import Glibc

/// A thread for blocking work: libpq, files, waiting. Swift's own threads are few and must not
/// block.
///
/// Each thread has a name, which `ps -T` and debuggers show.
package final class BlockingThread: Sendable {
  private let done = Condition()

  private init() {}

  /// Starts a thread. If the system refuses a new thread, the work runs on the caller's thread.
  /// - Parameter name: the first 15 bytes are shown
  @discardableResult
  package static func start(_ name: StaticString, _ body: @escaping @Sendable () -> Void) -> BlockingThread {
    let handle = BlockingThread()
    let box = Unmanaged.passRetained(
      Work(name: name) {
        body()
        handle.done.open()
      })
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run() }
        return nil
      }, box.toOpaque())
    if result == 0 {
      pthread_detach(thread)
    } else {
      box.takeRetainedValue().body()
    }
    return handle
  }

  /// Waits until the thread has finished its work.
  package func join() { done.wait() }

  /// Runs blocking work for async code on a new thread.
  /// - Throws: every error of `body`
  package static func run<Value: Sendable>(_ name: StaticString, _ body: @escaping () throws -> Value) async throws -> Value {
    let work = Borrowed(body: body)
    return try await withCheckedThrowingContinuation { continuation in
      start(name) { continuation.resume(with: Result { try work.body() }) }
    }
  }

  /// Work of a caller that waits for its end.
  private struct Borrowed<Value>: @unchecked Sendable {
    // Unchecked: the caller is suspended until the thread has called `body`, so that only one of
    // them uses what it captures.
    let body: () throws -> Value
  }

  private final class Work: Sendable {
    let name: StaticString
    let body: @Sendable () -> Void

    init(name: StaticString, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }

    func run() {
      // Swift does not import the C library's function for this.
      let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
      if file >= 0 {
        _ = write(file, name.utf8Start, min(name.utf8CodeUnitCount, 15))
        close(file)
      }
      body()
    }
  }

  /// A condition that becomes true once.
  private final class Condition: @unchecked Sendable {
    // Unchecked: any thread may use a POSIX semaphore, and its memory does not move until deinit.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
      sem_destroy(semaphore)
      semaphore.deallocate()
    }

    func open() { sem_post(semaphore) }

    func wait() {
      while sem_wait(semaphore) != 0, errno == EINTR {}
      // Wakes the next waiting thread.
      sem_post(semaphore)
    }
  }
}

func sleep(milliseconds: Int) {
  var left = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
  var wanted = left
  while nanosleep(&wanted, &left) == -1 && errno == EINTR { wanted = left }
}
