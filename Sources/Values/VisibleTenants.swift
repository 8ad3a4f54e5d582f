/// The tenants whose call logs somebody may see.
///
/// A query that serves other people demands one of these, so that no caller of it can forget to
/// ask. An empty set of tenants cannot be made: to a query it could mean "nothing" or "everything".
public struct VisibleTenants: Hashable, Sendable {
  /// nil stands for every tenant.
  private let tenants: Set<UUIDValue>?

  /// Every tenant: what somebody of the master tenant sees.
  public static let all = VisibleTenants(known: nil)

  private init(known: Set<UUIDValue>?) { tenants = known }

  /// One tenant.
  public init(_ tenant: UUIDValue) { tenants = [tenant] }

  /// These tenants; nil where there is none among them.
  public init?(_ tenants: some Sequence<UUIDValue>) {
    let set = Set(tenants)
    guard !set.isEmpty else { return nil }
    self.tenants = set
  }

  /// Whether a tenant is among them.
  public func contains(_ tenant: UUIDValue) -> Bool { tenants?.contains(tenant) ?? true }

  /// The tenants in the order of their uuids, at least one; nil where every tenant is visible.
  public var list: [UUIDValue]? { tenants?.sorted() }
}
