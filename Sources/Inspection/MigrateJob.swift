import Logging
import PostgreSQL
import Runs
import Store

/// `migrate`: creates or updates the tables of call logs.
public struct MigrateJob {
  private let settings: RunContext.Settings
  private let interruption: Interruption
  private let log: Logger

  /// Makes a job on these databases.
  public init(_ settings: RunContext.Settings, interruption: Interruption, log: Logger) {
    (self.settings, self.interruption, self.log) = (settings, interruption, log)
  }

  /// Does the steps that are not done yet.
  /// - Parameter report: called before each step
  /// - Returns: the steps done, and those put off because a long transaction was in the way
  /// - Throws: errors of the server
  public func run(report: (String) -> Void) throws -> (done: [String], putOff: [String]) {
    let databases = try Databases(settings.databases, interruption: interruption, log: log)
    try CallLogTables.check(on: databases.logs)
    return try Migrator(databases.logs).migrate(program: settings.program, report: report)
  }

  /// The SQL of the steps that are not done yet. Missing indexes of the CEL table follow as
  /// comments.
  /// - Throws: errors of the server
  public func script() throws -> String {
    let databases = try Databases(settings.databases, interruption: interruption, log: log)
    try CallLogTables.check(on: databases.logs)
    var script = Migrator.script(of: try Migrator(databases.logs).steps())
    if let table = try? CELTable.find(settings.celTable, timeZone: nil, on: databases.cels), !table.unindexedColumns.isEmpty {
      script += "\n-- In the database of the CELs, to look up conversations; CONCURRENTLY lets writers go on:\n"
      for column in table.unindexedColumns {
        script += "-- CREATE INDEX CONCURRENTLY ON \(table.name) (\(Connection.quoteIdentifier(column)));\n"
      }
    }
    return script
  }
}
