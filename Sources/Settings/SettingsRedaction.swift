#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Turns a configuration into a value tree without its secrets.
///
/// Keys that the service does not know are shown too, so what may hold a secret is masked without
/// asking whether it does:
///
/// 1. any value below a key whose name looks like a secret's, but for numbers, times and switches
///    of the service's own
/// 2. the passwords in addresses of databases
/// 3. any other address with more than a scheme, a host and a port
/// 4. any text that looks like an assignment of a secret, or like a private key
/// 5. any key, text or number that contains a secret of the configuration, also one that a stronger
///    source has overridden
struct SettingsRedaction {
  static let mask = DatabaseURI.mask

  /// Pieces of names of keys that hold secrets.
  private static let words = [
    "pass", "pw", "secret", "token", "key", "credential", "private", "cookie", "salt", "signature", "bearer", "pin", "otp",
    "auth",
  ]
  /// Words in texts that may assign a secret.
  private static let textWords = [
    "password", "passwd", "passphrase", "pwd", "secret", "token", "key", "credential", "bearer",
  ]
  /// Pieces of names of keys that hold an address in the form that a database has.
  private static let addressWords = ["uri", "url", "dsn", "connection"]
  /// Shorter secrets are masked where they stand alone: they are in too many texts.
  private static let leastLength = 4

  private var secrets: Set<String> = []
  private let harmless: Set<String>

  /// - Parameters:
  ///   - sources: all sources of the configuration, with the merged tree
  ///   - keyFiles: files in which every value is a secret, but for `service_id`
  init(sources: [SettingsNode], keyFiles: [SettingsNode], entries: [ServiceEntry]) {
    harmless = Set(entries.filter(\.isHarmless).map(\.path))
    for source in sources { collect(source, path: "", isSecret: false) }
    for file in keyFiles {
      for entry in file.entries where entry.key != "service_id" { collect(entry.node, path: entry.key, isSecret: true) }
    }
    secrets.remove("")
  }

  // MARK: Finding secrets

  private mutating func collect(_ node: SettingsNode, path: String, isSecret: Bool) {
    switch node.content {
    case .null: break
    case .scalar(let text, let isPlain):
      secrets.formUnion(DatabaseURI.secrets(in: text))
      // true under a key such as use_token is no secret, and would mask every true.
      if case .flag = SettingsNode.value(text, isPlain: isPlain) { break }
      if isSecret { secrets.formUnion([text, Parse.trim(text)]) }
    case .list(let list):
      for element in list { collect(element, path: path, isSecret: isSecret) }
    case .map(let entries):
      for entry in entries {
        let below = path.isEmpty ? entry.key : "\(path).\(entry.key)"
        collect(entry.node, path: below, isSecret: isSecret || isSecretKey(entry.key, at: below))
      }
    }
  }

  private func isSecretKey(_ key: String, at path: String) -> Bool {
    let name = key.lowercased()
    // The settings of wazo-auth have keys of their own, which tell.
    if path == "auth" { return false }
    // A file that holds a secret has a path, which is none. It is masked all the same: somebody may
    // have put the secret itself there.
    return !harmless.contains(path) && SettingsRedaction.words.contains { name.contains($0) }
  }

  private func contains(secretIn text: String) -> Bool {
    secrets.contains(text) || secrets.contains { $0.count >= SettingsRedaction.leastLength && text.contains($0) }
  }

  // MARK: Masking

  /// The tree without its secrets.
  func value(of node: SettingsNode) -> SettingsValue { value(of: node, path: "", isSecret: false) }

