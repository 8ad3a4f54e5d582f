import Values

/// Lets everybody in, for a service that only programs of its own machine reach.
public struct NoAuthenticator: Authenticator {
  private let tenant: UUIDValue

  /// Everybody belongs to a tenant, and sees all.
  public init(tenant: UUIDValue) { self.tenant = tenant }

  /// Nobody in particular.
  public func identity(
    of token: String, for access: String, tenant: String?
  ) async throws(AuthenticationError) -> Identity {
    if let tenant, !tenant.isEmpty, UUIDValue(tenant) == nil { throw .missingAccess }
    return Identity(token: "", tenant: self.tenant, user: nil, owner: nil, allowedTenant: tenant.flatMap { UUIDValue($0) })
  }

  /// The tenant that is named, else all.
  public func tenants(
    of identity: Identity, chosen: UUIDValue?, isRecursive: Bool
  ) async throws(AuthenticationError) -> VisibleTenants? {
    if let chosen, chosen != tenant { return VisibleTenants(chosen) }
    return isRecursive ? .all : VisibleTenants(tenant)
  }

  /// Everybody is of the master tenant.
  public func isMaster(_ tenant: UUIDValue) async throws(AuthenticationError) -> Bool { true }

  /// None: nobody needs one.
  public func exportToken(validFor seconds: Int) async -> String? { nil }

  /// There is nobody to be known to.
  public var isReady: Bool { true }
}
