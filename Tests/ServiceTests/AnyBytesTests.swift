import Foundation
import ServiceSupport
import TestSupport
import Testing
import Values

@testable import Service

@Suite("Whatever comes", .fewAtOnce, .timeLimit(.minutes(5)))
struct FuzzTests {
  private static let words = [
    "cdr", "users", "me", "recordings", "media", "export", "exports", "download", "retention", "config", "status", "api",
    "api.yml",
    "1", "0", "-1", "99999999999999999999", "\(uuid(1))", "%00", "%", "%zz", "..", ".", "", "%2F", "%ff",
    "%C3%A9%0d%0a",
  ]
  private static let oddWords = ["é", "\u{0}", "a b", "\r", "\u{7F}"]
  private static let parameters = [
    "limit", "offset", "search", "number", "order", "direction", "from", "until", "tags", "user_uuid", "from_id", "format",
    "distinct", "recurse", "token", "tenant", "call_status", "conversation_id", "email", "requested_internal_context", "x",
    "call_direction", "recorded",
  ]
  private static let values = [
    "", "1", "0", "-1", "9223372036854775807", "9223372036854775808", "%00", "a%00b", "%", "%ff%fe", "%27", "\\", "_%25_", "date",
    "asc",
    "true", "csv", "2024-01-01", "2024-13-45T99", "9999-12-31T23:59:59", "0001-01-01T00:00:00Z", "\(uuid(1))", "a,b,,c",
    "%F0%9F%98%80",
    "peer_exten", "a@b.c", "'", "infinity", "294277-01-01", "x-1-\(uuid(1))",
  ]

  private static func request(_ random: inout Seeded, _ token: String) -> [UInt8] {
    if random.oneIn(12) { return (0..<random.below(300)).map { _ in UInt8(truncatingIfNeeded: random.next()) } }
    // Most are fine for the parser, so that they come as far as the routes.
    let isOdd = random.oneIn(3)
    let methods =
      ["GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
      + (isOdd ? ["TRACE", "CONNECT", "BREW", "", "get"] : [])
    var path = random.oneIn(8) ? "" : "/1.0"
    if random.oneIn(3) {
      path += "/cdr"
    } else {
      for _ in 0..<random.below(6) { path += "/" + random.pick(isOdd ? words + oddWords : words) }
    }
    if random.oneIn(2) {
      path += "?" + (0..<random.below(4)).map { _ in "\(random.pick(parameters))=\(random.pick(values))" }.joined(separator: "&")
    }
    var text = "\(random.pick(methods)) \(path) HTTP/1.\(isOdd ? random.below(3) : 1)\r\n"
    if !random.oneIn(10) { text += "Host: \(random.pick(isOdd ? ["", "a\u{1}", "[::1]"] : ["a"]))\r\n" }
    if !random.oneIn(4) { text += "X-Auth-Token: \(token)\r\n" }
    let headers =
      [
        "Wazo-Tenant", "Accept", "Range", "If-None-Match", "Origin", "X-Script-Name", "Expect",
      ] + (isOdd ? ["Transfer-Encoding", "Upgrade"] : [])
    for _ in 0..<random.below(3) {
      text += "\(random.pick(headers)): \(random.pick(values + ["text/csv", "chunked", "bytes=0-", "100-continue"]))\r\n"
    }
    if !random.oneIn(5) { text += "Connection: close\r\n" }
    let body = random.pick([
      "", "{}", "[]", "{\"cdr_ids\": [1]}", "{\"cdr_ids\": [99999999999999999999, 1.5]}", "null", "\u{0}", "[[[[",
      "{\"cdr_days\": -1}",
    ])
    if !isOdd || random.oneIn(2) {
      text += "Content-Length: \(isOdd ? random.pick(["-1", "x", "5", "99"]) : String(body.utf8.count))\r\n"
    }
    return Array((text + "\r\n" + body).utf8)
  }

  @Test("No bytes on a socket make a fault, or end the service")
  func anything() async throws {
    let random = Seeded()
    try await withService(settings: {
      $0.site.limits.request = .seconds(2)
      $0.site.exportsDirectory = NSTemporaryDirectory() + "none"
    }) { service, database, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["#"])
      var own = random
      try CallLogsOfTest.store(20, in: database, &own)
      // Their audio is missing, which is an error 500 of Wazo's API.
      try database.run("UPDATE call_logd_recording SET path = NULL")
      let port = service.port
      let counts = try await withThrowingTaskGroup(of: [String: Int].self) { group in
        for number in 0..<4 {
          group.addTask {
            try await onThread {
              var random = Seeded(seed: random.seed &+ UInt64(number))
              var counts: [String: Int] = [:]
              for _ in 0..<500 {
                let bytes = FuzzTests.request(&random, token)
                let client = try RawClient(port)
                client.send(bytes)
                client.finish()
                let shown = String(decoding: bytes.prefix(300), as: UTF8.self).replacing(token, with: "…").debugDescription
                guard let answer = client.receiveAll() else {
                  Issue.record("no end of the answer to \(shown)")
                  continue
                }
                let text = String(decoding: answer, as: UTF8.self)
                let status = String(text.prefix(12).suffix(3))
                counts[status, default: 0] += 1
                if text.isEmpty { continue }
                #expect(text.hasPrefix("HTTP/1.1 ") && status != "500", "\(shown) gives \(text.prefix(1000))")
                // The parser's own refusals have no body.
                let hasHeader = text.lowercased().contains("x-content-type-options: nosniff")
                #expect(hasHeader || status == "400" || status == "100", "\(shown) gives \(text.prefix(300))")
              }
              return counts
            }
          }
        }
        var all: [String: Int] = [:]
        for try await counts in group { all.merge(counts, uniquingKeysWith: +) }
        return all
      }
      #expect(counts["200", default: 0] > 100 && counts["404", default: 0] > 50, "\(counts)")
      #expect(try await service.ask(as: token, "/cdr").status == 200)
      print("answers: \(counts.sorted { $0.key < $1.key })")
    }
  }
}
