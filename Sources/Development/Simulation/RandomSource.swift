/// The random numbers of a simulation (SplitMix64): fast, and the same for a seed on every machine.
struct RandomSource: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number from 0 to `bound` - 1; 0 if the bound is not positive.
  mutating func below(_ bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(max(1, bound))).high)
  }

  mutating func between(_ least: Int, _ greatest: Int) -> Int {
    least + below(greatest - least + 1)
  }

  /// True in so many of a hundred cases.
  mutating func chance(_ percent: Int) -> Bool {
    below(100) < percent
  }

  /// A time in microseconds between two numbers of milliseconds.
  mutating func milliseconds(_ least: Int, _ greatest: Int) -> Int64 {
    Int64(between(least * 1000, greatest * 1000))
  }

  /// The duration of a talk in microseconds: often half a minute, rarely up to 25 minutes.
  mutating func talk() -> Int64 {
    let share = Int64(between(14, 1000))
    return Int64.second * 21_000 / share - milliseconds(0, 19_000)
  }

  /// An element of a collection that is not empty.
  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[below(elements.count)]
  }

  /// A random UUID (version 4), as text in lower case.
  mutating func uuid() -> [UInt8] {
    let high = next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
    let low = next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
    var text: [UInt8] = []
    text.reserveCapacity(36)
    for position in 0..<32 {
      if [8, 12, 16, 20].contains(position) { text.append(UInt8(ascii: "-")) }
      text.append(hexadecimal((position < 16 ? high : low) >> UInt64(60 - position % 16 * 4)))
    }
    return text
  }

  /// A word of letters and digits, like Wazo's names of lines.
  mutating func word(_ count: Int, letters: [UInt8]) -> [UInt8] {
    (0..<count).map { _ in pick(letters) }
  }
}

/// The lowest four bits as a lower-case digit.
func hexadecimal(_ bits: UInt64) -> UInt8 {
  let digit = UInt8(bits & 15)
  return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
}
