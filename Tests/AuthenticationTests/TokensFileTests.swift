import Authentication
import Foundation
import TestSupport
import Testing
import Values

@Suite("The file of tokens")
struct TokensFileTests {
  /// A file in a folder of its own.
  private struct Place {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tokens-\(UUID().uuidString)").path
    var path: String { folder + "/tokens" }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    func write(_ text: String, mode: mode_t = 0o600) throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      chmod(path, mode)
    }

    /// Writes it in place, and sets the time of the change.
    func write(_ text: String, at time: Date) throws {
      let handle = try #require(FileHandle(forWritingAtPath: path))
      try handle.write(contentsOf: Data(text.utf8))
      try handle.close()
      try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: path)
    }

    var text: String { get throws { try String(contentsOfFile: path, encoding: .utf8) } }
    var mode: mode_t {
      var status = stat()
      return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }
  }

  private static func uuid(_ number: UInt64) -> UUIDValue {
    UUIDValue(high: 0x0102_0304_0506_4708, low: 0x8000_0000_0000_0000 | number)
  }
  private static let master = uuid(99)
  private static let digest = String(repeating: "0a", count: 32)

  @Test("a token that was made gives its tenant, its user and its accesses; the file is for its owner only and does not hold it")
  func create() throws {
    let place = Place()
    defer { place.remove() }
    let file = TokensFile(place.path)
    let token = try file.create(
      name: "grafana", tenants: .some(own: Self.uuid(1), others: [Self.uuid(2)]), user: Self.uuid(7),
      accesses: ["call-logd.users.me.#"])
    #expect(token.count == 43 && token.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
    #expect(place.mode == 0o600)
    #expect(try !place.text.contains(token))
    let caller = try #require(try file.caller(token: token, master: Self.master, at: 0))
    #expect(caller.tenant == Self.uuid(1) && caller.user == Self.uuid(7))
    #expect(caller.tenants == VisibleTenants([Self.uuid(2), Self.uuid(1)]))
    #expect(caller.access.allows("call-logd.users.\(Self.uuid(7)).cdr.read"))
    for other in ["", token + "x", String(token.dropLast()), token.uppercased()] {
      #expect(try file.caller(token: other, master: Self.master, at: 0) == nil)
    }
  }

  @Test("a token for all tenants belongs to the master tenant")
  func all() throws {
    let place = Place()
    defer { place.remove() }
    let file = TokensFile(place.path)
    let token = try file.create(name: "a", tenants: .all, accesses: ["#"])
    let caller = try #require(try file.caller(token: token, master: Self.master, at: 0))
    #expect(caller.tenant == Self.master && caller.tenants == .all && caller.user == nil)
  }

  @Test("a token ends at its expiry")
  func expiry() throws {
    let place = Place()
    defer { place.remove() }
    let file = TokensFile(place.path)
    let token = try file.create(name: "a", tenants: .all, accesses: ["#"], expiry: 1_000_000)
    #expect(try file.caller(token: token, master: Self.master, at: 999_999) != nil)
    #expect(try file.caller(token: token, master: Self.master, at: 1_000_000) == nil)
    #expect(throws: JobError.self) { try file.create(name: "b", tenants: .all, accesses: [], expiry: .max) }
  }

  @Test("a token that was revoked is unknown at once, also to a reader that knew it; what people wrote stays")
  func revoke() throws {
    let place = Place()
    defer { place.remove() }
    try place.write("# ours\n\n")
    let (writer, reader) = (TokensFile(place.path), TokensFile(place.path))
    let first = try writer.create(name: "first", tenants: .all, accesses: ["#"])
    let second = try writer.create(name: "second", tenants: .all, accesses: ["#"])
    #expect(try reader.caller(token: first, master: Self.master, at: 0) != nil)
    #expect(try writer.revoke("first"))
    #expect(try !writer.revoke("first"))
    #expect(try reader.caller(token: first, master: Self.master, at: 0) == nil)
    #expect(try reader.caller(token: second, master: Self.master, at: 0) != nil)
    #expect(try reader.entries().map(\.name) == ["second"])
    #expect(try place.text.hasPrefix("# ours\n\nsecond sha256:"))
  }

  @Test("what somebody writes into the file counts without a restart")
  func edited() throws {
    let place = Place()
    defer { place.remove() }
    let file = TokensFile(place.path)
    let token = try file.create(name: "a", tenants: .all, accesses: ["call-logd.cdr.read"])
    let caller = try #require(try file.caller(token: token, master: Self.master, at: 0))
    #expect(!caller.access.allows("call-logd.status.read"))
    try place.write(try place.text.replacing("call-logd.cdr.read", with: "call-logd.#"))
    let changed = try #require(try file.caller(token: token, master: Self.master, at: 0))
    #expect(changed.access.allows("call-logd.status.read"))
    try FileManager.default.removeItem(atPath: place.path)
    #expect(throws: JobError.self) { try file.caller(token: token, master: Self.master, at: 0) }
  }

  @Test("changes that follow each other at once, and leave the size as it is, are seen all the same")
  func quickly() throws {
    let place = Place()
    defer { place.remove() }
    let file = TokensFile(place.path)
    let token = try file.create(name: "a", tenants: .all, accesses: ["call-logd.x"])
    let text = try place.text
    // As a file system has it whose clock ticks seldom.
    let now = Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded(.down))
    for round in 0..<20 {
      let letter = round % 2 == 0 ? "y" : "z"
      try place.write(text.replacing("call-logd.x", with: "call-logd.\(letter)"), at: now)
      let caller = try #require(try file.caller(token: token, master: Self.master, at: 0))
      #expect(caller.access.allows("call-logd.\(letter)"))
    }
  }

  @Test("a file that was left alone is not read again")
  func settled() throws {
    let place = Place()
    defer { place.remove() }
    let file = TokensFile(place.path)
    let token = try file.create(name: "a", tenants: .all, accesses: ["call-logd.x"])
    let text = try place.text
    let old = Date(timeIntervalSince1970: 1000)
    try place.write(text, at: old)
    #expect(try file.caller(token: token, master: Self.master, at: 0)?.access.allows("call-logd.x") == true)
    // Nothing shows this change.
    try place.write(text.replacing("call-logd.x", with: "call-logd.y"), at: old)
    #expect(try file.caller(token: token, master: Self.master, at: 0)?.access.allows("call-logd.x") == true)
  }

  @Test(
    "a file that others can read or write is not used, and not made private by itself",
    arguments: [0o640, 0o604, 0o620, 0o601] as [mode_t])
  func open(mode: mode_t) throws {
    let place = Place()
    defer { place.remove() }
    try place.write("", mode: mode)
    let error = #expect(throws: JobError.self) { try TokensFile(place.path).entries() }
    #expect(error?.exitReason == .configuration && error?.message.contains("chmod 600") == true)
    #expect(throws: JobError.self) { try TokensFile(place.path).create(name: "a", tenants: .all, accesses: []) }
    #expect(place.mode == mode)
  }

  @Test("all bad lines are told by their numbers, without what stands there, and none of the file is used")
  func badLines() throws {
    let place = Place()
    defer { place.remove() }
    let good = "good sha256:\(Self.digest) all - # -"
    let bad = [
      "secret-token", "b sha256:12 all - # -", "c sha256:\(Self.digest) nobody - # -",
      "d sha256:\(Self.digest) all alice # -", "e sha256:\(Self.digest) all - a,,b -", "f sha256:\(Self.digest) all - # tomorrow",
      "g/h sha256:\(Self.digest) all - # -", good, "again sha256:\(Self.digest) all - # -", "x sha256:\(Self.digest) all - # - -",
      "y sha256:\(Self.digest) \(Self.uuid(1)), - # -",
    ]
    try place.write("# people\n\(good)\n\n" + bad.map { $0 + "\n" }.joined())
    let error = #expect(throws: JobError.self) { try TokensFile(place.path).entries() }
    let message = error?.message ?? ""
    for line in 4..<(4 + bad.count) { #expect(message.contains("line \(line): "), "\(message)") }
    #expect(!message.contains("line 1:") && !message.contains("line 2:") && !message.contains("line 3:"))
    #expect(!message.contains("secret-token") && !message.contains(Self.digest) && !message.contains("tomorrow"))
  }

  @Test("the empty token is nobody's, even where its hash stands in the file")
  func empty() throws {
    let place = Place()
    defer { place.remove() }
    try place.write("empty sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 all - # -\n")
    let file = TokensFile(place.path)
    #expect(try file.entries().count == 1)
    #expect(try file.caller(token: "", master: Self.master, at: 0) == nil)
  }

  @Test("names are unlike each other, and what cannot be a name or an access is refused")
  func refused() throws {
    let place = Place()
    defer { place.remove() }
    let file = TokensFile(place.path)
    _ = try file.create(name: "a", tenants: .all, accesses: [])
    let before = try place.text
    for name in ["a", "", "a b", "a\nb", String(repeating: "a", count: 65)] {
      #expect(throws: JobError.self) { try file.create(name: name, tenants: .all, accesses: []) }
    }
    for access in ["", "a b", "a,b", "a\n", "-"] {
      #expect(throws: JobError.self) { try file.create(name: "b", tenants: .all, accesses: [access]) }
    }
    #expect(try place.text == before)
  }

  @Test("any token that is made is read as it was made")
  func anyToken() throws {
    var random = Seeded()
    let place = Place()
    defer { place.remove() }
    let file = TokensFile(place.path)
    for number in 0..<20 {
      let tenants: TokenEntry.Tenants =
        random.oneIn(3)
        ? .all
        : .some(
          own: Self.uuid(random.next() >> 4), others: (0..<Int.random(in: 0...3, using: &random)).map { Self.uuid(UInt64($0)) })
      let user = random.oneIn(2) ? Self.uuid(random.next() >> 4) : nil
      let accesses = (0..<Int.random(in: 0...3, using: &random)).map { _ in
        String((0..<Int.random(in: 1...9, using: &random)).compactMap { _ in "!ab.*#é".randomElement(using: &random) }) + "a"
      }
      let expiry = random.oneIn(2) ? Int64.random(in: -6_000_000_000...250_000_000_000, using: &random) * 1_000_000 : nil
      _ = try file.create(name: "token-\(number)", tenants: tenants, user: user, accesses: accesses, expiry: expiry)
      let entry = try #require(try file.entries().last)
      #expect(entry.name == "token-\(number)" && entry.tenants == tenants && entry.user == user, "\(random)")
      #expect(entry.accesses == accesses && entry.expiry == expiry, "\(random)")
    }
    #expect(try file.entries().count == 20)
  }
}

