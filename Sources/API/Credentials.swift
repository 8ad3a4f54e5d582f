import Authentication
import Values

/// What a request says of who asks, and for which tenant.
///
/// Requests that a browser makes by a link, such as the download of a recording, may name both in
/// the query. There the query wins, for the token and for the tenant.
public struct Credentials: Sendable {
  /// Where a request may name its token and its tenant, beside the headers.
  public enum QueryUse: Sendable {
    /// Nowhere.
    case nothing
    /// The tenant in the query.
    case tenant
    /// Both in the query.
    case tokenAndTenant
  }

  /// The token; empty where none was sent.
  public let token: String
  /// The tenant of the header; nil where there is none.
  public let headerTenant: String?
  /// The tenant of the query, which may be empty; nil where there is none.
  public let queryTenant: String?

  /// Reads them. An empty header is none, and so is an empty token in the query.
  /// - Parameters:
  ///   - tokenHeader: `X-Auth-Token`
  ///   - tenantHeader: `Wazo-Tenant`
  public init(_ query: QueryString, _ use: QueryUse, tokenHeader: String?, tenantHeader: String?) {
    var token = tokenHeader ?? ""
    var queryTenant: String?
    switch use {
    case .nothing: break
    case .tenant, .tokenAndTenant:
      // A tenant that is no UTF-8 is nobody's tenant; it must not count as none.
      queryTenant = query.first("tenant").map { $0.value ?? "" }
      if case .tokenAndTenant = use, let sent = query.first("token")?.value, !sent.isEmpty { token = sent }
    }
    self.token = token
    self.queryTenant = queryTenant
    headerTenant = tenantHeader.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Whether a caller may do something, for the tenant of the header. That is asked first, whatever
  /// else the request says.
  /// - Parameter caller: whom the token stands for; nil where it is not valid
  /// - Throws: ``APIError``
  public func check(_ caller: Caller?, access: String) throws(APIError) -> Caller {
    guard let caller else { throw .unknownToken(token, access: access) }
    guard caller.access.allows(access), headerTenant.map({ Credentials.sees(caller, $0) }) ?? true else {
      throw .missingAccess(token, access: access, tenant: headerTenant)
    }
    return caller
  }

  /// The tenants that the request sees: of the query, else of the header, else of the caller.
  /// - Parameters:
  ///   - caller: who was checked
  ///   - isRecursive: whether tenants below count
  /// - Throws: ``APIError``: the caller does not see the tenant that is named
  public func tenants(of caller: Caller, isRecursive: Bool) throws(APIError) -> VisibleTenants {
    guard let named = queryTenant ?? headerTenant else {
      return caller.tenants(chosen: nil, isRecursive: isRecursive) ?? VisibleTenants(caller.tenant)
    }
    guard let tenant = UUIDValue(named), let tenants = caller.tenants(chosen: tenant, isRecursive: isRecursive) else {
      throw .unauthorizedTenant(named)
    }
    return tenants
  }

  private static func sees(_ caller: Caller, _ tenant: String) -> Bool {
    UUIDValue(tenant).map { caller.tenants(chosen: $0, isRecursive: false) != nil } ?? false
  }
}
