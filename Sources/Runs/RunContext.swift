import CallLogs
import Logging
import PostgreSQL
import Store
import Values

/// The basis of every verb that works on the databases: connections, an up-to-date schema, the CEL
/// table and its checkpoint, the directory.
@dynamicMemberLookup
public struct RunContext {
  /// The connections.
  public let databases: Databases
  /// Everything else.
  package let facts: Facts

  /// Everything that all workers of a run share.
  public struct Facts: Sendable {
    /// The CEL table.
    public let table: CELTable
    /// The checkpoint at the start of the run.
    public let checkpoint: Checkpoint
    /// Users and lines.
    public let directory: Directory
    /// The tenant of calls that cannot be attributed to one.
    public let defaultTenant: UUIDValue
    /// Whether the run sets `call_log_id` of the CELs.
    public let linksCELs: Bool
    /// The settings of the run.
    public let settings: Settings
    /// Reports SIGINT and SIGTERM.
    public let interruption: Interruption
    /// The log.
    public let log: Logger
    /// The messages that some worker has logged already.
    package let said: SaidOnce
    /// The actions of tests at named points.
    package let points: Points
  }

  /// Facts as members of the context.
  public subscript<T>(dynamicMember key: KeyPath<Facts, T>) -> T { facts[keyPath: key] }

  /// The source of the directory.
  public enum DirectorySource: Sendable {
    /// Wazo's tables where they exist, else an empty directory.
    case automatic
    /// Wazo's tables.
    case wazo
    /// An empty directory: every call goes to the default tenant.
    case none
    /// The contents of a JSON file.
    case contents(DirectoryContents)
  }

  /// Settings of a run.
  public struct Settings: Sendable {
    /// Parameters of the connections.
    public var databases: Databases.Settings
    /// The CEL table's name.
    public var celTable = "cel"
    /// The zone of the wall clock in `eventtime`; nil where `eventtime` needs no conversion.
    public var celTimeZone: String?
    /// The tenant of calls that cannot be attributed to one; nil for the only known tenant.
    public var defaultTenant: UUIDValue?
    /// The source of the directory.
    public var directory = DirectorySource.automatic
    /// CELs per chunk.
    public var chunkSize = 20_000
    /// Whether to set `call_log_id` of the CELs; nil: only where the column exists.
    public var linksCELs: Bool?
    /// CELs of history that a nightly run adds.
    public var history = 20_000
    /// The number of chunks at work at the same time, each on its own connections.
    public var workers = 1
    /// The age of a call's newest event, in seconds, after which a call without LINKEDID_END is
    /// closed at that event; nil for never.
    public var closeAfter: Double?
    /// The time that an id must have been missing before it counts as final, in seconds. It is used
    /// where locks cannot show whether a transaction may still commit the id.
    public var finalAfter = 3600.0
    /// The time limit for retries, in seconds.
    public var retryFor = 60.0
    /// The time that a chunk waits for writers that may still commit missing ids, in seconds.
    /// Asterisk writes CELs in transactions of milliseconds.
    public var patience = 1.0
    /// The folder of checkpoint files; nil for none.
    public var checkpointDirectory: String?
    #if NAMED_POINTS
      /// Called at every named point; the job sees its errors. With nil, the run obeys
      /// `WAZO_CALL_LOGS_POINT`.
      public var atPoint: (@Sendable (Point) throws -> Void)?
    #endif
    /// Program and version, for the record of the run.
    public var program = "wazo-call-logs"
    #if NAMED_POINTS
      /// Safeguards that a test leaves out.
      public var shortcuts: Shortcuts = []
    #endif

    /// Creates default settings for these databases.
    public init(databases: Databases.Settings) {
      self.databases = databases
    }
  }

  /// The use of the checkpoint at the start.
  public enum Start: Sendable {
    /// The run takes the checkpoint as it is, if it belongs to the CEL table.
    case usual
    /// `--rebase`: no CEL of this table counts as covered. Earlier checkpoints of it, or of a table
    /// of the same name, do not matter.
    case anew
    /// `--adopt`: this database is a copy of another one and takes over the checkpoint of that one.
    case adopting
  }

