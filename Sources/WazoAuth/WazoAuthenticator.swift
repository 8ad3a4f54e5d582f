import Authentication
import Crypto
import Foundation
import Logging
import Values

/// Knows the tokens of Wazo, by asking wazo-auth over HTTP.
///
/// Answers are remembered for ``WazoAuthSettings/cacheSeconds``, and never past the expiry of their
/// token. Refusals are remembered for 3 seconds, failures not at all. So a token that is revoked
/// still counts for that long. Many requests with the same question make one request of it.
///
/// It fails closed: an answer that is late, missing or not understood allows nothing.
public final class WazoAuthenticator: Authenticator {
  /// A question, of which the token cannot be told.
  private typealias Question = [UInt8]

  let settings: WazoAuthSettings
  let server: AuthServer
  private let own: OwnToken
  private let log: Logger
  private let checks: AnswerCache<Question, Void>
  private let owners: AnswerCache<Question, TokenOwner>
  private let families: AnswerCache<Question, VisibleTenants>
  let endedTokens = EndedTokens()

  /// Whose a token is, without the token.
  private struct TokenOwner: Sendable {
    let tenant: UUIDValue
    let user: UUIDValue?
    let owner: UUIDValue?
    let expiry: Timestamp?
  }

  /// Asks wazo-auth as the settings say. ``run()`` has to run beside it.
  /// - Throws: ``JobError``: the file of certificate authorities cannot be read
  public init(_ settings: WazoAuthSettings, log: Logger) throws(JobError) {
    (self.settings, self.log) = (settings, log)
    server = try AuthServer(settings)
    own = OwnToken(server, settings, log: log)
    let isOn = settings.cacheSeconds > 0
    checks = AnswerCache(capacity: isOn ? 10_000 : 0)
    owners = AnswerCache(capacity: isOn ? 10_000 : 0)
    // One of these can be as large as all tenants together.
    families = AnswerCache(capacity: isOn ? 1000 : 0)
  }

  /// Gets the service's own token and renews it at 80 % of its life, until the task is cancelled.
  /// While wazo-auth is away it tries again after 1, 2, 4, … 32 seconds.
  public func run() async { await own.run() }

  /// Ends the connections. It has to be called once, after the last question.
  public func shutdown() async { await server.shutdown() }

  /// What was asked so far.
  public var counts: WazoAuthCounts { server.snapshot }

  // MARK: Who asks

  /// Who a token stands for: `HEAD /token/…` checks it, `GET /token/…` says whose it is.
  public func identity(
    of token: String, for access: String, tenant: String?
  ) async throws(AuthenticationError) -> Identity {
    guard !endedTokens.contains(token) else { throw .unknownToken }
    let deadline = ContinuousClock.now + settings.limit
    let tenant = tenant.flatMap { $0.isEmpty ? nil : $0 }
    try await check(token, access: access, tenant: tenant, by: deadline)
    let owner = try await owner(of: token, by: deadline)
    return Identity(
      token: token, tenant: owner.tenant, user: owner.user, owner: owner.owner,
      allowedTenant: tenant.flatMap { UUIDValue($0) })
  }

  /// The tenants that a request sees. wazo-auth lists those below another one: `GET /tenants`.
  ///
  /// A token without the access `auth.tenants.read` cannot list them. Then the tenant stands alone.
  public func tenants(
    of identity: Identity, chosen: UUIDValue?, isRecursive: Bool
  ) async throws(AuthenticationError) -> VisibleTenants? {
    guard !endedTokens.contains(identity.token) else { throw .unknownToken }
    let deadline = ContinuousClock.now + settings.limit
    let tenant = chosen ?? identity.tenant
    if tenant != identity.tenant, tenant != identity.allowedTenant {
      do {
        try await check(identity.token, access: nil, tenant: tenant.description, by: deadline)
      } catch {
        if case .missingAccess = error { return nil }
        throw error
      }
    }
    guard isRecursive else { return VisibleTenants(tenant) }
    let key = WazoAuthenticator.question("tenants", identity.token, tenant.description)
    return try await known(families, key) { [server, settings] () async throws(AuthenticationError) in
      let list = try await server.tenants(below: tenant, token: identity.token, by: deadline) ?? []
      return (VisibleTenants([tenant] + list) ?? VisibleTenants(tenant), .seconds(settings.cacheSeconds))
    }
  }

