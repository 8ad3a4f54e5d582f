import Foundation
import TestSupport
import Testing

@testable import Settings

extension Root {
  func service(
    _ overrides: [String: String] = [:], environment: [String: String] = anyDatabase, config: String? = nil,
    needsDatabase: Bool = true
  ) async throws -> ServiceSettings {
    try await ServiceSettings.load(
      overrides: overrides, environment: environment, root: path, configFile: config.map { "\(path)/\($0)" },
      needsDatabase: needsDatabase)
  }
}

@Suite("Which source of the service wins")
struct ServicePrecedenceTests {
  /// From the weakest to the strongest, with the beginning of the source's name.
  private static let levels = [
    (wazoFile, "etc/wazo-call-logd/config.yml, line"), ("\(wazoFolder)/9-b.yml", "9-b.yml, line"),
    ("\(wazoFolder)/10-a.yml", "10-a.yml, line"), (ownFile, "etc/wazo-call-logs/config.yml, line"),
    ("\(ownFolder)/10-a.yml", "10-a.yml, line"), ("\(ownFolder)/9-b.yml", "9-b.yml, line"),
    ("environment", "environment variable WAZO_CALL_LOGS_"), ("command line", "option --"),
  ]

  private static let keys = [
    "rest_api.port", "auth.port", "auth.cache_seconds", "smtp.timeout", "service.queue", "email_export_token_expiration",
  ]

  private static func read(_ settings: ServiceSettings) -> [Int] {
    [
      settings.restAPI.address.port, settings.auth.port, settings.auth.cacheSeconds, settings.mailServer.timeout,
      settings.limits.queue, settings.exports.tokenExpiration,
    ]
  }

  @Test("for any mixture of sources, each nested key on its own comes from the strongest that has it", arguments: 0..<30)
  func mixture(round: Int) async throws {
    var generator = Seeded()
    let root = try Root()
    var overrides: [String: String] = [:]
    var environment = anyDatabase
    var expected = Self.read(ServiceSettings())
    var sources = Self.keys.map { _ in "default" }
    for (level, (name, source)) in Self.levels.enumerated() {
      var sections: [String: [String]] = [:]
      for (index, key) in Self.keys.enumerated() where generator.chance(40) {
        let value = 100 * (level + 1) + index
        expected[index] = value
        sources[index] = source
        switch name {
        case "environment":
          environment["WAZO_CALL_LOGS_" + key.uppercased().replacingOccurrences(of: ".", with: "_")] = "\(value)"
        case "command line": overrides[key] = "\(value)"
        default:
          let parts = key.split(separator: ".")
          sections[parts.count == 1 ? "" : String(parts[0]), default: []].append("\(parts[parts.count - 1]): \(value)")
        }
      }
      let lines = sections.flatMap { section, lines in section.isEmpty ? lines : ["\(section):"] + lines.map { "  \($0)" } }
      if !lines.isEmpty { try root.write(lines.joined(separator: "\n"), to: name) }
    }
    let settings = try await root.service(overrides, environment: environment)
    #expect(Self.read(settings) == expected, "\(generator)")
    for (key, source) in zip(Self.keys, sources) {
      let found = try #require(settings.sources[key])
      #expect(found.contains(source), "\(generator): \(key) is from \(found)")
    }
    #expect(settings.warnings.allSatisfy { $0.hasPrefix("The key file ") })
  }

