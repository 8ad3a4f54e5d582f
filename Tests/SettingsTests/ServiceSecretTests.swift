import Foundation
import TestSupport
import Testing

@testable import Settings

@Suite("Secrets of the service stay out of print")
struct ServiceSecretTests {
  /// All keys and texts of a tree, one to a line.
  private static func printed(_ value: SettingsValue) -> String {
    switch value {
    case .null: "null"
    case .flag(let flag): "\(flag)"
    case .integer(let number): "\(number)"
    case .number(let number): "\(number)"
    case .text(let text): text
    case .list(let list): list.map(printed).joined(separator: "\n")
    case .map(let fields): fields.map { "\($0.key)\n\(printed($0.value))" }.joined(separator: "\n")
    }
  }

  /// Secrets that are made up on the way into a configuration.
  private struct Maker {
    var generator = Seeded()
    var secrets: [String] = []
    /// The one that was made last under a key that tells of it.
    var known = ""

    /// Letters and characters that need no quotes in YAML.
    mutating func secret() -> String {
      let specials = ["", "", "-", ".", "_", "+", "~", "%41", "!x", "=y", "$"]
      let text = (0..<3).map { _ in "Zq\(generator.below(1_000_000))" }.joined(separator: generator.pick(specials))
      secrets.append(text)
      known = text
      return text
    }

    mutating func number() -> String {
      let text = "77\(1_000_000_000 + generator.below(9_000_000_000))"
      secrets.append(text)
      return text
    }

    mutating func database() -> String {
      let secret = secret()
      return generator.pick([
        "postgresql://asterisk:\(secret)@localhost/db", "postgresql+psycopg2://u:\(secret)@h:5432/db?sslmode=require",
        "postgresql://h/db?user=u&password=\(secret)", "host=h password=\(secret) dbname=d",
        "host=h password='\(secret)' dbname=d",
      ])
    }

    /// A key with a value that holds a secret, as lines of YAML.
    mutating func lines(_ depth: Int = 0) -> [String] {
      let indent = String(repeating: "  ", count: depth)
      let key = "k\(generator.below(1_000_000))"
      let word = generator.pick([
        "password", "Passwd", "service_key", "apiKey", "SECRET", "auth_token", "private_key", "credentials", "pwd", "db_pass",
        "basic_auth", "pin",
      ])
      switch generator.below(depth > 3 ? 9 : 13) {
      case 0, 1: return ["\(indent)\(key)_\(word): '\(secret())'"]
      case 2: return ["\(indent)\(key)_\(word): \(number())"]
      case 3: return ["\(indent)\(key)_\(word): [\(secret()), {a: '\(secret())'}]"]
      case 4: return ["\(indent)\(key): amqp://guest:\(secret())@localhost:5672//"]
      case 5: return ["\(indent)\(key)_uri: \"\(database())\""]
      case 6: return ["\(indent)\(key): 'curl -H \"X-Auth-Token: \(secret())\" and password=\(secret())'"]
      case 7: return ["\(indent)\(key): https://hooks.example.com/services/\(secret())"]
      case 8: return ["\(indent)\(key): |", "\(indent)  -----BEGIN PRIVATE KEY-----", "\(indent)  \(secret())"]
      case 9: return ["\(indent)\(key):"] + lines(depth + 1) + lines(depth + 1)
      case 10: return ["\(indent)\(key):", "\(indent)  - name: x"] + lines(depth + 2).map { $0 }
      case 11: return ["\(indent)\(word)\(key):"] + ["\(indent)  inner: '\(secret())'"] + lines(depth + 1)
      default: return ["\(indent)\(key): harmless"]
      }
    }
  }

