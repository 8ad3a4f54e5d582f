import API
import AsyncHTTPClient
import Foundation
import NIOSSL
import ServiceSupport
import TestSupport
import Testing
import Values

@testable import Service

@Suite("What the service says of itself", .fewAtOnce, .timeLimit(.minutes(5)))
struct OwnAnswerTests {
  @Test("Only the master tenant sees the configuration and switches debug messages")
  func configuration() async throws {
    try await withService(settings: { $0.site.configuration = .fields(["debug": .flag(false), "uuid": "some"]) }) {
      service, _, tokens in
      let accesses = ["call_logd.#", "call-logd.#"]
      let master = try tokens.create(name: "all", tenants: .all, accesses: accesses)
      let other = try tokens.create(name: "other", tenants: .some(own: uuid(1), others: [uuid(0)]), accesses: accesses)
      func change(_ token: String, _ body: String) async throws -> Answer {
        try await service.ask("PATCH", "/config", ["X-Auth-Token": token], body: Array(body.utf8))
      }
      func patch(_ isOn: Bool) -> String { "[{\"op\": \"replace\", \"path\": \"/debug\", \"value\": \(isOn)}]" }
      #expect(try await service.ask(as: other, "/config").status == 401)
      #expect(try await change(other, patch(true)).status == 401)
      #expect(!service.debug.isOn)
      for isOn in [true, true, false] {
        let answer = try await change(master, patch(isOn))
        #expect(answer.status == 200 && answer.json?["debug"] == .flag(isOn) && service.debug.isOn == isOn)
        let now = try await service.ask(as: master, "/config")
        #expect(now.json?["debug"] == .flag(isOn) && now.json?["uuid"] == "some")
      }
      for body in ["", "{}", "[{}]", "[{\"op\": \"add\", \"path\": \"/debug\", \"value\": true}]", "[{\"op\": \"replace\"}]"] {
        #expect(try await change(master, body).status == 400, "\(body)")
        #expect(!service.debug.isOn)
      }
    }
  }

  @Test("A certificate makes it speak TLS and nothing else, and a bad one ends it with a reason")
  func encryption() async throws {
    let audio = try AudioOfTest()
    let (chain, key) = (audio.root + "/chain.pem", audio.root + "/key.pem")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    process.arguments = [
      "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", chain, "-days", "2", "-subj", "/CN=a",
    ]
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    try process.run()
    process.waitUntilExit()
    try await withService(settings: { $0.certificate = (chain, key) }) { service, _, _ in
      var configuration = HTTPClient.Configuration()
      configuration.tlsConfiguration = .makeClientConfiguration()
      configuration.tlsConfiguration?.certificateVerification = .none
      let client = HTTPClient(configuration: configuration)
      let result = await Result { () async throws in
        let response = try await client.execute(
          HTTPClientRequest(url: "https://127.0.0.1:\(service.port)/1.0/api/api.yml"), timeout: .seconds(30))
        #expect(response.status == .ok)
        #expect(Array(buffer: try await response.body.collect(upTo: 1 << 20)) == PackageResources.api_yml)
      }
      try await client.shutdown()
      try result.get()
      await #expect(throws: (any Error).self) { try await service.ask("GET", "/api/api.yml") }
    }
    try Data("no key".utf8).write(to: URL(fileURLWithPath: key))
    await #expect(throws: JobError.self) {
      try await withService(settings: { $0.certificate = (chain, key) }) { _, _, _ in }
    }
  }

  @Test("Pages of other sites may use it as far as it is set")
  func crossOrigin() async throws {
    let origins: [(isEnabled: Bool, origins: [String]?)] = [(true, nil), (true, ["https://a.example"]), (false, nil)]
    for (isEnabled, origins) in origins {
      try await withService(settings: {
        ($0.site.crossOrigin.isEnabled, $0.site.crossOrigin.origins) = (isEnabled, origins)
      }) { service, _, _ in
        for origin in ["https://a.example", "https://b.example", nil] {
          let isAllowed = origin != nil && isEnabled && (origins?.contains(origin ?? "") ?? true)
          var headers = ["Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "X-Auth-Token, X-Other"]
          headers["Origin"] = origin
          for (method, path) in [("GET", "/api/api.yml"), ("GET", "/cdr"), ("GET", "/nowhere"), ("OPTIONS", "/cdr")] {
            let answer = try await service.ask(method, path, headers)
            let allowed = isAllowed ? origins == nil ? "*" : origin : nil
            #expect(answer.headers["access-control-allow-origin"] == allowed, "\(method) \(path) \(origin ?? "")")
            #expect((answer.headers["vary"] == "Origin") == (isEnabled && origins != nil && origin != nil))
            let isPreflight = isAllowed && method == "OPTIONS"
            #expect(answer.headers["access-control-allow-headers"] == (isPreflight ? "x-auth-token" : nil))
            #expect((answer.headers["access-control-allow-methods"] != nil) == isPreflight)
            #expect(answer.headers["x-content-type-options"] == "nosniff")
          }
        }
      }
    }
  }
}
