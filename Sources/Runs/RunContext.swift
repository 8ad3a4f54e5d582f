import CallLogs
import Logging
import PostgreSQL
import Store
import Values

/// What every verb that works on the databases starts from: connections, a schema that is up to date, the CEL table and its checkpoint, the directory.
@dynamicMemberLookup
public struct RunContext {
  /// The connections.
  public let databases: Databases
  /// All the rest.
  package let facts: Facts

  /// What all workers of a run have in common.
  public struct Facts: Sendable {
    /// The CEL table.
    public let table: CELTable
    /// The checkpoint as it was at the start.
    public let checkpoint: Checkpoint
    /// Users and lines.
    public let directory: Directory
    /// The tenant of calls that nothing else gives one.
    public let defaultTenant: UUIDValue
    /// Whether `call_log_id` of the CELs is set.
    public let linksCELs: Bool
    /// What was asked for.
    public let settings: Settings
    /// Set where SIGINT or SIGTERM came.
    public let interruption: Interruption
    /// The log.
    public let log: Logger
    /// What was said already, by any worker.
    package let said = SaidOnce()
    /// What tests do on the way.
    package let points: Points
  }

  /// Facts as members of the context.
  public subscript<T>(dynamicMember key: KeyPath<Facts, T>) -> T { facts[keyPath: key] }

  /// Where the directory comes from.
  public enum DirectorySource: Sendable {
    /// Wazo's tables where there are some, else nobody.
    case automatic
    /// Wazo's tables.
    case wazo
    /// Nobody: every call goes to the default tenant.
    case none
    /// What a JSON file says.
    case contents(DirectoryContents)
  }

  /// What a run needs to know.
  public struct Settings: Sendable {
    /// How to connect.
    public var databases: Databases.Settings
    /// The CEL table's name.
    public var celTable = "cel"
    /// The zone in which eventtime's wall clock is read; nil where it is right as it stands.
    public var celTimeZone: String?
    /// The tenant of calls that nothing else gives one; nil for the only known one.
    public var defaultTenant: UUIDValue?
    /// Where the directory comes from.
    public var directory = DirectorySource.automatic
    /// CELs to a chunk.
    public var chunkSize = 20_000
    /// Whether `call_log_id` of the CELs is set; nil for where the column exists.
    public var linksCELs: Bool?
    /// CELs of history that a nightly run adds.
    public var history = 20_000
    /// Chunks that are worked on at the same time, each on connections of its own.
    public var workers = 1
    /// Seconds after its newest event at which a call without LINKEDID_END is closed by what it has; nil for never.
    public var closeAfter: Double?
    /// Seconds that an id must have been missing before it counts as never coming, where locks cannot show who may still commit it.
    public var finalAfter = 3600.0
    /// Seconds of retrying.
    public var retryFor = 60.0
    /// Seconds that a chunk waits for writers that may have ids that are missing in it. CELs are written in transactions of milliseconds.
    public var patience = 1.0
    /// The folder of checkpoint files; nil for none.
    public var checkpointDirectory: String?
    #if NAMED_POINTS
      /// Called at every named point; what it throws, the job sees. nil leaves it to `WAZO_CALL_LOGS_POINT`.
      public var atPoint: (@Sendable (Point) throws -> Void)?
    #endif
    /// Program and version, for the record.
    public var program = "wazo-call-logs"
    #if NAMED_POINTS
      /// Safeguards to leave out, for tests.
      public var shortcuts: Shortcuts = []
    #endif

    /// Defaults, for these databases.
    public init(databases: Databases.Settings) {
      self.databases = databases
    }
  }

  /// What becomes of the checkpoint at the start.
  public enum Start: Sendable {
    /// It is taken as it is, if it is that of the CEL table.
    case usual
    /// `--rebase`: nothing of this table counts as done, whatever is known of it or of another one of its name.
    case anew
    /// `--adopt`: the checkpoint of the database that this one is a copy of becomes this one's.
    case adopting
  }

  /// Connects and prepares. The schema is brought up to date where it is not, once nothing is left that could refuse the run.
  /// - Parameters:
  ///   - start: what becomes of the checkpoint
  ///   - changes: whether anything will be changed; false changes nothing at all, the schema neither
  /// - Throws: ``StoreError`` or ``JobError`` with what is missing, `PostgreSQLError` where the server refuses.
  public init(
    _ settings: Settings, start: Start = .usual, changes: Bool = true, interruption: Interruption, log: Logger
  )
    throws
  {
    #if NAMED_POINTS
      let points = try Points(settings.atPoint)
    #else
      let points = Points()
    #endif
    let databases = try Retry(seconds: settings.retryFor, interruption: interruption, log: log, databases: nil, hadServer: false)(
      {
        try Databases(settings.databases, interruption: interruption, log: log)
      })
    let retry = Retry(
      seconds: settings.retryFor, interruption: interruption, log: log, databases: databases, celTable: settings.celTable)
    try retry { try SessionCheck.run(databases, cels: settings.databases.cels, log: log) }
    // First the table that must be there, so that a wrong database is not filled with a schema.
    let table = try retry {
      try CallLogTables.check(on: databases.logs)
      return try CELTable.find(settings.celTable, timeZone: settings.celTimeZone, on: databases.cels)
    }
    try retry { try table.setUp(databases.cels) }
    databases.prepareNext { try table.setUp($0.cels) }
    let directory = Directory(try retry { try RunContext.contents(settings.directory, databases) })
    let defaultTenant = try retry { try RunContext.defaultTenant(settings, directory, databases) }
    let linksCELs = try RunContext.linksCELs(settings, table, changes: changes, log)
    let claim = try retry { try CheckpointClaim(table, start, databases) }
    let checkpoint = try retry {
      guard changes else { return try RunContext.prepareToRead(table, databases) }
      try RunContext.migrate(settings, databases, log)
      return try claim.take(table, databases, retry.lockWait(settings), log)
    }
    self.databases = databases
    facts = Facts(
      table: table, checkpoint: checkpoint, directory: directory, defaultTenant: defaultTenant, linksCELs: linksCELs,
      settings: settings, interruption: interruption, log: log, points: points)
    if !table.unindexedColumns.isEmpty {
      log.warning(
        "\(table.name) has no index on \(table.unindexedColumns.joined(separator: ", ")): conversations are looked up by them; `migrate --print` shows how to create it"
      )
    }
  }

