import Logging
import PostgreSQL
import Recordings
import Store
import Values

/// The tables that the service needs.
enum Schema {
  /// Creates or updates the tables, or checks that they are there.
  ///
  /// A database that does not answer is no reason to end: the service answers 503 until it is
  /// there.
  /// - Parameters:
  ///   - retention: the days of the configuration, which are stored as defaults
  ///   - upgrades: whether the service may create and update tables
  /// - Throws: ``JobError`` (78): tables are missing; errors of the migration
  static func prepare(_ parameters: ConnectionParameters, retention: RetentionDays, upgrades: Bool, log: Logger) throws {
    let connection: Connection
    do {
      connection = try Connection(parameters, log: log)
    } catch {
      if upgrades { throw error }
      log.error("\(error.description)")
      return
    }
    defer { connection.close() }
    let migrator = Migrator(connection)
    if upgrades {
      try migrator.migrate(program: Program.name) { log.notice("migrating to \($0)") }
    }
    let missing = try migrator.steps().filter { !$0.isApplied && !$0.isOptional }
    guard missing.isEmpty else {
      throw JobError(
        .configuration,
        "tables in database \(connection.server.database) are missing or older than this program (\(missing.map(\.name).joined(separator: ", "))); run `wazo-call-logs migrate`, or start the service with --db-upgrade-on-startup"
      )
    }
    if retention != RetentionDays() { try TenantRetention.storeDefaults(retention, on: connection) }
  }
}
