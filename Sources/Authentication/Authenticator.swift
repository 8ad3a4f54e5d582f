import Values

/// Knows tokens: wazo-auth, or a file of tokens.
///
/// It fails closed: whoever cannot be asked allows nothing.
public protocol Authenticator: Sendable {
  /// Who a token stands for, if it is valid and gives an access.
  /// - Parameters:
  ///   - token: as the request has it; empty where the request has none
  ///   - access: what the request needs, such as `call-logd.cdr.read`
  ///   - tenant: the header `Wazo-Tenant` as it came, which may be no UUID; nil where there is none
  func identity(of token: String, for access: String, tenant: String?) async throws(AuthenticationError) -> Identity

  /// The tenants that a request sees.
  /// - Parameters:
  ///   - identity: who asks
  ///   - chosen: the tenant that the request names; nil for the token's own
  ///   - isRecursive: whether the tenants below it are seen, too
  /// - Returns: nil where the token may not see the tenant that was chosen
  func tenants(
    of identity: Identity, chosen: UUIDValue?, isRecursive: Bool
  ) async throws(AuthenticationError) -> VisibleTenants?

  /// Whether a tenant is the master tenant, which alone may see the configuration.
  func isMaster(_ tenant: UUIDValue) async throws(AuthenticationError) -> Bool

  /// A token for a link that a mail carries; nil where none can be had.
  /// - Parameter seconds: how long it is valid
  func exportToken(validFor seconds: Int) async -> String?

  /// Whether the service is known to who knows the tokens; true where it need not be.
  var isReady: Bool { get }
}

/// Who a valid token stands for.
public struct Identity: Sendable {
  /// The token.
  public let token: String
  /// The tenant that it belongs to.
  public let tenant: UUIDValue
  /// The user of the PBX whose token it is; nil for a token of a program.
  public let user: UUIDValue?
  /// Whose token it is to who knows the tokens: for Wazo the uuid of the metadata; nil where that
  /// is unknown.
  public let owner: UUIDValue?
  /// A tenant that the token may name, as the check of the access has shown; nil where the request
  /// named none.
  public let allowedTenant: UUIDValue?

  /// An identity of these.
  public init(
    token: String, tenant: UUIDValue, user: UUIDValue?, owner: UUIDValue?, allowedTenant: UUIDValue? = nil
  ) {
    (self.token, self.tenant, self.user, self.owner) = (token, tenant, user, owner)
    self.allowedTenant = allowedTenant
  }
}

extension Identity: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Who it is, without the token.
  public var description: String { "tenant \(tenant), user \(user?.description ?? "none")" }
  /// Who it is, without the token.
  public var debugDescription: String { description }
  /// Who it is, so that `dump` shows no token.
  public var customMirror: Mirror { Mirror(self, children: ["tenant": tenant, "user": user as Any], displayStyle: .struct) }
}

/// Why a request is not let in.
public enum AuthenticationError: Error, Equatable, Sendable {
  /// There is no such token, or it is no longer valid.
  case unknownToken
  /// The token does not give the access, or not for the tenant of the header.
  case missingAccess
  /// Who knows the tokens does not answer. The reason is for people and names no secret.
  case unreachable(host: String, port: Int, reason: String)
  /// The service has no token of its own yet, and so does not know the master tenant.
  case notInitialized
  /// Too many attempts with unknown tokens from one address, or with wrong passwords for one name.
  case tooManyAttempts(retryAfter: Int)
  /// There is no such user, or the password is another one.
  case wrongPassword
  /// The user has as many tokens as wazo-auth allows at the same time.
  case tooManySessions
}
