/// Knows people by name and password, too, and gives them tokens: wazo-auth.
public protocol PasswordAuthenticator: Authenticator {
  /// Makes a token of somebody.
  /// - Parameters:
  ///   - user: the name, or an address that stands for it
  ///   - password: it is kept nowhere
  ///   - seconds: how long the token is asked to be valid
  /// - Throws: ``AuthenticationError/wrongPassword``, ``AuthenticationError/tooManySessions``, or
  ///   ``AuthenticationError/unreachable(host:port:reason:)``
  func newToken(user: String, password: String, validFor seconds: Int) async throws(AuthenticationError) -> String

  /// Ends a token for everybody who has it. One that is not valid any more is no error.
  /// - Throws: ``AuthenticationError/unreachable(host:port:reason:)``: it may be valid until it
  ///   expires
  func endToken(_ token: String) async throws(AuthenticationError)
}
