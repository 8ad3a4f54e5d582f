import AsyncHTTPClient
import Foundation
import NIOCore
import ServiceSupport
import TestSupport
import Testing
import Values

@testable import Service

/// A browser without JavaScript: it has a cookie, and follows no link by itself.
struct PageOfTest {
  let service: ServiceUnderTest
  /// As the header `Cookie`; empty while nobody has signed in.
  var cookie = ""

  /// One that has signed in.
  static func signedIn(_ service: ServiceUnderTest, token: String) async throws -> PageOfTest {
    var page = PageOfTest(service: service)
    let answer = try await page.signIn(token)
    #expect(answer.status == 303, "\(answer.text)")
    page.cookie = try #require(answer.cookie)
    return page
  }

  func get(_ path: String, _ headers: [String: String] = [:]) async throws -> Answer {
    let own = cookie.isEmpty ? [:] : ["Cookie": cookie]
    return try await ask("GET", path, own.merging(headers) { $1 }, [])
  }

  func post(_ path: String, _ fields: [String: String] = [:], _ headers: [String: String] = [:]) async throws -> Answer {
    let body = fields.map { "\($0)=\(PageFilter.encoded($1))" }.joined(separator: "&")
    let own = ["Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"]
    return try await ask("POST", path, own.merging(headers) { $1 }, Array(body.utf8))
  }

  private static let client = HTTPClient(
    eventLoopGroupProvider: .singleton, configuration: HTTPClient.Configuration(redirectConfiguration: .disallow))

  private func ask(_ method: String, _ path: String, _ headers: [String: String], _ body: [UInt8]) async throws -> Answer {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(service.port)\(path)")
    request.method = .init(rawValue: method)
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if !body.isEmpty { request.body = .bytes(body) }
    let response = try await PageOfTest.client.execute(request, timeout: .minutes(30))
    var bytes: [UInt8] = []
    for try await piece in response.body { bytes += piece.readableBytesView }
    return Answer(
      status: Int(response.status.code),
      headers: Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $0 + ", " + $1 }),
      body: bytes)
  }

  /// - Parameter goal: the page that was wanted
  func signIn(_ token: String, to goal: String = "") async throws -> Answer {
    try await post("/session", ["token": token, "to": goal])
  }

  /// Signs in with a name and a password.
  func signIn(_ user: String, password: String, _ headers: [String: String] = [:]) async throws -> Answer {
    try await post("/session", ["user": user, "password": password], headers)
  }
}

extension Answer {
  /// The cookie that it sets, without what it says of it.
  var cookie: String? { headers["set-cookie"].map { String($0.prefix { $0 != ";" }) } }

  /// The call logs of a page's rows, in their order.
  var rows: [Int64] {
    text.components(separatedBy: "<tr data-id=\"").dropFirst().compactMap { Int64($0.prefix { $0 != "\"" }) }
  }

  /// Where the link with an id leads.
  func link(_ id: String) -> String? {
    guard let start = text.range(of: "id=\"\(id)\"")?.upperBound,
      let address = text[start...].range(of: "href=\".")?.upperBound
    else { return nil }
    return String(text[address...].prefix { $0 != "\"" }).replacing("&amp;", with: "&")
  }
}
