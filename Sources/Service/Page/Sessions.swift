import Crypto
import HTTPTypes
import Synchronization

/// Who has signed in at the page: a browser has a random cookie, and the service knows the token
/// behind it.
///
/// Only the cookie's hash is kept, so that nobody can sign in with what a dump of the memory shows.
/// A session ends after 12 hours, when its owner signs out, and with the service.
final class Sessions: Sendable {
  private struct Session {
    let token: String
    let end: ContinuousClock.Instant
  }

  static let seconds = 12 * 3600
  private let most: Int
  /// Whether the service speaks TLS: then browsers send the cookie by TLS alone.
  private let isSecure: Bool
  private let now: @Sendable () -> ContinuousClock.Instant
  private let sessions = Mutex<[SHA256Digest: Session]>([:])

  /// - Parameter most: sessions at once; one more ends the oldest
  init(isSecure: Bool, most: Int = 10_000, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
    (self.isSecure, self.most, self.now) = (isSecure, most, now)
  }

  /// Browsers take a name with this prefix only with `Secure`, from the host itself (RFC 6265bis,
  /// 4.1.3).
  private var name: String { (isSecure ? "__Host-" : "") + "wazo-call-logd" }

  /// Begins a session.
  /// - Returns: the header that gives the browser its cookie
  func begin(token: String) -> String {
    var random = SystemRandomNumberGenerator()
    let cookie = (0..<4).map { _ in
      let digits = String(random.next(), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
    let time = now()
    sessions.withLock { sessions in
      if sessions.count >= most { sessions = sessions.filter { $0.value.end > time } }
      if sessions.count >= most, let oldest = sessions.min(by: { $0.value.end < $1.value.end })?.key { sessions[oldest] = nil }
      sessions[Sessions.hash(cookie)] = Session(token: token, end: time + .seconds(Sessions.seconds))
    }
    return header(cookie, seconds: Sessions.seconds)
  }

  /// The token of a request's session; nil where it has none, or none that is still valid.
  func token(of headers: HTTPFields) -> String? {
    guard let cookie = cookie(of: headers) else { return nil }
    let hash = Sessions.hash(cookie)
    let time = now()
    return sessions.withLock { sessions in
      guard let session = sessions[hash] else { return nil }
      guard session.end > time else {
        sessions[hash] = nil
        return nil
      }
      return session.token
    }
  }

  /// Whether a request has a cookie of a session, valid or not.
  func isNamed(in headers: HTTPFields) -> Bool { cookie(of: headers) != nil }

  /// Ends the session of a request.
  /// - Returns: the header that takes the cookie from the browser
  func end(_ headers: HTTPFields) -> String {
    if let cookie = cookie(of: headers) { sessions.withLock { $0[Sessions.hash(cookie)] = nil } }
    return header("", seconds: 0)
  }

  private func header(_ value: String, seconds: Int) -> String {
    "\(name)=\(value); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Strict\(isSecure ? "; Secure" : "")"
  }

  private func cookie(of headers: HTTPFields) -> String? {
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