  @Test("whatever secrets stand wherever in the configuration, none is in the tree, a dump or a description", arguments: 0..<25)
  func everywhere(round: Int) async throws {
    var maker = Maker()
    let root = try Root()
    for name in [wazoFile, "\(wazoFolder)/a.yml", "\(wazoFolder)/b.yml", ownFile, "\(ownFolder)/a.yml"] {
      var lines: [String] = []
      if maker.generator.chance(50) { lines.append("db_uri: \"\(maker.database())\"") }
      if maker.generator.chance(50) { lines.append("cel_db_uri: \"\(maker.database())\"") }
      for (section, key) in [("auth", "password"), ("smtp", "password"), ("exports", "service_key"), ("bus", "password")] {
        lines.append("\(section):")
        lines.append("  username: harmless")
        if maker.generator.chance(60) { lines.append("  \(key): '\(maker.secret())'") }
        lines += maker.lines(1)
      }
      for _ in 0..<4 { lines += maker.lines() }
      // A secret of the configuration once more, where nothing tells that it is one.
      lines += [
        "x_password: '\(maker.secret())'", "motd: 'it is \(maker.known), remember'", "'x\(maker.known)': [\(maker.known)]",
      ]
      try root.write(lines.joined(separator: "\n") + "\n", to: name)
    }
    try root.write("service_id: one\nservice_key: '\(maker.secret())'\n", to: "var/lib/wazo-auth-keys/wazo-call-logd-key.yml")
    var options = ["smtp.password": maker.secret()]
    options["email_export_subject"] = "of \(maker.known)"
    let environment = ["WAZO_CALL_LOGS_DB_URI": maker.database(), "WAZO_CALL_LOGS_EXPORTS_SERVICE_KEY": maker.secret()]
    let settings = try await root.service(options, environment: environment)
    #expect(settings.mailServer.password != nil && settings.dbURI != nil)
    let tree = Self.printed(settings.effective)
    #expect(tree.contains("localhost") && tree.contains("***"))
    // Warnings name the keys of the program's own files, as those of the batch program do.
    #expect(settings.warnings.allSatisfy { $0.contains("is not a setting") || $0.contains("key file") })
    var used = settings
    used.warnings = []
    used.effective = .null
    used.exports.subject = ""
    var dumped = "\(used)\n\(String(reflecting: used))\n"
    dump(used, to: &dumped)
    let pieces = maker.secrets.flatMap { secret in
      [secret] + secret.split { !$0.isLetter && !$0.isNumber }.map(String.init).filter { $0.hasPrefix("Zq") && $0.count > 5 }
    }
    for text in [tree, dumped] {
      var last = ""[...]
      for line in text.split(separator: "\n") {
        defer { last = line }
        // Every secret has one of these in it, and the look for each of many takes long.
        guard line.contains("Zq") || line.contains("77") else { continue }
        if let leaked = pieces.first(where: { line.contains($0) }) {
          Issue.record("\(maker.generator): \(leaked) is shown after \(last.suffix(100))")
        }
      }
    }
  }

  @Test("what is no secret is shown")
  func shown() async throws {
    let root = try Root([
      wazoFile: wazoLikeFile,
      ownFile: "rest_api: {cors: {origins: ['https://ui.example.com:8443', 'http://[::1]']}}\nuser: daemon\nx_token: true\n",
    ])
    let tree = try await root.service(environment: [:]).effective
    #expect(
      tree["db_uri"] == .text("postgresql://asterisk:***@localhost/wazo-call-logd?application_name=wazo-call-logd"))
    #expect(tree["rest_api"]?["cors"]?["origins"] == .list([.text("https://ui.example.com:8443"), .text("http://[::1]")]))
    #expect(
      tree["rest_api"]?["cors"]?["allow_headers"] == .list(["Content-Type", "X-Auth-Token", "Wazo-Tenant"].map { .text($0) }))
    #expect(tree["email_export_token_expiration"] == .integer(172_800) && tree["user"] == .text("daemon"))
    #expect(tree["bus"]?["username"] == .text("guest") && tree["x_token"] == .flag(true))
    #expect(tree["motd"] == .text("several lines\nof text") && tree["debug"] == .flag(false))
    #expect(tree["exports"]?["directory"] == .text("/var/lib/wazo-call-logd/exports"))
    #expect(tree.replacing("debug", with: .flag(true))["debug"] == .flag(true))
  }

  @Test("numbers, switches and texts of YAML keep their kind")
  func kinds() async throws {
    let root = try Root([wazoFile: "x: [1, -2, 1.5, '1', 0x1F, 007, 1e3, true, 'no', No, ~, 99999999999999999999, +3, 10.0.0.1]"])
    #expect(
      try await root.service().effective["x"]
        == .list([
          .integer(1), .integer(-2), .number(1.5), .text("1"), .text("0x1F"), .text("007"), .text("1e3"), .flag(true),
          .text("no"),
          .flag(false), .null, .text("99999999999999999999"), .integer(3), .text("10.0.0.1"),
        ]))
  }
}
