import Foundation
import TestSupport
import Testing

@testable import Settings

@Suite("What settings of the service mean")
struct ServiceValueTests {
  @Test("no file at all gives the defaults, and the catalogue's defaults are accepted and are the defaults")
  func defaults() async throws {
    let root = try Root()
    let settings = try await root.service()
    let standard = ServiceSettings()
    #expect(settings.restAPI == standard.restAPI && settings.auth == standard.auth && settings.exports == standard.exports)
    #expect(settings.mailServer == standard.mailServer && settings.retention == standard.retention)
    #expect(settings.limits == standard.limits && settings.logLevel == .info && settings.dbURI == nil)
    #expect(settings.authentication == .tokensFile(path: "/etc/wazo-call-logs/tokens"))
    #expect(ServiceSettings.catalogue.map(\.key).sorted() == settings.sources.keys.sorted())
    #expect(Set(ServiceSettings.catalogue.map(\.environmentName)).count == ServiceSettings.catalogue.count)
    let said = ServiceSettings.catalogue.filter { $0.defaultText != "none" }
    #expect(said.count > 40)
    let again = try await root.service(Dictionary(uniqueKeysWithValues: said.map { ($0.key, $0.defaultText) }))
    #expect(again.restAPI == settings.restAPI && again.exports == settings.exports && again.mailServer == settings.mailServer)
    #expect(again.limits == settings.limits && again.auth == settings.auth && again.logLevel == .info)
    #expect(again.recordingsDirectory == settings.recordingsDirectory)
  }

  @Test(
    "a value of the wrong kind, with key, place and what is allowed",
    arguments: [
      ("rest_api.port", "65536"), ("rest_api.port", "-1"), ("rest_api.listen", "a b"), ("rest_api.listen", ""),
      ("rest_api.certificate", "server.crt"), ("rest_api.cors.enabled", "maybe"), ("rest_api.cors.allow_headers", "A: b"),
      ("rest_api.cors.allow_headers", "[A, [B]]"), ("rest_api.cors.origins", "{a: b}"), ("authentication", "ldap"),
      ("tokens_file", "tokens"), ("auth.host", "http://a"), ("auth.port", "0"), ("auth.verify_certificate", "sometimes"),
      ("auth.prefix", "/a b"), ("auth.prefix", "/"), ("auth.cache_seconds", "30s"), ("auth.username", "[a]"),
      ("auth.master_tenant_uuid", "1"), ("exports.directory", "/"), ("exports.directory", "/a/../b"),
      ("email_export_from_address", "nobody"), ("email_export_from_address", "a@b\\nBcc: c@d"),
      ("email_export_subject", "a\\r\\nBcc: c@d"), ("email_export_token_expiration", "0"), ("smtp.timeout", "0"),
      ("retention.cdr_days", "-1"), ("retention.export_days", "2147483648"), ("recordings_dir", "relative"), ("uuid", "x"),
      ("debug", "2"), ("log_level", "loud"), ("service.list_connections", "0"), ("service.queue_wait", "0"),
      ("service.list_timeout", "2d"), ("service.header_limit", "1"), ("service.header_limit", "16kb"),
      ("service.body_limit", "9999999999999GiB"), ("service.body_limit", "9999999999999999999999"),
      ("service.refused_limit", "no"), ("service.trusted_proxies", "proxy.example.com"),
      ("service.trusted_proxies", "[127.0.0.1, '10.0.0.0/8']"),
    ])
  func wrongValue(key: String, value: String) async throws {
    let allowed = try #require(ServiceSettings.catalogue.first { $0.key == key }?.allowed)
    let parts = key.split(separator: ".").map(String.init)
    let indented = parts.enumerated().map { String(repeating: "  ", count: $0) + $1 + ":" }.joined(separator: "\n")
    let text = "[{".contains(value.first ?? " ") ? value : "\"\(value)\""
    for name in [wazoFile, ownFile] {
      let root = try Root([name: "# first\n\(indented) \(text)\n"])
      let error = await #expect(throws: SettingsError.self) { try await root.service() }
      guard case .invalidValue(let said, _, let source, let values) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(said == key && values == allowed && source == "\(root.path)/\(name), line \(parts.count + 1)")
    }
  }

