import Authentication
import Foundation
import ServiceSupport
import TestSupport
import Testing
import Values
import WazoAuth

@Suite("The service's own token")
struct OwnTokenTests {
  private static let service = WazoAuthSettings.Credentials(name: "call-logd", secret: "pässword-1")
  private static let exports = WazoAuthSettings.Credentials(name: "exports", secret: "key-2")

  private static var state: WazoAuthOfTests.State {
    var state = WazoAuthOfTests.State()
    state.tokens = ["own": .init(tenant: uuid(9)), "mail": .init(tenant: uuid(9)), "a": .init(tenant: uuid(1))]
    state.services = ["call-logd:pässword-1": "own", "exports:key-2": "mail"]
    return state
  }

  /// Runs something beside the renewal of the token.
  private static func running(_ authenticator: WazoAuthenticator, _ body: () async throws -> Void) async throws {
    let task = Task { await authenticator.run() }
    let result = await Result { () async throws in try await body() }
    task.cancel()
    await task.value
    try result.get()
  }

  @Test("the master tenant is that of the token; before there is one it is not known")
  func master() async throws {
    let log = LogRecorder()
    try await withWazoAuth(Self.state, log: log, settings: { $0.service = Self.service }) { wazoAuth, authenticator in
      #expect(!authenticator.isReady)
      await #expect(throws: AuthenticationError.notInitialized) { try await authenticator.isMaster(uuid(9)) }
      try await Self.running(authenticator) {
        try await until { authenticator.isReady }
        #expect(try await authenticator.isMaster(uuid(9)))
        #expect(try await !authenticator.isMaster(uuid(1)))
      }
      #expect(authenticator.isReady, "what is known stays known")
      #expect(wazoAuth.requests == ["POST /0.1/token"])
      #expect(wazoAuth.state.withLock { $0.bodies } == ["{\"expiration\": 21600}"])
    }
    #expect(log.infos.contains { $0.contains("\(uuid(9))") })
    #expect(log.lines.allSatisfy { !$0.text.contains("own") && !$0.text.contains("pässword-1") })
  }

  @Test("wazo-auth that is away, that fails or that does not know the service is asked again; no secret is logged")
  func away() async throws {
    let log = LogRecorder()
    var state = Self.state
    state.services = [:]
    try await withDoorway(
      state, log: log,
      settings: {
        $0.service = Self.service
        $0.pause = .milliseconds(1)
      }
    ) { wazoAuth, doorway, authenticator in
      try await Self.running(authenticator) {
        try await until { log.warnings.contains { $0.contains("does not know the name call-logd") } }
        wazoAuth.change { $0.mode = .failing }
        try await until { log.warnings.contains { $0.contains("status 500") } }
        doorway.shut()
        try await until { log.warnings.contains { $0.contains("refused") } }
        #expect(!authenticator.isReady)
        wazoAuth.change {
          $0.mode = .up
          $0.services = Self.state.services
        }
        try doorway.open()
        try await until { authenticator.isReady }
      }
    }
    #expect(log.lines.allSatisfy { !$0.text.contains("pässword-1") && !$0.text.contains("Basic") })
  }

  @Test("the token is renewed before it ends, and a master tenant that is another then counts")
  func renewal() async throws {
    var state = Self.state
    state.tokens["own"]?.issue = "2024-01-01T00:00:00"
    state.tokens["own"]?.expiry = "2024-01-01T00:00:00.01"
    try await withWazoAuth(
      state,
      settings: {
        $0.service = Self.service
        $0.pause = .microseconds(100)
      }
    ) { wazoAuth, authenticator in
      try await Self.running(authenticator) {
        try await until { wazoAuth.requests.count >= 3 }
        wazoAuth.change { $0.tokens["own"]?.tenant = uuid(8) }
        let before = wazoAuth.requests.count
        try await until { wazoAuth.requests.count >= before + 2 }
        #expect(try await authenticator.isMaster(uuid(8)))
        wazoAuth.change { $0.mode = .failing }
        try await until { authenticator.counts.failures > 3 }
        #expect(try await authenticator.isMaster(uuid(8)), "what was known stays known")
      }
    }
  }

