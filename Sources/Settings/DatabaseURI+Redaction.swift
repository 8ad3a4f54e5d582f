extension DatabaseURI {
  static let mask = "***"

  /// Connection parameters that hold no secret. All other parameters are hidden: an unknown one may
  /// be a piece of a password that has an unescaped `&` or blank.
  private static let harmless: Set<String> = [
    "host", "hostaddr", "port", "dbname", "user", "service", "passfile", "application_name", "fallback_application_name",
    "connect_timeout", "client_encoding", "options", "keepalives", "keepalives_idle", "keepalives_interval",
    "keepalives_count", "tcp_user_timeout", "target_session_attrs", "load_balance_hosts", "channel_binding", "replication",
    "gssencmode", "krbsrvname", "sslmode", "sslnegotiation", "sslcompression", "sslcert", "sslkey", "sslrootcert", "sslcrl",
    "sslcrldir", "sslsni", "ssl_min_protocol_version", "ssl_max_protocol_version", "require_auth", "requirepeer",
  ]
  private static let secret: Set<String> = [
    "password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key",
  ]

  /// `text` without its secrets. In a malformed text more is hidden rather than less.
  static func redact(_ text: String) -> String {
    guard let scheme = scheme(of: text) else { return KeywordString.redact(text) }
    let start = text.index(scheme.endIndex, offsetBy: 3)
    let beginning = String(text[..<start])
    let rest = text[start...]
    // The last @ counts: with an unescaped @ in the password, the first one would show the
    // password's end.
    guard let at = rest.lastIndex(of: "@") else { return beginning + redactAddress(rest) }
    let credentials = rest[..<at]
    if credentials.contains("?") {
      // Either the password contains a question mark, or a parameter contains an @. The text does
      // not show which.
      return beginning + credentials.prefix { $0 != ":" && $0 != "?" } + ":" + mask
    }
    let user = credentials.prefix { $0 != ":" }
    return beginning + user + (user.endIndex < credentials.endIndex ? ":" + mask : "") + "@"
      + redactAddress(rest[at...].dropFirst())
  }

  /// Redacts `host:port,host:port/database?parameters`. The parameters can be secret.
  private static func redactAddress(_ address: Substring) -> String {
    let hosts = address.prefix { $0 != "/" && $0 != "?" }
    let portsAreNumbers = hosts.split(separator: ",").allSatisfy { host in
      let name = host.first == "[" ? host.prefix { $0 != "]" } + host.drop { $0 != "]" }.prefix(1) : host.prefix { $0 != ":" }
      let port = host.dropFirst(name.count)
      return port.isEmpty || port.first == ":" && port.count > 1 && port.dropFirst().allSatisfy { ("0"..."9").contains($0) }
    }
    // A port that is not a number may be a password whose @host is missing.
    guard portsAreNumbers else { return hosts.prefix { $0 != ":" } + ":" + mask }
    guard let question = address.firstIndex(of: "?") else { return String(address) }
    let parameters = address[question...].dropFirst().split(separator: "&", omittingEmptySubsequences: false)
    return address[...question]
      + parameters.map { parameter in
        guard let equals = parameter.firstIndex(of: "=") else { return mask }
        return redact(keyword: parameter[..<equals], value: parameter[equals...].dropFirst()) ?? mask
      }.joined(separator: "&")
  }

  /// One parameter for display; nil if its keyword is unknown.
  static func redact(keyword: Substring, value: Substring) -> String? {
    let name = String(keyword)
    if secret.contains(name) { return "\(name)=\(mask)" }
    // A URI as dbname can contain a password.
    return harmless.contains(name) ? "\(name)=\(value.contains("://") ? mask[...] : value)" : nil
  }
}
