import DevelopmentSQL
import Foundation
import Simulation

/// Databases with simulated calls. Every measure gets a copy.
final class Stage {
  let commands: Commands
  let calls: Int
  private(set) var cels = 0
  /// The database with CELs and empty call log tables.
  let loaded: String
  static let work = "bench_work"
  /// How many days of new calls were added, so that the next day differs.
  private var added = 0

  init(_ commands: Commands, calls: Int) throws {
    (self.commands, self.calls) = (commands, calls)
    loaded = "bench_\(calls)"
    cels = try writeCELs(csv, calls: calls)
    try commands.server.createDatabase(loaded)
    _ = try commands.server.psql(DevelopmentSQL.server, database: loaded)
    try commands.psql(loaded, ["-f", commands.file("directory.sql")])
    try load(csv, into: loaded)
    try commands.wazo(loaded, ["migrate"])
    try commands.sql(
      loaded, "SELECT setval('cel_id_seq', (SELECT max(id) FROM cel))", "VACUUM (FREEZE, ANALYZE)", "CHECKPOINT")
  }

  /// The CELs, and the directory of users and lines.
  var csv: String { commands.file("cels.csv") }
  var directory: String { commands.file("directory.json") }

  /// Uses a fixed end and seed, so that every run has the same CELs.
  @discardableResult
  private func writeCELs(_ path: String, calls: Int, firstID: Int64 = 1, until: Int64 = 1_790_000_000_000_000, days: Int = 30)
    throws
    -> Int
  {
    let simulation = try Simulation(
      SimulationOptions(calls: calls, seed: 1, days: days, until: until, users: 2000, tenants: 5, firstID: firstID))
    try Data().write(to: URL(fileURLWithPath: path))
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    defer { try? handle.close() }
    if firstID == 1 {
      try Data(simulation.directoryJSON()).write(to: URL(fileURLWithPath: directory))
      try Data(simulation.directorySQL()).write(to: URL(fileURLWithPath: commands.file("directory.sql")))
    }
    return try simulation.writeCELs { try handle.write(contentsOf: Data($0)) }.cels
  }

  private func load(_ path: String, into database: String) throws {
    let beginning = try FileHandle(forReadingFrom: URL(fileURLWithPath: path)).read(upToCount: 4096) ?? Data()
    let header = String(decoding: beginning.prefix { $0 != 0x0A }, as: UTF8.self)
    try commands.psql(database, ["-c", "\\copy cel (\(header)) FROM '\(path)' (FORMAT csv, HEADER)"])
  }

  /// A copy of a database, ready for a measure.
  @discardableResult
  func copy(_ name: String? = nil, as copy: String? = nil) throws -> String {
    let copy = copy ?? Stage.work
    try commands.sql(
      "postgres", "DROP DATABASE IF EXISTS \(copy)", "CREATE DATABASE \(copy) TEMPLATE \(name ?? loaded) STRATEGY file_copy",
      "CHECKPOINT")
    try warm(copy)
    return copy
  }

  func drop(_ name: String) throws { try commands.sql("postgres", "DROP DATABASE IF EXISTS \(name)") }

  /// Brings the tables into the operating system's memory, as on a server that has just written
  /// them.
  private func warm(_ database: String) throws {
    try commands.psql(
      database, ["-c", "SET max_parallel_workers_per_gather = 0", "-c", "SELECT sum(id) FROM cel", "-o", "/dev/null"])
  }

  /// Adds the calls of one day after all others.
  /// - Returns: the number of their CELs
  func addNew(_ count: Int, to database: String) throws -> Int {
    added += 1
    let first = Int64(try commands.sql(database, "SELECT max(id) + 1 FROM cel").text) ?? 0
    let path = commands.file("new.csv")
    let day: Int64 = 86_400_000_000
    let cels = try writeCELs(path, calls: count, firstID: first, until: 1_790_000_000_000_000 + Int64(added + 1) * day, days: 1)
    try load(path, into: database)
    try commands.sql(database, "SELECT setval('cel_id_seq', (SELECT max(id) FROM cel))")
    return cels
  }
}
