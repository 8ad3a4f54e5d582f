import Testing

@testable import Settings

@Suite("What texts mean")
struct ValueTests {
  @Test(
    "times",
    arguments: [
      ("5s", Duration.seconds(5)), ("500ms", .milliseconds(500)), ("5", .seconds(5)), ("1.5", .milliseconds(1_500)),
      ("0.25s", .milliseconds(250)), ("2min", .seconds(120)), (" 1 h ", .seconds(3_600)), ("24h", .seconds(86_400)),
      ("1d", .seconds(86_400)), ("0.5 d", .seconds(43_200)),
    ])
  func times(text: String, expected: Duration) async throws {
    let settings = try await Root([ownFile: "lock_timeout: \(text)"]).load(["retry_for": text], environment: anyDatabase)
    #expect(settings.lockTimeout == expected)
    #expect(settings.retryFor == expected)
  }

  @Test(
    "a call is closed after minutes to years, or never",
    arguments: [
      ("1min", Duration.seconds(60)), ("60", .seconds(60)), ("36h", .seconds(129_600)), ("2d", .seconds(172_800)),
      ("3650d", .seconds(315_360_000)), ("off", nil), ("OFF", nil),
    ])
  func closeAfter(text: String, expected: Duration?) async throws {
    let root = try Root([ownFile: "close_after: 7h\n", "\(ownFolder)/a.yml": "close_after: \(text)\n"])
    #expect(try await root.load(environment: anyDatabase).closeAfter == expected)
    #expect(try await root.load(["close_after": "3h"], environment: anyDatabase).closeAfter == .seconds(10_800))
  }

  @Test(
    "an id may be final at once, or after a month",
    arguments: [("0", Duration.zero), ("10min", .seconds(600)), ("30d", .seconds(2_592_000))])
  func finalAfter(text: String, expected: Duration) async throws {
    let settings = try await Root().load(environment: anyDatabase.merging(["WAZO_CALL_LOGS_FINAL_AFTER": text]) { $1 })
    #expect(settings.finalAfter == expected)
  }

  @Test("one worker to sixty-four", arguments: [1, 2, 64])
  func workers(count: Int) async throws {
    #expect(try await Root([ownFile: "workers: \(count)"]).load(environment: anyDatabase).workers == count)
  }

  @Test("zero ends trying again, but is no time to wait for a lock")
  func zero() async throws {
    #expect(try await Root().load(["retry_for": "0"], environment: anyDatabase).retryFor == .zero)
    await #expect(throws: SettingsError.self) { try await Root().load(["lock_timeout": "0s"], environment: anyDatabase) }
  }

  @Test(
    "switches",
    arguments: [
      ("true", true), ("YES", true), ("on", true), ("1", true), ("false", false), ("No", false), ("off", false), ("auto", nil),
    ])
  func switches(text: String, expected: Bool?) async throws {
    let root = try Root([ownFile: "link_cels: \(expected == true ? "no" : "yes")", "\(ownFolder)/a.yml": "link_cels: \(text)"])
    #expect(try await root.load(environment: anyDatabase).linkCELs == expected)
  }

  @Test(
    "directories",
    arguments: [
      ("auto", nil), ("wazo", DirectorySource.wazo), ("none", .disabled), ("/srv/people.json", .file(path: "/srv/people.json")),
      ("./none", .file(path: "./none")),
    ])
  func directories(text: String, expected: DirectorySource?) async throws {
    #expect(try await Root([ownFile: "directory: \(text)"]).load(environment: anyDatabase).directory == expected)
  }

  @Test("tables", arguments: ["cel", "asterisk.cel", "_c$1.Cel", "\"My.Schema\".\"the \"\"cel\"\"\"", "\"a\"", "été.cel"])
  func tables(text: String) async throws {
    #expect(try await Root().load(["cel_table": text], environment: anyDatabase).celTable == text)
  }

  @Test("a tenant in capitals is the same tenant")
  func tenant() async throws {
    let text = "6A1F2C3D-0B1C-4D5E-8F90-123456789ABC"
    #expect(try await Root().load(["default_tenant": text], environment: anyDatabase).defaultTenant == text.lowercased())
  }

  @Test("time zones of the system", arguments: ["America/Montreal", "UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires"])
  func timeZones(name: String) async throws {
    #expect(try await Root().load(["cel_time_zone": name], environment: anyDatabase).celTimeZone == name)
  }

  @Test("the catalogue has every key once, its variable, and words for the rest")
  func catalogue() {
    #expect(Set(Settings.catalogue.map(\.key)).count == 29)
    for entry in Settings.catalogue {
      #expect(entry.environmentName == "WAZO_CALL_LOGS_" + entry.key.uppercased())
      #expect(!entry.defaultText.isEmpty && !entry.allowed.isEmpty)
      #expect(entry.explanation.hasSuffix(".") && !entry.explanation.contains("\n"))
    }
  }
}
