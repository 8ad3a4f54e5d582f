import TestSupport
import Testing

@testable import Values

@Suite("Few bytes")
struct ShortBytesTests {
  @Test("any number of bytes is copied, and nothing beside them is touched", arguments: 0...80)
  func copied(count: Int) {
    var random = Seeded("copies of \(count) bytes")
    let source = (0..<count).map { _ in UInt8(random.below(256)) }
    var target = [UInt8](repeating: 0xAA, count: count + 16)
    source.withUnsafeBufferPointer { source in
      target.withUnsafeMutableBufferPointer { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        (to + 8).copyShort(from: from, count: count)
      }
    }
    let edge = [UInt8](repeating: 0xAA, count: 8)
    #expect(target == edge + source + edge)
  }

  @Test("bytes are the same as themselves, and differ wherever one does", arguments: 0...80)
  func compared(count: Int) {
    var random = Seeded("comparisons of \(count) bytes")
    let arena = TextArena()
    let bytes = (0..<count).map { _ in UInt8(random.below(256)) }
    func text(_ bytes: [UInt8]) -> Text { bytes.withUnsafeBytes { arena.text($0) } }
    let original = text(bytes)
    #expect(original == text(bytes))
    #expect(text([1] + bytes).from(1) == original)
    for index in 0..<count {
      var other = bytes
      other[index] ^= 1 << UInt8(random.below(8))
      #expect(text(other) != original, "byte \(index)")
      #expect(!text(other + [0]).hasPrefix(original))
    }
    #expect(text(bytes + [0]).hasPrefix(original))
  }
}
