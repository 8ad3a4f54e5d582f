import Foundation
import PrivateServer
import Simulation
import Synchronization
import Testing

/// A database of one test, in the server that all tests share.
struct TestDatabase {
  let name: String
  let uri: String

  private static let number = Atomic<Int>(0)

  /// A copy of what a template has.
  init(_ template: Template) throws {
    try self.init(from: try template.name())
  }

  /// An empty one.
  init() throws { try self.init(from: "template0") }

  private init(from template: String) throws {
    name = "command_line_\(TestDatabase.number.add(1, ordering: .relaxed).newValue)"
    try PrivateServer.shared.createDatabase(name, template: template)
    uri = try PrivateServer.shared.uri(database: name)
  }

  /// The URI for another role.
  func uri(user: String, password: String? = nil) -> String {
    let login = user + (password.map { ":" + $0 } ?? "") + "@"
    return uri.replacing("user=postgres&", with: "").replacing("postgresql:///", with: "postgresql://\(login)/")
  }

  /// Runs SQL, and gives what it prints.
  @discardableResult
  func psql(_ sql: String) throws -> String {
    try PrivateServer.shared.psql(sql, database: name).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  func count(_ table: String) throws -> Int { Int(try psql("SELECT count(*) FROM \(table)")) ?? -1 }

  /// Runs the program on this database.
  func run(
    _ arguments: String..., environment: [String: String] = [:], _ location: SourceLocation = #_sourceLocation
  ) throws -> Outcome {
    try start(arguments, environment: environment).finish(location)
  }

  /// Starts the program on this database.
  func start(_ arguments: [String], environment: [String: String] = [:]) throws -> Running {
    let database = ["WAZO_CALL_LOGS_DB_URI": uri, "WAZO_CALL_LOGS_DEFAULT_TENANT": tenant]
    return try Running(Program.path, arguments, environment: database.merging(environment) { $1 })
  }

  /// Everything in the tables of the schema public, and the tables there are; the record of runs
  /// aside.
  func contents() throws -> String {
    try psql(
      """
      SELECT table_name, md5((query_to_xml(format('SELECT string_agg(t::text, E''\\n'' ORDER BY t::text) FROM %I t', table_name), true, true, ''))::text)
      FROM information_schema.tables WHERE table_schema = 'public' AND table_name <> 'call_logd_run' ORDER BY table_name
      """)
  }

  /// Every call log with all that belongs to it and with its CELs, but without the ids that a
  /// sequence gave: what must be the same however often a run was disturbed.
  func callLogs() throws -> String {
    try psql(
      """
      SELECT count(*), md5(string_agg(line, E'\\n' ORDER BY line COLLATE "C")) FROM (
        SELECT (to_jsonb(l) - 'id')::text
          || (SELECT jsonb_agg(to_jsonb(p) - 'call_log_id' ORDER BY uuid) FROM call_logd_call_log_participant p WHERE call_log_id = l.id)
          || (SELECT jsonb_agg(to_jsonb(d) - 'call_log_id' ORDER BY uuid) FROM call_logd_call_log_destination d WHERE call_log_id = l.id)
          || coalesce((SELECT jsonb_agg(to_jsonb(r) - 'call_log_id' ORDER BY uuid) FROM call_logd_recording r WHERE call_log_id = l.id), '[]')
          || coalesce((SELECT jsonb_agg(c.id ORDER BY c.id) FROM cel c WHERE c.call_log_id = l.id), '[]')
          AS line FROM call_logd_call_log l) lines
      """)
  }

  /// Opens a transaction that does `statement` and then holds its locks; `end` of what is returned
  /// ends it.
  func hold(_ statement: String) throws -> Holder { try Holder(self, statement) }

  /// Copies CELs in.
  func load(_ file: CELFile) throws { try psql(file.copy) }
}

/// A transaction of somebody else's.
struct Holder {
  private let database: TestDatabase
  private let psql: Running

  fileprivate init(_ database: TestDatabase, _ statement: String) throws {
    self.database = database
    psql = try Running(
      "/usr/bin/env", ["psql", "-X", "-q", "-d", database.uri, "-c", "BEGIN; \(statement); SELECT pg_sleep(300)"])
    try wait("for the lock") { try database.psql(Holder.sessions).isEmpty == false }
  }

  private static let sessions =
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"

  /// Undoes the transaction.
  func end() throws {
    try database.psql("SELECT pg_terminate_backend(pid) FROM (\(Holder.sessions)) holders")
    _ = try psql.finish()
  }
}

/// Waits until something holds that another program brings about; after a minute the test fails.
func wait(_ what: String, _ location: SourceLocation = #_sourceLocation, until holds: () throws -> Bool) throws {
  for _ in 0..<1200 {
    if try holds() { return }
    Thread.sleep(forTimeInterval: 0.05)
  }
  Issue.record("waited in vain: \(what)", sourceLocation: location)
}

/// The tenant that tests set where nothing else tells one.
let tenant = "6a1f2c3d-0b1c-4d5e-8f90-123456789abc"

/// Databases that are made once and then copied.
struct Template {
  let name: @Sendable () throws -> String

  /// Wazo's CEL table and directory, with 300 calls of the last 30 days.
  static let wazo = Template { try wazoTemplate.get() }
  /// Asterisk's own table, without call_log_id and the directory, with the same calls.
  static let plain = Template { try plainTemplate.get() }
  /// Wazo's tables without a row.
  static let bare = Template { try bareTemplate.get() }
  /// As `wazo`, with as many calls as keep a run busy.
  static let large = Template { try largeTemplate.get() }
  /// The calls of `wazo` and `plain`.
  static let simulated = Result { try Simulated(calls: 300) }

  private static let wazoTemplate = Result {
    try make("command_line_wazo", wazoTables + simulated.get().directory + simulated.get().copy)
  }
  private static let plainTemplate = Result { try make("command_line_plain", plainTable + simulated.get().copy) }
  private static let bareTemplate = Result { try make("command_line_bare", wazoTables) }
  private static let largeTemplate = Result {
    let calls = try Simulated(calls: 4_000)
    return try make("command_line_large", wazoTables + calls.directory + calls.copy)
  }

  private static func make(_ name: String, _ sql: String) throws -> String {
    try PrivateServer.shared.createDatabase(name)
    try PrivateServer.shared.psql(sql, database: name)
    return name
  }
}

/// Simulated calls as SQL.
struct Simulated {
  let directory: String
  let directoryJSON: Data
  let csv: String
  let summary: SimulationSummary

  init(calls: Int) throws {
    let now = Int64(Date().timeIntervalSince1970) * 1_000_000
    let simulation = try Simulation(SimulationOptions(calls: calls, until: now))
    var csv: [UInt8] = []
    summary = try simulation.writeCELs { csv.append(contentsOf: $0) }
    self.csv = String(decoding: csv, as: UTF8.self)
    directory = String(decoding: simulation.directorySQL(), as: UTF8.self)
    directoryJSON = Data(simulation.directoryJSON())
  }

  /// The CELs as a COPY statement with its data.
  var copy: String { CELFile.copy(csv) }
}
