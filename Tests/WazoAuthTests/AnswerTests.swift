import Authentication
import ServiceSupport
import TestSupport
import Testing
import Values
import WazoAuth

@Suite("Who asks, as wazo-auth says")
struct AnswerTests {
  private static let accesses = [
    "call-logd.cdr.read", "call-logd.cdr.*.read", "call-logd.users.me.#", "call-logd.#", "auth.tenants.read", "#",
    "!call-logd.cdr.read",
  ]
  private static let asked = [
    "call-logd.cdr.read", "call-logd.cdr.7.read", "call-logd.users.me.cdr.read", "call_logd.config.read",
  ]

  @Test("any token, tenant and access is answered as the tree of tenants and the token have it", arguments: [0, 30])
  func anyToken(cacheSeconds: Int) async throws {
    var random = Seeded()
    var state = WazoAuthOfTests.State()
    for number in 0..<9 { state.parents[uuid(number)] = uuid(random.oneIn(4) ? number : random.below(max(1, number))) }
    for number in 0..<6 {
      state.tokens["token-\(number)"] = .init(
        tenant: uuid(random.below(9)), user: random.oneIn(2) ? uuid(100 + number) : nil,
        owner: random.oneIn(4) ? nil : uuid(200 + number), accesses: Self.accesses.filter { _ in random.oneIn(3) })
    }
    try await withWazoAuth(state, cacheSeconds: cacheSeconds) { _, authenticator in
      for _ in 0..<300 {
        let name = "token-\(random.below(7))"
        let access = random.pick(Self.asked)
        let header = random.pick([nil, nil, "", "garbage", "\(uuid(random.below(10)))", "\(uuid(random.below(10)))"])
        let said = await outcome { () async throws(AuthenticationError) in
          try await authenticator.identity(of: name, for: access, tenant: header)
        }
        guard let token = state.tokens[name] else {
          #expect(said.failure == .unknownToken, "\(random)")
          continue
        }
        let named = header.flatMap { $0.isEmpty ? nil : UUIDValue($0) }
        let isTenantFine = (header ?? "").isEmpty || named.map { state.isBelow($0, token.tenant) } ?? false
        guard AccessList(token.accesses, user: token.user?.description).allows(access), isTenantFine else {
          #expect(said.failure == .missingAccess, "\(random)")
          continue
        }
        let identity = try said.get()
        #expect(identity.token == name && identity.tenant == token.tenant, "\(random)")
        #expect(identity.user == token.user && identity.owner == token.owner && identity.allowedTenant == named, "\(random)")

        let chosen = random.pick([nil, named, uuid(random.below(10))])
        let isRecursive = random.oneIn(2)
        let visible = try await authenticator.tenants(of: identity, chosen: chosen, isRecursive: isRecursive)
        let top = chosen ?? token.tenant
        if !state.isBelow(top, token.tenant) {
          #expect(visible == nil, "\(random)")
        } else if isRecursive, AccessList(token.accesses).allows("auth.tenants.read") {
          #expect(visible?.list == state.parents.keys.filter { state.isBelow($0, top) }.sorted(), "\(random)")
        } else {
          #expect(visible == VisibleTenants(top), "\(random)")
        }
      }
    }
  }

  @Test("only uuids of a list of tenants count, and the chosen tenant always does")
  func strayItems() async throws {
    var state = WazoAuthOfTests.State()
    state.tokens["a"] = .init(tenant: uuid(1))
    state.parents = [uuid(1): uuid(1), uuid(2): uuid(1)]
    state.strayItems = ["{\"uuid\": \"all\"}", "{\"uuid\": null}", "{\"uuid\": 5}", "{}", "null", "\"\(uuid(7))\"", "[]"]
    try await withWazoAuth(state, cacheSeconds: 0) { wazoAuth, authenticator in
      let identity = try await authenticator.identity(of: "a", for: someAccess, tenant: nil)
      #expect(try await authenticator.tenants(of: identity, chosen: nil, isRecursive: true)?.list == [uuid(1), uuid(2)])
      wazoAuth.change { $0.listsNothing = true }
      for chosen in [nil, uuid(1), uuid(2)] {
        let visible = try await authenticator.tenants(of: identity, chosen: chosen, isRecursive: true)
        #expect(visible == VisibleTenants(chosen ?? uuid(1)))
      }
      wazoAuth.change { $0.strayItems.append("{\"uuid\": \"\(uuid(3))\"}") }
      for chosen in [uuid(1), uuid(2)] {
        #expect(try await authenticator.tenants(of: identity, chosen: chosen, isRecursive: true)?.list == [chosen, uuid(3)])
      }
    }
  }

  @Test(
    "a token that is none leads to no other path, and is unknown",
    arguments: [
      "", ".", "..", "../token", "../tenants", "a/b", "a\\b", "a b", "a\u{0}b", "é", "a?b", "a#b", "a%2fb", "x&tenant=y",
    ])
  func strangeTokens(token: String) async throws {
    try await withWazoAuth(.init()) { wazoAuth, authenticator in
      await #expect(throws: AuthenticationError.unknownToken) {
        try await authenticator.identity(of: token, for: someAccess, tenant: nil)
      }
      #expect(wazoAuth.requests.count == 1)
      let path = try #require(wazoAuth.requests.first)
      #expect(path.hasPrefix("HEAD /0.1/token/") && path.hasSuffix("?scope=\(someAccess)"), "\(path)")
      let name = path.dropFirst("HEAD /0.1/token/".count).dropLast("?scope=\(someAccess)".count)
      #expect(name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "%") }, "\(path)")
    }
  }

  @Test("an own tenant that is not recursive, and a tenant of the header, need no further request")
  func noRequest() async throws {
    var state = WazoAuthOfTests.State()
    state.tokens["a"] = .init(tenant: uuid(1))
    state.parents = [uuid(1): uuid(1), uuid(2): uuid(1)]
    try await withWazoAuth(state, cacheSeconds: 0) { wazoAuth, authenticator in
      let identity = try await authenticator.identity(of: "a", for: someAccess, tenant: "\(uuid(2))")
      let before = wazoAuth.requests
      #expect(before == ["HEAD /0.1/token/a?scope=\(someAccess)&tenant=\(uuid(2))", "GET /0.1/token/a"])
      for chosen in [nil, uuid(1), uuid(2)] {
        let visible = try await authenticator.tenants(of: identity, chosen: chosen, isRecursive: false)
        #expect(visible == VisibleTenants(chosen ?? uuid(1)))
      }
      #expect(wazoAuth.requests == before)
    }
  }
}

extension Result {
  /// The error; nil for a success.
  var failure: Failure? {
    guard case .failure(let failure) = self else { return nil }
    return failure
  }
}
