import Synchronization

/// Bytes that a lane makes while somebody reads them. A lane is never more than a few pieces ahead.
public final class LaneStream: Sendable {
  private struct State {
    var pieces: [[UInt8]] = []
    /// The end, once there is one: nil in it stands for success.
    var end: (any Error)??
    var reader: CheckedContinuation<[UInt8]?, any Error>?
    var job: Job?
    var isGivenUp = false
    var onFailure: (@Sendable () -> Void)?
  }

  private static let pieces = 4
  private let state = Mutex(State())
  private let permits = Semaphore(LaneStream.pieces)
  private let idle: Duration
  private let end: ContinuousClock.Instant

  init(idle: Duration, limit: Duration) {
    self.idle = idle
    end = .now + limit
  }

  func begin(_ job: Job) { state.withLock { $0.job = job } }

  // MARK: The reader

  /// The next piece; nil after the last one. One task reads.
  ///
  /// A call says that the piece before it has been taken.
  /// - Throws: what ended the lane's work early
  public func next() async throws -> [UInt8]? {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        state.withLock { state in
          if !state.pieces.isEmpty {
            continuation.resume(returning: state.pieces.removeFirst())
            permits.signal()
          } else if let end = state.end {
            if let error = end { continuation.resume(throwing: error) } else { continuation.resume(returning: nil) }
          } else {
            state.reader = continuation
          }
        }
      }
    } onCancel: {
      giveUp()
    }
  }

  /// The reader is gone: the lane's work ends.
  public func giveUp() {
    let job = state.withLock {
      $0.isGivenUp = true
      return $0.job
    }
    job?.giveUp()
  }

  /// The lane may be waiting for its reader: it learns that its work is given up.
  func wake() {
    state.withLock { $0.isGivenUp = true }
    permits.signal()
  }

  /// Calls something if the work ends early, also while the reader does not read.
  public func onFailure(_ body: @escaping @Sendable () -> Void) {
    let hasFailed = state.withLock {
      $0.onFailure = body
      if case .some(.some) = $0.end { return true }
      return false
    }
    if hasFailed { body() }
  }

  // MARK: The lane

  func finish(_ error: (any Error)?) {
    // Whoever reads the end finds that its failure was told.
    let first = error == nil ? nil : state.withLock(\.onFailure)
    first?()
    let later: (@Sendable () -> Void)? = state.withLock { state in
      state.end = .some(error)
      state.job = nil
      let reader = state.reader
      state.reader = nil
      if let error { reader?.resume(throwing: error) } else { reader?.resume(returning: nil) }
      return error == nil || first != nil ? nil : state.onFailure
    }
    later?()
  }

  fileprivate func add(_ piece: [UInt8]) throws(LaneError) {
    guard ContinuousClock.now < end else { throw .streamIsTooLong }
    guard permits.wait(idle) else { throw .readerIsIdle }
    let isGivenUp = state.withLock { state in
      if let reader = state.reader {
        state.reader = nil
        reader.resume(returning: piece)
        permits.signal()
      } else if !state.isGivenUp {
        state.pieces.append(piece)
      }
      return state.isGivenUp
    }
    if isGivenUp { throw .readerIsGone }
  }

  /// Takes what a lane writes.
  public final class Writer: Sendable {
    private static let length = 1 << 16
    private let stream: LaneStream
    private let pending = Mutex<[UInt8]>([])

    init(_ stream: LaneStream) { self.stream = stream }

    /// Writes bytes. It waits where the reader is slow.
    /// - Throws: ``LaneError``: the reader is gone, took nothing for too long, or the stream lasted
    ///   too long
    public func write(_ bytes: [UInt8]) throws(LaneError) {
      let isFull = pending.withLock {
        $0 += bytes
        return $0.count >= Writer.length
      }
      if isFull { try flush() }
    }

    /// Hands over what is pending.
    public func flush() throws(LaneError) {
      let piece = pending.withLock { pending in
        defer { pending = [] }
        return pending
      }
      if !piece.isEmpty { try stream.add(piece) }
    }
  }
}
