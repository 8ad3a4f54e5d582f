import Lanes
import Synchronization

/// Counts of requests, in the text form of Prometheus (Prometheus documentation, "Exposition
/// formats").
final class Metrics: Sendable {
  private struct Key: Hashable {
    let route: String
    let method: String
    let status: Int
  }

  private struct Latency {
    var buckets = [Int](repeating: 0, count: Metrics.bounds.count)
    var count = 0
    var sum = 0.0
  }

  private struct State {
    var requests: [Key: Int] = [:]
    var latencies: [String: Latency] = [:]
  }

  /// Seconds.
  private static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60]
  private static let methods: Set<String> = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]

  private let state = Mutex(State())

  /// Counts a request.
  /// - Parameter route: its path with names for values, so that there are few of them
  func note(route: String, method: String, status: Int, seconds: Double) {
    // A client can make up methods, and each would be a row for ever.
    let key = Key(route: route, method: Metrics.methods.contains(method) ? method : "other", status: status)
    state.withLock {
      $0.requests[key, default: 0] += 1
      var latency = $0.latencies[route] ?? Latency()
      for (place, bound) in Metrics.bounds.enumerated() where seconds <= bound { latency.buckets[place] += 1 }
      latency.count += 1
      latency.sum += seconds
      $0.latencies[route] = latency
    }
  }

  /// What a program has counted elsewhere.
  struct Sample {
    let name: String
    let kind: String
    let help: String
    let values: [(labels: String, value: Double)]
  }

  /// The text.
  func text(_ samples: [Sample]) -> String {
    let (requests, latencies) = state.withLock { ($0.requests, $0.latencies) }
    var text = ""
    func head(_ name: String, _ kind: String, _ help: String) {
      text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }
    head("wazo_call_logd_requests_total", "counter", "Requests that were answered.")
    for (key, count) in requests.sorted(by: {
      ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status)
    }) {
      text +=
        "wazo_call_logd_requests_total{route=\"\(key.route)\",method=\"\(key.method)\",status=\"\(key.status)\"} \(count)\n"
    }
    let name = "wazo_call_logd_request_seconds"
    head(name, "histogram", "Seconds from the request to the end of its answer.")
    for (route, latency) in latencies.sorted(by: { $0.key < $1.key }) {
      for (place, bound) in Metrics.bounds.enumerated() {
        text += "\(name)_bucket{route=\"\(route)\",le=\"\(bound)\"} \(latency.buckets[place])\n"
      }
      text += "\(name)_bucket{route=\"\(route)\",le=\"+Inf\"} \(latency.count)\n"
      text += "\(name)_sum{route=\"\(route)\"} \(latency.sum)\n\(name)_count{route=\"\(route)\"} \(latency.count)\n"
    }
    for sample in samples {
      head(sample.name, sample.kind, sample.help)
      for value in sample.values {
        text += "\(sample.name)\(value.labels.isEmpty ? "" : "{\(value.labels)}") \(value.value)\n"
      }
    }
    return text
  }
}

extension Metrics.Sample {
  /// The samples of lanes.
  static func lanes(_ lanes: [(name: String, counts: LaneCounts)]) -> [Metrics.Sample] {
    func sample(_ name: String, _ kind: String, _ help: String, _ value: (LaneCounts) -> Double) -> Metrics.Sample {
      Metrics.Sample(
        name: "wazo_call_logd_\(name)", kind: kind, help: help,
        values: lanes.map { ("lanes=\"\($0.name)\"", value($0.counts)) })
    }
    return [
      sample("queue_length", "gauge", "Work that waits for a connection.") { Double($0.waiting) },
      sample("lanes_busy", "gauge", "Connections at work.") { Double($0.running) },
      sample("database_work_total", "counter", "Work done on connections.") { Double($0.ended) },
      sample("database_seconds_total", "counter", "Seconds of that work.") { $0.seconds },
      sample("database_refused_total", "counter", "Work refused because too much waited.") { Double($0.refused) },
      sample("database_failed_connections_total", "counter", "Attempts to connect that failed.") { Double($0.failedConnections) },
    ]
  }
}
