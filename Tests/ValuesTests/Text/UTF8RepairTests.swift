import TestSupport
import Testing

@testable import Values

@Suite("UTF-8 repair")
struct UTF8RepairTests {
  private func repaired(_ bytes: [UInt8]) -> (text: String, invalid: Bool, nul: Bool) {
    let arena = TextArena()
    var invalid = false
    var nul = false
    let text = bytes.withUnsafeBytes { arena.validText($0, invalid: &invalid, nul: &nul) }
    return (text.string, invalid, nul)
  }

  @Test("valid text stays")
  func valid() {
    #expect(repaired(Array("Zoë 漢😀".utf8)) == ("Zoë 漢😀", false, false))
    #expect(repaired([]) == ("", false, false))
  }

  @Test("U+0000 is dropped and told")
  func nul() {
    #expect(repaired([0x61, 0, 0x62]) == ("ab", false, true))
    #expect(repaired([0, 0]) == ("", false, true))
    #expect(repaired([0xFF, 0]) == ("\u{FFFD}", true, true))
  }

  @Test(
    "what is no UTF-8 becomes U+FFFD and is told",
    arguments: [[0x80], [0xC3], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82, 0x41]] as [[UInt8]])
  func invalid(bytes: [UInt8]) {
    let result = repaired([0x41] + bytes + [0x42])
    #expect(result.invalid && !result.nul)
    #expect(result.text.hasPrefix("A") && result.text.hasSuffix("B") && result.text.contains("\u{FFFD}"))
  }

  @Test("any bytes give what Swift's own repair gives, without U+0000")
  func likeSwift() {
    var random = Seeded("UTF-8 repair")
    for _ in 0..<1000 {
      let bytes = (0..<random.below(12)).map { _ in
        random.pick([0, 0x41, 0x80, 0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0xFF] as [UInt8])
      }
      let expected = String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self)
      let result = repaired(bytes)
      #expect(result.text == expected, "seed \(random.seed): \(bytes)")
      #expect(result.nul == bytes.contains(0))
    }
  }
}