  @Test("a text or a list in place of a map of keys", arguments: ["auth: Zq9", "rest_api: [Zq9]", "rest_api: {cors: Zq9}"])
  func wrongShape(text: String) async throws {
    let root = try Root([ownFile: text])
    let error = await #expect(throws: SettingsError.self) { try await root.service() }
    let said = error.map { "\($0)" } ?? ""
    #expect(said.contains("keys with values") && said.contains("\(ownFile), line 1") && !said.contains("Zq9"))
  }

  @Test("sizes, times, switches and addresses")
  func kinds() async throws {
    let root = try Root([
      ownFile: """
      service: {header_limit: 32 KiB, body_limit: 2048, stream_limit: 90min, queue_wait: 250ms, management_listen: "::1"}
      auth: {verify_certificate: /etc/ca.pem, prefix: api/auth/, https: yes, port: '9497'}
      log_level: CRITICAL
      """
    ])
    let settings = try await root.service(["auth.cache_seconds": "0"])
    #expect(settings.limits.headerLimit == 32_768 && settings.limits.bodyLimit == 2_048)
    #expect(settings.limits.streamLimit == .seconds(5_400) && settings.limits.queueWait == .milliseconds(250))
    #expect(settings.auth.certificateCheck == .file(path: "/etc/ca.pem") && settings.auth.prefix == "/api/auth")
    #expect(settings.auth.usesHTTPS && settings.auth.port == 9497 && settings.auth.cacheSeconds == 0)
    #expect(settings.logLevel == .error && settings.limits.management.isLoopback)
    #expect(try await root.service(["debug": "true"]).logLevel == .debug)
    #expect(try await root.service(["auth.verify_certificate": "false"]).auth.certificateCheck == .off)
    let variable = anyDatabase.merging(["WAZO_CALL_LOGS_REST_API_CORS_ORIGINS": "https://a, https://b:8"]) { $1 }
    #expect(try await root.service(environment: variable).restAPI.cors.origins == ["https://a", "https://b:8"])
  }

  @Test("the certificate and its key come together")
  func certificate() async throws {
    let both = try Root([ownFile: "rest_api: {certificate: /a, private_key: /b}"])
    #expect(try await both.service().restAPI.privateKey == "/b")
    for (one, other) in [("certificate", "private_key"), ("private_key", "certificate")] {
      let root = try Root([ownFile: "rest_api: {\(one): /a}"])
      let error = await #expect(throws: SettingsError.self) { try await root.service() }
      #expect(error.map { "\($0)" }?.hasPrefix("rest_api.\(other) cannot be empty (\(root.path)/\(ownFile), line 1)") == true)
    }
  }

  @Test("auto asks wazo-auth where any source has the key auth, and the tokens file elsewhere")
  func authentication() async throws {
    let tokens = ServiceSettings.Authentication.tokensFile(path: "/srv/tokens")
    for (text, expected) in [
      ("", "tokens"), ("auth: {cache_seconds: 1}", "wazo"), ("auth:", "tokens"), ("authentication: wazo", "wazo"),
      ("authentication: tokens\nauth: {host: a}", "tokens"), ("authentication: none", "none"),
    ] {
      let root = try Root([wazoFile: text, ownFile: "tokens_file: /srv/tokens\nexports: {key_file: null}"])
      let settings = try await root.service()
      switch expected {
      case "wazo": #expect(settings.authentication == .wazo(settings.auth), "\(text)")
      case "tokens": #expect(settings.authentication == tokens, "\(text)")
      default: #expect(settings.authentication == .off, "\(text)")
      }
    }
    let variable = anyDatabase.merging(["WAZO_CALL_LOGS_AUTH_HOST": "a"]) { $1 }
    let settings = try await Root().service(environment: variable)
    #expect(settings.authentication == .wazo(settings.auth))
  }

