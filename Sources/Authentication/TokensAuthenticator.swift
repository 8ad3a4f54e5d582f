import Foundation
import Synchronization
import Values

/// Knows the tokens of a file: for a plain Asterisk, which has no wazo-auth.
///
/// The tenants of a token are siblings. Nobody here knows what lies below one of them, so that each
/// one other than the token's own stands alone.
///
/// A file that is missing, damaged or open to others allows nothing.
public final class TokensAuthenticator: Authenticator {
  private let file: TokensFile
  private let master: UUIDValue
  private let now: @Sendable () -> Timestamp
  private let report: @Sendable (JobError) -> Void
  /// What was reported last, so that each request does not report it again.
  private let reported = Mutex<String?>(nil)

  /// Who may ask is in the file.
  /// - Parameters:
  ///   - file: the file, which need not exist yet
  ///   - master: the tenant of tokens that see all, which alone may see the configuration
  ///   - report: takes what is wrong with the file, once for each new fault. It is for the log: it
  ///     names the file, which clients need not know.
  public convenience init(
    _ file: TokensFile, master: UUIDValue, report: @escaping @Sendable (JobError) -> Void = { _ in }
  ) {
    self.init(file, master: master, now: { Timestamp(secondsSince1970: Date().timeIntervalSince1970) }, report: report)
  }

  /// The same, with a clock.
  package init(
    _ file: TokensFile, master: UUIDValue, now: @escaping @Sendable () -> Timestamp,
    report: @escaping @Sendable (JobError) -> Void = { _ in }
  ) {
    (self.file, self.master, self.now, self.report) = (file, master, now, report)
  }

  /// Who a token stands for. The owner of a token is its user.
  /// - Throws: ``AuthenticationError/unreachable(host:port:reason:)`` where the file cannot be used
  public func identity(
    of token: String, for access: String, tenant: String?
  ) async throws(AuthenticationError) -> Identity {
    let caller = try caller(token)
    guard caller.access.allows(access) else { throw .missingAccess }
    var allowed: UUIDValue?
    if let tenant, !tenant.isEmpty {
      guard let named = UUIDValue(tenant), caller.tenants(chosen: named, isRecursive: false) != nil else { throw .missingAccess }
      allowed = named
    }
    return Identity(token: token, tenant: caller.tenant, user: caller.user, owner: caller.user, allowedTenant: allowed)
  }

  /// The tenants that a request sees, as ``Caller/tenants(chosen:isRecursive:)`` says.
  /// - Throws: ``AuthenticationError/unknownToken`` where the token was revoked since
  public func tenants(
    of identity: Identity, chosen: UUIDValue?, isRecursive: Bool
  ) async throws(AuthenticationError) -> VisibleTenants? {
    try caller(identity.token).tenants(chosen: chosen, isRecursive: isRecursive)
  }

  /// Whether it is the tenant of tokens that see all.
  public func isMaster(_ tenant: UUIDValue) async throws(AuthenticationError) -> Bool { tenant == master }

  /// None: the file keeps only hashes, and a mail must not carry somebody's own token.
  public func exportToken(validFor seconds: Int) async -> String? { nil }

  /// The file needs no introduction.
  public var isReady: Bool { true }

  /// What a token gives. The file is read again only when it has changed, so that this takes
  /// microseconds.
  private func caller(_ token: String) throws(AuthenticationError) -> Caller {
    let found: Caller?
    do throws(JobError) {
      found = try file.caller(token: token, master: master, at: now())
    } catch {
      let isNew = reported.withLock { last in
        defer { last = error.message }
        return last != error.message
      }
      if isNew { report(error) }
      throw .unreachable(host: "localhost", port: 0, reason: "the file of tokens cannot be used")
    }
    reported.withLock { $0 = nil }
    guard let found else { throw .unknownToken }
    return found
  }
}