  private static func migrate(_ settings: Settings, _ databases: Databases, _ log: Logger) throws {
    let putOff = try Migrator(databases.logs).migrate(program: settings.program) { log.info("migrating to \($0)") }.putOff
    if !putOff.isEmpty {
      log.warning(
        "put off, a long transaction stands in the way or this role does not own the table: \(putOff.joined(separator: ", "))")
    }
    try CallLogTables.checkColumns(on: databases.logs)
  }

  private static func prepareToRead(_ table: CELTable, _ databases: Databases) throws -> Checkpoint {
    let database = databases.logs.server.database
    let steps = try Migrator(databases.logs).steps()
    if steps.allSatisfy({ $0.isApplied || $0.isOptional }) {
      return try Checkpoint.read(table.identity, on: databases.logs) ?? .empty
    }
    guard !steps.contains(where: { $0.name == "m002_coverage" && $0.isApplied }) else {
      throw JobError(
        .configuration,
        "the schema in database \(database) is of an earlier version of this program: run `wazo-call-logs migrate` first")
    }
    // Call logs that only Wazo's program made are call logs, too.
    guard try CallLogTables.exist(on: databases.logs) else {
      throw JobError(.configuration, "there are no call logs in database \(database) yet: run `wazo-call-logs generate` first")
    }
    return .empty
  }

  /// The same run with connections of its own, for another thread.
  package init(_ facts: Facts) throws {
    self.facts = facts
    let (settings, table) = (facts.settings, facts.table)
    databases = try Retry(seconds: settings.retryFor, interruption: facts.interruption, log: facts.log, databases: nil)({
      let databases = try Databases(settings.databases, interruption: facts.interruption, log: facts.log)
      try table.setUp(databases.cels)
      return databases
    })
    databases.prepareNext { try table.setUp($0.cels) }
  }

  /// How this run tries again.
  package var retry: Retry {
    Retry(
      seconds: facts.settings.retryFor, interruption: facts.interruption, log: facts.log, databases: databases,
      celTable: facts.settings.celTable)
  }

  private static func linksCELs(_ settings: Settings, _ table: CELTable, changes: Bool, _ log: Logger) throws -> Bool {
    guard changes, settings.linksCELs ?? table.hasCallLogID else { return false }
    if !table.hasCallLogID {
      throw JobError(
        .configuration, "\(table.name) has no column call_log_id to link CELs with; leave --link-cels out, or add the column")
    }
    if let grant = table.missingLinkRight {
      // Going on without links would make Wazo's own program write these call logs once more.
      throw JobError(
        .permission, "this role may not set call_log_id of \(table.name): \(grant); or go without, with --no-link-cels")
    }
    if table.isOnStandby { log.warning("the CELs are on a standby: they are not linked to their call logs") }
    if settings.linksCELs == true, !table.canSetCallLogID, !table.isOnStandby {
      throw JobError(
        .configuration, "call_log_id of \(table.name) cannot be set, it is a view that takes no changes; leave --link-cels out")
    }
    return table.canSetCallLogID
  }

  private static func contents(_ source: DirectorySource, _ databases: Databases) throws -> DirectoryContents {
    switch source {
    case .none: return DirectoryContents()
    case .contents(let contents): return contents
    case .automatic, .wazo:
      if try WazoDirectory.exists(on: databases.cels) { return try WazoDirectory.read(on: databases.cels) }
      if !databases.isOne, try WazoDirectory.exists(on: databases.logs) { return try WazoDirectory.read(on: databases.logs) }
      guard case .wazo = source else { return DirectoryContents() }
      throw JobError(
        .configuration, "directory is \"wazo\", but database \(databases.cels.server.database) has no table userfeatures")
    }
  }

  private static func defaultTenant(_ settings: Settings, _ directory: Directory, _ databases: Databases) throws -> UUIDValue {
    if let tenant = settings.defaultTenant ?? directory.defaultTenant { return tenant }
    var known = directory.tenants
    if known.isEmpty, try CallLogTables.exist(on: databases.logs) {
      known = try CallLogTables.tenants(on: databases.logs).sorted()
    }
    if known.count == 1, let only = known.first { return only }
    let found =
      known.isEmpty
      ? "no tenant is known here; any UUID will do, such as one from uuidgen"
      : "there are \(known.count): \(known.prefix(5).map(\.description).joined(separator: ", "))\(known.count > 5 ? ", …" : "")"
    throw JobError(
      .configuration,
      "set --default-tenant (or default_tenant in the settings) to the tenant of calls that nothing else gives one; \(found)")
  }
}
