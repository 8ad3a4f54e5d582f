import API
import Lanes
import Logging
import PostgreSQL
import Synchronization
import Values

/// How new call logs are streamed.
public struct EventSettings: Sendable {
  /// Clients at the same time: 0 or more.
  public var most = 200
  /// How long the service waits until it looks for new call logs again.
  public var poll = Duration.seconds(1)
  /// How long a stream is silent at most.
  public var comment = Duration.seconds(15)
  /// How long the service waits until it asks again whether a client's token is still valid.
  public var check = Duration.seconds(60)
  /// Changes of call logs that a client can have missed, or that wait for a slow one.
  public var backlog = 50_000

  /// The defaults.
  public init() {}
}

/// Looks for new call logs, once for all who want to know of them. While nobody does, it does
/// nothing.
final class Feed: Sendable {
  /// What it did so far, for whoever watches it.
  struct Counts: Equatable {
    var clients = 0
    var events = 0
    var gaps = 0
    var cut = 0
  }

  fileprivate struct State {
    var floor: FeedFloor?
    var subscriptions: [ObjectIdentifier: Subscription] = [:]
    var task: Task<Void, Never>?
    /// How many looks were taken into account. One that began before the last of them is too old:
    /// what it shows of writers could let the floor rise too early.
    var looks = 0
    var isEnding = false
    var reason: String?
  }

  let settings: EventSettings
  /// For its own looks, and for what each client is sent.
  let lanes: Lanes
  let log: Logger
  private let waker: Waker
  private let state = Mutex(State())
  /// With a lock of its own: clients are also cut off while the other one is held.
  private let tally = Mutex(Counts())

  /// A look soon after another one finds out that nothing can come below what the first has shown.
  private static let soon = Duration.milliseconds(150)

  /// - Parameter waker: wakes it when somebody knows that there are new call logs
  init(_ settings: EventSettings, lanes: Lanes, waker: Waker, log: Logger) {
    (self.settings, self.lanes, self.waker, self.log) = (settings, lanes, waker, log)
  }

  var counts: Counts {
    var counts = tally.withLock { $0 }
    counts.clients = state.withLock(\.subscriptions.count)
    return counts
  }

  func note(events: Int = 0, gaps: Int = 0, cut: Int = 0) {
    tally.withLock {
      $0.events += events
      $0.gaps += gaps
      $0.cut += cut
    }
  }

  // MARK: Clients

  /// Adds a client. From then on it gets every new call log.
  /// - Throws: ``APIError``: there are too many clients, or the service ends; errors of the lanes
  ///   and of the server
  func add(_ subscription: Subscription) async throws {
    if try join(subscription, isReady: false) { return }
    // Nobody has looked for some time. What has come since is not new to this client.
    for _ in 0..<5 {
      let (floor, turn) = state.withLock { ($0.floor?.value, $0.looks) }
      let reading = try await look(above: floor)
      let isGuess = state.withLock { state in
        guard state.subscriptions.isEmpty else { return false }
        _ = state.pass(reading, of: turn)
        return state.floor?.isGuess ?? true
      }
      if !isGuess { break }
      try await Task.sleep(for: .milliseconds(50))
    }
    _ = try join(subscription, isReady: true)
  }

  /// - Returns: false where somebody has to look first
  private func join(_ subscription: Subscription, isReady: Bool) throws(APIError) -> Bool {
    let refusal: APIError?
    let hasJoined: Bool
    (refusal, hasJoined) = state.withLock { state in
      if state.isEnding { return (.isEnding, false) }
      guard state.subscriptions.count < settings.most else { return (.isBusy, false) }
      guard isReady || !state.subscriptions.isEmpty, let floor = state.floor else { return (nil, false) }
      subscription.add([], floor: floor.value)
      state.subscriptions[ObjectIdentifier(subscription)] = subscription
      if state.task == nil { state.task = Task { [self] in await run() } }
      return (nil, true)
    }
    if let refusal { throw refusal }
    return hasJoined
  }

