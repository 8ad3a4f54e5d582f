import Synchronization

/// What one client of the stream has not got yet.
final class Subscription: Sendable {
  fileprivate struct State {
    /// Ascending, each once.
    var pending: [FeedEntry] = []
    var floor: Int64 = 0
    /// What it got before the feed gives it, too.
    var ahead: Set<FeedEntry> = []
    var hasGap = false
    var isEnded = false
    var isWriting = false
  }

  /// Some entries to send.
  struct Batch {
    var entries: [FeedEntry]
    /// The first number that follows them; nil where nothing does.
    var next: Int64?
    var floor: Int64

    /// The place that the client has reached when it has the entries up to one of them: whatever
    /// lies above it, the client has not got, or gets again.
    func position(after place: Int) -> Int64 {
      let following = place + 1 < entries.count ? entries[place + 1].number : next
      return following.map { min(floor, $0 - 1) } ?? floor
    }
  }

  private let state = Mutex(State())
  private let waker = Waker()
  /// Entries that may wait.
  private let most: Int
  /// Breaks the connection off.
  private let cut: @Sendable () -> Void

  init(most: Int, cut: @escaping @Sendable () -> Void) { (self.most, self.cut) = (most, cut) }

  // MARK: The feed

  /// Adds entries, and says where the floor is. A client for which too much waits is cut off: it
  /// comes again with the place that it has reached.
  func add(_ entries: [FeedEntry], floor: Int64, hasGap: Bool = false) {
    let isTooMuch = state.withLock { state in
      guard !state.isEnded else { return false }
      state.floor = floor
      state.hasGap = state.hasGap || hasGap
      state.merge(state.ahead.isEmpty ? entries : entries.filter { !state.ahead.contains($0) })
      if !state.ahead.isEmpty { state.ahead = state.ahead.filter { $0.number > floor } }
      guard state.pending.count > most else { return false }
      state.isEnded = true
      return true
    }
    if isTooMuch { cut() }
    if !entries.isEmpty || hasGap || isTooMuch { waker.wake() }
  }

  /// Ends it. A client that takes nothing is cut off.
  func end() {
    let isWriting = state.withLock {
      $0.isEnded = true
      return $0.isWriting
    }
    if isWriting { cut() }
    waker.wake()
  }

  // MARK: The client

  var isEnded: Bool { state.withLock(\.isEnded) }

  /// Adds what the client missed before it came.
  /// - Parameter hasGap: whether there was more
  func add(missed entries: [FeedEntry], hasGap: Bool) {
    state.withLock { state in
      state.merge(entries)
      state.ahead = Set(entries.filter { $0.number > state.floor })
      state.hasGap = state.hasGap || hasGap
    }
  }

  /// The place that the client has reached when it has got all that was taken.
  var position: Int64 {
    state.withLock { state in state.pending.first.map { min(state.floor, $0.number - 1) } ?? state.floor }
  }

  /// Whether something was lost, which it says once.
  func takeGap() -> Bool {
    state.withLock { state in
      defer { state.hasGap = false }
      return state.hasGap
    }
  }

  /// Takes some entries; nil where there are none.
  func take(_ most: Int) -> Batch? {
    state.withLock { state in
      guard !state.pending.isEmpty else { return nil }
      let entries = Array(state.pending.prefix(most))
      state.pending.removeFirst(entries.count)
      return Batch(entries: entries, next: state.pending.first?.number, floor: state.floor)
    }
  }

  /// Sleeps until there is something to do, or for some time.
  func sleep(for time: Duration) async {
    if !isEnded { await waker.sleep(for: time) }
  }

  /// Writes. Whoever takes nothing for too long is cut off.
  func writing(idle: Duration, _ body: () async throws -> Void) async throws {
    let isEnded = state.withLock {
      $0.isWriting = true
      return $0.isEnded
    }
    defer { state.withLock { $0.isWriting = false } }
    if isEnded { return }
    let alarm = Task { [cut] in
      guard (try? await Task.sleep(for: idle)) != nil else { return }
      cut()
    }
    defer { alarm.cancel() }
    try await body()
  }
}

extension Subscription.State {
  fileprivate mutating func merge(_ entries: [FeedEntry]) {
    guard let first = entries.first else { return }
    if let last = pending.last, last >= first {
      pending = Set(pending).union(entries).sorted()
    } else {
      pending += entries
    }
  }
}
