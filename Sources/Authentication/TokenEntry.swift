import Values

/// A token in a file of tokens, without the token itself, of which only the SHA-256 is kept.
///
/// As a line it has six words: name, `sha256:` and 64 hexadecimal digits, tenants, user, accesses,
/// expiry.
///
///     grafana sha256:9f86d0… 6b2e9f1c-…,0d5d2c55-… - call-logd.cdr.read,call-logd.cdr.*.read
///     2027-01-31T00:00:00Z
///
/// Tenants are `all`, or uuids with commas between, of which the first is the token's own. `-`
/// stands for no user, no access and no expiry.
public struct TokenEntry: Equatable, Sendable {
  /// Whose call logs a token sees.
  public enum Tenants: Equatable, Sendable {
    /// Everybody's.
    case all
    /// Those of its own tenant, and of others.
    case some(own: UUIDValue, others: [UUIDValue])
  }

  /// What the token is called: by that it is revoked.
  public let name: String
  /// The SHA-256 of the token.
  let digest: [UInt8]
  /// Whose call logs it sees.
  public let tenants: Tenants
  /// Its user; nil for a program.
  public let user: UUIDValue?
  /// Its accesses, as ``AccessList`` takes them.
  public let accesses: [String]
  /// When it ceases to be valid; nil for never.
  public let expiry: Timestamp?

  /// Whether it is no longer valid.
  public func isExpired(at now: Timestamp) -> Bool { expiry.map { $0 <= now } ?? false }

  /// What the token gives.
  /// - Parameter master: the tenant of a token that sees all
  func caller(master: UUIDValue) -> Caller {
    let access = AccessList(accesses, user: user?.description)
    return switch tenants {
    case .all: Caller(tenant: master, tenants: .all, user: user, access: access)
    case .some(let own, let others):
      Caller(tenant: own, tenants: VisibleTenants([own] + others) ?? VisibleTenants(own), user: user, access: access)
    }
  }

  /// An entry of these.
  init(name: String, digest: [UInt8], tenants: Tenants, user: UUIDValue?, accesses: [String], expiry: Timestamp?) {
    (self.name, self.digest, self.tenants) = (name, digest, tenants)
    (self.user, self.accesses, self.expiry) = (user, accesses, expiry)
  }

  /// What is wrong with a line. It never says what stands there: somebody may have pasted a token.
  struct Mistake: Error, Equatable {
    let description: String

    init(_ description: String) { self.description = description }
  }

  /// Reads a line.
  init(line: Substring) throws(Mistake) {
    let words = line.split { $0 == " " || $0 == "\t" }.map(String.init)
    guard words.count == 6 else {
      throw Mistake("\(words.count) words in place of 6: name, sha256, tenants, user, accesses, expiry")
    }
    guard TokenEntry.isName(words[0]) else {
      throw Mistake("a name is 1 to 64 letters, digits, dots, hyphens and underscores")
    }
    guard let digest = TokenEntry.digest(words[1]) else {
      throw Mistake("the second word is not sha256: with 64 hexadecimal digits behind it")
    }
    var user: UUIDValue?
    if words[3] != "-" {
      guard let uuid = UUIDValue(words[3]) else { throw Mistake("the user is neither a uuid nor -") }
      user = uuid
    }
    var expiry: Timestamp?
    if words[5] != "-" {
      guard let time = TokenEntry.time(words[5]) else {
        throw Mistake("the expiry is neither a time with its zone, such as 2027-01-31T00:00:00Z, nor -")
      }
      expiry = time
    }
    let accesses = words[4] == "-" ? [] : words[4].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard accesses.allSatisfy(TokenEntry.isAccess) else { throw Mistake("an access is empty") }
    self.init(
      name: words[0], digest: digest, tenants: try TokenEntry.tenants(words[2]), user: user, accesses: accesses, expiry: expiry)
  }

  /// The line.
  var line: String {
    let tenantWord =
      switch tenants {
      case .all: "all"
      case .some(let own, let others): ([own] + others).map(\.description).joined(separator: ",")
      }
    var expiryWord = "-"
    if let expiry {
      var bytes: [UInt8] = []
      TimestampText.appendWallClock(expiry, isShort: true, to: &bytes)
      expiryWord = String(decoding: bytes, as: UTF8.self) + "Z"
    }
    return [
      name, "sha256:" + TokenEntry.hexadecimal(digest), tenantWord, user?.description ?? "-",
      accesses.isEmpty ? "-" : accesses.joined(separator: ","), expiryWord,
    ].joined(separator: " ")
  }

  private static func tenants(_ word: String) throws(Mistake) -> Tenants {
    if word == "all" { return .all }
    let parts = word.split(separator: ",", omittingEmptySubsequences: false)
    let uuids = parts.compactMap { UUIDValue(String($0)) }
    guard let own = uuids.first, uuids.count == parts.count else {
      throw Mistake("the tenants are neither all nor uuids with commas between")
    }
    return .some(own: own, others: Array(uuids.dropFirst()))
  }

  /// Whether a text can be the name of a token.
  static func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
          || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
      }
  }

  /// Whether a text can be an access of a line.
  static func isAccess(_ text: String) -> Bool {
    !text.isEmpty && text != "!" && text != "-" && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ",") }
  }

  private static func time(_ word: String) -> Timestamp? {
    var word = word
    return word.withUTF8 { bytes in
      guard case .instant(let time)? = TimestampText.parse(Text(UnsafeRawBufferPointer(bytes))) else { return nil }
      return time
    }
  }

  private static func digest(_ word: String) -> [UInt8]? {
    guard word.hasPrefix("sha256:") else { return nil }
    let digits = word.utf8.dropFirst(7).map { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count == 64 else { return nil }
    var bytes: [UInt8] = []
    for place in stride(from: 0, to: 64, by: 2) {
      guard let high = digits[place], let low = digits[place + 1] else { return nil }
      bytes.append(UInt8(high << 4 | low))
    }
    return bytes
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
