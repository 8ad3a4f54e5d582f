import Values

/// Who asks: what a valid token gives.
public struct Caller: Sendable {
  /// The tenant that the token belongs to.
  public let tenant: UUIDValue
  /// That tenant and those below it.
  public let tenants: VisibleTenants
  /// The user whose token it is; nil for a token of a program.
  public let user: UUIDValue?
  /// What it may do.
  public let access: AccessList

  /// A caller of these.
  public init(tenant: UUIDValue, tenants: VisibleTenants, user: UUIDValue?, access: AccessList) {
    (self.tenant, self.tenants, self.user, self.access) = (tenant, tenants, user, access)
  }

  /// The tenants that a request sees.
  ///
  /// What lies below a tenant other than the caller's own is not known here, so that such a tenant
  /// stands alone.
  /// - Parameters:
  ///   - chosen: the tenant that the request names; nil for the caller's own
  ///   - isRecursive: whether the tenants below it are seen, too
  /// - Returns: nil where the caller may not see the tenant that was chosen.
  public func tenants(chosen: UUIDValue?, isRecursive: Bool) -> VisibleTenants? {
    let tenant = chosen ?? self.tenant
    guard tenant == self.tenant || tenants.contains(tenant) else { return nil }
    return isRecursive && tenant == self.tenant ? tenants : VisibleTenants(tenant)
  }
}
