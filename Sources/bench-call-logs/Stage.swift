import Foundation
import PrivateServer
import SQL
import Simulation

/// The database in which everything is measured.
final class Stage {
  let server: PrivateServer
  let program: String
  let database = "bench"
  private(set) var cels = 0
  private let folder: URL

  init(server: PrivateServer, program: String) {
    self.server = server
    self.program = program
    folder = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent(
      "bench-call-logs-\(ProcessInfo.processInfo.processIdentifier)")
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  var csv: String { folder.appendingPathComponent("cels.csv").path }
  var directory: String { folder.appendingPathComponent("directory.json").path }
  func file(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// Simulates the calls and loads them.
  func prepare(calls: Int) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: csv))
    // A fixed end, so that every run has the same CELs.
    let simulation = try Simulation(
      SimulationOptions(calls: calls, seed: 1, days: 30, until: 1_790_000_000_000_000, users: 2000, tenants: 5))
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: csv))
    cels = try simulation.writeCELs { try handle.write(contentsOf: Data($0)) }.cels
    try handle.close()
    try Data(simulation.directoryJSON()).write(to: URL(fileURLWithPath: directory))
    try server.createDatabase(database)
    _ = try server.psql(SQL.demoServer, database: database)
    let script = file("directory.sql")
    try Data(simulation.directorySQL()).write(to: URL(fileURLWithPath: script))
    _ = try psql(["-f", script])
    let beginning = try FileHandle(forReadingFrom: URL(fileURLWithPath: csv)).read(upToCount: 4096) ?? Data()
    let header = String(decoding: beginning.prefix { $0 != 0x0A }, as: UTF8.self)
    _ = try psql(["-c", "\\copy cel (\(header)) FROM '\(csv)' (FORMAT csv, HEADER)"])
    _ = try psql(["-c", "SELECT setval('cel_id_seq', (SELECT max(id) FROM cel))", "-c", "VACUUM ANALYZE cel"])
  }

  /// The machine, the versions and the server's settings.
  func machine(_ settings: [String: String]) -> String {
    let cpu =
      ((try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "").split(separator: "\n")
      .first { $0.hasPrefix("model name") }.map {
        $0.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
      } ?? "unknown processor"
    let version = ((try? psql(["-Atc", "SELECT version()"]))?.text ?? "").split(separator: "(").first ?? ""
    let list = settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    return
      "\(ProcessInfo.processInfo.processorCount) cores of \(cpu), \(ProcessInfo.processInfo.physicalMemory >> 30) GB; \(version); \(list)"
  }

  /// What a command took.
  struct Took {
    var seconds: Double
    var text: String
  }

  /// Runs psql against the database.
  @discardableResult
  func psql(_ arguments: [String]) throws -> Took {
    try command(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database] + arguments)
  }

  /// Runs the program.
  @discardableResult
  func run(_ arguments: [String]) throws -> Took {
    try command(
      [program] + arguments + [
        "--db-uri", server.uri(database: database), "--default-tenant", "00000000-0000-4000-8000-000000000001",
      ])
  }

  /// Runs a command and measures it.
  @discardableResult
  func command(_ words: [String]) throws -> Took {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    process.environment = ProcessInfo.processInfo.environment.merging(server.environment) { $1 }
    let output = Pipe()
    process.standardOutput = output
    let started = ContinuousClock.now
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let took = ContinuousClock.now - started
    guard process.terminationStatus == 0 else { throw Failed(words: words, status: process.terminationStatus) }
    let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
    return Took(seconds: seconds, text: text)
  }

  struct Failed: Error, CustomStringConvertible {
    let words: [String]
    let status: Int32
    var description: String { "\(words.prefix(6).joined(separator: " ")) … ended with \(status)" }
  }
}
