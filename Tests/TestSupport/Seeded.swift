import Foundation
import Testing

/// Random numbers that a seed brings back: `TEST_SEED=… swift test --filter …` runs a test again
/// with the seed that it printed.
package struct Seeded: RandomNumberGenerator, CustomStringConvertible, Sendable {
  /// Where it began.
  package let seed: UInt64
  private var state: UInt64

  /// Numbers from that seed.
  package init(seed: UInt64) {
    self.seed = seed
    state = seed
  }

  /// Numbers from the environment's seed, or from another one every time. The seed is printed at
  /// once: a test that hangs or crashes has told it, too.
  /// - Parameters:
  ///   - what: what is random; the test's name where nothing is said
  ///   - variable: the environment's variable
  package init(_ what: String? = nil, variable: String = "TEST_SEED") {
    self.init(
      seed: ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) } ?? UInt64.random(in: 1...999_999_999))
    print("\(what ?? Test.current?.displayName ?? Test.current?.name ?? "A thread of a test"): \(variable)=\(seed)")
  }

  /// For messages.
  package var description: String { "seed \(seed)" }

  /// The next number.
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// True in one of `times` cases.
  package mutating func oneIn(_ times: Int) -> Bool { below(times) == 0 }

  /// True in so many of a hundred cases.
  package mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

  /// From 0 up to the number before `limit`.
  package mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }

  /// One of the choices.
  package mutating func pick<C: RandomAccessCollection>(_ choices: C) -> C.Element {
    choices[choices.index(choices.startIndex, offsetBy: below(choices.count))]
  }
}
