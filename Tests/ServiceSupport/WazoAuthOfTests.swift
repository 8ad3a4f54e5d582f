import Authentication
import Foundation
import Hummingbird
import HummingbirdTLS
import Synchronization
import TestSupport
import Values
import WazoAuth

/// A wazo-auth of the tests' own: it knows tokens and a tree of tenants, serves them over HTTP, and
/// fails in the ways that servers fail.
package final class WazoAuthOfTests: Sendable {
  package struct Token {
    package var tenant: UUIDValue
    package var user: UUIDValue?
    package var owner: UUIDValue?
    package var accesses = ["#"]
    package var issue = "2024-01-01T00:00:00.000000"
    package var expiry: String? = "2099-01-01T00:00:00.000000"

    package init(
      tenant: UUIDValue, user: UUIDValue? = nil, owner: UUIDValue? = nil, accesses: [String] = ["#"],
      issue: String = "2024-01-01T00:00:00.000000", expiry: String? = "2099-01-01T00:00:00.000000"
    ) {
      (self.tenant, self.user, self.owner, self.accesses) = (tenant, user, owner, accesses)
      (self.issue, self.expiry) = (issue, expiry)
    }
  }

  package enum Mode: CaseIterable {
    case up
    /// Status 500.
    case failing
    /// A redirection to a place that would say yes.
    case redirecting
    /// Right statuses with bodies that are no JSON.
    case garbage
    /// Bodies of JSON with other content.
    case otherJSON
    /// No answer for a long time.
    case slow
    /// The beginning of an answer, and no more for a long time.
    case hanging
    /// Answers without an end.
    case endless
    /// No answer as long as it is so.
    case held
  }

  package struct State {
    package var tokens: [String: Token] = [:]
    /// Each tenant's parent; the topmost one is its own.
    package var parents: [UUIDValue: UUIDValue] = [:]
    /// Items of lists of tenants that are not in the tree.
    package var strayItems: [String] = []
    package var listsNothing = false
    /// The names and secrets that get tokens, with the token that each gets.
    package var services: [String: String] = [:]
    /// The names and passwords of people, with what each token of theirs is like. They get a new
    /// one each time.
    package var users: [String: Token] = [:]
    /// How many tokens people have got.
    package var made = 0
    /// How many tokens people may have got; nil for any number.
    package var most: Int?
    package var mode = Mode.up
    /// Method and path of each request, as they came.
    package var requests: [String] = []
    package var bodies: [String] = []

    package init() {}
  }

  package let state: Mutex<State>
  package init(_ state: State = State()) { self.state = Mutex(state) }

  package var requests: [String] { state.withLock { $0.requests } }
  package func change(_ edit: (inout State) -> Void) { state.withLock { edit(&$0) } }

  // MARK: Serving

  /// Starts it on a free port of 127.0.0.1.
  /// - Parameter certificate: PEM; nil for no TLS
  package func start(certificate: (chain: String, key: String)? = nil) async throws -> Int {
    let (ports, told) = AsyncStream.makeStream(of: Int.self)
    let application = Application(
      responder: CallbackResponder<BasicRequestContext> { [self] request, _ in try await response(to: request) },
      server: try certificate.map { certificate in
        try .tls(
          tlsConfiguration: .makeServerConfiguration(
            certificateChain: [.certificate(try .init(bytes: Array(certificate.chain.utf8), format: .pem))],
            privateKey: .privateKey(try .init(bytes: Array(certificate.key.utf8), format: .pem))))
      } ?? .http1(),
      configuration: .init(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { told.yield($0.localAddress?.port ?? 0) }, logger: quiet)
    let task = Task {
      defer { told.finish() }
      try await application.run()
    }
    guard let port = await ports.first(where: { _ in true }) else {
      try await task.value
      throw JobError(.fault, "the server ended before it listened")
    }
    return port
  }

  /// Lets go of whoever is held. The server itself ends with the process: see ``Doorway``.
  package func stop() async { change { if $0.mode == .held { $0.mode = .up } } }

  // MARK: Answering

  private func response(to request: Request) async throws -> Response {
    let body = String(buffer: try await request.body.collect(upTo: 1 << 16))
    state.withLock {
      $0.requests.append("\(request.method.rawValue) \(request.uri)")
      $0.bodies.append(body)
    }
    while state.withLock({ $0.mode == .held }) { try await Task.sleep(for: .milliseconds(2)) }
    let now = state.withLock { $0 }
    switch now.mode {
    case .up, .held: break
    case .failing: return Response(status: .internalServerError)
    case .redirecting:
      guard request.uri.path == "/0.1/yes" else { return Response(status: .found, headers: [.location: "/0.1/yes"]) }
      return request.method == .head
        ? Response(status: .noContent) : json(WazoAuthOfTests.content("yes", Token(tenant: uuid(1))))
    case .slow: try await Task.sleep(for: .seconds(60))
    case .hanging, .endless:
      return Response(
        status: .ok,
        body: ResponseBody { writer in
          let piece = ByteBuffer(string: String(repeating: " ", count: 65_536))
          repeat { try await writer.write(piece) } while now.mode == .endless
          try await Task.sleep(for: .seconds(60))
        })
    case .garbage, .otherJSON:
      guard request.method != .head else { return Response(status: .noContent) }
      return json(now.mode == .garbage ? "<html>" : "{\"data\": {\"token\": 5}, \"items\": {}}")
    }
    return state.withLock { WazoAuthOfTests.answer(request, &$0) }
  }

  private static func answer(_ request: Request, _ state: inout State) -> Response {
    let path = request.uri.path
    func refusal(_ code: Int) -> Response { Response(status: .init(code: code)) }
    if path == "/0.1/token", request.method == .post {
      let sent = request.headers[.authorization] ?? ""
      let pair = Data(base64Encoded: String(sent.dropFirst("Basic ".count))).map { String(decoding: $0, as: UTF8.self) }
      guard sent.hasPrefix("Basic "), let pair else { return refusal(401) }
      if let token = state.users[pair] {
        if let most = state.most, state.made >= most { return refusal(429) }
        state.made += 1
        state.tokens["made-\(state.made)"] = token
        return json(content("made-\(state.made)", token))
      }
      guard let name = state.services[pair], let token = state.tokens[name] else { return refusal(401) }
      return json(content(name, token))
    }
    if path.hasPrefix("/0.1/token/"), request.method == .delete {
      let name = path.dropFirst("/0.1/token/".count).removingPercentEncoding ?? ""
      return state.tokens.removeValue(forKey: name) == nil ? refusal(404) : json("{\"data\": {\"message\": \"success\"}}")
    }
    if path.hasPrefix("/0.1/token/"), request.method == .head || request.method == .get {
      let name = path.dropFirst("/0.1/token/".count).removingPercentEncoding ?? ""
      guard let token = state.tokens[name] else { return refusal(404) }
      if let scope = request.uri.queryParameters["scope"],
        !AccessList(token.accesses, user: token.user?.description).allows(String(scope))
      {
        return refusal(403)
      }
      if let tenant = request.uri.queryParameters["tenant"] {
        guard let tenant = UUIDValue(String(tenant)), state.isBelow(tenant, token.tenant) else { return refusal(403) }
      }
      return request.method == .head ? Response(status: .noContent) : json(content(name, token))
    }
    if path == "/0.1/tenants", request.method == .get {
      let token = state.tokens[header("X-Auth-Token", request) ?? ""]
      let root = header("Wazo-Tenant", request).flatMap { UUIDValue($0) }
      guard let token, let root, AccessList(token.accesses).allows("auth.tenants.read"), state.isBelow(root, token.tenant) else {
        return refusal(401)
      }
      let below = state.listsNothing ? [] : state.parents.keys.filter { state.isBelow($0, root) }
      let items = below.map { "{\"uuid\": \"\($0)\", \"name\": \"t\"}" } + state.strayItems
      return json("{\"items\": [\(items.joined(separator: ","))], \"total\": \(items.count)}")
    }
    return refusal(404)
  }

  private static func header(_ name: String, _ request: Request) -> String? {
    HTTPFields.Element.Name(name).flatMap { request.headers[$0] }
  }

  private static func content(_ name: String, _ token: Token) -> String {
    func quoted(_ text: String?) -> String { text.map { "\"\($0)\"" } ?? "null" }
    return """
      {"data": {"token": "\(name)", "utc_issued_at": "\(token.issue)", "utc_expires_at": \(quoted(token.expiry)),
      "metadata": {"uuid": \(quoted(token.owner?.description)), "tenant_uuid": "\(token.tenant)",
      "pbx_user_uuid": \(quoted(token.user?.description)), "purpose": "user"}}}
      """
  }
}

private func json(_ text: String) -> Response {
  Response(status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: ByteBuffer(string: text)))
}

