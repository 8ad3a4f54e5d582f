/// Where wazo-auth is, and how the service asks it: the keys of `auth` in Wazo's configuration.
///
/// Descriptions, dumps and mirrors leave the secrets out.
public struct WazoAuthSettings: Sendable {
  /// A name and its secret, as wazo-auth takes them for a new token.
  public struct Credentials: Sendable {
    /// The name of the service: `service_id` of a key file, or `username`.
    public let name: String
    let secret: String

    /// A name and its secret.
    public init(name: String, secret: String) { (self.name, self.secret) = (name, secret) }
  }

  /// Whom to believe that a server is wazo-auth: `verify_certificate`.
  public enum Verification: Hashable, Sendable {
    /// The certificate authorities of the system.
    case system
    /// Those of a file in PEM form.
    case authority(String)
    /// Everybody. Whoever can answer in wazo-auth's place gets to see the tokens.
    case nobody
  }

  /// The host's name or address.
  public var host: String
  /// The TCP port.
  public var port: Int
  /// Whether to ask by TLS.
  public var usesTLS: Bool
  /// What the paths begin with, such as `/api/auth` behind a proxy; nil for nothing.
  public var prefix: String?
  /// Whom to believe, with TLS.
  public var verification: Verification
  /// What the service itself is known by; nil where that is not configured. Then the master tenant
  /// stays unknown.
  public var service: Credentials?
  /// For the tokens in mails about exports: `service_id` and `service_key` of `exports`; nil where
  /// there are none.
  public var exports: Credentials?
  /// For how many seconds an answer is remembered; 0 for not at all.
  public var cacheSeconds: Int
  /// How long a connection may take to come about.
  package var connectionLimit = Duration.seconds(2)
  /// How long one question may take, whatever requests it needs.
  package var limit = Duration.seconds(5)
  /// The unit of the pauses before the service asks for its own token again.
  package var pause = Duration.seconds(1)

  /// Settings, with Wazo's defaults for what is not given.
  public init(
    host: String = "localhost", port: Int = 9497, usesTLS: Bool = false, prefix: String? = nil,
    verification: Verification = .system, service: Credentials? = nil, exports: Credentials? = nil,
    cacheSeconds: Int = 30
  ) {
    (self.host, self.port, self.usesTLS, self.prefix) = (host, port, usesTLS, prefix)
    (self.verification, self.service, self.exports, self.cacheSeconds) = (verification, service, exports, cacheSeconds)
  }

  /// What all requests begin with: scheme, host, port, prefix and the version of wazo-auth's API.
  var base: String {
    // An IPv6 address stands in brackets in a URL.
    let shown = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    let folders = (prefix ?? "").split(separator: "/").map { "/" + $0 }.joined()
    return "\(usesTLS ? "https" : "http")://\(shown):\(port)\(folders)/0.1"
  }
}

extension WazoAuthSettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Where wazo-auth is.
  public var description: String { base }
  /// Where wazo-auth is.
  public var debugDescription: String { base }
  /// Where wazo-auth is, so that `dump` shows nothing else.
  public var customMirror: Mirror { Mirror(self, children: ["base": base], displayStyle: .struct) }
}

extension WazoAuthSettings.Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The name.
  public var description: String { name }
  /// The name.
  public var debugDescription: String { name }
  /// The name, so that `dump` shows nothing else.
  public var customMirror: Mirror { Mirror(self, children: ["name": name], displayStyle: .struct) }
}
