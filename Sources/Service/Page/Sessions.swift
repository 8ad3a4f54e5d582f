import Crypto
import HTTPTypes
import Synchronization

/// Who has signed in at the page: a browser has a random cookie, and the service knows the token
/// behind it.
///
/// Only the cookie's hash is kept, so that nobody can sign in with what a dump of the memory shows.
/// A session ends after 12 hours, when its owner signs out, with its token, and with the service.
final class Sessions: Sendable {
  struct Session: Sendable {
    let token: String
    /// Whether the service got the token for this session. Then it ends with it.
    let hasOwnToken: Bool
    fileprivate let key: Key
  }

  /// The name of the cookie and the hash of its value.
  fileprivate struct Key: Hashable {
    let isSecure: Bool
    let hash: SHA256Digest
  }

  private struct Entry {
    let session: Session
    let holder: String
    let end: ContinuousClock.Instant
  }

  static let seconds = 12 * 3600
  private let most: Int
  private let mostOfOne: Int
  private let now: @Sendable () -> ContinuousClock.Instant
  private let entries = Mutex<[Key: Entry]>([:])

  /// - Parameters:
  ///   - most: sessions at once; one more ends the oldest
  ///   - mostOfOne: sessions of one holder at once; one more ends the holder's oldest
  init(most: Int = 10_000, mostOfOne: Int = 100, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
    (self.most, self.mostOfOne, self.now) = (most, mostOfOne, now)
  }

  /// How many there are, some of which may have expired.
  var count: Int { entries.withLock { $0.count } }

  /// Begins a session, with a new cookie each time.
  /// - Parameters:
  ///   - hasOwnToken: whether the service got the token for this session
  ///   - holder: whose it is: nobody's sessions push out those of others
  ///   - isSecure: whether the browser speaks TLS: then it sends the cookie by TLS alone
  /// - Returns: the header that gives the browser its cookie
  func begin(token: String, hasOwnToken: Bool = false, holder: String, isSecure: Bool) -> String {
    var random = SystemRandomNumberGenerator()
    let cookie = (0..<4).map { _ in
      let digits = String(random.next(), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
    let time = now()
    let key = Key(isSecure: isSecure, hash: Sessions.hash(cookie))
    let session = Session(token: token, hasOwnToken: hasOwnToken, key: key)
    entries.withLock { entries in
      if entries.count >= most { entries = entries.filter { $0.value.end > time } }
      if entries.count >= most { Sessions.endOldest(of: &entries) { _ in true } }
      if entries.count(where: { $0.value.holder == holder }) >= mostOfOne {
        Sessions.endOldest(of: &entries) { $0.holder == holder }
      }
      entries[key] = Entry(session: session, holder: holder, end: time + .seconds(Sessions.seconds))
    }
    return Sessions.header(cookie, seconds: Sessions.seconds, isSecure: isSecure)
  }

  private static func endOldest(of entries: inout [Key: Entry], where fits: (Entry) -> Bool) {
    let oldest = entries.filter { fits($0.value) }.min { $0.value.end < $1.value.end }
    if let oldest { entries[oldest.key] = nil }
  }

  /// The session of a request; nil where it has none, or none that is still valid.
  func session(of headers: HTTPFields, isSecure: Bool) -> Session? {
    guard let cookie = Sessions.cookie(of: headers, isSecure: isSecure) else { return nil }
    let key = Key(isSecure: isSecure, hash: Sessions.hash(cookie))
    let time = now()
    return entries.withLock { entries in
      guard let entry = entries[key] else { return nil }
      guard entry.end > time else {
        entries[key] = nil
        return nil
      }
      return entry.session
    }
  }

  /// Whether a request has a cookie of a session, valid or not.
  func isNamed(in headers: HTTPFields, isSecure: Bool) -> Bool { Sessions.cookie(of: headers, isSecure: isSecure) != nil }

  /// Ends a session.
  func end(_ session: Session) { entries.withLock { $0[session.key] = nil } }

  /// The header that takes the cookie from the browser.
  static func goodbye(isSecure: Bool) -> String { header("", seconds: 0, isSecure: isSecure) }

  /// Browsers take a name with this prefix only with `Secure`, from the host itself (RFC 6265bis,
  /// 4.1.3).
  private static func name(isSecure: Bool) -> String { (isSecure ? "__Host-" : "") + "wazo-call-logd" }

  private static func header(_ value: String, seconds: Int, isSecure: Bool) -> String {
    "\(name(isSecure: isSecure))=\(value); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Strict\(isSecure ? "; Secure" : "")"
  }

  private static func cookie(of headers: HTTPFields, isSecure: Bool) -> String? {
    let name = name(isSecure: isSecure)
    for header in headers[values: .cookie] {
      for pair in header.split(separator: ";") {
        let pair = pair.drop { $0 == " " }
        if pair.hasPrefix(name + "=") { return String(pair.dropFirst(name.count + 1)) }
      }
    }
    return nil
  }

  private static func hash(_ cookie: String) -> SHA256Digest { SHA256.hash(data: Array(cookie.utf8)) }
}
