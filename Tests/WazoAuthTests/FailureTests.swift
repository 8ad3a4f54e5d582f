import Authentication
import ServiceSupport
import TestSupport
import Testing
import Values
import WazoAuth

@Suite("A wazo-auth that fails")
struct FailureTests {
  private static let secret = "s3cr3t-token"

  private static var state: WazoAuthOfTests.State {
    var state = WazoAuthOfTests.State()
    state.tokens[secret] = .init(tenant: uuid(1))
    state.parents = [uuid(1): uuid(1), uuid(2): uuid(1)]
    return state
  }

  /// The error has to be that nobody could be asked, and to hold no token.
  private static func expectUnreachable<T>(
    _ outcome: Result<T, AuthenticationError>, _ location: SourceLocation = #_sourceLocation
  ) {
    guard case .failure(.unreachable(let host, let port, let reason)) = outcome else {
      Issue.record("\(outcome)", sourceLocation: location)
      return
    }
    #expect(host == "127.0.0.1" && port > 0 && !reason.isEmpty, sourceLocation: location)
    #expect(!reason.contains(secret) && !reason.contains("\n"), "\(reason)", sourceLocation: location)
  }

  @Test(
    "allows nothing, is named with its reason, and is not remembered",
    arguments: WazoAuthOfTests.Mode.allCases.filter { $0 != .up && $0 != .held }, [0, 30])
  func modes(mode: WazoAuthOfTests.Mode, cacheSeconds: Int) async throws {
    try await withWazoAuth(
      Self.state, cacheSeconds: cacheSeconds,
      settings: { $0.limit = .milliseconds(mode == .slow || mode == .hanging ? 300 : 20_000) }
    ) { wazoAuth, authenticator in
      func ask() async -> Result<Identity, AuthenticationError> {
        await outcome { () async throws(AuthenticationError) in
          try await authenticator.identity(of: Self.secret, for: someAccess, tenant: nil)
        }
      }
      wazoAuth.change { $0.mode = mode }
      Self.expectUnreachable(await ask())
      let failures = authenticator.counts.failures
      #expect(failures > 0)
      Self.expectUnreachable(await ask())
      #expect(authenticator.counts.failures > failures)

      wazoAuth.change { $0.mode = .up }
      // A time limit of a fast machine must not fail on a slow one.
      var identity: Identity?
      for _ in 0..<50 where identity == nil { identity = try? await ask().get() }
      let known = try #require(identity)
      wazoAuth.change { $0.mode = mode }
      for chosen in [uuid(1), uuid(2)] {
        Self.expectUnreachable(
          await outcome { () async throws(AuthenticationError) in
            try await authenticator.tenants(of: known, chosen: chosen, isRecursive: true)
          })
      }
    }
  }

  @Test("that is stopped is unreachable, with a token and without; when it is back, it is asked again, on the same port")
  func stopped() async throws {
    try await withDoorway(Self.state, cacheSeconds: 0) { _, doorway, authenticator in
      func ask(_ token: String) async -> Result<Identity, AuthenticationError> {
        await outcome { () async throws(AuthenticationError) in
          try await authenticator.identity(of: token, for: someAccess, tenant: nil)
        }
      }
      #expect(try await ask(Self.secret).get().tenant == uuid(1))
      doorway.shut()
      for token in [Self.secret, "", "other", ".."] { Self.expectUnreachable(await ask(token)) }
      try doorway.open()
      #expect(try await ask(Self.secret).get().tenant == uuid(1))
      #expect(await ask("").failure == .unknownToken)
      // The connection that was kept is lost; what only reads is sent again on a new one.
      for _ in 0..<5 {
        doorway.shut()
        try doorway.open()
        #expect(try await ask(Self.secret).get().tenant == uuid(1))
      }
    }
  }

  @Test("a token that vanishes between two requests is unknown")
  func vanished() async throws {
    try await withWazoAuth(Self.state, cacheSeconds: 0) { wazoAuth, authenticator in
      let identity = try await authenticator.identity(of: Self.secret, for: someAccess, tenant: nil)
      wazoAuth.change { $0.tokens = [:] }
      await #expect(throws: AuthenticationError.unknownToken) {
        try await authenticator.tenants(of: identity, chosen: uuid(2), isRecursive: false)
      }
      // Here wazo-auth says only that it does not list tenants.
      #expect(try await authenticator.tenants(of: identity, chosen: nil, isRecursive: true) == VisibleTenants(uuid(1)))
    }
  }

  @Test("a host that does not exist is unreachable")
  func noHost() async throws {
    let authenticator = try WazoAuthenticator(.init(host: "wazo-auth.invalid", port: 9), log: LogRecorder().logger)
    let said = await outcome { () async throws(AuthenticationError) in
      try await authenticator.identity(of: Self.secret, for: someAccess, tenant: nil)
    }
    await authenticator.shutdown()
    guard case .failure(.unreachable(host: "wazo-auth.invalid", port: 9, let reason)) = said else {
      Issue.record("\(said)")
      return
    }
    #expect(!reason.contains(Self.secret))
  }
}
