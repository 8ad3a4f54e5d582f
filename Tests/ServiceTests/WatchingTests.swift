import API
import AsyncHTTPClient
import Foundation
import ServiceSupport
import TestSupport
import Testing
import Values

@testable import Service

/// What Prometheus would read.
struct MetricsText {
  struct Sample {
    var name: String
    var labels: [String: String]
    var value: Double
  }

  var samples: [Sample] = []
  var kinds: [String: String] = [:]

  /// Reads the text form; a line that it does not allow is an error.
  init(_ text: String) throws {
    guard text.hasSuffix("\n") else { throw JobError(.badInput, "the last line has no end") }
    for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
      if let kind = line.wholeMatch(of: /# TYPE ([a-z_:]+) (counter|gauge|histogram)/) {
        guard kinds.updateValue(String(kind.2), forKey: String(kind.1)) == nil else {
          throw JobError(.badInput, "the kind of \(kind.1) is said twice")
        }
        continue
      }
      if line.wholeMatch(of: /# HELP [a-z_:]+ .+/) != nil { continue }
      guard let sample = line.wholeMatch(of: /([a-z_:]+)(\{(.*)\})? (\S+)/), let value = Double(sample.4) else {
        throw JobError(.badInput, "no line of metrics: \(line)")
      }
      var labels: [String: String] = [:]
      var rest = sample.3 ?? ""
      while !rest.isEmpty {
        guard let label = rest.prefixMatch(of: /([a-z_]+)="([^"\\]*)",?/) else {
          throw JobError(.badInput, "no labels: \(line)")
        }
        labels[String(label.1)] = String(label.2)
        rest = rest[label.range.upperBound...]
      }
      samples.append(Sample(name: String(sample.1), labels: labels, value: value))
    }
  }

  func value(_ name: String, _ labels: [String: String]) -> Double? {
    samples.first { sample in sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value } }?.value
  }
}

extension ServiceUnderTest {
  /// Asks at the address of metrics and health.
  func watch(_ path: String) async throws -> (status: Int, text: String) {
    var port: Int?
    try await until {
      port = log.lines.compactMap { $0.text.firstMatch(of: /metrics and health are at [^ ]*:(\d+)/).flatMap { Int($0.1) } }.last
      return port != nil
    }
    let request = HTTPClientRequest(url: "http://127.0.0.1:\(port ?? 0)\(path)")
    let response = try await HTTPClient.shared.execute(request, timeout: .minutes(30))
    return (Int(response.status.code), String(buffer: try await response.body.collect(upTo: 1 << 20)))
  }

  func metrics() async throws -> MetricsText { try MetricsText(try await watch("/metrics").text) }
}

@Suite("Whoever watches the service", .fewAtOnce, .timeLimit(.minutes(5)))
struct WatchingTests {
  @Test("reads metrics in Prometheus' form, which count what was asked")
  func metrics() async throws {
    var random = Seeded()
    try await withService(settings: { $0.managementPort = 0 }) { service, _, tokens in
      let token = try tokens.create(name: "all", tenants: .all, accesses: ["call-logd.#"])
      var asked: [[String]: Double] = [:]
      let requests = [
        ("GET", "/cdr", "/1.0/cdr", "200"), ("GET", "/cdr?limit=0", "/1.0/cdr", "200"), ("HEAD", "/cdr", "/1.0/cdr", "200"),
        ("GET", "/cdr/7", "/1.0/cdr/{cdr_id}", "404"), ("GET", "/cdr?limit=x", "/1.0/cdr", "400"),
        ("GET", "/no\"where\\", "other", "404"), ("DELETE", "/cdr", "/1.0/cdr", "405"), ("TRACE", "/cdr", "other", "501"),
      ]
      for _ in 0..<60 {
        let (method, path, route, status) = random.pick(requests)
        let path2 = path.replacing("\"", with: "%22").replacing("\\", with: "%5C")
        let answer = try await service.ask(method, path2, ["X-Auth-Token": token])
        #expect(String(answer.status) == status, "\(method) \(path)")
        asked[[route, method == "TRACE" ? "other" : method, status], default: 0] += 1
      }
      // A stream is counted at its end, which its client may see first.
      var metrics = try await service.metrics()
      func counted(_ metrics: MetricsText) -> Double {
        metrics.samples.filter { $0.name == "wazo_call_logd_requests_total" }.reduce(0) { $0 + $1.value }
      }
      for _ in 0..<500 where counted(metrics) < 60 { metrics = try await service.metrics() }
      for (key, count) in asked {
        let value = metrics.value("wazo_call_logd_requests_total", ["route": key[0], "method": key[1], "status": key[2]])
        #expect(value == count, "\(key); \(random)")
      }
      let name = "wazo_call_logd_request_seconds"
      #expect(metrics.kinds[name] == "histogram")
      for route in Set(asked.keys.map { $0[0] }) {
        let buckets = metrics.samples.filter { $0.name == name + "_bucket" && $0.labels["route"] == route }
        let counts = buckets.map(\.value)
        #expect(counts == counts.sorted() && buckets.last?.labels["le"] == "+Inf")
        #expect(counts.last == metrics.value(name + "_count", ["route": route]))
        #expect(counts.last == asked.filter { $0.key[0] == route }.values.reduce(0, +))
        let bounds = buckets.dropLast().compactMap { $0.labels["le"].flatMap { Double($0) } }
        #expect(bounds.count == buckets.count - 1 && bounds == bounds.sorted())
      }
      for sample in metrics.samples {
        let base = sample.name.replacing(/_(bucket|sum|count)$/, with: "")
        #expect(metrics.kinds[sample.name] != nil || metrics.kinds[base] == "histogram", "\(sample.name)")
      }
      #expect(try await service.watch("/other").status == 404)
      // The API's address has neither.
      for path in ["/metrics", "/health"] { #expect(try await service.ask("GET", path, absolute: true).status == 404) }
    }
  }

  @Test("learns whether the database can be reached")
  func health() async throws {
    try await withService(settings: { $0.managementPort = 0 }) { service, database, _ in
      #expect(try await service.watch("/health").status == 200)
      try allowConnections(false, to: database)
      _ = try database.rows(
        "pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'service-tests' AND datname = current_database()"
      )
      #expect(try await service.watch("/health").status == 503)
      try allowConnections(true, to: database)
      var status = 503
      for _ in 0..<2000 where status != 200 {
        status = try await service.watch("/health").status
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(status == 200)
    }
  }
}
