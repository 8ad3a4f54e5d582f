import API
import TestSupport
import Testing

@Suite("Query strings")
struct QueryStringTests {
  @Test(
    "names and values are decoded as a browser's form encodes them",
    arguments: [
      ("a=b", "a", "b"), ("a=b+c%20d", "a", "b c d"), ("a=%2B1", "a", "+1"), ("a=%c3%89", "a", "É"), ("%61=1", "a", "1"),
      ("a=", "a", ""), ("a", "a", ""), ("a=b=c", "a", "b=c"), ("a=100%", "a", "100%"), ("a=%zz%4", "a", "%zz%4"),
      ("b=1&&a=2", "a", "2"), ("=1&a=2", "a", "2"), ("a=1;b=2", "a", "1;b=2"),
    ])
  func decoded(text: String, name: String, value: String) {
    #expect(QueryString(text).first(name) == QueryString.Pair(name: name, value: value))
  }

  @Test("the first of a repeated parameter counts, and none that is not there")
  func repeated() {
    #expect(QueryString("a=1&a=2").first("a")?.value == "1")
    #expect(QueryString("a=1").first("A") == nil && QueryString("").pairs.isEmpty && QueryString("&").pairs.isEmpty)
  }

  @Test("a value that is no UTF-8 is known to be bad, a name that is none is nobody's")
  func noUTF8() {
    #expect(QueryString("a=%ff").first("a") == QueryString.Pair(name: "a", value: nil))
    #expect(QueryString("%ff=1&a=2").pairs == [QueryString.Pair(name: "a", value: "2")])
  }

  @Test("any text comes back from its encoding")
  func anyText() {
    var random = Seeded()
    for _ in 0..<500 {
      let text = String(
        (0..<Int.random(in: 0...9, using: &random)).compactMap { _ in "aZ0 +%&=é€😀\n\0".randomElement(using: &random) })
      let encoded = text.utf8.map { byte in
        random.oneIn(2) && byte > 0x2F && byte < 0x3A ? String(Character(Unicode.Scalar(byte))) : "%" + hexadecimal(byte)
      }
      #expect(QueryString("x=1&v=" + encoded.joined()).first("v")?.value == text, "\(random)")
    }
  }

  private func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return digits.count == 1 ? "0" + digits : digits
  }
}
