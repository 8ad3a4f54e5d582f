import Authentication
import Foundation
import Synchronization
import TestSupport
import Testing
import Values

@Suite("Tokens of a file")
struct TokensAuthenticatorTests {
  /// A file in a folder of its own, which goes away with it.
  private final class Place: Sendable {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tokens-\(UUID().uuidString)").path
    var file: TokensFile { TokensFile(folder + "/tokens") }

    deinit { try? FileManager.default.removeItem(atPath: folder) }
  }

  private static func uuid(_ number: UInt64) -> UUIDValue { UUIDValue(high: 7, low: number) }
  private static let master = uuid(99)
  private static let access = "call-logd.cdr.read"

  /// What was thrown, or what came.
  private static func outcome<T>(
    _ body: () async throws(AuthenticationError) -> T
  ) async -> Result<T, AuthenticationError> {
    do throws(AuthenticationError) { return .success(try await body()) } catch { return .failure(error) }
  }

  @Test("a token that is not in the file, is empty, is revoked or has expired is unknown")
  func unknown() async throws {
    let place = Place()
    let token = try place.file.create(name: "a", tenants: .all, accesses: ["#"], expiry: 1_000_000)
    let time = Mutex<Timestamp>(999_999)
    let authenticator = TokensAuthenticator(place.file, master: Self.master, now: { time.withLock { $0 } })
    let identity = try await authenticator.identity(of: token, for: Self.access, tenant: nil)
    for other in ["", "x", token + "a", String(token.dropLast())] {
      await #expect(throws: AuthenticationError.unknownToken) {
        try await authenticator.identity(of: other, for: Self.access, tenant: nil)
      }
    }
    time.withLock { $0 = 1_000_000 }
    await #expect(throws: AuthenticationError.unknownToken) {
      try await authenticator.identity(of: token, for: Self.access, tenant: nil)
    }
    time.withLock { $0 = 0 }
    #expect(try place.file.revoke("a"))
    await #expect(throws: AuthenticationError.unknownToken) {
      try await authenticator.tenants(of: identity, chosen: nil, isRecursive: true)
    }
  }

  @Test("me in an access is the user of the token; the owner is the user, too")
  func me() async throws {
    let place = Place()
    let token = try place.file.create(
      name: "a", tenants: .some(own: Self.uuid(1), others: []), user: Self.uuid(5), accesses: ["call-logd.users.me.#"])
    let authenticator = TokensAuthenticator(place.file, master: Self.master)
    let identity = try await authenticator.identity(of: token, for: "call-logd.users.me.cdr.read", tenant: nil)
    #expect(identity.user == Self.uuid(5) && identity.owner == Self.uuid(5) && identity.tenant == Self.uuid(1))
    #expect(identity.token == token && identity.allowedTenant == nil)
    var dumped = ""
    dump(identity, to: &dumped)
    for text in ["\(identity)", String(reflecting: identity), dumped] {
      #expect(text.contains("\(Self.uuid(1))") && !text.contains(token), "a token is shown: \(text)")
    }
    _ = try await authenticator.identity(of: token, for: "call-logd.users.\(Self.uuid(5)).cdr.read", tenant: nil)
    await #expect(throws: AuthenticationError.missingAccess) {
      try await authenticator.identity(of: token, for: "call-logd.users.\(Self.uuid(6)).cdr.read", tenant: nil)
    }
  }

  @Test("a file that is missing, damaged or open to others allows nothing; the fault is reported once, its path not to clients")
  func closed() async throws {
    let place = Place()
    let file = place.file
    let reports = Mutex<[String]>([])
    let authenticator = TokensAuthenticator(
      file, master: Self.master, report: { error in reports.withLock { $0.append(error.message) } })
    #expect(authenticator.isReady)

    func expectClosed(_ token: String, reports count: Int, _ location: SourceLocation = #_sourceLocation) async {
      for _ in 0..<3 {
        let error = await #expect(throws: AuthenticationError.self, sourceLocation: location) {
          try await authenticator.identity(of: token, for: Self.access, tenant: nil)
        }
        guard case .unreachable(_, _, let reason)? = error else {
          Issue.record("\(String(describing: error))", sourceLocation: location)
          return
        }
        #expect(!reason.contains(place.folder), sourceLocation: location)
      }
      #expect(reports.withLock { $0.count } == count, sourceLocation: location)
    }

    await expectClosed("anything", reports: 1)
    let token = try file.create(name: "a", tenants: .all, accesses: ["#"])
    _ = try await authenticator.identity(of: token, for: Self.access, tenant: nil)
    let good = try String(contentsOfFile: file.path, encoding: .utf8)
    try Data((good + "pasted-secret\n").utf8).write(to: URL(fileURLWithPath: file.path))
    chmod(file.path, 0o600)
    await expectClosed(token, reports: 2)
    try Data(good.utf8).write(to: URL(fileURLWithPath: file.path))
    chmod(file.path, 0o644)
    await expectClosed(token, reports: 3)
    chmod(file.path, 0o600)
    _ = try await authenticator.identity(of: token, for: Self.access, tenant: nil)
    #expect(reports.withLock { $0.allSatisfy { !$0.contains("pasted-secret") } })
  }

  @Test("only the tenant of tokens that see all is the master; no token is made for mails")
  func master() async throws {
    let authenticator = TokensAuthenticator(Place().file, master: Self.master)
    #expect(try await authenticator.isMaster(Self.master))
    #expect(try await !authenticator.isMaster(Self.uuid(1)))
    #expect(await authenticator.exportToken(validFor: 60) == nil)
  }

  @Test("any token sees the tenants that stand in its line, and no other, whatever the request names")
  func anyToken() async throws {
    var random = Seeded()
    let place = Place()
    let authenticator = TokensAuthenticator(place.file, master: Self.master)
    let accesses = ["call-logd.cdr.read", "call-logd.cdr.*.read", "call-logd.#", "#", "!call-logd.cdr.read"]
    for number in 0..<12 {
      // Nil stands for all.
      let line = random.oneIn(4) ? nil : (0...random.below(3)).map { _ in Self.uuid(UInt64(random.below(5))) }
      let list = accesses.filter { _ in random.oneIn(2) }
      let token = try place.file.create(
        name: "t\(number)", tenants: line.map { .some(own: $0[0], others: Array($0.dropFirst())) } ?? .all, accesses: list)
      for _ in 0..<12 {
        let access = random.pick(["call-logd.cdr.read", "call-logd.cdr.1.read", "call_logd.config.read"])
        let header = random.pick([nil, "", "garbage"] + (0..<6).map { "\(Self.uuid(UInt64($0)))" })
        func sees(_ tenant: UUIDValue) -> Bool { line?.contains(tenant) ?? true }
        let mayEnter = AccessList(list).allows(access) && (header ?? "").isEmpty != (UUIDValue(header ?? "").map(sees) ?? false)
        let outcome = await Self.outcome { () async throws(AuthenticationError) in
          try await authenticator.identity(of: token, for: access, tenant: header)
        }
        guard mayEnter else {
          guard case .failure(.missingAccess) = outcome else {
            Issue.record("\(random): \(list) \(access) \(header ?? "-"): \(outcome)")
            continue
          }
          continue
        }
        let identity = try outcome.get()
        let own = line?[0] ?? Self.master
        #expect(identity.tenant == own && identity.user == nil && identity.allowedTenant == UUIDValue(header ?? ""), "\(random)")
        let chosen = random.oneIn(3) ? nil : Self.uuid(UInt64(random.below(6)))
        let isRecursive = random.oneIn(2)
        let visible = try await authenticator.tenants(of: identity, chosen: chosen, isRecursive: isRecursive)
        let named = chosen ?? own
        if !sees(named) {
          #expect(visible == nil, "\(random)")
        } else if isRecursive, named == own {
          #expect(visible?.list == line.map { Set($0).sorted() }, "\(random)")
        } else {
          #expect(visible == VisibleTenants(named), "\(random)")
        }
      }
    }
  }
}
