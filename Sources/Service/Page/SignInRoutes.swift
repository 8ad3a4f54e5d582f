import API
import Authentication
import HTTPTypes
import Hummingbird
import Logging

/// Signing in at the page, and out again.
struct SignInRoutes: Sendable {
  let gate: Gate
  let log: Logger

  var routes: [Route] {
    [
      Route(.post, "/session", .open) { visit in try await signIn(visit) },
      Route(.post, "/session/end", .open) { visit in await signOut(visit) },
      Route(.get, "/session/end", .open) { visit in signedOut(visit) },
      // Whoever asks for the address of the form again, such as by Enter in the browser's own bar.
      Route(.get, "/session", .open) { _ in SignInRoutes.redirection("./") },
    ]
  }

  // MARK: Reading

  /// Answers somebody who has signed in; the page to sign in at for others.
  func reading(
    _ visit: Visit, _ frame: PageFrame, _ answer: (PageReader) async throws -> Response
  ) async throws -> Response {
    let session = gate.sessions.session(of: visit.request.headers, isSecure: visit.requester.usesTLS)
    let reader: PageReader
    do throws(AuthenticationError) {
      reader = try await gate.reader(of: session?.token ?? "", address: nil)
    } catch {
      return await refusal(error, visit, frame, session)
    }
    visit.note.tenant = reader.tenant
    return try await answer(reader)
  }

  private func refusal(
    _ error: AuthenticationError, _ visit: Visit, _ frame: PageFrame, _ session: Sessions.Session?
  ) async -> Response {
    let (headers, isSecure) = (visit.request.headers, visit.requester.usesTLS)
    var page = page(frame, ReturnAddress(of: visit.request))
    switch error {
    case .unknownToken, .missingAccess:
      if let session { await leave(session) }
      let wasSignedIn = session != nil || gate.sessions.isNamed(in: headers, isSecure: isSecure)
      let lacksAccess = session != nil && error == .missingAccess
      page.message = lacksAccess ? frame.text.missingAccess : wasSignedIn ? frame.text.sessionEnded : nil
      page.comesFromElsewhere = headers[SignInRoutes.fetchSite] == "cross-site"
      // The cookie stays. The page's program may be who asks, and loads the page again when it
      // learns of it: then the page can still say what has happened.
      return PageFrame.response(page.markup, lacksAccess ? .forbidden : .unauthorized)
    default:
      guard session != nil else { return SignInRoutes.refused(error, page) }
      var response = PageFrame.response(SignInPage.away(frame, page.goal), .serviceUnavailable)
      response.headers[.retryAfter] = SignInRoutes.retryAfter
      return response
    }
  }

  private func page(_ frame: PageFrame, _ goal: ReturnAddress) -> SignInPage {
    SignInPage(frame: frame, takesPasswords: gate.passwords != nil, goal: goal)
  }

  // MARK: Signing in

  private func signIn(_ visit: Visit) async throws -> Response {
    let frame = PageFrame(text: .of(visit.request))
    guard SignInRoutes.isOfThisSite(visit.request) else { return SignInRoutes.ofAnotherSite(frame) }
    let form = QueryString(String(decoding: try await visit.body(), as: UTF8.self))
    func field(_ name: String) -> String { form.first(name)?.value ?? "" }
    var page = page(frame, ReturnAddress(field("to")))
    let isByPassword = gate.passwords != nil && form.first("user") != nil
    page.user = String(field("user").drop { $0.isWhitespace }.prefix(256))
    while page.user.last?.isWhitespace == true { page.user.removeLast() }
    page.isOfToken = !isByPassword
    let (requester, headers) = (visit.requester, visit.request.headers)
    var token = field("token").filter { !$0.isWhitespace }
    let reader: PageReader
    do throws(AuthenticationError) {
      if isByPassword {
        token = try await gate.newToken(user: page.user, password: field("password"), address: requester.limitedAddress)
      }
      guard !token.isEmpty else { throw .unknownToken }
      do throws(AuthenticationError) {
        reader = try await gate.reader(of: token, address: isByPassword ? nil : requester.limitedAddress)
      } catch {
        if isByPassword { await end(token) }
        throw error
      }
    } catch {
      return SignInRoutes.refused(error, page)
    }
    visit.note.tenant = reader.tenant
    // Whoever knows the cookie of before knows nothing of the new session.
    if let old = gate.sessions.session(of: headers, isSecure: requester.usesTLS) { await leave(old) }
    var response = SignInRoutes.redirection("./" + page.goal.text)
    response.headers[.setCookie] = gate.sessions.begin(
      token: token, hasOwnToken: isByPassword, holder: reader.holder, isSecure: requester.usesTLS)
    return response
  }

