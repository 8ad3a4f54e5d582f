import API
import Authentication
import Values

/// Who looks at the page, and what they see.
struct PageReader: Sendable {
  /// The tenant of the token.
  let tenant: UUIDValue
  let tenants: VisibleTenants
  /// The user, where only the calls in which they took part are seen; nil where all are.
  let me: UUIDValue?
}

extension Gate {
  /// Who a token lets in. A token that may list call logs sees those of its tenant and of the
  /// tenants below. One that may list its user's own sees those.
  /// - Parameter address: of the client; nil where it needs no limit
  func reader(of token: String, address: String?) async throws(AuthenticationError) -> PageReader {
    if let address, attempts.isRefused(address) { throw .tooManyAttempts(retryAfter: 60) }
    do throws(AuthenticationError) {
      let (identity, isOwn) = try await identity(of: token)
      if isOwn, identity.user == nil { throw .missingAccess }
      guard let tenants = try await authenticator.tenants(of: identity, chosen: nil, isRecursive: !isOwn) else {
        throw .missingAccess
      }
      return PageReader(tenant: identity.tenant, tenants: tenants, me: isOwn ? identity.user : nil)
    } catch {
      if error == .unknownToken, !token.isEmpty, let address { attempts.note(address) }
      throw error
    }
  }

  private func identity(of token: String) async throws(AuthenticationError) -> (Identity, isOwn: Bool) {
    do throws(AuthenticationError) {
      return (try await authenticator.identity(of: token, for: RequiredAccess.listCallLogs, tenant: nil), false)
    } catch {
      guard error == .missingAccess else { throw error }
    }
    return (try await authenticator.identity(of: token, for: RequiredAccess.listOwnCallLogs, tenant: nil), true)
  }
}
