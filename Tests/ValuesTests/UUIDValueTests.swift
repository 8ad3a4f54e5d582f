import Foundation
import TestSupport
import Testing

@testable import Values

@Suite("UUIDValue")
struct UUIDValueTests {
  @Test("reads and writes what Foundation's UUID does")
  func likeFoundation() {
    for _ in 0..<200 {
      let other = UUID()
      let value = UUIDValue(other.uuidString)
      #expect(value?.description == other.uuidString.lowercased())
      #expect(value == UUIDValue(other.uuidString.lowercased()))
    }
  }

  @Test(
    "anything but 8-4-4-4-12 hexadecimal digits is none",
    arguments: [
      "", "7a11e500", "7a11e50000004000800000000000000001", "{7a11e500-0000-4000-8000-000000000001}",
      "7a11e500-0000-4000-8000-00000000000g",
      "7a11e500-0000-4000-8000-0000000000011", "7a11e5000-000-4000-8000-000000000001", " 7a11e500-0000-4000-8000-00000000001",
    ])
  func rejected(text: String) {
    #expect(UUIDValue(text) == nil)
  }

  @Test("the order is that of the bytes")
  func order() {
    var random = Seeded("uuid order")
    let values = (0..<100).map { _ in
      UUIDValue(high: UInt64(random.below(3)), low: UInt64.random(in: 0...UInt64.max, using: &random))
    }
    #expect(values.sorted().map(\.description) == values.map(\.description).sorted())
  }
}
