import Authentication
import Foundation
import ServiceSupport
import Store
import TestSupport
import Testing
import Values

@testable import Service

@Suite("Signing in with a name and a password", .fewAtOnce, .timeLimit(.minutes(5)))
struct SignInTests {
  private static var state: WazoAuthOfTests.State {
    var state = WazoAuthOfTests.State()
    for number in 0..<3 { state.parents[uuid(number)] = uuid(0) }
    state.users["admin:s3cret pass+wörd"] = .init(
      tenant: uuid(0), owner: uuid(90), accesses: ["call-logd.#", "auth.tenants.read"])
    state.users["ann:annspass"] = .init(
      tenant: uuid(1), user: uuid(5), owner: uuid(91), accesses: ["call-logd.users.me.cdr.read", "call-logd.users.me.cdr.#"])
    state.users["weak:weakpass"] = .init(tenant: uuid(1), accesses: ["confd.#"])
    state.tokens["given"] = .init(tenant: uuid(0), accesses: ["call-logd.#"])
    return state
  }

  /// Three call logs: of the first tenant, and of the second with and without the user Ann.
  private static func fill(_ database: TestDatabase) throws {
    for number in 0..<3 { try database.run("INSERT INTO call_logd_tenant VALUES ('\(uuid(number))')") }
    for (id, tenant) in [(1, 0), (2, 1), (3, 1)] {
      try database.run(
        """
        INSERT INTO call_logd_call_log (id, date, date_end, tenant_uuid, source_name, direction)
        VALUES (\(id), '2024-01-0\(id)Z', '2024-01-0\(id)Z', '\(uuid(tenant))', 'caller \(id)', 'internal');
        """)
    }
    try database.run(
      """
      INSERT INTO call_logd_call_log_participant (uuid, call_log_id, user_uuid, line_id, role, tags, answered)
      VALUES (gen_random_uuid(), 3, '\(uuid(5))', 1, 'source', ARRAY['secrettag'], true)
      """)
  }

  private func withWazo(
    log: LogRecorder = LogRecorder(), limit: Int = 20,
    _ body: (ServiceUnderTest, WazoAuthOfTests, Doorway) async throws -> Void
  ) async throws {
    let database = try TestDatabase(.empty)
    try Migrator(database.admin).migrate(program: "tests")
    try SignInTests.fill(database)
    try await withDoorway(SignInTests.state, cacheSeconds: 30, log: log) { wazoAuth, doorway, authenticator in
      let service = try await ServiceUnderTest.start(
        database.uri, authenticator, level: log,
        settings: {
          $0.site.limits.refusedAttempts = limit
          $0.events.check = .milliseconds(100)
        })
      let result = await Result { () async throws in try await body(service, wazoAuth, doorway) }
      await service.stop()
      try result.get()
    }
  }

  private func signedIn(_ service: ServiceUnderTest, _ user: String, _ password: String) async throws -> PageOfTest {
    var page = PageOfTest(service: service)
    let answer = try await page.signIn(user, password: password)
    #expect(answer.status == 303, "\(answer.text)")
    page.cookie = try #require(answer.cookie)
    return page
  }

  @Test("A Wazo user gets a token for the session, which ends with it")
  func session() async throws {
    try await withWazo { service, wazoAuth, _ in
      let form = try await PageOfTest(service: service).get("/")
      #expect(form.status == 401 && form.text.contains("name=\"password\"") && form.text.contains("name=\"token\""))
      let page = try await signedIn(service, " admin ", "s3cret pass+wörd")
      #expect(wazoAuth.state.withLock { $0.bodies.contains("{\"expiration\": 43200}") && $0.tokens["made-1"] != nil })
      #expect(try await page.get("/").rows == [3, 2, 1])
      #expect(try await page.get("/1.0/cdr?recurse=true").ids.sorted() == [1, 2, 3])
      let stream = try await StreamClient.open(port: service.port, "", "?recurse=true", cookie: page.cookie)
      #expect(stream.status == 200)
      // Longer than the time after which a stream asks again.
      try await Task.sleep(for: .milliseconds(400))
      #expect(!stream.isOver)

      _ = try await page.post("/session/end")
      #expect(wazoAuth.requests.contains("DELETE /0.1/token/made-1"))
      #expect(wazoAuth.state.withLock { $0.tokens["made-1"] == nil })
      #expect(try await page.get("/").status == 401)
      #expect(await stream.wait { $0.isOver })
    }
  }

