import HTTPTypes
import Hummingbird
import NIOCore

/// Who asks, as far as the connection shows it: a client, or a proxy on its behalf.
struct Requester: Sendable {
  /// The client's address, for the limit of refused attempts; nil for this machine, where a proxy
  /// may stand for everybody.
  let limitedAddress: String?
  /// Whether the browser speaks TLS, with the service or with a proxy before it.
  let usesTLS: Bool

  /// - Parameters:
  ///   - proxies: addresses of which the headers `X-Forwarded-For` and `X-Forwarded-Proto` are
  ///     believed
  ///   - speaksTLS: whether the service itself does
  init(_ headers: HTTPFields, address: String?, proxies: Set<String>, speaksTLS: Bool) {
    var client = address.flatMap(Requester.plain)
    var usesTLS = speaksTLS
    if let proxy = client, proxies.contains(proxy) {
      // Each proxy adds who has asked it. What stands before that, anybody may have written.
      for entry in Requester.entries(headers, .forwardedFor).reversed() {
        guard let address = Requester.plain(entry) else { break }
        client = address
        guard proxies.contains(address) else { break }
      }
      if let scheme = Requester.entries(headers, .forwardedProto).last { usesTLS = scheme.lowercased() == "https" }
    }
    limitedAddress = client.flatMap { Requester.isLoopback($0) ? nil : $0 }
    self.usesTLS = usesTLS
  }

  /// The entries of a header, which may stand there several times.
  private static func entries(_ headers: HTTPFields, _ name: HTTPField.Name) -> [String] {
    headers[values: name].flatMap { $0.split(separator: ",") }.map { $0.filter { $0 != " " && $0 != "\t" } }
      .filter { !$0.isEmpty }
  }

  /// An address in the form in which all are compared; nil for a text that is none. A port, which
  /// some proxies add, is left out.
  static func plain(_ text: String) -> String? {
    var text = text[...]
    if text.first == "[", let end = text.firstIndex(of: "]") {
      text = text[text.index(after: text.startIndex)..<end]
    } else if text.count(where: { $0 == ":" }) == 1, let colon = text.firstIndex(of: ":") {
      text = text[..<colon]
    }
    guard let address = try? SocketAddress(ipAddress: String(text), port: 0).ipAddress else { return nil }
    // An IPv4 address at a socket that takes both kinds.
    return address.hasPrefix("::ffff:") && address.contains(".") ? String(address.dropFirst(7)) : address
  }

  private static func isLoopback(_ address: String) -> Bool { address == "::1" || address.hasPrefix("127.") }
}

extension HTTPField.Name {
  fileprivate static let forwardedFor = HTTPField.Name("X-Forwarded-For") ?? .server
  fileprivate static let forwardedProto = HTTPField.Name("X-Forwarded-Proto") ?? .server
}
