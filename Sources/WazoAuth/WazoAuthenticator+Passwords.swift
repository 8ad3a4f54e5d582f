import Authentication
import Crypto
import Foundation
import Synchronization
import Values

extension WazoAuthenticator: PasswordAuthenticator {
  /// Makes a token of a Wazo user: `POST /token`. wazo-auth takes the user name, and an e-mail
  /// address that the user has confirmed.
  ///
  /// A name with a colon is nobody's: HTTP Basic (RFC 7617, 2) takes what follows it for a part of
  /// the password.
  public func newToken(
    user: String, password: String, validFor seconds: Int
  ) async throws(AuthenticationError) -> String {
    guard !user.isEmpty, !password.isEmpty, !user.contains(":") else { throw .wrongPassword }
    return try await server.newToken(
      WazoAuthSettings.Credentials(name: user, secret: password), validFor: seconds, by: .now + settings.limit
    ).token
  }

  /// Ends a token: `DELETE /token/…`. What was remembered of it counts no more.
  public func endToken(_ token: String) async throws(AuthenticationError) {
    endedTokens.add(token, for: .seconds(settings.cacheSeconds) + settings.limit)
    try await server.end(token, by: .now + settings.limit)
  }
}

/// The tokens that the service has ended a moment ago, of which a yes may still be remembered.
final class EndedTokens: Sendable {
  private let ends = Mutex<[SHA256Digest: ContinuousClock.Instant]>([:])

  func add(_ token: String, for time: Duration) {
    let now = ContinuousClock.now
    ends.withLock { ends in
      ends = ends.filter { $0.value > now }
      ends[EndedTokens.hash(token)] = now + time
    }
  }

  func contains(_ token: String) -> Bool {
    ends.withLock { !$0.isEmpty && ($0[EndedTokens.hash(token)].map { $0 > .now } ?? false) }
  }

  private static func hash(_ token: String) -> SHA256Digest { SHA256.hash(data: Data(token.utf8)) }
}
