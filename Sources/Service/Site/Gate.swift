import API
import Authentication
import Synchronization
import Values

/// Lets requests in. It is the one place where tokens are asked about: a route's answer gets a
/// ``Visit``, and only the gate makes one.
struct Gate: Sendable {
  let authenticator: any Authenticator
  let attempts: RefusedAttempts
  let sessions: Sessions

  /// Lets a request in, or not.
  /// - Parameters:
  ///   - session: the token of the page's session, which no answer shows; nil where the request has
  ///     a token of its own, or none
  ///   - address: of the client; nil where it needs no limit
  /// - Throws: ``APIError``
  func identity(
    of credentials: Credentials, session: String? = nil, access: String, address: String?
  ) async throws(APIError) -> Identity {
    if let address, attempts.isRefused(address) { throw .tooManyAttempts }
    do throws(AuthenticationError) {
      return try await authenticator.identity(of: session ?? credentials.token, for: access, tenant: credentials.headerTenant)
    } catch {
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
    }
  }
}

/// Counts attempts with unknown tokens, by the client's address.
final class RefusedAttempts: Sendable {
  private struct Count {
    var number: Int
    var since: ContinuousClock.Instant
  }

  private let limit: Int
  private let counts = Mutex<[String: Count]>([:])
  private static let window = Duration.seconds(60)
  private static let mostAddresses = 10_000

  /// - Parameter limit: attempts in a minute; 0 for no limit
  init(limit: Int) { self.limit = limit }

  func isRefused(_ address: String) -> Bool {
    guard limit > 0 else { return false }
    return counts.withLock { counts in
      guard let count = counts[address] else { return false }
      guard ContinuousClock.now - count.since < RefusedAttempts.window else {
        counts[address] = nil
        return false
      }
      return count.number >= limit
    }
  }

  func note(_ address: String) {
    guard limit > 0 else { return }
    let now = ContinuousClock.now
    counts.withLock { counts in
      if var count = counts[address], now - count.since < RefusedAttempts.window {
        count.number += 1
        counts[address] = count
        return
      }
      if counts.count >= RefusedAttempts.mostAddresses {
        counts = counts.filter { now - $0.value.since < RefusedAttempts.window }
        // Whoever has so many addresses would otherwise fill the memory.
        if counts.count >= RefusedAttempts.mostAddresses { counts.removeAll() }
      }
      counts[address] = Count(number: 1, since: now)
    }
  }
}