  /// Removes a client. A second time does nothing.
  func remove(_ subscription: Subscription) {
    state.withLock { $0.subscriptions[ObjectIdentifier(subscription)] = nil }
  }

  /// Ends all streams, and takes no clients any more.
  func end() {
    let (all, task) = state.withLock { state in
      state.isEnding = true
      return (Array(state.subscriptions.values), state.task)
    }
    task?.cancel()
    for subscription in all { subscription.end() }
  }

  /// The entries above a number, ascending, and whether there are more than a client can miss.
  /// - Throws: errors of the lanes and of the server
  func missed(since number: Int64) async throws -> (entries: [FeedEntry], isPart: Bool) {
    let most = settings.backlog
    let reading = try await lanes.run { try FeedReading.read(above: number, limit: most, on: $0) }
    return (reading.entries, reading.isPart)
  }

  // MARK: Looking

  private func run() async {
    var quick = 2
    while !Task.isCancelled {
      await waker.sleep(for: quick > 0 ? min(Feed.soon, settings.poll) : settings.poll)
      quick -= 1
      let beginning: (floor: Int64, turn: Int)? = state.withLock { state in
        if state.subscriptions.isEmpty || state.isEnding { state.task = nil }
        return state.task == nil ? nil : (state.floor?.value ?? 0, state.looks)
      }
      guard let (floor, turn) = beginning else { return }
      do {
        if give(try await look(above: floor), of: turn) { quick = 2 }
        report(nil)
      } catch {
        quick = 0
        report(error)
      }
    }
    state.withLock { $0.task = nil }
  }

  private func look(above floor: Int64?) async throws -> FeedReading {
    // A transaction may hold the floor down while many others end.
    let limit = floor == nil ? settings.backlog : settings.backlog * 4
    return try await lanes.run { try FeedReading.read(above: floor ?? 0, limit: limit, on: $0) }
  }

  /// - Returns: whether there was something new
  private func give(_ reading: FeedReading, of turn: Int) -> Bool {
    let (isNew, hasGap) = state.withLock { state in
      let (new, hasGap) = state.pass(reading, of: turn)
      let floor = state.floor?.value ?? 0
      // In the lock, so that a client that comes now misses nothing.
      for subscription in state.subscriptions.values { subscription.add(new, floor: floor, hasGap: hasGap) }
      return (!new.isEmpty, hasGap)
    }
    if hasGap {
      log.warning("the stream of call logs has a gap: more than \(settings.backlog * 4) came while a transaction was open")
    }
    return isNew
  }

  /// Says what is wrong, once. The lanes say themselves that the database is away.
  private func report(_ error: (any Error)?) {
    let text: String? =
      switch error {
      case nil, is LaneError, is CancellationError: nil
      case let error as PostgreSQLError where Feed.passes(error): nil
      case let error?: "\(error)"
      }
    let isNew = state.withLock { state in
      defer { state.reason = text }
      return state.reason != text
    }
    if isNew, let text { log.error("the stream of call logs cannot look for new ones: \(text)") }
  }

  /// Whether an error is of the kind that goes by itself: the server is away, or busy.
  static func passes(_ error: any Error) -> Bool {
    guard let error = error as? PostgreSQLError else { return error is LaneError }
    switch (error.kind, error.sqlState) {
    case (_, .queryCanceled): return false
    case (.connectionLost, _), (.connection, _), (_, .lockNotAvailable), (_, .tooManyConnections), (_, .class("57")),
      (_, .class("53")), (_, .class("08")):
      return true
    default: return false
    }
  }
}

extension Feed.State {
  /// Takes a look into account.
  /// - Parameter turn: how many looks there were when it began
  fileprivate mutating func pass(_ reading: FeedReading, of turn: Int) -> (new: [FeedEntry], hasGap: Bool) {
    guard turn == looks else { return ([], false) }
    looks &+= 1
    if floor != nil { return floor?.take(reading) ?? ([], false) }
    floor = FeedFloor(reading)
    return ([], false)
  }
}