@Suite("Who asks")
struct CallerTests {
  private static func uuid(_ number: UInt64) -> UUIDValue { UUIDValue(high: 1, low: number) }

  @Test("a tenant is chosen among those that are visible, and stands alone unless its tenants below are asked for")
  func tenants() throws {
    let both = try #require(VisibleTenants([Self.uuid(1), Self.uuid(2)]))
    let caller = Caller(tenant: Self.uuid(1), tenants: both, user: nil, access: AccessList([]))
    #expect(caller.tenants(chosen: nil, isRecursive: false) == VisibleTenants(Self.uuid(1)))
    #expect(caller.tenants(chosen: nil, isRecursive: true) == both)
    #expect(caller.tenants(chosen: Self.uuid(1), isRecursive: true) == both)
    #expect(caller.tenants(chosen: Self.uuid(2), isRecursive: true) == VisibleTenants(Self.uuid(2)))
    #expect(caller.tenants(chosen: Self.uuid(3), isRecursive: true) == nil)
  }

  @Test("there is no empty set of visible tenants")
  func visible() {
    #expect(VisibleTenants([UUIDValue]()) == nil)
    #expect(VisibleTenants([Self.uuid(2), Self.uuid(1), Self.uuid(2)])?.list == [Self.uuid(1), Self.uuid(2)])
    #expect(VisibleTenants.all.list == nil && VisibleTenants.all.contains(Self.uuid(9)))
    #expect(!VisibleTenants(Self.uuid(1)).contains(Self.uuid(9)))
  }
}
