import Synchronization

/// What threads came to.
final class Results: Sendable {
  private let results: Mutex<[Result<Void, any Error>?]>

  init(count: Int) { results = Mutex(Array(repeating: nil, count: count)) }

  func set(_ number: Int, _ result: sending Result<Void, any Error>) { results.withLock { $0[number] = result } }

  /// Throws the first error there was.
  func check() throws { for result in results.withLock({ $0 }) { try result?.get() } }
}
