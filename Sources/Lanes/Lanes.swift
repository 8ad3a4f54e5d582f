import Logging
import PostgreSQL
import Synchronization

/// Threads that each own a connection, and do the work that others hand to them.
///
/// libpq blocks its thread. So no other thread of a service uses it. Work waits in one queue of
/// limited length, for a limited time.
public final class Lanes: Sendable {
  private struct State {
    var jobs: [Job] = []
    var isClosed = false
    var counts = LaneCounts()
    var threads: [BlockingThread] = []
    var running: [ObjectIdentifier: Job] = [:]
  }

  private let settings: LaneSettings
  private let log: Logger
  private let state = Mutex(State())
  private let work = Semaphore(0)

  /// Starts the threads. They connect when there is work.
  public init(_ settings: LaneSettings, log: Logger) {
    (self.settings, self.log) = (settings, log)
    let threads = (0..<settings.count).map { _ in
      BlockingThread.start("lane") { [self] in serve() }
    }
    state.withLock { $0.threads = threads }
  }

  /// What the lanes did so far.
  public var counts: LaneCounts {
    state.withLock {
      var counts = $0.counts
      counts.waiting = $0.jobs.count { $0.waits }
      counts.running = $0.running.count
      return counts
    }
  }

  /// Does something with a lane's connection. Cancelling the task gives it up: it leaves the queue,
  /// or its statement is cancelled.
  /// - Parameters:
  ///   - isRepeatable: whether it may be done a second time, after its connection broke
  ///   - body: gets the connection, outside of a transaction
  /// - Throws: ``LaneError``, `CancellationError`, and what the body throws
  public func run<Value: Sendable>(
    isRepeatable: Bool = true, _ body: @escaping @Sendable (Connection) throws -> Value
  ) async throws -> Value {
    let result = Mutex<Value?>(nil)
    let handle = Mutex<Job?>(nil)
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let job = Job(isRepeatable: isRepeatable) { connection in
          let value = try body(connection)
          result.withLock { $0 = value }
        } onEnd: { error in
          if let error { continuation.resume(throwing: error) } else { continuation.resume() }
        }
        handle.withLock { $0 = job }
        add(job)
        // A task that was cancelled before now found no job.
        if Task.isCancelled { job.giveUp() }
      }
    } onCancel: {
      handle.withLock { $0 }?.giveUp()
    }
    guard let value = result.withLock({ $0 }) else { throw CancellationError() }
    return value
  }

  /// Does something that gives bytes piece by piece. A piece is made only when the reader has taken
  /// those before it but a few.
  /// - Parameter body: gets the connection, and writes to the stream
  public func stream(_ body: @escaping @Sendable (Connection, LaneStream.Writer) throws -> Void) -> LaneStream {
    let stream = LaneStream(idle: settings.readerIdle, limit: settings.streamLimit)
    let writer = LaneStream.Writer(stream)
    let job = Job(isRepeatable: false, wake: { stream.wake() }) { connection in
      try body(connection, writer)
      try writer.flush()
    } onEnd: { error in
      stream.finish(error)
    }
    stream.begin(job)
    add(job)
    return stream
  }

  /// Refuses new work, lets what runs end within a time, and closes the connections.
  /// - Parameter grace: after it the running statements are cancelled
  public func close(grace: Duration) async {
    let waiting = state.withLock { state in
      state.isClosed = true
      defer { state.jobs = [] }
      return state.jobs
    }
    for job in waiting { job.endIfWaiting(LaneError.isClosed) }
    for _ in 0..<settings.count { work.signal() }
    let end = ContinuousClock.now + grace
    while ContinuousClock.now < end, state.withLock({ !$0.running.isEmpty }) {
      try? await Task.sleep(for: .milliseconds(20))
    }
    for job in state.withLock({ Array($0.running.values) }) { job.giveUp() }
    let threads = state.withLock { $0.threads }
    try? await BlockingThread.run("lanes-end") { for thread in threads { thread.join() } }
  }

  // MARK: The queue

  private func add(_ job: Job) {
    let refusal: LaneError? = state.withLock {
      if $0.isClosed { return .isClosed }
      // Jobs whose patience ended still stand there.
      $0.jobs.removeAll { !$0.waits }
      guard $0.jobs.count < settings.queue else {
        $0.counts.refused += 1
        return .isFull
      }
      $0.jobs.append(job)
      return nil
    }
    if let refusal {
      job.endIfWaiting(refusal)
      return
    }
    work.signal()
    let wait = settings.wait
    Task { [weak self] in
      try? await Task.sleep(for: wait)
      if job.endIfWaiting(LaneError.waitedTooLong) { self?.state.withLock { $0.counts.refused += 1 } }
    }
  }

  /// The next job; nil where the lanes are closed.
  private func take() -> Job? {
    while true {
      work.wait()
      let (job, isClosed) = state.withLock { state -> (Job?, Bool) in
        while !state.jobs.isEmpty {
          let job = state.jobs.removeFirst()
          guard job.begin() else { continue }
          state.running[ObjectIdentifier(job)] = job
          return (job, false)
        }
        return (nil, state.isClosed)
      }
      if let job { return job }
      if isClosed { return nil }
    }
  }

  private func serve() {
    var lane = Lane(settings.connection, log: log)
    while let job = take() {
      let start = ContinuousClock.now
      let failed = lane.run(job)
      let (seconds, attoseconds) = (ContinuousClock.now - start).components
      state.withLock {
        $0.running[ObjectIdentifier(job)] = nil
        $0.counts.ended += 1
        $0.counts.seconds += Double(seconds) + Double(attoseconds) / 1e18
        if failed { $0.counts.failedConnections += 1 }
      }
    }
    lane.close()
  }
}
