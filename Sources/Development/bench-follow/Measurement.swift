import Foundation
import PostgreSQL
import Synchronization

/// Writes traffic and looks for its call logs at the same time.
struct Measurement {
  /// What was found.
  struct Found: Sendable {
    /// Seconds, in ascending order.
    var latencies: [Double] = []
    /// LINKEDID_ENDs without a call log of that name: chats, calls that are none, linkedids that
    /// joined another call.
    var missing = 0
    var cels = 0
    /// The most seconds that a row was written late because the writer was busy.
    var lag = 0.0

    /// The latency below which that share of calls lies.
    func milliseconds(_ share: Double) -> String {
      guard !latencies.isEmpty else { return "-" }
      return rounded(latencies[min(latencies.count - 1, Int(share * Double(latencies.count)))] * 1000, 0)
    }
  }

  private let uri: String
  private let connections: Int

  init(_ uri: String, _ connections: Int) { (self.uri, self.connections) = (uri, connections) }

  /// A call log that is not there after this time will not come: the follower is done long before.
  private static let patience = Duration.seconds(10)

  func take(_ traffic: Traffic) throws -> Found {
    let ends = Ends()
    // A call is written by one connection, as by one Asterisk.
    var shares = [[Traffic.Row]](repeating: [], count: connections)
    for row in traffic.rows { shares[Int(checksum(row.linkedid) % UInt64(connections))].append(row) }
    let started = ContinuousClock.now + .milliseconds(200)
    let writers = shares.enumerated().map { number, rows in
      Writer(uri: uri, columns: traffic.columns, rows: rows, started: started, ends: ends, number: number)
    }
    ends.begin(writers.count)
    for writer in writers {
      Thread.detachNewThread {
        do { try writer.run() } catch { ends.failed("\(error)") }
        ends.writerEnded()
      }
    }
    var found = try watch(ends)
    if let failure = ends.failure { throw Failed(description: "a writer failed: \(failure)") }
    found.cels = traffic.rows.count
    found.lag = ends.lag
    found.latencies.sort()
    return found
  }

  /// A writer that failed.
  struct Failed: Error, CustomStringConvertible { let description: String }

  private func watch(_ ends: Ends) throws -> Found {
    let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "bench-watch"), log: quiet)
    defer { connection.close() }
    var found = Found()
    var waiting: [String: ContinuousClock.Instant] = [:]
    while true {
      let isOver = ends.areOver
      for (linkedid, time) in ends.takeNew() where waiting[linkedid] == nil { waiting[linkedid] = time }
      if !waiting.isEmpty {
        let rows = try connection.query(
          "SELECT conversation_id FROM call_logd_call_log WHERE conversation_id = ANY($1)", [.textArray(Array(waiting.keys))],
          purpose: "Looking for call logs")
        let now = ContinuousClock.now
        for row in rows {
          guard let name = row.string(0), let time = waiting.removeValue(forKey: name) else { continue }
          found.latencies.append((now - time).seconds)
        }
        let old = waiting.filter { now - $0.value > Measurement.patience }.map(\.key)
        for name in old { waiting[name] = nil }
        found.missing += old.count
      }
      if isOver, waiting.isEmpty || ends.sinceEnd > Measurement.patience { break }
      Thread.sleep(forTimeInterval: 0.005)
    }
    found.missing += waiting.count
    return found
  }
}

/// Sums the bytes of a text, the same in every run.
func checksum(_ text: String) -> UInt64 {
  text.utf8.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
}

/// The ends of calls that were committed.
final class Ends: Sendable {
  private struct State {
    var new: [(String, ContinuousClock.Instant)] = []
    var left = 0
    var end = ContinuousClock.now
    var lag = 0.0
    var failure: String?
  }
  private let state = Mutex(State())

  func begin(_ writers: Int) { state.withLock { $0.left = writers } }
  func committed(_ linkedid: String) { state.withLock { $0.new.append((linkedid, .now)) } }
  func note(lag: Double) { state.withLock { $0.lag = max($0.lag, lag) } }
  func failed(_ message: String) { state.withLock { $0.failure = $0.failure ?? message } }
  func writerEnded() {
    state.withLock {
      $0.left -= 1
      $0.end = .now
    }
  }

  func takeNew() -> [(String, ContinuousClock.Instant)] {
    state.withLock { state in
      defer { state.new.removeAll() }
      return state.new
    }
  }
  var areOver: Bool { state.withLock { $0.left == 0 } }
  var sinceEnd: Duration { state.withLock { .now - $0.end } }
  var lag: Double { state.withLock(\.lag) }
  var failure: String? { state.withLock(\.failure) }
}
