import ArgumentParser
import DevelopmentSQL
import Foundation
import Logging
import PostgreSQL
import PrivateServer

/// A development tool: measures how soon after the end of a call `wazo-call-logs follow` has made
/// its call log.
@main
struct BenchFollow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-follow",
    abstract: "Measure wazo-call-logs follow: latency, CPU, memory.",
    discussion: """
      A writer writes simulated calls as Asterisk does: several connections, one INSERT for each \
      event, each committed by itself, a few of them late. The latency is the time from the commit \
      of LINKEDID_END to the moment when another connection sees the call log.

      The server is a private one with durable commits; the writer's commits are not durable, so \
      that the disk does not limit the writer.

      Examples:
        bench-follow            0.1, 10 and 100 calls a second: 18 minutes and more
        bench-follow --short    20 seconds

      "no name" counts calls that have no call log of their own linkedid: chats, and calls that \
      another one has taken in. The last line tells whether all call logs are right.
      """)

  @Flag(help: "20 seconds in all, at 1, 10 and 100 calls a second.")
  var short = false
  @Option(help: ArgumentHelp("Seconds at 0.1, 10 and 100 calls a second.", valueName: "a,b,c"), transform: BenchFollow.seconds)
  var seconds = [600.0, 300, 180]
  @Option(help: "Connections of the writer.")
  var connections = 4
  @Option(help: "The seed of the calls.")
  var seed: UInt64 = 1
  @Option(help: "The program to measure (default: the wazo-call-logs beside this one).")
  var program = URL(fileURLWithPath: CommandLine.arguments.first ?? "").deletingLastPathComponent()
    .appendingPathComponent("wazo-call-logs").path

  private static func seconds(_ text: String) throws -> [Double] {
    let values = text.split(separator: ",").compactMap { Double($0) }
    guard values.count == 3, values.allSatisfy({ $0 >= 0 && $0 <= 86_400 }) else {
      throw ValidationError("--seconds takes three numbers, such as 600,300,180")
    }
    return values
  }

  func validate() throws {
    guard (1...64).contains(connections) else { throw ValidationError("--connections takes a number from 1 to 64") }
  }

  func run() throws {
    guard FileManager.default.isExecutableFile(atPath: program) else {
      throw ValidationError("\(program) does not exist; `make bench-follow` builds it")
    }
    let server = try PrivateServer(settings: ["shared_buffers": "256MB", "max_wal_size": "4GB", "checkpoint_timeout": "30min"])
    defer { server.stop() }
    try server.createDatabase("bench")
    try server.psql(DevelopmentSQL.server, database: "bench")
    let uri = server.uri(database: "bench")
    let phases = Phase.all(short ? [5, 5, 5] : seconds, slowest: short ? 1 : 0.1, speed: short ? 50 : 10)
    try enterDirectory(phases, server)
    let follower = try FollowerProcess(program, uri: uri)
    defer { follower.stop() }
    try follower.waitUntilItLeads(uri)
    print(
      "\(ProcessInfo.processInfo.processorCount) cores; bounds: p50 0.3 s and p99 1 s, at 0.1 calls/s at most 1 s; idle 0.5 % of a core"
    )
    say("calls/s  seconds  calls   CELs/s  p50 ms  p99 ms  max ms  no name  CPU %  server %  RSS MB")
    for (index, phase) in phases.enumerated() where phase.seconds > 0 {
      let traffic = try Traffic(phase, number: index, seed: seed)
      let before = try follower.usage(uri)
      let started = ContinuousClock.now
      let found = try Measurement(uri, connections).take(traffic)
      let seconds = (ContinuousClock.now - started).seconds
      say(line(phase, found, seconds, try follower.usage(uri).since(before, seconds)))
      if found.lag > 0.5 {
        say("  the writer was up to \(rounded(found.lag, 1)) s behind: this machine is too slow for the rate")
      }
    }
    let pause = short ? 2.0 : 30
    // It looks less often when no CEL has come for a while.
    Thread.sleep(forTimeInterval: short ? 2 : 15)
    let before = try follower.usage(uri)
    Thread.sleep(forTimeInterval: pause)
    let idle = try follower.usage(uri).since(before, pause)
    follower.stop()
    say("idle for \(Int(pause)) s: the follower \(rounded(idle.cpu, 2)) % of a core, its sessions \(rounded(idle.server, 2)) %")
    let made = try callLogs(server)
    for verb in [["delete", "-A"], ["backfill"]] { try follower.run(verb) }
    guard try callLogs(server) == made else {
      throw FollowerProcess.Failed(description: "one run over all CELs makes other call logs than the follower has made")
    }
    say("\(made.split(separator: "|").first ?? "no") call logs, the same as those of one run over all CELs")
  }

  /// How many there are, and a checksum of their contents.
  private func callLogs(_ server: PrivateServer) throws -> String {
    try server.psql(
      """
      SELECT count(*), md5(string_agg((to_jsonb(l) - 'id')::text, ',' ORDER BY conversation_id, date, id)) FROM call_logd_call_log l
      """, database: "bench")
  }

  private func line(_ phase: Phase, _ found: Measurement.Found, _ seconds: Double, _ usage: FollowerProcess.Usage) -> String {
    let columns: [(String, Int)] = [
      (rounded(phase.rate, 1), 7), (rounded(seconds, 0), 9), ("\(found.latencies.count)", 7),
      (rounded(Double(found.cels) / max(seconds, 1), 0), 9), (found.milliseconds(0.5), 8), (found.milliseconds(0.99), 8),
      (found.milliseconds(1), 8), ("\(found.missing)", 9), (rounded(usage.cpu, 1), 7), (rounded(usage.server, 1), 10),
      (rounded(usage.memory, 0), 8),
    ]
    return columns.map { String(repeating: " ", count: max(0, $1 - $0.count)) + $0 }.joined()
  }

  private func enterDirectory(_ phases: [Phase], _ server: PrivateServer) throws {
    let traffic = try Traffic.simulation(phases[0], number: 0, seed: seed)
    try server.psql(String(decoding: traffic.directorySQL(), as: UTF8.self), database: "bench")
  }

  private func say(_ line: String) {
    print(line)
    // Otherwise a pipe or a file would show it only at the end.
    fflush(nil)
  }
}

/// A number with so many digits after the point.
func rounded(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

extension Duration {
  /// In seconds.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

/// A log that nobody reads.
let quiet = Logger(label: "bench-follow") { _ in SwiftLogNoOpLogHandler() }
