import Authentication
import ServiceSupport
import TestSupport
import Testing
import Values
import WazoAuth

@Suite("Names and passwords of Wazo's users")
struct PasswordTests {
  private static var state: WazoAuthOfTests.State {
    var state = WazoAuthOfTests.State()
    state.users["ann:opensesame"] = .init(tenant: uuid(1), user: uuid(5))
    state.users["zoë@example.com:pä:ß wörd"] = .init(tenant: uuid(1))
    return state
  }

  @Test("get a new token each time, which is asked for with its time and is valid until it is ended")
  func tokens() async throws {
    try await withWazoAuth(Self.state) { wazoAuth, authenticator in
      let one = try await authenticator.newToken(user: "ann", password: "opensesame", validFor: 43_200)
      let two = try await authenticator.newToken(user: "zoë@example.com", password: "pä:ß wörd", validFor: 60)
      #expect(one != two)
      #expect(wazoAuth.state.withLock { $0.bodies.prefix(2) } == ["{\"expiration\": 43200}", "{\"expiration\": 60}"])
      #expect(try await authenticator.identity(of: one, for: someAccess, tenant: nil).user == uuid(5))
      try await authenticator.endToken(one)
      #expect(wazoAuth.requests.last == "DELETE /0.1/token/\(one)")
      // What was remembered of it counts no more.
      await #expect(throws: AuthenticationError.unknownToken) {
        try await authenticator.identity(of: one, for: someAccess, tenant: nil)
      }
      #expect(try await authenticator.identity(of: two, for: someAccess, tenant: nil).tenant == uuid(1))
      try await authenticator.endToken(one)
    }
  }

  @Test("are wrong where wazo-auth says so, and are not asked for where they can be nobody's")
  func wrong() async throws {
    try await withWazoAuth(Self.state) { wazoAuth, authenticator in
      func ask(_ user: String, _ password: String) async -> AuthenticationError? {
        await outcome { () async throws(AuthenticationError) in
          try await authenticator.newToken(user: user, password: password, validFor: 60)
        }.failure
      }
      for (user, password) in [("ann", "wrong"), ("bob", "opensesame")] { #expect(await ask(user, password) == .wrongPassword) }
      let asked = wazoAuth.requests.count
      // The colon would move a part of the name into the password.
      for (user, password) in [("", "opensesame"), ("ann", ""), ("ann:open", "sesame"), (":", ":")] {
        #expect(await ask(user, password) == .wrongPassword)
      }
      #expect(wazoAuth.requests.count == asked)
      wazoAuth.change { $0.most = 0 }
      #expect(await ask("ann", "opensesame") == .tooManySessions)
    }
  }

  @Test(
    "are never in an error, however wazo-auth fails",
    arguments: WazoAuthOfTests.Mode.allCases.filter { $0 != .up && $0 != .held })
  func failures(mode: WazoAuthOfTests.Mode) async throws {
    let log = LogRecorder(level: .trace)
    try await withWazoAuth(
      Self.state, log: log, settings: { $0.limit = .milliseconds(mode == .slow || mode == .hanging ? 300 : 20_000) }
    ) { wazoAuth, authenticator in
      wazoAuth.change { $0.mode = mode }
      let said = await outcome { () async throws(AuthenticationError) in
        try await authenticator.newToken(user: "ann", password: "opensesame", validFor: 60)
      }
      guard case .failure(.unreachable(_, _, let reason)) = said else {
        Issue.record("\(said)")
        return
      }
      #expect(!reason.contains("opensesame") && !reason.contains("YW5uO"), "\(reason)")
    }
    #expect(!log.lines.contains { $0.text.contains("opensesame") })
  }
}