  /// Connects and prepares. If the schema is out of date, the run migrates it, after all checks
  /// that could refuse the run.
  /// - Parameters:
  ///   - start: the use of the checkpoint
  ///   - changes: whether the run will change anything; with false it changes nothing, not even the
  ///     schema
  /// - Throws: ``StoreError`` or ``JobError`` that names the obstacle, `PostgreSQLError` where the
  ///   server refuses.
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
    // Check the CEL table first. Otherwise a wrong database would get a schema.
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
      settings: settings, interruption: interruption, log: log, said: SaidOnce(), points: points)
    if !table.unindexedColumns.isEmpty {
      log.warning(
        "\(table.name) has no index on \(table.unindexedColumns.joined(separator: ", ")): the look-up of conversations needs it; `migrate --print` shows how to create it"
      )
    }
  }

  private static func migrate(_ settings: Settings, _ databases: Databases, _ log: Logger) throws {
    let putOff = try Migrator(databases.logs).migrate(program: settings.program) { log.info("migrating to \($0)") }.putOff
    if !putOff.isEmpty {
      log.warning(
        "put off, because a long transaction blocks them or this role does not own the table: \(putOff.joined(separator: ", "))")
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
        "the schema in database \(database) is from an earlier version of this program: run `wazo-call-logs migrate` first")
    }
    // Call logs that Wazo's program made count, too.
    guard try CallLogTables.exist(on: databases.logs) else {
      throw JobError(.configuration, "database \(database) has no call logs yet: run `wazo-call-logs generate` first")
    }
    return .empty
  }

  /// Gives the same run its own connections, for another thread.
  /// - Throws: `PostgreSQLError` or ``JobError`` where the server cannot be reached.
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

  /// The same run on the same connections, with users and lines as they are now.
  /// - Throws: an error of PostgreSQL, or ``JobError`` where it has no tables of users any more.
  package func withFreshDirectory() throws -> RunContext {
    let contents = try retry { try RunContext.contents(facts.settings.directory, databases) }
    let fresh = Facts(
      table: facts.table, checkpoint: facts.checkpoint, directory: Directory(contents), defaultTenant: facts.defaultTenant,
      linksCELs: facts.linksCELs, settings: facts.settings, interruption: facts.interruption, log: facts.log,
      said: facts.said, points: facts.points)
    return RunContext(databases: databases, facts: fresh)
  }

  private init(databases: Databases, facts: Facts) { (self.databases, self.facts) = (databases, facts) }

  /// The retries of this run.
  package var retry: Retry {
    Retry(
      seconds: facts.settings.retryFor, interruption: facts.interruption, log: facts.log, databases: databases,
      celTable: facts.settings.celTable)
  }

  private static func linksCELs(_ settings: Settings, _ table: CELTable, changes: Bool, _ log: Logger) throws -> Bool {
    guard changes, settings.linksCELs ?? table.hasCallLogID else { return false }
    if !table.hasCallLogID {
      throw JobError(
        .configuration, "\(table.name) has no column call_log_id for links to call logs; leave --link-cels out, or add the column"
      )
    }
    if let grant = table.missingLinkRight {
      // Without links, Wazo's own program would write these call logs a second time.
      throw JobError(
        .permission, "this role may not set call_log_id of \(table.name): \(grant), or run without links: --no-link-cels")
    }
    if table.isOnStandby { log.warning("the CELs are on a standby: they are not linked to their call logs") }
    if settings.linksCELs == true, !table.canSetCallLogID, !table.isOnStandby {
      throw JobError(
        .configuration, "call_log_id of \(table.name) cannot be set: it is a view that takes no changes; leave --link-cels out")
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
      ? "no tenant is known here, so any UUID will do, such as one from uuidgen"
      : "there are \(known.count): \(known.prefix(5).map(\.description).joined(separator: ", "))\(known.count > 5 ? ", …" : "")"
    throw JobError(
      .configuration,
      "set --default-tenant (or default_tenant in the settings) to the tenant for calls that cannot be attributed to one; \(found)"
    )
  }
}
