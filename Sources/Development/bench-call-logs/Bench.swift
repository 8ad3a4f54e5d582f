import ArgumentParser
import Foundation
import PrivateServer

/// A development tool: measures the program against what PostgreSQL itself takes for the same rows, in the same run.
@main
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-call-logs",
    abstract: "Measure wazo-call-logs against PostgreSQL's own speed.",
    discussion: """
      The floor is what PostgreSQL takes through psql for the same rows: COPY out of the CELs' needed columns, COPY in of the call logs, participants, destinations and \
      recordings into empty tables with the same indexes and foreign keys, and, where links are on, one UPDATE of cel.call_log_id. One after the other; medians.

      The server is a private one; every measure begins with a copy of the same database.
      """,
    subcommands: [Pure.self])

  enum Scale: String, ExpressibleByArgument, CaseIterable {
    case small, medium, large
    /// Calls to simulate.
    var calls: Int {
      switch self {
      case .small: 20_000
      case .medium: 200_000
      case .large: 1_000_000
      }
    }
    /// This one and the smaller ones, whose rates are compared with each other.
    var andSmaller: [Scale] { Scale.allCases.filter { $0.calls <= calls } }
  }

  @Option(help: "small (20,000 calls), medium (200,000) or large (1,000,000).")
  var scale = Scale.medium
  @Option(help: "How often each measure is taken; the median counts.")
  var runs = 3
  @Option(help: "Workers of the measures that do not say how many.")
  var workers = 2
  @Option(help: "Measures to take, separated by commas: \(Measures.Part.names).", transform: Measures.Part.set)
  var only: Set<Measures.Part> = Set(Measures.Part.allCases)

  func run() throws {
    let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(
      "wazo-call-logs"
    ).path
    guard FileManager.default.isExecutableFile(atPath: program) else {
      throw ValidationError("\(program) is not there; `make bench` builds it")
    }
    // What a server of this size would be set to; nothing that gives up durability.
    let settings = [
      "shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min", "maintenance_work_mem": "256MB",
    ]
    let server = try PrivateServer(settings: settings)
    defer { server.stop() }
    let commands = try Commands(server: server, program: program)
    print(try commands.machine(settings))
    let measures = Measures(commands: commands, runs: runs, workers: workers)
    try measures.take(only, scale)
  }
}
