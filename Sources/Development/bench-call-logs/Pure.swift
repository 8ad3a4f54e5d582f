import CallLogs
import ArgumentParser
import Foundation
import PureParts
import Simulation

/// The parts that need no server, in memory and on one core.
struct Pure: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure the program's own work, without a server.",
    discussion: """
      Decodes, groups, interprets and encodes simulated CELs in the form of PostgreSQL's COPY, \
      chunk by chunk on one core. Shows processor time (medians), allocations, and instructions if \
      the processor counts them or valgrind is installed. The counts are the same in every run, so \
      that a change shows.

      Example:
        bench-call-logs pure --calls 20000
      """)

  @Option(help: "Calls to simulate.")
  var calls = 200_000
  @Option(help: "CELs in a chunk.")
  var chunk = 20_000
  @Option(help: "How often to time each part; the median counts.")
  var runs = 3
  @Flag(help: .hidden)
  var underCallgrind = false

  func run() throws {
    if underCallgrind { return print(try measure().cels) }
    try table().forEach { print($0) }
  }

  /// Takes all measures.
  /// - Returns: the lines of the table
  func table() throws -> [String] {
    let all = try (0..<runs).map { _ in try measure() }
    guard let first = all.first else { return [] }
    let counted = first.cost(of: nil).instructions == nil ? try Callgrind.count(calls: min(calls, 5000), chunk: chunk) : nil
    func line(_ what: String, _ part: PureParts.Part?) -> String {
      let taken = all.map { $0.cost(of: part) }.sorted { $0.seconds < $1.seconds }[runs / 2]
      let cels = Double(first.cels)
      let instructions =
        taken.instructions.map { Double($0) / cels }
        ?? counted.map { counted in (part.map { [$0] } ?? PureParts.Part.allCases).reduce(0) { $0 + (counted[$1] ?? 0) } }
      return what.padding(toLength: 12, withPad: " ", startingAt: 0)
        + String(format: "%12.0f%10.0f", cels / taken.seconds, taken.seconds / cels * 1e9)
        + (instructions.map { String(format: "%18.0f", $0) } ?? "               n/a")
        + String(format: "%17.3f", Double(taken.allocations) / cels)
    }
    return [
      "In memory on one core: \(first.cels) CELs of \(calls) simulated calls, \(first.callLogs) call logs, chunks of \(chunk)",
      "                  CELs/s    ns/CEL  instructions/CEL  allocations/CEL",
    ] + PureParts.Part.allCases.map { line($0.rawValue, $0) } + [line("all", nil)]
  }

  private struct Measured {
    var cels: Int
    var callLogs: Int
    var costs: [PureParts.Part: Cost]
    func cost(of part: PureParts.Part?) -> Cost {
      if let part { return costs[part] ?? Cost() }
      return costs.values.reduce(into: Cost()) { $0 += $1 }
    }
  }

  private func measure() throws -> Measured {
    // A fixed end, so that every run has the same CELs.
    let simulation = try Simulation(
      SimulationOptions(calls: calls, seed: 1, days: 30, until: 1_790_000_000_000_000, users: 2000, tenants: 5))
    var parts = PureParts(directory: Directory(try DirectoryContents(json: simulation.directoryJSON())))
    var isWarm = false
    try CopiedCELs.chunks(of: chunk, calls: simulation) {
      try parts.run($0)
      // The first chunk allocates the memory that the others use again.
      if !isWarm { parts.reset() }
      isWarm = true
    }
    return Measured(cels: parts.cels, callLogs: parts.callLogs, costs: parts.costs)
  }
}
