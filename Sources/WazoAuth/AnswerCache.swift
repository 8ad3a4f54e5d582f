import Authentication
import Synchronization

/// Remembers answers for a while, and asks once for all who wait for the same one.
///
/// The one request is nobody's own: whoever gives up waiting leaves it to the others.
package final class AnswerCache<Key: Hashable & Sendable, Answer: Sendable>: Sendable {
  /// An answer, or why there is none.
  package typealias Outcome = Result<Answer, AuthenticationError>

  /// What asking gave.
  package struct Reply: Sendable {
    let outcome: Outcome
    let lifetime: Duration

    /// An outcome.
    /// - Parameter lifetime: for how long it may be remembered; 0 for not at all
    package init(_ outcome: Outcome, for lifetime: Duration) { (self.outcome, self.lifetime) = (outcome, lifetime) }
  }

  private struct Entry {
    let outcome: Outcome
    let end: ContinuousClock.Instant
    /// Tells an entry from an older one of the same key.
    let number: UInt64
  }

  private struct State {
    var entries: [Key: Entry] = [:]
    /// The keys in the order in which they came. What lies before `first` has left.
    var order: [(key: Key, number: UInt64)] = []
    var first = 0
    var number: UInt64 = 0
    var questions: [Key: Task<Outcome, Never>] = [:]
  }

  private enum Found {
    case kept(Outcome)
    case asked(Task<Outcome, Never>, isNew: Bool)
  }

  private let capacity: Int
  private let now: @Sendable () -> ContinuousClock.Instant
  private let state = Mutex(State())

  /// An empty cache.
  /// - Parameters:
  ///   - capacity: how many answers are remembered at most; the oldest one leaves first. 0 turns
  ///     the cache off: everybody asks.
  ///   - now: the time
  package init(capacity: Int, now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }) {
    (self.capacity, self.now) = (capacity, now)
  }

  /// How many answers are remembered, outdated ones included.
  package var count: Int { state.withLock { $0.entries.count } }

  /// The answer to a question.
  /// - Parameters:
  ///   - key: the question
  ///   - ask: gets the answer; it is called where none is remembered and nobody asks already
  /// - Returns: the outcome, and whether it came without a question of its own
  package func outcome(
    for key: Key, ask: @escaping @Sendable () async -> Reply
  ) async -> (outcome: Outcome, isKnown: Bool) {
    guard capacity > 0 else { return (await ask().outcome, false) }
    switch state.withLock({ find(key, in: &$0, ask) }) {
    case .kept(let outcome): return (outcome, true)
    case .asked(let question, let isNew): return (await question.value, !isNew)
    }
  }

  private func find(_ key: Key, in state: inout State, _ ask: @escaping @Sendable () async -> Reply) -> Found {
    if let entry = state.entries[key] {
      if now() < entry.end { return .kept(entry.outcome) }
      state.entries[key] = nil
    }
    if let question = state.questions[key] { return .asked(question, isNew: false) }
    let question = Task {
      let reply = await ask()
      self.state.withLock { self.keep(reply, key, in: &$0) }
      return reply.outcome
    }
    state.questions[key] = question
    return .asked(question, isNew: true)
  }

  private func keep(_ reply: Reply, _ key: Key, in state: inout State) {
    state.questions[key] = nil
    guard reply.lifetime > .zero else { return }
    state.number &+= 1
    state.entries[key] = Entry(outcome: reply.outcome, end: now() + reply.lifetime, number: state.number)
    state.order.append((key, state.number))
    while state.order.count - state.first > capacity {
      let oldest = state.order[state.first]
      state.first += 1
      if state.entries[oldest.key]?.number == oldest.number { state.entries[oldest.key] = nil }
    }
    if state.first > capacity {
      state.order.removeFirst(state.first)
      state.first = 0
    }
  }
}
