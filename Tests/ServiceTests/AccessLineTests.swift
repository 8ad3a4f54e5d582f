import TestSupport
import Testing

@testable import Service

@Suite("Lines of the access log")
struct AccessLineTests {
  @Test(
    "A token in a query is cut, however its name is written",
    arguments: [
      ("token=secret", "token=…"), ("limit=5&token=secret&offset=2", "limit=5&token=…&offset=2"), ("%74oken=secret", "?=…"),
      ("limit=5", "limit=5"), ("", ""), ("token=", "token=…"), ("token=a=b", "token=…"), ("a&b", "a&b"),
    ])
  func tokens(query: String, shown: String) { #expect(AccessLine.withoutToken(query) == shown) }

  @Test("No query shows its token, whatever stands around it")
  func property() {
    var random = Seeded()
    let pieces = ["&", "=", "%", "%26", "%3D", "a", "token", "%74", "Token", "limit=1", "?", ";"]
    for _ in 0..<5000 {
      func some() -> String {
        (0..<Int.random(in: 0...3, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
      }
      let query = some() + "&" + (random.oneIn(2) ? "token" : "t%6Fken") + "=SECRET&" + some()
      #expect(!AccessLine.withoutToken(query).contains("SECRET"), "\(query)")
    }
  }
}
