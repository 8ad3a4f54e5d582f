import Foundation
import HTTPTypes
import ServiceSupport
import Synchronization
import TestSupport
import Testing
import Values

@testable import Service

@Suite("Signing in at the page", .fewAtOnce, .timeLimit(.minutes(5)))
struct PageSessionTests {
  private static let accesses = ["call-logd.cdr.read", "call-logd.cdr.*.read", "call-logd.users.me.cdr.read"]

  @Test("A token opens the list once, and a cookie does from then on, until its owner signs out")
  func whole() async throws {
    try await withService { service, _, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: PageSessionTests.accesses)
      var page = PageOfTest(service: service)
      let first = try await page.get("/?q=ann")
      #expect(first.status == 401 && first.text.contains("type=\"password\"") && first.rows.isEmpty)
      #expect(first.headers["set-cookie"] == nil)

      let answer = try await page.signIn(token, to: "?q=ann&open=17")
      #expect(answer.status == 303 && answer.headers["location"] == "./?q=ann&open=17")
      let cookie = try #require(answer.headers["set-cookie"])
      #expect(cookie.contains(/^wazo-call-logd=[0-9a-f]{64}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/))
      page.cookie = try #require(answer.cookie)
      let list = try await page.get("/")
      #expect(list.status == 200 && list.text.contains("id=\"filter\""))

      #expect(try await page.get("/session/end").headers["location"] == "../")
      let end = try await page.post("/session/end")
      #expect(end.status == 303 && end.headers["set-cookie"]?.contains("Max-Age=0") == true)
      #expect(end.headers["location"] == "./end")
      #expect(try await page.get("/session/end").text.contains("You are signed out"))
      // The old cookie opens nothing any more.
      let ended = try await page.get("/")
      #expect(ended.status == 401 && ended.text.contains("Your session has ended"))
      #expect(try await page.get("/1.0/cdr").status == 401)
    }
  }

  @Test("The API takes the cookie for GET alone, and only where no token is sent")
  func cookieAtTheAPI() async throws {
    try await withService { service, _, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#", "call_logd.#"])
      let page = try await PageOfTest.signedIn(service, token: token)
      for path in ["/1.0/cdr", "/1.0/cdr?format=csv", "/1.0/retention", "/1.0/status"] {
        #expect(try await page.get(path).status == 200, "\(path)")
        #expect(try await page.get(path, ["X-Auth-Token": "unknown"]).status == 401, "\(path)")
      }
      #expect(try await page.get("/1.0/cdr?token=unknown").status == 401)
      for (method, path) in [
        ("PUT", "/retention"), ("DELETE", "/cdr/recordings/media"), ("POST", "/cdr/recordings/media/export"),
        ("PATCH", "/config"),
      ] {
        let own = try await service.ask(method, path, ["Cookie": page.cookie], body: Array("{}".utf8))
        #expect(own.status == 401, "\(method) \(path): \(own.status)")
      }
    }
  }

  @Test("No answer and no line of the log has the token, not even when it has been revoked")
  func secret() async throws {
    try await withService { service, _, tokens in
      let token = try tokens.create(name: "gone", tenants: .all, accesses: ["call-logd.#"])
      let page = try await PageOfTest.signedIn(service, token: token)
      let paths = ["/", "/?q=is:nothing", "/calls/1", "/calls.csv", "/1.0/cdr", "/1.0/cdr/1", "/1.0/config", "/nowhere"]
      var answers: [Answer] = []
      for path in paths { answers.append(try await page.get(path)) }
      #expect(try tokens.revoke("gone"))
      for path in paths { answers.append(try await page.get(path)) }
      answers.append(try await page.signIn(token))
      #expect(answers.contains { $0.status == 401 })
      for answer in answers {
        let headers = answer.headers.map { "\($0): \($1)" }.joined(separator: "\n")
        #expect(!answer.text.contains(token) && !headers.contains(token), "\(answer.status)")
      }
      #expect(!service.log.lines.contains { $0.text.contains(token) })
    }
  }

  @Test("A refused token, a token without access and a form of another site each have their page")
  func refused() async throws {
    try await withService { service, _, tokens in
      let page = PageOfTest(service: service)
      let weak = try tokens.create(name: "weak", tenants: .all, accesses: ["call-logd.status.read"])
      let good = try tokens.create(name: "good", tenants: .all, accesses: PageSessionTests.accesses)
      for (token, status) in [("unknown", 401), ("", 401), (weak, 403)] {
        let answer = try await page.signIn(token)
        #expect(answer.status == status && answer.cookie == nil && answer.text.contains("role=\"alert\""))
      }
      for header in [["Sec-Fetch-Site": "cross-site"], ["Sec-Fetch-Site": "same-site"], ["Origin": "https://other.example"]] {
        let answer = try await page.post("/session", ["token": good], header)
        #expect(answer.status == 403 && answer.cookie == nil, "\(header)")
        let signedIn = try await PageOfTest.signedIn(service, token: good)
        #expect(try await signedIn.post("/session/end", [:], header).status == 403)
        #expect(try await signedIn.get("/").status == 200, "\(header)")
      }
      let french = try await page.post("/session", ["token": "unknown"], ["Accept-Language": "fr-CH, en;q=0.5"])
      #expect(french.text.contains("<html lang=\"fr\">") && french.text.contains("Ce jeton est inconnu"))
    }
  }

  @Test("Whoever tries too many tokens waits, wherever the tokens are tried")
  func attempts() async throws {
    let tokens = try TokensOfTest()
    defer { tokens.remove() }
    let good = try tokens.file.create(name: "good", tenants: .all, accesses: PageSessionTests.accesses)
    let gate = Gate(tokens.authenticator, limit: 3)
    for _ in 0..<3 {
      await #expect(throws: (any Error).self) { _ = try await gate.reader(of: "unknown", address: "192.0.2.1") }
    }
    await #expect(throws: (any Error).self) { _ = try await gate.reader(of: good, address: "192.0.2.1") }
    #expect(try await gate.reader(of: good, address: "192.0.2.2").me == nil)
    // Sessions were checked when they began.
    #expect(try await gate.reader(of: good, address: nil).me == nil)
  }

  @Test("A session ends at once with its token, also where only the API is asked, and never comes back")
  func revoked() async throws {
    try await withService { service, _, tokens in
      let token = try tokens.create(name: "one", tenants: .all, accesses: ["call-logd.#"])
      let page = try await PageOfTest.signedIn(service, token: token)
      #expect(try await page.get("/1.0/cdr").status == 200)
      let file = try String(contentsOfFile: tokens.path, encoding: .utf8)
      #expect(try tokens.revoke("one"))
      #expect(try await page.get("/1.0/cdr").status == 401)
      try file.write(toFile: tokens.path, atomically: false, encoding: .utf8)
      #expect(try await service.ask(as: token, "/cdr").status == 200)
      #expect(try await page.get("/1.0/cdr").status == 401)
      let answer = try await page.get("/")
      #expect(answer.status == 401 && answer.text.contains("Your session has ended"))
    }
  }

  @Test("Each sign-in has a cookie of its own, and ends the session of the one before")
  func rotation() async throws {
    try await withService { service, _, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      let old = try await PageOfTest.signedIn(service, token: token)
      let other = try await PageOfTest.signedIn(service, token: token)
      let answer = try await old.signIn(token)
      var new = old
      new.cookie = try #require(answer.cookie)
      #expect(new.cookie != old.cookie)
      #expect(try await new.get("/").status == 200)
      #expect(try await old.get("/").status == 401)
      #expect(try await other.get("/").status == 200)
    }
  }

  @Test("Behind a proxy that speaks TLS, the cookie is Secure, and is taken by TLS alone")
  func proxy() async throws {
    try await withService { service, _, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      let tls = ["X-Forwarded-Proto": "https"]
      var page = PageOfTest(service: service)
      let answer = try await page.post("/session", ["token": token], tls)
      #expect(answer.headers["set-cookie"]?.contains("; Secure") == true)
      page.cookie = try #require(answer.cookie)
      #expect(page.cookie.hasPrefix("__Host-wazo-call-logd="))
      #expect(try await page.get("/1.0/cdr", tls).status == 200)
      #expect(try await page.get("/1.0/cdr").status == 401)
      page.cookie = String(page.cookie.dropFirst("__Host-".count))
      #expect(try await page.get("/1.0/cdr").status == 401)
      #expect(try await page.get("/1.0/cdr", tls).status == 401)
    }
  }

  // MARK: Sessions

  private func headers(_ cookie: String) -> HTTPFields { [.cookie: "a=b; \(cookie.prefix { $0 != ";" }); c=d"] }

  @Test("A session ends after twelve hours, and the oldest when there are too many")
  func limits() {
    let time = Mutex(ContinuousClock.now)
    let sessions = Sessions(most: 3) { time.withLock { $0 } }
    func wait(_ seconds: Int) { time.withLock { $0 += .seconds(seconds) } }
    func token(_ cookie: String) -> String? { sessions.session(of: headers(cookie), isSecure: true)?.token }
    var cookies: [String] = []
    for number in 0..<5 {
      cookies.append(sessions.begin(token: "\(number)", holder: "\(number)", isSecure: true))
      wait(1)
    }
    #expect(cookies.map(token) == [nil, nil, "2", "3", "4"])
    wait(12 * 3600 - 3)
    #expect(cookies.map(token) == [nil, nil, nil, "3", "4"])
    wait(3)
    #expect(token(cookies[4]) == nil)
    #expect(Set(cookies).count == 5)
  }

  @Test("However often somebody signs in, nobody else is pushed out")
  func holders() {
    let sessions = Sessions(most: 50, mostOfOne: 10)
    let quiet = sessions.begin(token: "quiet", holder: "quiet", isSecure: false)
    var last = ""
    for number in 0..<500 { last = sessions.begin(token: "\(number)", holder: "loud", isSecure: false) }
    #expect(sessions.session(of: headers(quiet), isSecure: false)?.token == "quiet")
    #expect(sessions.session(of: headers(last), isSecure: false)?.token == "499")
    #expect(sessions.count == 11)
  }

  @Test("By TLS, the cookie is Secure, and has the name that ties it to the host")
  func secure() {
    let cookie = Sessions().begin(token: "t", holder: "t", isSecure: true)
    #expect(cookie.contains(/^__Host-wazo-call-logd=[0-9a-f]{64}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure$/))
  }
}