extension WazoAuthOfTests.State {
  /// Whether a tenant is another one or lies below it.
  package func isBelow(_ tenant: UUIDValue, _ top: UUIDValue) -> Bool {
    var tenant = tenant
    while tenant != top {
      guard let parent = parents[tenant], parent != tenant else { return false }
      tenant = parent
    }
    return true
  }
}

/// A tenant, user or owner of a number.
package func uuid(_ number: Int) -> UUIDValue {
  UUIDValue(high: 0x1111_0000_0000_4000, low: 0x8000_0000_0000_0000 | UInt64(number))
}

/// The access that the tests ask for where it does not matter.
package let someAccess = "call-logd.cdr.read"

/// Serves a wazo-auth and asks it, and ends both.
package func withWazoAuth(
  _ state: WazoAuthOfTests.State, cacheSeconds: Int = 30, log: LogRecorder = LogRecorder(),
  settings edit: (inout WazoAuthSettings) -> Void = { _ in },
  _ body: (WazoAuthOfTests, WazoAuthenticator) async throws -> Void
) async throws {
  try await withDoorway(state, cacheSeconds: cacheSeconds, log: log, settings: edit) { wazoAuth, _, authenticator in
    try await body(wazoAuth, authenticator)
  }
}

/// The same, with a door before wazo-auth that can be closed.
package func withDoorway(
  _ state: WazoAuthOfTests.State, cacheSeconds: Int = 30, log: LogRecorder = LogRecorder(),
  settings edit: (inout WazoAuthSettings) -> Void = { _ in },
  _ body: (WazoAuthOfTests, Doorway, WazoAuthenticator) async throws -> Void
) async throws {
  let wazoAuth = WazoAuthOfTests(state)
  let doorway = try Doorway(to: try await wazoAuth.start())
  var settings = WazoAuthSettings(host: "127.0.0.1", port: doorway.port, cacheSeconds: cacheSeconds)
  edit(&settings)
  let authenticator = try WazoAuthenticator(settings, log: log.logger)
  let result = await Result { () async throws in try await body(wazoAuth, doorway, authenticator) }
  await authenticator.shutdown()
  doorway.shut()
  await wazoAuth.stop()
  try result.get()
}

extension Result where Failure == any Error {
  /// What an asynchronous body gave.
  package init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}

/// What an authenticator said, to be compared.
package func outcome<T>(_ body: () async throws(AuthenticationError) -> T) async -> Result<T, AuthenticationError> {
  do throws(AuthenticationError) { return .success(try await body()) } catch { return .failure(error) }
}

/// Waits until something is so.
package func until(_ isSo: () -> Bool) async throws {
  let end = ContinuousClock.now + .seconds(60)
  while !isSo() {
    guard ContinuousClock.now < end else { throw JobError(.fault, "it did not come about within a minute") }
    try await Task.sleep(for: .milliseconds(2))
  }
}