  private func value(of node: SettingsNode, path: String, isSecret: Bool) -> SettingsValue {
    switch node.content {
    case .null: return .null
    case .scalar(let text, let isPlain):
      let value = SettingsNode.value(text, isPlain: isPlain)
      if case .flag = value { return value }
      if isSecret { return .text(SettingsRedaction.mask) }
      let shown = redacted(text, path: path)
      return shown == text ? value : .text(shown)
    case .list(let list): return .list(list.map { value(of: $0, path: path, isSecret: isSecret) })
    case .map(let entries):
      return .map(
        entries.map { entry in
          let below = path.isEmpty ? entry.key : "\(path).\(entry.key)"
          let isSecret = isSecret || isSecretKey(entry.key, at: below)
          let key = redacted(entry.key, path: "")
          return SettingsValue.Field(key, value(of: entry.node, path: below, isSecret: isSecret))
        })
    }
  }

  private func redacted(_ text: String, path: String) -> String {
    var shown = text
    let scheme = DatabaseURI.scheme(of: text)?.split(separator: "+").first
    let key = path.split(separator: ".").last?.lowercased() ?? ""
    if scheme == "postgresql" || scheme == "postgres" {
      shown = DatabaseURI.redact(text)
    } else if text.contains("://") {
      if !SettingsRedaction.isBareAddress(text) { return SettingsRedaction.mask }
    } else if SettingsRedaction.addressWords.contains(where: { key.contains($0) }) {
      shown = DatabaseURI.redact(text)
    } else if SettingsRedaction.looksSecret(text) {
      return SettingsRedaction.mask
    }
    return contains(secretIn: shown) ? SettingsRedaction.mask : shown
  }

  /// Whether a text is a scheme with a host and perhaps a port, and nothing else.
  private static func isBareAddress(_ text: String) -> Bool {
    guard let scheme = DatabaseURI.scheme(of: text) else { return false }
    var rest = text.dropFirst(scheme.count + 3)
    if rest.first == "[", let end = rest.firstIndex(of: "]") {
      guard rest[..<end].dropFirst().allSatisfy({ $0.isHexDigit || $0 == ":" }) else { return false }
      rest = rest[end...].dropFirst()
    } else {
      rest = rest.drop { $0.isASCII && ($0.isLetter || $0.isNumber || ".-*".contains($0)) }
    }
    return rest.isEmpty || rest.first == ":" && rest.count > 1 && rest.dropFirst().allSatisfy { $0.isASCII && $0.isNumber }
  }

  /// Whether a text assigns a secret, such as `password=…`, or is a private key.
  private static func looksSecret(_ text: String) -> Bool {
    if text.contains("-----BEGIN") { return true }
    let text = text.lowercased()
    for word in textWords {
      var rest = text[...]
      while let range = rest.range(of: word) {
        rest = rest[range.upperBound...]
        let next = rest.drop { "\"'_".contains($0) || $0.isLetter }.first
        if next == "=" || next == ":" || next?.isWhitespace == true { return true }
      }
    }
    return false
  }
}

extension DatabaseURI {
  /// The passwords in a text that may be an address or a keyword string, as they are written and
  /// decoded.
  static func secrets(in text: String) -> [String] {
    var found: [Substring] = []
    if let start = text.firstRange(of: "://")?.upperBound {
      let rest = text[start...]
      if let at = rest.lastIndex(of: "@"), let colon = rest[..<at].firstIndex(of: ":") {
        found.append(rest[colon..<at].dropFirst())
      }
      for parameter in rest.drop(while: { $0 != "?" }).dropFirst().split(separator: "&") {
        guard let equals = parameter.firstIndex(of: "=") else { continue }
        let value = parameter[equals...].dropFirst()
        if isHidden(parameter[..<equals]) { found.append(value) }
      }
    } else if let string = KeywordString(text) {
      found = string.pairs.filter { isHidden($0.keyword) }.map(\.value)
    }
    return found.flatMap { written in
      let unquoted = written.filter { !"'\\".contains($0) }
      return [String(written), String(written).removingPercentEncoding ?? "", String(unquoted)]
    }
  }

  private static func isHidden(_ keyword: Substring) -> Bool { redact(keyword: keyword, value: "") != "\(keyword)=" }
}
