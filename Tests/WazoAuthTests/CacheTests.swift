import Authentication
import Foundation
import Synchronization
import ServiceSupport
import TestSupport
import Testing
import Values
import WazoAuth

@Suite("Answers that are remembered")
struct CacheTests {
  private static var state: WazoAuthOfTests.State {
    var state = WazoAuthOfTests.State()
    state.tokens["a"] = .init(tenant: uuid(1), accesses: ["call-logd.#", "auth.tenants.read"])
    state.parents = [uuid(1): uuid(1), uuid(2): uuid(1)]
    return state
  }

  @Test("a question is asked once; another access, tenant or token is another question")
  func once() async throws {
    try await withWazoAuth(Self.state) { wazoAuth, authenticator in
      for _ in 0..<5 {
        let identity = try await authenticator.identity(of: "a", for: someAccess, tenant: nil)
        _ = try await authenticator.tenants(of: identity, chosen: nil, isRecursive: true)
      }
      #expect(wazoAuth.requests == ["HEAD /0.1/token/a?scope=\(someAccess)", "GET /0.1/token/a", "GET /0.1/tenants"])
      #expect(authenticator.counts.requests == 3 && authenticator.counts.failures == 0)
      let before = authenticator.counts
      _ = try await authenticator.identity(of: "a", for: "call-logd.status.read", tenant: nil)
      _ = try await authenticator.identity(of: "a", for: someAccess, tenant: "\(uuid(2))")
      #expect(wazoAuth.requests.count == 5, "whose the token is, is known")
      #expect(authenticator.counts.misses == before.misses + 2 && authenticator.counts.hits > before.hits)
      await #expect(throws: AuthenticationError.missingAccess) {
        try await authenticator.identity(of: "a", for: "other", tenant: nil)
      }
      await #expect(throws: AuthenticationError.unknownToken) {
        try await authenticator.identity(of: "b", for: someAccess, tenant: nil)
      }
      #expect(wazoAuth.requests.count == 7)
    }
  }

  @Test("without a cache every request asks")
  func off() async throws {
    try await withWazoAuth(Self.state, cacheSeconds: 0) { wazoAuth, authenticator in
      for number in 1...3 {
        let identity = try await authenticator.identity(of: "a", for: someAccess, tenant: nil)
        _ = try await authenticator.tenants(of: identity, chosen: nil, isRecursive: true)
        #expect(wazoAuth.requests.count == 3 * number)
      }
      #expect(authenticator.counts.hits == 0)
    }
  }

  @Test("an answer is not remembered past the expiry of its token, nor where that cannot be read", arguments: [true, false])
  func expiry(isKnown: Bool) async throws {
    var state = Self.state
    state.tokens["a"]?.expiry = isKnown ? "2024-01-02T00:00:00.000000" : nil
    try await withWazoAuth(state) { wazoAuth, authenticator in
      for number in 1...3 {
        _ = try await authenticator.identity(of: "a", for: someAccess, tenant: nil)
        #expect(wazoAuth.requests.filter { $0.hasPrefix("HEAD") }.count == number)
      }
      wazoAuth.change { $0.tokens = [:] }
      await #expect(throws: AuthenticationError.unknownToken) {
        try await authenticator.identity(of: "a", for: someAccess, tenant: nil)
      }
    }
  }

  @Test("many who wait for one answer make one request; who gives up leaves it to the others")
  func waiters() async throws {
    try await withWazoAuth(Self.state) { wazoAuth, authenticator in
      wazoAuth.change { $0.mode = .held }
      let first = Task { try await authenticator.identity(of: "a", for: someAccess, tenant: nil) }
      try await until { !wazoAuth.requests.isEmpty }
      let others = (0..<30).map { _ in Task { try await authenticator.identity(of: "a", for: someAccess, tenant: nil).tenant } }
      first.cancel()
      wazoAuth.change { $0.mode = .up }
      for other in others { #expect(try await other.value == uuid(1)) }
      _ = await first.result
      #expect(wazoAuth.requests == ["HEAD /0.1/token/a?scope=\(someAccess)", "GET /0.1/token/a"])
    }
  }

  @Test("without a cache, who gives up does not wait")
  func cancelled() async throws {
    try await withWazoAuth(Self.state, cacheSeconds: 0) { wazoAuth, authenticator in
      wazoAuth.change { $0.mode = .held }
      let task = Task { try await authenticator.identity(of: "a", for: someAccess, tenant: nil) }
      try await until { !wazoAuth.requests.isEmpty }
      task.cancel()
      let result = await task.result
      #expect(throws: AuthenticationError.self) { try result.get() }
    }
  }

  /// A clock that a test sets.
  private final class Clock: Sendable {
    private let passed = Mutex(Duration.zero)
    private let start = ContinuousClock.now
    var now: ContinuousClock.Instant { passed.withLock { start + $0 } }
    func pass(_ duration: Duration) { passed.withLock { $0 += duration } }
  }

  @Test("an answer is remembered as long as it may be, and the oldest of too many leaves: any questions at any times")
  func anyQuestions() async {
    var random = Seeded()
    let clock = Clock()
    let capacity = 5
    let cache = AnswerCache<Int, Int>(capacity: capacity, now: { clock.now })
    /// What should be there: the oldest first. An entry that was replaced holds its place until it
    /// leaves.
    var model: [(key: Int, answer: Int, end: ContinuousClock.Instant)] = []
    for number in 0..<5000 {
      let key = random.below(9)
      let lifetime = Duration.milliseconds(random.below(20))
      let isRefusal = random.oneIn(4)
      clock.pass(.milliseconds(random.below(4)))
      let got = await cache.outcome(for: key) {
        AnswerCache.Reply(isRefusal ? .failure(.tooManyAttempts(retryAfter: number)) : .success(number), for: lifetime)
      }
      let expected = model.last { $0.key == key && clock.now < $0.end }?.answer
      let value =
        (try? got.outcome.get())
        ?? got.outcome.failure.flatMap { error in
          guard case .tooManyAttempts(let value) = error else { return nil }
          return value
        }
      #expect(value == expected ?? number && got.isKnown == (expected != nil), "\(random)")
      if expected == nil, lifetime > .zero {
        model.append((key, number, clock.now + lifetime))
        if model.count > capacity { model.removeFirst() }
      }
      #expect(cache.count <= capacity, "\(random)")
    }
  }
}