  @Test("a token is used for 80 % of its life, six hours at most, whatever the times say")
  func life() {
    let hour: Timestamp = 3_600_000_000
    #expect(OwnToken.renewal(issue: 0, expiry: hour) == .seconds(2880))
    for (issue, expiry) in [(0, 6 * hour), (0, 900 * hour), (nil, hour), (0, nil), (.min, .max)] as [(Timestamp?, Timestamp?)] {
      #expect(OwnToken.renewal(issue: issue, expiry: expiry) == .seconds(17_280))
    }
    #expect(OwnToken.renewal(issue: hour, expiry: 0) == .zero)
    #expect(
      (-1...8).map { OwnToken.pause(after: $0, unit: .seconds(1)) } == [1, 1, 2, 4, 8, 16, 32, 32, 32, 32].map { .seconds($0) })
  }

  @Test("without a name for itself the service says so, and waits to be ended")
  func nameless() async throws {
    let log = LogRecorder()
    try await withWazoAuth(Self.state, log: log) { wazoAuth, authenticator in
      try await Self.running(authenticator) { try await until { !log.lines.isEmpty } }
      #expect(!authenticator.isReady && wazoAuth.requests.isEmpty)
      #expect(log.lines.contains { $0.level == .error })
    }
  }

  @Test("a token for mails is that of the exports' name, for as long as is asked; where there is none the log says why")
  func exportToken() async throws {
    let log = LogRecorder()
    try await withWazoAuth(Self.state, log: log, settings: { $0.exports = Self.exports }) { wazoAuth, authenticator in
      #expect(await authenticator.exportToken(validFor: 86_400) == "mail")
      #expect(wazoAuth.state.withLock { $0.bodies } == ["{\"expiration\": 86400}"])
      #expect(log.lines.isEmpty)
      for mode in [WazoAuthOfTests.Mode.failing, .garbage] {
        wazoAuth.change { $0.mode = mode }
        #expect(await authenticator.exportToken(validFor: 60) == nil)
      }
      wazoAuth.change { ($0.mode, $0.services) = (.up, [:]) }
      #expect(await authenticator.exportToken(validFor: 60) == nil)
      #expect(log.warnings.count == 3 && log.warnings.allSatisfy { !$0.contains("key-2") })
    }
    try await withWazoAuth(Self.state, log: log) { wazoAuth, authenticator in
      #expect(await authenticator.exportToken(validFor: 60) == nil)
      #expect(wazoAuth.requests.isEmpty && log.warnings.count == 4)
    }
  }
}

@Suite("Where wazo-auth is")
struct WazoAuthSettingsTests {
  @Test(
    "a prefix stands before the version of the API, however it is written",
    arguments: [nil, "", "/", "api/auth", "/api/auth", "/api/auth/"] as [String?])
  func prefix(prefix: String?) {
    let path = (prefix ?? "").contains("auth") ? "/api/auth/0.1" : "/0.1"
    #expect("\(WazoAuthSettings(port: 9497, prefix: prefix))" == "http://localhost:9497\(path)")
    #expect("\(WazoAuthSettings(host: "::1", port: 443, usesTLS: true, prefix: prefix))" == "https://[::1]:443\(path)")
  }

  @Test("no text of the settings holds a secret")
  func secrets() {
    let settings = WazoAuthSettings(
      service: .init(name: "a", secret: "hidden"), exports: .init(name: "b", secret: "hidden"))
    var dumped = ""
    dump(settings, to: &dumped)
    dump(settings.service, to: &dumped)
    for text in ["\(settings)", String(reflecting: settings), dumped, "\(String(describing: settings.exports))"] {
      #expect(!text.contains("hidden"), "\(text)")
    }
  }

  @Test("certificate authorities that cannot be read are an error of the configuration")
  func authorities() {
    let error = #expect(throws: JobError.self) {
      try WazoAuthenticator(.init(usesTLS: true, verification: .authority("/nowhere/ca.pem")), log: LogRecorder().logger)
    }
    #expect(error?.exitReason == .configuration && error?.message.contains("/nowhere/ca.pem") == true)
  }
}