  @Test("a whole configuration in Wazo's form, named by -c")
  func whole() async throws {
    let root = try Root([
      "config.yml": """
      db_uri: postgresql:///calls
      cel_db_uri: postgresql:///cels
      uuid: 5A5A5A5A-0000-4000-8000-000000000000
      rest_api: {listen: 127.0.0.1, port: 9298}
      auth: {host: 127.0.0.1, port: 9497, https: false, prefix: null, username: call-logd, password: Zq9, cache_seconds: 0}
      exports: {directory: /srv/exports, service_id: export, service_key: Zq8}
      recordings_dir: /srv/rec
      """
    ])
    let settings = try await root.service(environment: [:], config: "config.yml")
    guard case .wazo(let auth) = settings.authentication else {
      Issue.record("\(settings.authentication)")
      return
    }
    #expect(auth.host == "127.0.0.1" && auth.port == 9497 && auth.prefix == nil && auth.cacheSeconds == 0)
    #expect(auth.username == "call-logd" && auth.password?.value == "Zq9" && settings.exports.serviceKey?.value == "Zq8")
    #expect(settings.celDBURI == DatabaseURI("postgresql:///cels") && settings.uuid == "5a5a5a5a-0000-4000-8000-000000000000")
    #expect(settings.exports.directory == "/srv/exports" && settings.recordingsDirectory == "/srv/rec")
    #expect(settings.warnings.isEmpty, "no key file is needed")
  }

  @Test(
    "without authentication the API listens on loopback only",
    arguments: [
      ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("localhost", true), ("0.0.0.0", false), ("::", false),
      ("10.0.0.1", false), ("127.0.0.1.example.com", false), ("127.1", false), ("127.0.0.999", false), ("127.example.com", false),
    ])
  func loopback(listen: String, isAllowed: Bool) async throws {
    let root = try Root([ownFile: "authentication: none\nrest_api: {listen: '\(listen)'}"])
    if isAllowed {
      #expect(try await root.service().authentication == .off)
    } else {
      let error = await #expect(throws: SettingsError.self) { try await root.service() }
      #expect(error.map { "\($0)" }?.contains("authentication cannot be “none” (\(root.path)/\(ownFile), line 1)") == true)
    }
  }

  @Test("key files complete a missing name or password, and only then are they read")
  func keyFiles() async throws {
    let root = try Root([
      wazoFile: "auth: {host: a}\nexports: {key_file: /srv/export.yml}\n",
      "var/lib/wazo-auth-keys/wazo-call-logd-key.yml": "service_id: one\nservice_key: Zq1\n",
      "srv/export.yml": "service_id: two\nservice_key: Zq2\n",
    ])
    let settings = try await root.service()
    #expect(settings.auth.username == "one" && settings.auth.password == Secret("Zq1"))
    #expect(settings.exports.serviceID == "two" && settings.exports.serviceKey?.value == "Zq2")
    #expect(settings.sources["auth.password"]?.hasSuffix("wazo-call-logd-key.yml, line 2") == true)
    #expect(settings.effective["auth"]?["username"] == .text("one"))
    #expect(settings.effective["auth"]?["password"] == .text("***") && settings.warnings.isEmpty)

    try root.write("service_id: one\n", to: "var/lib/wazo-auth-keys/wazo-call-logd-key.yml")
    try FileManager.default.removeItem(atPath: "\(root.path)/srv/export.yml")
    let incomplete = try await root.service()
    #expect(incomplete.auth.username == nil && incomplete.warnings.count == 2)
    let given = try await root.service([
      "auth.username": "x", "auth.password": "y", "exports.service_id": "z", "exports.service_key": "0",
    ])
    #expect(given.auth.password == Secret("y") && given.warnings.isEmpty)
    try root.write("{", to: "srv/export.yml")
    await #expect(throws: SettingsError.self) { try await root.service() }
  }

  @Test("unknown keys of the program's own files are warnings; Wazo's and the batch program's are not")
  func unknownKeys() async throws {
    let root = try Root([
      wazoFile: "zzz: 1\nrest_api: {max_threads: 10}\n",
      ownFile: "rest_api: {prot: 1}\nservice:\n  queue_weight: 1\nbus: {x: 1}\nchunk_size: 5\nauht: {}\n",
    ])
    let file = "\(root.path)/\(ownFile)"
    #expect(
      try await root.service(["retention.cdr_day": "1"]).warnings == [
        "\(file), line 1: rest_api.prot is not a setting; the nearest is rest_api.port",
        "\(file), line 3: service.queue_weight is not a setting; the nearest is service.queue_wait",
        "\(file), line 6: auht is not a setting",
        "command line: retention.cdr_day is not a setting; the nearest is retention.cdr_days",
      ])
    let batch = try await root.load(environment: anyDatabase)
    #expect(
      batch.unknownKeys.map { String($0.dropFirst(file.count)) } == [
        ", line 4: bus is not a setting", ", line 6: auht is not a setting",
      ], "the batch program leaves the service's sections alone")
  }
}
