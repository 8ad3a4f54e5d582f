import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import Service

@Suite("The page that somebody wanted who had to sign in first")
struct ReturnAddressTests {
  @Test(
    "Pages are found again as they were asked for",
    arguments: [
      "", "?q=from%3A101&zone=Europe%2FParis&open=17", "calls/17?zone=UTC", "calls/2147483647", "charts?from=2026-03-01T00:00",
      "charts", "?q=a|b{c}\\d^", "?q=https://other.example/",
    ])
  func pages(address: String) { #expect(ReturnAddress(address).text == address) }

  @Test(
    "What is no page of this service leads to the first one",
    arguments: [
      "/", "//other.example", "https://other.example/", "https:other.example", "javascript:alert(1)", "\\\\other.example",
      "/\\other.example", "calls/../../x", "..", "./x", "calls//17", "%2F%2Fother.example", "data:text/html,x", "session",
      "session/end", "?q=a b", "?q=\r\nSet-Cookie: a=b", "?q=<b>", "?q=\"", "?q=é", "calls/17#x", "\t//other.example", " ?q=a",
      "\u{0}", "calls.csv?q=a", String(repeating: "a", count: 5000),
    ])
  func strange(address: String) { #expect(ReturnAddress(address).text == "") }

  @Test("Whatever a form names, a browser stays at this service")
  func anything() throws {
    var random = Seeded()
    let base = try #require(URL(string: "http://pbx.example:9298/below/session"))
    let pieces = [
      "/", "//", "\\", ":", "http:", "other.example", "..", ".", "?", "#", "@", "%2f", "a", "calls", "17", "\t", "é", "-", "&",
    ]
    for _ in 0..<5000 {
      let text = (0...random.below(7)).map { _ in random.pick(pieces) }.joined()
      let address = ReturnAddress(text).text
      let goal = try #require(URL(string: "./" + address, relativeTo: base)?.absoluteURL, "\(random) \(text)")
      #expect(goal.host == base.host && goal.port == base.port && goal.scheme == base.scheme, "\(random) \(text)")
      #expect(goal.path.hasPrefix("/below/") || goal.path == "/below", "\(random) \(text)")
      #expect(address.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "\(random) \(text)")
    }
  }
}

@Suite("Who asks, behind proxies")
struct RequesterTests {
  private static let proxies: Set<String> = ["127.0.0.1", "::1", "192.0.2.10"]

  private static let forwardedFor = HTTPField.Name("X-Forwarded-For") ?? .server
  private static let forwardedProto = HTTPField.Name("X-Forwarded-Proto") ?? .server

  private func requester(_ address: String?, _ forwarded: [String] = [], _ scheme: String? = nil, tls: Bool = false) -> Requester
  {
    var headers = HTTPFields()
    for value in forwarded { headers.append(HTTPField(name: Self.forwardedFor, value: value)) }
    if let scheme { headers[Self.forwardedProto] = scheme }
    return Requester(headers, address: address, proxies: Self.proxies, speaksTLS: tls)
  }

  @Test("A client is known by its address, and whoever is no proxy is not believed to be another")
  func address() {
    #expect(requester("198.51.100.7").limitedAddress == "198.51.100.7")
    #expect(requester("198.51.100.7", ["203.0.113.1"]).limitedAddress == "198.51.100.7")
    #expect(!requester("198.51.100.7", [], "https").usesTLS)
    for own in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] { #expect(requester(own).limitedAddress == nil) }
    #expect(requester(nil).limitedAddress == nil)
  }

  @Test("A proxy says whom it asks for. What its client wrote itself does not count")
  func forwarded() {
    #expect(requester("127.0.0.1", ["203.0.113.1"]).limitedAddress == "203.0.113.1")
    #expect(requester("::ffff:127.0.0.1", ["203.0.113.1"]).limitedAddress == "203.0.113.1")
    #expect(requester("127.0.0.1", ["6.6.6.6, 203.0.113.1"]).limitedAddress == "203.0.113.1")
    #expect(requester("127.0.0.1", ["6.6.6.6", "203.0.113.1"]).limitedAddress == "203.0.113.1")
    #expect(requester("127.0.0.1", ["6.6.6.6, 203.0.113.1, 192.0.2.10"]).limitedAddress == "203.0.113.1")
    #expect(requester("127.0.0.1", ["203.0.113.1:4711"]).limitedAddress == "203.0.113.1")
    #expect(requester("127.0.0.1", ["[2001:db8::1]:4711"]).limitedAddress == "2001:db8::1")
    for nonsense in ["", ",", "unknown", "203.0.113", "-", "6.6.6.6, unknown"] {
      #expect(requester("127.0.0.1", [nonsense]).limitedAddress == nil, "\(nonsense)")
    }
  }

  @Test("TLS is the service's own, or what the nearest proxy says")
  func tls() {
    #expect(requester("198.51.100.7", tls: true).usesTLS)
    #expect(requester("127.0.0.1", [], "https").usesTLS)
    #expect(requester("192.0.2.10", [], "http, HTTPS").usesTLS)
    #expect(!requester("127.0.0.1", [], "https, http", tls: true).usesTLS)
    #expect(!requester("127.0.0.1").usesTLS)
  }
}
