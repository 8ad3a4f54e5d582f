import ArgumentParser
import Foundation
import PrivateServer

/// A development tool: measures the program against PostgreSQL's own time for the same rows, in the
/// same run.
@main
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-call-logs",
    abstract: "Measure wazo-call-logs against PostgreSQL's own speed.",
    discussion: """
      The floor is PostgreSQL's own time for the same rows, through psql, one statement after the \
      other: COPY out of the needed columns of the CELs; COPY in of the call logs, participants, \
      destinations and recordings, into empty tables with the same indexes and foreign keys; and, \
      with links, one UPDATE of cel.call_log_id. All figures are medians.

      The server is a private one. Every measure begins with a copy of the same database.

      Examples:
        bench-call-logs --scale small
        bench-call-logs pure --calls 20000   the parts that need no server
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
    /// This scale and the smaller ones, to compare their rates.
    var andSmaller: [Scale] { Scale.allCases.filter { $0.calls <= calls } }
  }

  @Option(help: "Calls to simulate: small (20,000), medium (200,000) or large (1,000,000).")
  var scale = Scale.medium
  @Option(help: "How often to take each measure; the median counts.")
  var runs = 3
  @Option(help: "Workers for the measures that do not set a number.")
  var workers = 2
  @Option(help: "Measures to take, separated by commas: \(Measures.Part.names).", transform: Measures.Part.set)
  var only: Set<Measures.Part> = Set(Measures.Part.allCases)

  func run() throws {
    let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(
      "wazo-call-logs"
    ).path
    guard FileManager.default.isExecutableFile(atPath: program) else {
      throw ValidationError("\(program) does not exist; `make bench` builds it")
    }
    // Usual settings of a server of this size. Durability stays on.
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
