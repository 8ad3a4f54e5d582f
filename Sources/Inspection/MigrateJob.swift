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

  /// Makes the search indexes that are missing.
  /// - Parameter report: called with the name of each index before it is made
  /// - Returns: the names of those made
  /// - Throws: ``StoreError`` with the SQL for an administrator, where the role may not do it or
  ///   the extension pg_trgm is not installed; errors of the server
  public func makeSearchIndexes(report: (String) -> Void) throws -> [String] {
    let databases = try Databases(settings.databases, interruption: interruption, log: log)
    return try Migrator(databases.logs).makeSearchIndexes(report: report)
  }

  /// Counts all call logs by tenant and hour, and makes the triggers that keep the counts. Nobody
  /// writes call logs meanwhile.
  /// - Throws: ``StoreError`` where the role may not do it, or writers are in the way
  public func makeCounts() throws {
    let databases = try Databases(settings.databases, interruption: interruption, log: log)
    do {
      try CallLogCounts.make(on: databases.logs)
    } catch let error as PostgreSQLError {
      switch error.sqlState {
      case .insufficientPrivilege?:
        throw StoreError(
          .configuration,
          "call logs cannot be counted: \(error.message); run `wazo-call-logs migrate --counts` as the owner of call_logd_call_log and call_logd_count"
        )
      case .lockNotAvailable?:
        throw StoreError(
          .busy, "call logs could not be counted, because somebody writes them in a long transaction; try again later")
      default: throw error
      }
    }
  }

  /// The SQL of the steps that are not done yet. Missing indexes of the CEL table follow as
  /// comments.
  /// - Parameter search: whether the search indexes follow
  /// - Throws: errors of the server
  public func script(search: Bool = false) throws -> String {
    let databases = try Databases(settings.databases, interruption: interruption, log: log)
    try CallLogTables.check(on: databases.logs)
    var script = Migrator.script(of: try Migrator(databases.logs).steps())
    if search { script += "\n-- The search indexes.\n" + SearchIndex.script }
    if let table = try? CELTable.find(settings.celTable, timeZone: nil, on: databases.cels), !table.unindexedColumns.isEmpty {
      script += "\n-- In the database of the CELs, to look up conversations; CONCURRENTLY lets writers go on:\n"
      for column in table.unindexedColumns {
        script += "-- CREATE INDEX CONCURRENTLY ON \(table.name) (\(Connection.quoteIdentifier(column)));\n"
      }
    }
    return script
  }
}