  @Test("maps are merged, lists and texts replace, and keys that nobody knows are kept in their order")
  func merging() async throws {
    let root = try Root([
      wazoFile: "bus: {host: a, port: 1, tags: [x, y]}\nrest_api: {cors: {enabled: false, allow_headers: [A, B]}}\n",
      "\(wazoFolder)/1.yml": "bus: {host: b, tags: [z]}\n",
      ownFile: "rest_api: {cors: {allow_headers: [C]}}\nservice: {queue: 7}\n",
    ])
    let settings = try await root.service()
    #expect(
      settings.restAPI.cors
        == {
          var c = ServiceSettings.CORS(); c.isEnabled = false; c.allowHeaders = ["C"]; return c
        }())
    #expect(
      settings.effective["bus"]
        == .map([.init("host", .text("b")), .init("port", .integer(1)), .init("tags", .list([.text("z")]))]))
    #expect(settings.effective["rest_api"]?["cors"]?["enabled"] == .flag(false))
    #expect(settings.effective["rest_api"]?["port"] == .integer(9298), "a default is part of the whole")
    #expect(settings.effective["service"]?["queue"] == .integer(7))
  }

  @Test("null unsets what may have no value, and leaves any other setting to the next source")
  func null() async throws {
    let root = try Root([
      wazoFile:
        "auth: {prefix: /api/auth, port: 7, host: a}\nuuid: 6a1f2c3d-0b1c-4d5e-8f90-123456789abc\ndb_uri: postgresql:///a\n",
      ownFile: "auth:\n  prefix:\n  port: ~\nsmtp:\nuuid: null\ndb_uri:\n",
    ])
    let settings = try await root.service(environment: [:])
    #expect(settings.auth.prefix == nil && settings.uuid == nil)
    #expect(settings.auth.port == 7 && settings.auth.host == "a")
    #expect(settings.mailServer == ServiceSettings.MailServer(), "a heading without keys changes nothing")
    #expect(settings.dbURI == DatabaseURI("postgresql:///a"))
  }

  @Test("-c takes the place of Wazo's file, extra_config_files the place of its conf.d")
  func namedFiles() async throws {
    let root = try Root([
      wazoFile: "rest_api: {port: 1}\nextra_config_files: /srv/more/\n", "\(wazoFolder)/a.yml": "auth: {port: 2}\n",
      "srv/more/a.yml": "auth: {port: 3}\n", "srv/more/b.yml": "auth: {port: 4}\n", "home/mine.yml": "smtp: {port: 5}\n",
      "home/conf.d/a.yml": "smtp: {port: 6}\n", "other/ours.yml": "service: {queue: 8}",
      "other/conf.d/a.yml": "service: {queue: 9}",
      ownFile: "service: {queue: 7}",
    ])
    let usual = try await root.service()
    #expect(usual.restAPI.address.port == 1 && usual.auth.port == 3 && usual.limits.queue == 7)
    let named = try await root.service(config: "home/mine.yml")
    #expect(named.restAPI.address.port == 9298 && named.auth.port == 2 && named.mailServer.port == 5)
    #expect(named.limits.queue == 7, "the program's own files count all the same")
    let environment = anyDatabase.merging(["WAZO_CALL_LOGS_CONFIG": "\(root.path)/other/ours.yml"]) { $1 }
    #expect(try await root.service(environment: environment).limits.queue == 9)
    let error = await #expect(throws: SettingsError.self) { try await root.service(config: "nowhere.yml") }
    #expect(error == .missingFile(path: "\(root.path)/nowhere.yml", namedBy: "option -c"))
  }

  @Test("a db_uri of the program's own keeps Wazo's cel_db_uri out; libpq's variables come last")
  func databases() async throws {
    let root = try Root([wazoFile: "db_uri: postgresql:///a\ncel_db_uri: postgresql:///b\n"])
    let wazo = try await root.service(environment: anyDatabase)
    #expect(wazo.dbURI == DatabaseURI("postgresql:///a") && wazo.celDBURI == DatabaseURI("postgresql:///b"))
    let own = try await root.service(environment: ["WAZO_CALL_LOGS_DB_URI": "postgresql:///c"])
    #expect(own.dbURI == DatabaseURI("postgresql:///c") && own.celDBURI == own.dbURI)
    #expect(own.effective["cel_db_uri"] == .text("postgresql:///c"))
    let empty = try Root()
    #expect(try await empty.service().sources["db_uri"] == "libpq, from PGHOST")
    await #expect(throws: SettingsError.noServiceDatabase) { try await empty.service(environment: [:]) }
    #expect(try await empty.service(environment: [:], needsDatabase: false).dbURI == nil)
  }

  @Test("aliases and << of YAML are read as Wazo's daemons read them")
  func aliases() async throws {
    let root = try Root([
      wazoFile: "x: &a {host: one, port: 7}\nauth: {<<: *a, host: two}\nsmtp:\n  <<: [{port: 8}, *a]\n"
    ])
    let settings = try await root.service()
    #expect(settings.auth.host == "two" && settings.auth.port == 7)
    #expect(settings.mailServer.port == 8 && settings.mailServer.host == "one")
    let bomb = (1...9).map { "a\($0): &a\($0) [\(repeatElement("*a\($0 - 1)", count: 9).joined(separator: ", "))]" }
    try root.write((["a0: &a0 [x]"] + bomb).joined(separator: "\n"), to: wazoFile)
    let error = await #expect(throws: SettingsError.self) { try await root.service() }
    #expect(error.map { "\($0)" }?.contains("more than 100000 values") == true)
  }

  @Test("Wazo's file as it is installed gives what Wazo's daemon does")
  func wazo() async throws {
    let root = try Root([wazoFile: wazoLikeFile, "\(wazoFolder)/a.yml": "auth:\n  host: auth.example.com\n  port: 9497\n"])
    let settings = try await root.service(environment: [:])
    #expect(settings.dbURI?.redacted.hasSuffix("wazo-call-logd?application_name=wazo-call-logd") == true)
    #expect(settings.celDBURI?.connectionString == "postgresql://asterisk:proformatique@localhost:5432/asterisk")
    #expect(settings.restAPI.cors.allowHeaders == ["Content-Type", "X-Auth-Token", "Wazo-Tenant"])
    guard case .wazo(let auth) = settings.authentication else {
      Issue.record("\(settings.authentication)")
      return
    }
    #expect(auth.host == "auth.example.com" && auth.port == 9497 && auth.username == nil)
    #expect(settings.warnings.count == 2, "the two key files are missing: \(settings.warnings)")
    #expect(settings.effective["7"] == .text("a number as a key"))
    #expect(settings.effective["enabled_plugins"]?["support_center"] == .flag(true))
    #expect(settings.effective["pid_file"] == .null && settings.effective["empty_list"] == .list([]))
  }
}
