import Authentication
import Foundation
import Values

/// The requests that the service makes.
extension AuthServer {
  /// Whether a token is valid, gives an access and may name a tenant.
  /// - Parameters:
  ///   - access: nil where only the tenant is asked for
  ///   - tenant: nil for the token's own
  /// - Throws: ``AuthenticationError``: why not
  func check(
    _ token: String, access: String?, tenant: String?, by deadline: ContinuousClock.Instant
  ) async throws(AuthenticationError) {
    var parameters: [String] = []
    if let access { parameters.append("scope=" + Request.encoded(access)) }
    if let tenant { parameters.append("tenant=" + Request.encoded(tenant)) }
    let query = parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&")
    let request = Request(method: .head, path: AuthServer.path(token) + query, shownPath: "/token/…")
    let reply = try await reply(to: request, by: deadline)
    switch reply.status {
    // Nobody's, although such a path may be answered.
    case 200..<500 where !AuthServer.canBeToken(token): throw .unknownToken
    case 204: return
    case 404: throw .unknownToken
    case 403: throw .missingAccess
    default: throw failure(reply, to: request)
    }
  }

  /// Whose a token is.
  func data(of token: String, by deadline: ContinuousClock.Instant) async throws(AuthenticationError) -> TokenData {
    guard AuthServer.canBeToken(token) else { throw .unknownToken }
    let request = Request(method: .get, path: AuthServer.path(token), shownPath: "/token/…")
    let reply = try await reply(to: request, by: deadline)
    switch reply.status {
    case 200:
      guard let data = TokenData(reply.body) else { throw failure("it does not say whose a token is") }
      return data
    case 404: throw .unknownToken
    case 403: throw .missingAccess
    default: throw failure(reply, to: request)
    }
  }

  /// A tenant and those below it, as a token sees them.
  /// - Returns: nil where the token may not list tenants
  func tenants(
    below tenant: UUIDValue, token: String, by deadline: ContinuousClock.Instant
  ) async throws(AuthenticationError) -> [UUIDValue]? {
    guard AuthServer.canBeToken(token) else { throw .unknownToken }
    var request = Request(method: .get, path: "/tenants", shownPath: "/tenants")
    request.headers = [("X-Auth-Token", token), ("Wazo-Tenant", tenant.description)]
    request.sizeLimit = 16 << 20
    let reply = try await reply(to: request, by: deadline)
    switch reply.status {
    case 200:
      guard let tenants = TenantList.read(reply.body) else { throw failure("its list of tenants cannot be read") }
      return tenants
    case 401: return nil
    default: throw failure(reply, to: request)
    }
  }

  /// Makes a token of the service's own. Whether its secret is right is no matter of whoever asks.
  func ownToken(
    _ credentials: WazoAuthSettings.Credentials, validFor seconds: Int, _ limit: Duration
  ) async throws(AuthenticationError) -> TokenData {
    do throws(AuthenticationError) {
      return try await newToken(credentials, validFor: seconds, by: .now + limit)
    } catch {
      switch error {
      case .wrongPassword: throw failure("it does not know the name \(credentials.name) or its secret")
      case .tooManySessions: throw failure("it gives the name \(credentials.name) no more tokens")
      default: throw error
      }
    }
  }

  /// Makes a token: `POST /token` with HTTP Basic.
  /// - Throws: ``AuthenticationError/wrongPassword``, ``AuthenticationError/tooManySessions``
  func newToken(
    _ credentials: WazoAuthSettings.Credentials, validFor seconds: Int, by deadline: ContinuousClock.Instant
  ) async throws(AuthenticationError) -> TokenData {
    let basic = Data("\(credentials.name):\(credentials.secret)".utf8).base64EncodedString()
    var request = Request(method: .post, path: "/token", shownPath: "/token")
    request.headers = [("Authorization", "Basic \(basic)")]
    request.body = "{\"expiration\": \(seconds)}"
    let reply = try await reply(to: request, by: deadline)
    switch reply.status {
    case 200:
      guard let data = TokenData(reply.body) else { throw failure("it does not say whose the new token is") }
      return data
    case 401: throw .wrongPassword
    case 429: throw .tooManySessions
    default: throw failure(reply, to: request)
    }
  }

  /// Ends a token: `DELETE /token/…`. One that is unknown has ended already.
  func end(_ token: String, by deadline: ContinuousClock.Instant) async throws(AuthenticationError) {
    guard AuthServer.canBeToken(token) else { return }
    let request = Request(method: .delete, path: AuthServer.path(token), shownPath: "/token/…")
    let reply = try await reply(to: request, by: deadline)
    guard reply.status == 404 || 200..<300 ~= reply.status else { throw failure(reply, to: request) }
  }

  /// Whether a text can be a token at all. wazo-auth's are uuids; nothing is asked for that could
  /// lead to another path.
  static func canBeToken(_ text: String) -> Bool {
    (1...512).contains(text.utf8.count) && text.utf8.contains { $0 != UInt8(ascii: ".") }
      && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "\\") }
  }

  /// The path of a token; for what can be none a path that is nobody's. So wazo-auth has to answer
  /// for a request without a token, too, as it has to for Wazo's own service.
  private static func path(_ token: String) -> String { "/token/" + (canBeToken(token) ? Request.encoded(token) : "") }
}

extension AuthenticationError {
  /// The error for the log.
  var shown: String {
    switch self {
    case .unknownToken: "unknown token"
    case .missingAccess: "missing access"
    case .unreachable(let host, let port, let reason): "wazo-auth at \(host):\(port): \(reason)"
    case .notInitialized: "the master tenant is not known yet"
    case .tooManyAttempts: "too many attempts"
    case .wrongPassword: "unknown user or wrong password"
    case .tooManySessions: "too many tokens at the same time"
    }
  }
}
