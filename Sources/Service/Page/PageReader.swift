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
  /// Whose session it is or would be.
  let holder: String
}

extension Gate {
  /// Who a token lets in. A token that may list call logs sees those of its tenant and of the
  /// tenants below. One that may list its user's own sees those.
  /// - Parameter address: of the client; nil where it needs no limit
  func reader(of token: String, address: String?) async throws(AuthenticationError) -> PageReader {
    if let address, let seconds = attempts.wait(address) { throw .tooManyAttempts(retryAfter: seconds) }
    do throws(AuthenticationError) {
      let (identity, isOwn) = try await identity(of: token)
      if isOwn, identity.user == nil { throw .missingAccess }
      guard let tenants = try await authenticator.tenants(of: identity, chosen: nil, isRecursive: !isOwn) else {
        throw .missingAccess
      }
      let holder = identity.owner.map { "owner \($0)" } ?? "token \(identity.token)"
      return PageReader(tenant: identity.tenant, tenants: tenants, me: isOwn ? identity.user : nil, holder: holder)
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

  /// A token of somebody, for a session.
  ///
  /// Attempts are counted for the address and for the name, so that neither one machine nor many
  /// can try passwords without end.
  /// - Parameter address: of the client; nil where it needs no limit
  func newToken(user: String, password: String, address: String?) async throws(AuthenticationError) -> String {
    guard let passwords else { throw .wrongPassword }
    let name = Gate.key(ofUser: user)
    if let address, let seconds = attempts.take(address) { throw .tooManyAttempts(retryAfter: seconds) }
    func giveBack() {
      if let address { attempts.giveBack(address) }
    }
    if let seconds = passwordAttempts.take(name) {
      giveBack()
      throw .tooManyAttempts(retryAfter: seconds)
    }
    do throws(AuthenticationError) {
      let token = try await passwords.newToken(user: user, password: password, validFor: Sessions.seconds)
      giveBack()
      passwordAttempts.giveBack(name)
      return token
    } catch {
      if error != .wrongPassword {
        giveBack()
        passwordAttempts.giveBack(name)
      }
      throw error
    }
  }
}