  // MARK: The service itself

  /// Whether it is the tenant of the service's own token.
  /// - Throws: ``AuthenticationError/notInitialized`` as long as the service has had no token
  public func isMaster(_ tenant: UUIDValue) async throws(AuthenticationError) -> Bool {
    guard let master = own.master else { throw .notInitialized }
    return tenant == master
  }

  /// Whether the service has had a token of its own.
  public var isReady: Bool { own.master != nil }

  /// A token of the exports' own name; nil where wazo-auth gives none, which the log explains.
  public func exportToken(validFor seconds: Int) async -> String? {
    guard let credentials = settings.exports else {
      log.warning("no token for a link in a mail: exports has no service_id and service_key")
      return nil
    }
    do {
      return try await server.ownToken(credentials, validFor: seconds, settings.limit).token
    } catch {
      log.warning("no token for a link in a mail: \(error.shown)")
      return nil
    }
  }

  // MARK: Asking once

  private func check(
    _ token: String, access: String?, tenant: String?, by deadline: ContinuousClock.Instant
  ) async throws(AuthenticationError) {
    // What can be no token is one question, whatever it is.
    let name = AuthServer.canBeToken(token) ? token : ""
    let key = WazoAuthenticator.question("check", name, access ?? "", tenant ?? "")
    try await known(checks, key) { [server, settings] () async throws(AuthenticationError) in
      try await server.check(name, access: access, tenant: tenant, by: deadline)
      // Only the owner's answer says when the token expires.
      guard settings.cacheSeconds > 0 else { return ((), .zero) }
      return ((), self.lifetime(try await self.owner(of: token, by: deadline).expiry))
    }
  }

  private func owner(of token: String, by deadline: ContinuousClock.Instant) async throws(AuthenticationError) -> TokenOwner {
    try await known(owners, WazoAuthenticator.question("owner", token)) { [server] () async throws(AuthenticationError) in
      let data = try await server.data(of: token, by: deadline)
      let owner = TokenOwner(tenant: data.tenant, user: data.user, owner: data.owner, expiry: data.expiry)
      return (owner, self.lifetime(data.expiry))
    }
  }

  /// How long a yes is remembered. A token whose expiry cannot be read is asked for each time.
  private func lifetime(_ expiry: Timestamp?) -> Duration {
    guard let expiry else { return .zero }
    let (left, isTooLarge) = expiry.subtractingReportingOverflow(
      Timestamp(secondsSince1970: Date().timeIntervalSince1970))
    let most = Duration.seconds(settings.cacheSeconds)
    return isTooLarge ? (expiry > 0 ? most : .zero) : min(most, .microseconds(left))
  }

  /// The answer to a question, from the cache or by asking.
  private func known<Answer>(
    _ cache: AnswerCache<Question, Answer>, _ question: Question,
    _ ask: @escaping @Sendable () async throws(AuthenticationError) -> (Answer, Duration)
  ) async throws(AuthenticationError) -> Answer {
    let refusals = Duration.seconds(min(3, settings.cacheSeconds))
    let (outcome, isKnown) = await cache.outcome(for: question) {
      do throws(AuthenticationError) {
        let (answer, lifetime) = try await ask()
        return AnswerCache.Reply(.success(answer), for: lifetime)
      } catch {
        switch error {
        case .unknownToken, .missingAccess: return AnswerCache.Reply(.failure(error), for: refusals)
        default: return AnswerCache.Reply(.failure(error), for: .zero)
        }
      }
    }
    server.count { if isKnown { $0.hits += 1 } else { $0.misses += 1 } }
    return try outcome.get()
  }

  /// The hash of a question. The lengths are part of it, so that no two questions are one text.
  private static func question(_ parts: String...) -> Question {
    var hash = SHA256()
    for part in parts {
      hash.update(data: Data("\(part.utf8.count):".utf8))
      hash.update(data: Data(part.utf8))
    }
    return Array(hash.finalize())
  }
}
