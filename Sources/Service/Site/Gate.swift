import API
import Authentication
import Crypto
import Foundation
import Hummingbird
import Values

/// Lets requests in. It is the one place where tokens are asked about: a route's answer gets a
/// ``Visit``, and only the gate makes one.
struct Gate: Sendable {
  let authenticator: any Authenticator
  /// With unknown tokens and wrong passwords, by address.
  let attempts: RefusedAttempts
  /// With wrong passwords, by the name of the user.
  let passwordAttempts: RefusedAttempts
  let sessions = Sessions()
  /// Addresses of proxies that are believed whom they ask for.
  let proxies: Set<String>
  /// Whether the service speaks TLS itself.
  let speaksTLS: Bool

  /// - Parameter limit: refused attempts in a minute; 0 for no limit
  init(_ authenticator: any Authenticator, limit: Int, proxies: [String] = [], speaksTLS: Bool = false) {
    self.authenticator = authenticator
    attempts = RefusedAttempts(limit: limit)
    passwordAttempts = RefusedAttempts(limit: limit)
    self.proxies = Set(proxies.compactMap(Requester.plain))
    self.speaksTLS = speaksTLS
  }

  /// Who knows names and passwords; nil where tokens are all there is.
  var passwords: (any PasswordAuthenticator)? { authenticator as? any PasswordAuthenticator }

  func requester(_ request: Request, address: String?) -> Requester {
    Requester(request.headers, address: address, proxies: proxies, speaksTLS: speaksTLS)
  }

  /// Lets a request in, or not.
  /// - Parameters:
  ///   - session: the page's session, of which no answer shows the token; nil where the request has
  ///     a token of its own, or none. It ends with its token.
  ///   - address: of the client; nil where it needs no limit
  /// - Throws: ``APIError``
  func identity(
    of credentials: Credentials, session: Sessions.Session? = nil, access: String, address: String?
  ) async throws(APIError) -> Identity {
    if let address, attempts.isRefused(address) { throw .tooManyAttempts }
    do throws(AuthenticationError) {
      return try await authenticator.identity(
        of: session?.token ?? credentials.token, for: access, tenant: credentials.headerTenant)
    } catch {
      if error == .unknownToken, let session { sessions.end(session) }
      if error == .unknownToken, !credentials.token.isEmpty, let address { attempts.note(address) }
      throw Gate.refusal(error, credentials, access: access)
    }
  }

  /// The tenants that a request sees: of the query, else of the header, else of the token.
  /// - Throws: ``APIError``: the token does not see the tenant that is named
  func tenants(
    of identity: Identity, _ credentials: Credentials, access: String, isRecursive: Bool
  ) async throws(APIError) -> VisibleTenants {
    let named = credentials.queryTenant ?? credentials.headerTenant
    var chosen: UUIDValue?
    if let named {
      chosen = UUIDValue(named)
      if chosen == nil { throw .unauthorizedTenant(named) }
    }
    do throws(AuthenticationError) {
      if let tenants = try await authenticator.tenants(of: identity, chosen: chosen, isRecursive: isRecursive) { return tenants }
    } catch {
      throw Gate.refusal(error, credentials, access: access)
    }
    throw .unauthorizedTenant(named ?? identity.tenant.description)
  }

  /// Checks that the token belongs to the master tenant.
  /// - Throws: ``APIError``
  func checkMaster(_ identity: Identity, _ credentials: Credentials, access: String) async throws(APIError) {
    do throws(AuthenticationError) {
      if try await authenticator.isMaster(identity.tenant) { return }
    } catch {
      throw Gate.refusal(error, credentials, access: access)
    }
    throw .notOfMaster(credentials.token)
  }

  private static func refusal(_ error: AuthenticationError, _ credentials: Credentials, access: String) -> APIError {
    switch error {
    case .unknownToken: .unknownToken(credentials.token, access: access)
    case .missingAccess: .missingAccess(credentials.token, access: access, tenant: credentials.headerTenant)
    case .unreachable(let host, let port, let reason): .authenticationUnreachable(host: host, port: port, reason: reason)
    case .notInitialized: .notInitialized
    case .tooManyAttempts: .tooManyAttempts
    // No request of the API has a password.
    case .wrongPassword, .tooManySessions: .fault
    }
  }
}

extension Gate {
  /// What attempts for a user's name are counted by. People mistake the fields of a form, and so
  /// the text itself is not kept.
  static func key(ofUser user: String) -> String {
    SHA256.hash(data: Data(user.lowercased().utf8)).map { String($0, radix: 16) }.joined(separator: "-")
  }
}