  /// The page to sign in at again.
  private static func refused(_ error: AuthenticationError, _ page: SignInPage) -> Response {
    var page = page
    let (text, own) = (page.frame.text, SignInText.of(page.frame.text))
    let (message, status): (String, HTTPResponse.Status) =
      switch error {
      case .unknownToken: (text.unknownToken, .unauthorized)
      case .wrongPassword: (own.wrongPassword, .unauthorized)
      case .missingAccess: (text.missingAccess, .forbidden)
      case .tooManyAttempts(let seconds): ("\(own.waitBefore) \(seconds) \(own.waitAfter)", .tooManyRequests)
      case .tooManySessions: (own.tooManySessions, .tooManyRequests)
      case .unreachable, .notInitialized:
        (page.takesPasswords && !page.isOfToken ? own.passwordsAway : text.tokensAway, .serviceUnavailable)
      }
    page.message = message
    var response = PageFrame.response(page.markup, status)
    switch error {
    case .tooManyAttempts(let seconds): response.headers[.retryAfter] = String(seconds)
    case .unreachable, .notInitialized: response.headers[.retryAfter] = retryAfter
    default: break
    }
    return response
  }

  // MARK: Signing out

  private func signOut(_ visit: Visit) async -> Response {
    guard SignInRoutes.isOfThisSite(visit.request) else {
      return SignInRoutes.ofAnotherSite(PageFrame(text: .of(visit.request), root: "../"))
    }
    let isSecure = visit.requester.usesTLS
    if let session = gate.sessions.session(of: visit.request.headers, isSecure: isSecure) { await leave(session) }
    var response = SignInRoutes.redirection("./end")
    response.headers[.setCookie] = Sessions.goodbye(isSecure: isSecure)
    return response
  }

  private func signedOut(_ visit: Visit) -> Response {
    if gate.sessions.session(of: visit.request.headers, isSecure: visit.requester.usesTLS) != nil {
      return SignInRoutes.redirection("../")
    }
    return PageFrame.response(SignInPage.signedOut(PageFrame(text: .of(visit.request), root: "../")))
  }

  /// Ends a session, and the token that was made for it.
  private func leave(_ session: Sessions.Session) async {
    gate.sessions.end(session)
    if session.hasOwnToken { await end(session.token) }
  }

  private func end(_ token: String) async {
    guard let passwords = gate.passwords else { return }
    do throws(AuthenticationError) {
      try await passwords.endToken(token)
    } catch {
      guard case .unreachable(_, _, let reason) = error else { return }
      log.warning("wazo-auth was not told that a session has ended; its token stays valid until it expires: \(reason)")
    }
  }

  // MARK: Answers

  private static let fetchSite = HTTPField.Name("Sec-Fetch-Site") ?? .server
  private static let retryAfter = "5"

  private static func redirection(_ address: String) -> Response {
    Response(status: .seeOther, headers: [.location: address, .cacheControl: "no-store"])
  }

  private static func ofAnotherSite(_ frame: PageFrame) -> Response {
    PageFrame.response(frame.notice(frame.text.error, frame.text.otherSite), .forbidden)
  }

  /// Whether a form is one of the service's own (Fetch Metadata Request Headers, 2.4). Browsers
  /// that do not say send the origin.
  private static func isOfThisSite(_ request: Request) -> Bool {
    if let site = request.headers[fetchSite] { return site == "same-origin" || site == "none" }
    guard let origin = request.headers[.origin], origin != "null" else { return true }
    return origin.split(separator: "/", maxSplits: 1).last.map { $0.drop { $0 == "/" } } == request.head.authority.map { $0[...] }
  }
}
