import Authentication
import Foundation
import ServiceSupport
import Store
import TestSupport
import Testing
import Values

@testable import Service

@Suite("Who is let in", .fewAtOnce, .timeLimit(.minutes(5)))
struct GateTests {
  private static func add(_ database: TestDatabase) throws {
    try database.run(
      """
      INSERT INTO call_logd_tenant VALUES ('\(uuid(0))');
      INSERT INTO call_logd_call_log (id, date, date_end, tenant_uuid, source_name)
      VALUES (1, '2024-01-01Z', '2024-01-01Z', '\(uuid(0))', 'secretword');
      """)
  }

  private static let paths = ["/cdr", "/cdr?limit=0", "/cdr?format=csv", "/cdr/1", "/users/\(uuid(3))/cdr", "/retention"]

  @Test("Nothing is served while wazo-auth is away, and all again when it is back")
  func away() async throws {
    let database = try TestDatabase(.empty)
    try Migrator(database.admin).migrate(program: "tests")
    try GateTests.add(database)
    var state = WazoAuthOfTests.State()
    state.parents[uuid(0)] = uuid(0)
    state.tokens["good"] = .init(tenant: uuid(0))
    try await withDoorway(state, cacheSeconds: 0) { wazoAuth, doorway, authenticator in
      let service = try await ServiceUnderTest.start(database.uri, authenticator)
      #expect(try await service.ask(as: "good", "/cdr").text.contains("secretword"))
      doorway.shut()
      for path in GateTests.paths {
        let answer = try await service.ask(as: "good", path)
        #expect(answer.status == 503 && answer.errorID == "authentication-server-unreachable", "\(path): \(answer.text)")
        #expect(!answer.text.contains("secretword") && answer.headers["retry-after"] != nil)
      }
      try doorway.open()
      #expect(try await service.ask(as: "good", "/cdr").status == 200)
      wazoAuth.change { $0.tokens = [:] }
      #expect(try await service.ask(as: "good", "/cdr").status == 401)
      await service.stop()
    }
  }

  @Test("Nothing is served with a damaged file of tokens, and a token that is revoked is refused at once")
  func tokens() async throws {
    try await withService { service, database, tokens in
      try GateTests.add(database)
      let (one, two) = (
        try tokens.create(name: "one", tenants: .all, accesses: ["call-logd.#"]),
        try tokens.create(name: "two", tenants: .all, accesses: ["call-logd.#"])
      )
      #expect(try await service.ask(as: one, "/cdr").text.contains("secretword"))
      #expect(try tokens.revoke("one"))
      for path in GateTests.paths { #expect(try await service.ask(as: one, path).status == 401) }
      #expect(try await service.ask(as: two, "/cdr").status == 200)
      let whole = try String(contentsOfFile: tokens.path, encoding: .utf8)
      for damage in [whole + "garbage\n", String(whole.dropLast(20)) + "\n", "\u{0}"] {
        try damage.write(toFile: tokens.path, atomically: false, encoding: .utf8)
        for path in GateTests.paths {
          let answer = try await service.ask(as: two, path)
          #expect(answer.status >= 401 && !answer.text.contains("secretword"), "\(path): \(answer.status)")
          #expect(!answer.text.contains(tokens.path))
        }
      }
      try whole.write(toFile: tokens.path, atomically: false, encoding: .utf8)
      #expect(try await service.ask(as: two, "/cdr").status == 200)
    }
  }

  @Test("An address is refused after as many attempts as the limit says, and no other one with it")
  func attempts() {
    var random = Seeded()
    for limit in [0, 1, 2, 20] {
      let attempts = RefusedAttempts(limit: limit)
      var counts: [String: Int] = [:]
      for _ in 0..<2000 {
        let address = "10.0.0.\(random.below(30))"
        if random.oneIn(2) {
          attempts.note(address)
          counts[address, default: 0] += 1
        }
        #expect(attempts.isRefused(address) == (limit > 0 && counts[address, default: 0] >= limit), "\(random)")
      }
    }
    // So many addresses do not fill the memory.
    let attempts = RefusedAttempts(limit: 1)
    for number in 0..<25_000 { attempts.note("address \(number)") }
    #expect(attempts.isRefused("address 24999"))
  }

  @Test("Programs of this machine are never limited")
  func loopback() async throws {
    try await withService(settings: { $0.site.limits.refusedAttempts = 2 }) { service, _, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      for _ in 0..<20 { #expect(try await service.ask(as: "wrong", "/cdr").status == 401) }
      #expect(try await service.ask(as: token, "/cdr").status == 200)
    }
  }

  @Test("No token is ever in the log, at any level, whether header or query has it")
  func secrets() async throws {
    let database = try TestDatabase(.empty)
    try Migrator(database.admin).migrate(program: "tests")
    var state = WazoAuthOfTests.State()
    state.parents[uuid(0)] = uuid(0)
    state.tokens["sesame-good"] = .init(tenant: uuid(0))
    let log = LogRecorder(level: .trace)
    try await withWazoAuth(state, cacheSeconds: 0, log: log) { wazoAuth, authenticator in
      let service = try await ServiceUnderTest.start(database.uri, authenticator, level: log)
      service.debug.isOn = true
      for isAway in [false, true] {
        if isAway { await wazoAuth.stop() }
        for token in ["sesame-good", "sesame-bad"] {
          for path in ["/cdr", "/cdr/1", "/config", "/nowhere", "/exports/\(uuid(1))/download", "/cdr?limit=x", "/cdr?limit=0"] {
            let mark = path.contains("?") ? "&" : "?"
            for name in ["token", "t%6Fken", "tok%65n"] {
              _ = try await service.ask("GET", "\(path)\(mark)\(name)=\(token)")
              _ = try await service.ask(
                "GET", "\(path)\(mark)limit=1&\(name)=\(token)&tenant=\(uuid(4))", ["X-Auth-Token": token])
            }
          }
        }
      }
      await service.stop()
    }
    #expect(log.lines.count { $0.text.contains("GET /1.0/cdr") } > 20)
    #expect(!log.lines.contains { $0.text.contains("sesame") })
  }
}
