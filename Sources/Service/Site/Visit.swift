import API
import Authentication
import Hummingbird
import NIOCore
import Values

/// A request that was let in.
struct Visit: Sendable {
  let request: Request
  let path: PathValues
  let query: QueryString
  let identity: Identity
  let note: AccessNote
  let channel: any Channel
  let requester: Requester
  private let credentials: Credentials
  private let access: String
  private let gate: Gate
  private let limits: SiteSettings.Limits

  /// Asks the gate.
  /// - Throws: ``APIError``
  init(
    _ request: Request, _ route: Route, _ path: PathValues, _ query: QueryString, access: String, gate: Gate,
    limits: SiteSettings.Limits, note: AccessNote, channel: any Channel
  ) async throws(APIError) {
    credentials = Credentials(
      query, route.queryUse, tokenHeader: request.headers[.authToken], tenantHeader: request.headers[.tenant])
    requester = gate.requester(request, address: channel.remoteAddress?.ipAddress)
    identity = try await gate.identity(
      of: credentials, session: Visit.session(request, credentials, requester, gate), access: access,
      address: requester.limitedAddress)
    (self.request, self.path, self.query, self.access) = (request, path, query, access)
    (self.gate, self.limits, self.note, self.channel) = (gate, limits, note, channel)
    note.tenant = identity.tenant
  }

  /// A visit of somebody who need not say who it is.
  init(
    open request: Request, _ path: PathValues, _ query: QueryString, gate: Gate, limits: SiteSettings.Limits, note: AccessNote,
    channel: any Channel
  ) {
    credentials = Credentials(query, .nothing, tokenHeader: nil, tenantHeader: nil)
    identity = Identity(token: "", tenant: UUIDValue(high: 0, low: 0), user: nil, owner: nil)
    requester = gate.requester(request, address: channel.remoteAddress?.ipAddress)
    (self.request, self.path, self.query, access) = (request, path, query, "")
    (self.gate, self.limits, self.note, self.channel) = (gate, limits, note, channel)
  }

  /// The tenants that the request sees.
  /// - Throws: ``APIError``
  func tenants(isRecursive: Bool) async throws(APIError) -> VisibleTenants {
    try await gate.tenants(of: identity, credentials, access: access, isRecursive: isRecursive)
  }

  /// Asks the gate again, as if the request came now.
  /// - Returns: the tenants that it sees now
  /// - Throws: ``APIError``: the token is no longer valid, or whoever knows it cannot be asked
  func tenantsNow(isRecursive: Bool) async throws(APIError) -> VisibleTenants {
    let session = Visit.session(request, credentials, requester, gate)
    let identity = try await gate.identity(of: credentials, session: session, access: access, address: nil)
    return try await gate.tenants(of: identity, credentials, access: access, isRecursive: isRecursive)
  }

  /// The one tenant that the request is about: the one that it names, else the token's.
  /// - Throws: ``APIError``: the token does not see it
  func tenant() async throws(APIError) -> UUIDValue {
    let tenants = try await tenants(isRecursive: false)
    return tenants.list?.first ?? identity.tenant
  }

  /// The user whose token it is.
  /// - Throws: ``APIError``: the token has none
  func me() throws(APIError) -> UUIDValue {
    guard let user = identity.user else { throw .userNeeded }
    return user
  }

  /// Checks that the token belongs to the master tenant.
  /// - Throws: ``APIError``
  func checkMaster() async throws(APIError) { try await gate.checkMaster(identity, credentials, access: access) }

  /// Whether the answer shall be CSV. A client's header that prefers CSV wins over `format=json`.
  func wantsCSV(_ format: ListParameters.Format?) -> Bool {
    format == .csv || AcceptHeader(request.headers[.accept]).prefersCSV
  }

  /// The body, whatever its type says.
  /// - Throws: ``APIError``: too long, or too slow
  func body() async throws -> [UInt8] {
    let limit = limits.body
    let request = request
    return try await withThrowingTaskGroup(of: [UInt8].self) { group in
      group.addTask {
        var bytes: [UInt8] = []
        for try await piece in request.body {
          guard bytes.count + piece.readableBytes <= limit else { throw APIError.tooLarge(limit: limit) }
          bytes += piece.readableBytesView
        }
        return bytes
      }
      group.addTask {
        try await Task.sleep(for: limits.request)
        throw APIError.tooSlow
      }
      defer { group.cancelAll() }
      return try await group.next() ?? []
    }
  }

  /// The session of the page that a request belongs to. A cookie comes along with whatever a
  /// browser is made to ask, and so changes nothing.
  private static func session(
    _ request: Request, _ credentials: Credentials, _ requester: Requester, _ gate: Gate
  ) -> Sessions.Session? {
    guard credentials.token.isEmpty, request.method == .get || request.method == .head else { return nil }
    return gate.sessions.session(of: request.headers, isSecure: requester.usesTLS)
  }
}