  @Test("A token that somebody brought themselves stays when they sign out")
  func ownToken() async throws {
    try await withWazo { service, wazoAuth, _ in
      let page = try await PageOfTest.signedIn(service, token: "given")
      _ = try await page.post("/session/end")
      #expect(!wazoAuth.requests.contains { $0.hasPrefix("DELETE") })
      #expect(try await service.ask(as: "given", "/cdr").status == 200)
    }
  }

  @Test("A user without rights on the tenant sees the calls in which they took part, without tags, and no others")
  func own() async throws {
    try await withWazo { service, _, _ in
      let page = try await signedIn(service, "ann", "annspass")
      let list = try await page.get("/")
      #expect(list.rows == [3] && !list.text.contains("secrettag"))
      #expect(try await page.get("/calls/3").status == 200)
      for other in [1, 2] {
        let answer = try await page.get("/calls/\(other)")
        #expect(answer.status == 404 && !answer.text.contains("caller \(other)"))
      }
      let csv = try await page.get("/calls.csv")
      #expect(csv.status == 200 && csv.text.contains("caller 3") && !csv.text.contains("caller 2"))
      #expect(try await page.get("/1.0/users/me/cdr").ids == [3])
      #expect(try await page.get("/1.0/cdr").status == 401)
    }
  }

