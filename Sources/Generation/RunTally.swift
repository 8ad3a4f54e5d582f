import Runs
import Store
import Synchronization
import Values

/// The sum of the work of all workers of a run.
final class RunTally: Sendable {
  private struct State {
    var summary = GenerateJob.Summary()
    var finished = 0.0
    var mirror: CheckpointMirror
  }

  private let state: Mutex<State>
  private let total: Double
  private let started: Stopwatch

  init(_ plan: Plan, _ mirror: CheckpointMirror, _ started: Stopwatch) {
    state = Mutex(State(mirror: mirror))
    total = plan.ranges.reduce(0.0) { $0 + RunTally.size($1) }
    self.started = started
  }

  /// A sum of work outside of chunks.
  init(_ mirror: CheckpointMirror) {
    state = Mutex(State(mirror: mirror))
    (total, started) = (0, Stopwatch())
  }

  /// The counts so far.
  var counters: Counters { state.withLock(\.summary.counters) }

  private static func size(_ ids: Range<Int64>) -> Double { Double(max(ids.upperBound, 0) - max(ids.lowerBound, 0)) }

  /// Adds a committed chunk.
  func add(_ done: ChunkWorker.Done) {
    state.withLock {
      $0.summary.counters.add(done.counters)
      $0.summary.chunks += 1
      $0.finished += RunTally.size(done.covered)
      $0.mirror.write(done.checkpoint, isEnd: false)
    }
  }

  /// Adds work outside of the chunks.
  func add(_ counters: Counters) { state.withLock { $0.summary.counters.add(counters) } }

  /// Notes the first clock offset that a worker found.
  func note(clockOffset: Int?) { state.withLock { $0.summary.clockOffset = $0.summary.clockOffset ?? clockOffset } }

  /// The progress of the run.
  var progress: GenerateJob.Progress {
    state.withLock {
      GenerateJob.Progress(
        cels: $0.summary.counters.cels, callLogs: $0.summary.counters.callLogsWritten,
        share: total > 0 ? min($0.finished / total, 1) : 1, seconds: started.seconds)
    }
  }

  /// The sum, after the last worker has ended.
  func end(_ checkpoint: Checkpoint?) -> GenerateJob.Summary {
    state.withLock {
      if let checkpoint, $0.summary.chunks > 0 { $0.mirror.write(checkpoint, isEnd: true) }
      return $0.summary
    }
  }
}
