import Hummingbird

/// The page that somebody wanted who had to sign in first: one of this service, relative to its
/// first page.
///
/// It is made of words and slashes, and so leads to no other site, whoever has written it.
struct ReturnAddress: Equatable, Sendable {
  /// Such as `calls/17?zone=UTC`; empty for the first page.
  let text: String

  private static let most = 4000

  /// The page that a request asks for. A download leads to the list that it is of.
  init(of request: Request) {
    let target = (request.head.path ?? "").drop { $0 == "/" }
    self.init(target.hasPrefix("calls.csv") ? String(target.drop { $0 != "?" }) : String(target))
  }

  /// What a form names. Whatever is no page leads to the first one.
  init(_ text: String) {
    let bytes = text.utf8
    let path = bytes.prefix { $0 != UInt8(ascii: "?") }
    let words = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let isPage =
      path.isEmpty
      || words.allSatisfy { !$0.isEmpty && $0.allSatisfy(ReturnAddress.isOfWord) } && !words[0].elementsEqual("session".utf8)
    // As browsers send a query (URL Standard, "query state").
    let isQuery = bytes.dropFirst(path.count).allSatisfy { 0x21...0x7E ~= $0 && !"\"#<>".utf8.contains($0) }
    self.text = isPage && isQuery && bytes.count <= ReturnAddress.most ? text : ""
  }

  private static func isOfWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
    default: false
    }
  }
}
