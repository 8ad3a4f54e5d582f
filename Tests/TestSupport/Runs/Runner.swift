import CallLogs
import Generation
import Logging
import PostgreSQL
import Runs
import Store
import Testing
import Values

/// The tenant of calls that nothing else gives one.
package let defaultTenant = "99999999-9999-4999-8999-999999999999"

/// Runs jobs in this process, each with connections of its own, as the program does.
package struct Runner {
  package let database: TestDatabase
  package var settings: RunContext.Settings
  package var log = quiet
  /// Sees each connection before the job starts.
  package var prepare: (RunContext) -> Void = { _ in }

  /// - Parameter cels: where the CELs are, if not in the same database
  package init(_ database: TestDatabase, cels: TestDatabase? = nil, table: String = "cel", chunkSize: Int = 20_000) {
    self.database = database
    settings = RunContext.Settings(databases: .init(logs: database.uri, cels: cels?.uri))
    settings.celTable = table
    settings.chunkSize = chunkSize
    settings.defaultTenant = UUIDValue(defaultTenant)
  }

  package func context(start: RunContext.Start = .usual) throws -> RunContext {
    try RunContext(settings, start: start, interruption: Interruption(), log: log)
  }

  @discardableResult
  package func generate(_ scope: Scope = .nightly, start: RunContext.Start = .usual) throws -> GenerateJob.Summary {
    let context = try context(start: start)
    defer { context.databases.close() }
    prepare(context)
    return try GenerateJob(context).run(scope)
  }

  /// Covers every CEL.
  @discardableResult
  package func backfill(from: Int64? = nil, to: Int64? = nil) throws -> GenerateJob.Summary {
    try generate(.ids(from: from, to: to))
  }

  /// Makes what is covered anew as well.
  @discardableResult
  package func regenerate(_ scope: Scope) throws -> GenerateJob.Summary {
    let context = try context()
    defer { context.databases.close() }
    prepare(context)
    return try GenerateJob(context).run(scope, remakes: true)
  }

  /// Makes one conversation anew.
  @discardableResult
  package func regenerate(conversation: String) throws -> Counters {
    let context = try context()
    defer { context.databases.close() }
    prepare(context)
    return try RegenerateJob(context).run(conversation)
  }

  @discardableResult
  package func delete(_ extent: DeleteJob.Extent) throws -> Int { try deletion(extent).callLogs }

  /// Deletes, and tells all of it.
  @discardableResult
  package func deletion(_ extent: DeleteJob.Extent, batch: Int = 10_000) throws -> DeleteJob.Summary {
    let context = try context()
    defer { context.databases.close() }
    prepare(context)
    return try DeleteJob(context, batch: batch).run(extent)
  }

  /// What a deletion would do.
  package func dryRun(_ extent: DeleteJob.Extent, batch: Int = 10_000) throws -> DeleteJob.Summary {
    let context = try RunContext(settings, changes: false, interruption: Interruption(), log: log)
    defer { context.databases.close() }
    return try DeleteJob(context, batch: batch).dryRun(extent)
  }
}

/// A database with Wazo's tables, these CELs in it, and a runner for it.
package func wazo(_ cels: [CELRow]..., chunkSize: Int = 20_000) throws -> (TestDatabase, Runner) {
  let database = try TestDatabase(.wazo)
  for rows in cels { try database.insert(rows) }
  return (database, Runner(database, chunkSize: chunkSize))
}

/// Expects both to be equal, and shows what is not.
package func expectSame(_ found: Dump, _ expected: Dump, _ what: String = "", _ location: SourceLocation = #_sourceLocation) {
  #expect(found.difference(from: expected) == "", "\(what)", sourceLocation: location)
}

/// What a failing run says and the code it ends with.
package func failure<T>(_ location: SourceLocation = #_sourceLocation, _ body: () throws -> T) throws -> Failure {
  let error = #expect(throws: (any Error).self, sourceLocation: location) { _ = try body() }
  return Failure(try #require(error, sourceLocation: location))
}

/// Expects that all ids are covered in one piece and that nobody waits for anything.
package func expectWhole(_ database: TestDatabase, _ what: String = "", _ location: SourceLocation = #_sourceLocation) throws {
  #expect(
    try database.value("count(*) FROM call_logd_checkpoint, unnest(covered)") == "1", "coverage in one piece \(what)",
    sourceLocation: location)
  #expect(
    try database.value("count(*) FROM cel, call_logd_checkpoint WHERE NOT covered @> cel.id::int8") == "0", "all covered \(what)",
    sourceLocation: location)
  #expect(try database.value("count(*) FROM call_logd_reach") == "0", "call_logd_reach \(what)", sourceLocation: location)
  #expect(try database.value("count(*) FROM call_logd_link") == "0", "call_logd_link \(what)", sourceLocation: location)
  #expect(try database.value("count(*) FROM call_logd_claim") == "0", "call_logd_claim \(what)", sourceLocation: location)
  #expect(
    try database.rows("linkedid FROM call_logd_open ORDER BY linkedid COLLATE \"C\"") == database.openLinkedids(),
    "call_logd_open \(what)",
    sourceLocation: location)
}
