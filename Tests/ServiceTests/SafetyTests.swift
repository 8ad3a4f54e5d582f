import Foundation
import ServiceSupport
import TestSupport
import Testing
import Values

@testable import Service

@Suite("What clients may cost", .fewAtOnce, .timeLimit(.minutes(5)))
struct SafetyTests {
  private static let ask = "GET /1.0/api/api.yml HTTP/1.1\r\nHost: a\r\n"

  @Test("A body that is too long is refused, and the connection goes on or ends in order")
  func longBodies() async throws {
    try await withService(settings: { $0.site.limits.body = 1000 }) { service, _, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      let port = service.port
      for length in [1000, 1001, 5000, 3_000_000] {
        let answer = try await onThread {
          let client = try RawClient(port)
          client.send(
            "PUT /1.0/retention HTTP/1.1\r\nHost: a\r\nX-Auth-Token: \(token)\r\nContent-Length: \(length)\r\n\r\n")
          client.send([UInt8](repeating: UInt8(ascii: " "), count: length))
          client.send(SafetyTests.ask + "Connection: close\r\n\r\n")
          return client.receiveAll()
        }
        let text = String(decoding: try #require(answer), as: UTF8.self)
        #expect(text.hasPrefix(length > 1000 ? "HTTP/1.1 413" : "HTTP/1.1 400"), "\(length): \(text.prefix(100))")
        let statuses = text.matches(of: /HTTP\/1.1 (\d+)/).map { String($0.1) }
        #expect(statuses.count == 1 || statuses.last == "200", "\(statuses)")
      }
    }
  }

  @Test("A body that comes too slowly, and half a header, do not hold a connection for ever")
  func slowClients() async throws {
    try await withService(settings: { $0.site.limits.request = .seconds(1) }) { service, _, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      let port = service.port
      let put = "PUT /1.0/retention HTTP/1.1\r\nHost: a\r\nX-Auth-Token: \(token)\r\nContent-Length: 100\r\n\r\n{"
      async let slow = onThread {
        let client = try RawClient(port)
        client.send(put)
        return client.receiveAll()
      }
      async let half = onThread {
        let client = try RawClient(port)
        client.send("GET /1.0/cdr HTTP/1.1\r\nHos")
        return client.receiveAll()
      }
      let (answer, nothing) = (try await slow, try await half)
      #expect(String(decoding: try #require(answer), as: UTF8.self).hasPrefix("HTTP/1.1 408"))
      #expect(nothing?.isEmpty == true)
    }
  }

  @Test("Headers that are too long are refused")
  func longHeaders() async throws {
    try await withService(settings: { $0.headerLimit = 2000 }) { service, _, _ in
      let port = service.port
      let headers = [
        "X-Long: " + String(repeating: "a", count: 5000) + "\r\n", String(repeating: "X-A: b\r\n", count: 1000),
        String(repeating: "a", count: 5000),
      ]
      for header in headers {
        let answer = try await onThread {
          let client = try RawClient(port)
          client.send(SafetyTests.ask + header + "Connection: close\r\n\r\n")
          client.finish()
          return client.receiveAll()
        }
        let text = String(decoding: try #require(answer), as: UTF8.self)
        #expect(text.isEmpty || text.hasPrefix("HTTP/1.1 4"), "\(text.prefix(60))")
      }
      let path = "/1.0/" + String(repeating: "a", count: 100_000)
      let answer = try await onThread {
        let client = try RawClient(port)
        client.send("GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        client.finish()
        return client.receiveAll()
      }
      let text = String(decoding: try #require(answer), as: UTF8.self)
      #expect(text.isEmpty || text.hasPrefix("HTTP/1.1 4"), "\(text.prefix(60))")
      #expect(try await service.ask("GET", "/api/api.yml").status == 200)
    }
  }

  @Test("More connections than allowed wait, and are served when others end")
  func connections() async throws {
    try await withService(settings: { $0.mostConnections = 3 }) { service, _, _ in
      let port = service.port
      let answers = try await onThread {
        var clients = try (0..<12).map { _ in try RawClient(port) }
        for client in clients { client.send(SafetyTests.ask + "\r\n") }
        var answers = 0
        // Each client goes when it has its answer, so that the next one is let in.
        while !clients.isEmpty {
          if clients[0].receive(until: "HTTP/1.1 200") != nil { answers += 1 }
          clients.removeFirst()
        }
        return answers
      }
      #expect(answers == 12)
    }
  }
}
