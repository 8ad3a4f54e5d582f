/// Random numbers that a printed seed brings back.
public struct Seeded: RandomNumberGenerator, CustomStringConvertible, Sendable {
  /// Where it began.
  public let seed: UInt64
  private var state: UInt64

  /// Numbers from that seed.
  public init(seed: UInt64 = UInt64.random(in: 0...UInt64.max)) {
    self.seed = seed
    state = seed
  }

  /// For messages.
  public var description: String { "seed \(seed)" }

  /// The next number.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// True in one of `times` cases.
  public mutating func oneIn(_ times: Int) -> Bool { Int.random(in: 0..<times, using: &self) == 0 }
}