  @Test("A wrong password, a user without access and too many tokens each have their page, and leave no token behind")
  func refused() async throws {
    try await withWazo { service, wazoAuth, _ in
      let page = PageOfTest(service: service)
      let wrong = try await page.signIn("admin", password: "sesame")
      #expect(wrong.status == 401 && wrong.text.contains("The user name or the password is wrong."))
      #expect(wrong.text.contains("value=\"admin\"") && !wrong.text.contains("sesame"))
      let weak = try await page.signIn("weak", password: "weakpass")
      #expect(weak.status == 403 && weak.text.contains("gives no access"))
      #expect(wazoAuth.requests.contains("DELETE /0.1/token/made-1"))
      wazoAuth.change { $0.most = 1 }
      let full = try await page.signIn("ann", password: "annspass")
      #expect(full.status == 429 && full.text.contains("in too many places"))
      for answer in [wrong, weak, full] { #expect(answer.cookie == nil && answer.text.contains("role=\"alert\"")) }
      let french = try await page.signIn("admin", password: "sesame", ["Accept-Language": "fr"])
      #expect(french.text.contains("Le nom d’utilisateur ou le mot de passe est incorrect."))
    }
  }

  @Test("Passwords are tried so often: for an address whatever the names, for a name whatever the addresses")
  func attempts() async throws {
    try await withWazo(limit: 3) { service, wazoAuth, _ in
      let page = PageOfTest(service: service)
      func attempt(_ user: String, _ password: String, from address: String) async throws -> Answer {
        try await page.signIn(user, password: password, ["X-Forwarded-For": address])
      }
      // Good ones do not count.
      for _ in 0..<5 { #expect(try await attempt("ann", "annspass", from: "192.0.2.1").status == 303) }
      for number in 0..<3 { #expect(try await attempt("user \(number)", "x", from: "192.0.2.1").status == 401) }
      let asked = wazoAuth.requests.count
      let limited = try await attempt("ann", "annspass", from: "192.0.2.1")
      #expect(limited.status == 429 && limited.text.contains("Too many attempts"))
      #expect(Int(limited.headers["retry-after"] ?? "").map { 1...60 ~= $0 } == true)
      #expect(wazoAuth.requests.count == asked)
      #expect(try await attempt("ann", "annspass", from: "192.0.2.2").status == 303)

      for number in 0..<3 { #expect(try await attempt("Admin", "x", from: "198.51.100.\(number)").status == 401) }
      #expect(try await attempt("admin", "s3cret pass+wörd", from: "198.51.100.9").status == 429)
      #expect(try await attempt("ann", "annspass", from: "198.51.100.9").status == 303)
    }
  }

  @Test("Of many attempts at the same time, no more than the limit reach wazo-auth")
  func burst() async throws {
    try await withWazo(limit: 5) { service, wazoAuth, _ in
      let page = PageOfTest(service: service)
      let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
        for number in 0..<40 { group.addTask { try await page.signIn("admin", password: "guess \(number)").status } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(statuses.count { $0 == 401 } == 5 && statuses.count { $0 == 429 } == 35)
      #expect(wazoAuth.requests.count { $0.hasPrefix("POST") } == 5)
    }
  }

  @Test("While wazo-auth is away, whoever is signed in keeps the session, and others learn why they cannot sign in")
  func away() async throws {
    try await withWazo { service, wazoAuth, doorway in
      // Nothing is remembered of a token that expires at once.
      wazoAuth.change { $0.users["ann:annspass"]?.expiry = "2020-01-01T00:00:00" }
      let page = try await signedIn(service, "ann", "annspass")
      doorway.shut()
      for path in ["/?q=lee", "/calls/3", "/calls.csv?q=lee"] {
        let answer = try await page.get(path)
        #expect(answer.status == 503 && answer.headers["retry-after"] != nil && answer.cookie == nil, "\(path)")
        #expect(
          answer.text.contains("id=\"away\"")
            && answer.text.contains("href=\"\(path == "/calls/3" ? "../calls/3" : "./?q=lee")\""))
      }
      let attempt = try await PageOfTest(service: service).signIn("ann", password: "annspass")
      #expect(attempt.status == 503 && attempt.text.contains("passwords cannot be checked") && attempt.cookie == nil)
      let end = try await page.post("/session/end")
      #expect(end.status == 303)
      try doorway.open()
      #expect(try await page.get("/").status == 401)
      #expect(service.log.lines.contains { $0.text.contains("its token stays valid until it expires") })
      _ = try await signedIn(service, "ann", "annspass")
    }
  }

  @Test("No password, and no token that it gave, is in an answer or in the log")
  func secrets() async throws {
    let log = LogRecorder(level: .trace)
    var answers: [Answer] = []
    try await withWazo(log: log) { service, _, doorway in
      let page = try await signedIn(service, "ann", "annspass")
      for path in ["/", "/calls/3", "/1.0/users/me/cdr", "/session", "/session/end"] { answers.append(try await page.get(path)) }
      answers.append(try await page.signIn("ann", password: "annspass wrong"))
      answers.append(
        try await page.post("/session?user=a", ["user": "ann", "password": "annspass wrong", "to": "annspass wrong"]))
      doorway.shut()
      answers.append(try await page.signIn("ann", password: "annspass"))
    }
    for answer in answers {
      let whole = answer.text + answer.headers.map { "\($0): \($1)" }.joined(separator: "\n")
      #expect(!whole.contains("annspass") && !whole.contains("made-1"), "\(answer.status)")
    }
    #expect(!log.lines.contains { $0.text.contains("annspass") || $0.text.contains("made-1") || $0.text.contains("YW5uOm") })
  }

  @Test("Whoever has to sign in comes to the page that they wanted, also after a mistake")
  func goal() async throws {
    try await withWazo { service, _, _ in
      let page = PageOfTest(service: service)
      for (path, goal) in [
        ("/calls/3?zone=UTC", "./calls/3?zone=UTC"), ("/?q=from:1&open=3", "./?q=from:1&open=3"), ("/", "./"),
        ("/calls.csv?q=a&columns=guide", "./?q=a&columns=guide"),
      ] {
        let form = try await page.get(path)
        let to = String(try #require(form.text.firstMatch(of: /name="to" value="([^"]*)"/)).1).replacing("&amp;", with: "&")
        let mistake = try await page.post("/session", ["user": "ann", "password": "x", "to": to])
        let still = String(try #require(mistake.text.firstMatch(of: /name="to" value="([^"]*)"/)).1).replacing("&amp;", with: "&")
        let answer = try await page.post("/session", ["user": "ann", "password": "annspass", "to": still])
        #expect(answer.headers["location"] == goal, "\(path)")
      }
      let stray = try await page.post("/session", ["user": "ann", "password": "annspass", "to": "//other.example"])
      #expect(stray.status == 303 && stray.headers["location"] == "./")
    }
  }
}
