import ArgumentParser
import CallLogs
import Files
import Foundation
import Logging
import PostgreSQL
import Runs
import Settings
import Terminal
import Values

/// The options of every verb. Most are also settings: a key of the configuration file, and an
/// environment variable `WAZO_CALL_LOGS_…`.
struct CommonOptions: ParsableArguments {
  @Option(name: .customLong("db-uri"), help: ArgumentHelp("Database that gets the call logs.", valueName: "uri"))
  var dbURI: String?
  @Option(
    name: .customLong("cel-db-uri"),
    help: ArgumentHelp("Database that has the CELs (default: that of --db-uri).", valueName: "uri"))
  var celDBURI: String?
  @Option(help: ArgumentHelp("CEL table, with its schema if needed (default: cel).", valueName: "table"))
  var celTable: String?
  @Option(
    help: ArgumentHelp(
      "Time zone of eventtime, for PBXs that log local time, such as Europe/Paris.", valueName: "zone")
  )
  var celTimeZone: String?
  @Option(
    help: ArgumentHelp("Tenant for calls that cannot be attributed to one (default: the one known tenant).", valueName: "uuid"))
  var defaultTenant: String?
  @Option(
    help: ArgumentHelp(
      "Who owns which line: a JSON file, 'wazo' for Wazo's tables, or 'none' (default: Wazo's tables if they exist).",
      valueName: "source"))
  var directory: String?
  @Option(help: ArgumentHelp("CELs in one transaction (default: 20000).", valueName: "n"))
  var chunkSize: String?
  @Flag(inversion: .prefixedNo, help: "Fill cel.call_log_id, which Wazo's own tools read (default: if the column exists).")
  var linkCels: Bool?
  @Option(help: ArgumentHelp("Chunks at work at the same time, 1 to 64 (default: 1).", valueName: "n"))
  var workers: String?
  @Option(
    help: ArgumentHelp(
      "End a call without LINKEDID_END after so long without an event: 6h, 2d, off (default: off).",
      valueName: "time"))
  var closeAfter: String?
  @Option(
    help: ArgumentHelp(
      "How long an id must be missing to count as never coming, where locks cannot tell: on a standby, or if ids do not come from a sequence (default: 1h).",
      valueName: "time"))
  var finalAfter: String?
  @Option(help: ArgumentHelp("How long a statement waits for a lock (default: 5s).", valueName: "time"))
  var lockTimeout: String?
  @Option(help: ArgumentHelp("How long an attempt to connect may take (default: 10s).", valueName: "time"))
  var connectTimeout: String?
  @Option(
    help: ArgumentHelp(
      "How long to retry after a lock conflict or a lost connection, and how long to wait for another run that makes no progress; 0: not at all (default: 60s).",
      valueName: "time"))
  var retryFor: String?
  @Option(
    help: ArgumentHelp(
      "Folder of checkpoint files, which copy the coverage for monitoring (default: /var/lib/wazo-call-logs, else the XDG state folder).",
      valueName: "folder"))
  var checkpointDir: String?
  @Option(
    help: ArgumentHelp(
      "Configuration file in place of /etc/wazo-call-logs/config.yml; conf.d beside it is read, too.", valueName: "file"))
  var config: String?
  @Option(
    help: ArgumentHelp("Least severe messages shown: debug, info, warning or error (default: warning).", valueName: "level"))
  var logLevel: String?
  @Flag(name: [.customShort("D"), .long], help: "Show all messages, and the source of each setting; same as --log-level debug.")
  var debug = false

  /// Reads the settings from the command line and from all other sources.
  /// - Parameter more: options that only this verb has, as text
  /// - Throws: ``JobError``: 64 for a wrong value in an option, 78 for one in a file or the
  ///   environment
  func load(needsDatabase: Bool = true, more: [(Settings.Key, String?)] = []) async throws -> Settings {
    var overrides: [String: String] = [:]
    let texts: [(Settings.Key, String?)] = [
      (.dbURI, dbURI), (.celDBURI, celDBURI), (.celTable, celTable), (.celTimeZone, celTimeZone), (.defaultTenant, defaultTenant),
      (.directory, directory), (.chunkSize, chunkSize), (.linkCELs, linkCels.map { $0 ? "true" : "false" }),
      (.workers, workers), (.closeAfter, closeAfter), (.finalAfter, finalAfter), (.lockTimeout, lockTimeout),
      (.connectTimeout, connectTimeout), (.retryFor, retryFor), (.checkpointDirectory, checkpointDir),
      (.logLevel, debug ? "debug" : logLevel),
    ]
    for (key, text) in texts + more { overrides[key.rawValue] = text }
    do {
      return try await Settings.load(
        overrides: overrides, environment: ProcessInfo.processInfo.environment, configFile: config, needsDatabase: needsDatabase)
    } catch {
      // A wrong value in an option is a usage error (64), elsewhere it is configuration (78).
      if case .invalidValue(_, _, let source, _) = error, source.hasPrefix("option") { throw JobError(.usage, "\(error)") }
      throw JobError(.configuration, "\(error)")
    }
  }
}

/// A running verb: settings, log and interruption. Here errors become messages and exit codes.
struct Session {
  let settings: Settings
  let log: Logger
  let interruption: Interruption

  /// Runs a verb on its own thread, since its calls to libpq block.
  /// - Throws: `ExitCode`, after the message is printed
  static func run(
    _ options: CommonOptions, needsDatabase: Bool = true, more: [(Settings.Key, String?)] = [],
    _ body: @escaping (Session) throws -> Void
  ) async throws {
    let interruption = Interruption()
    Interruption.installSignalHandlers(interruption) { signal in
      // Without a database nothing needs an orderly end, and the program may be waiting for input
      // that never comes.
      if !needsDatabase { _exit(128 + signal) }
    }
    do {
      let settings = try await options.load(needsDatabase: needsDatabase, more: more)
      let log = Console.logger(settings.logLevel.level)
      for warning in settings.unknownKeys { log.warning("\(warning)") }
      for (key, source) in settings.sources.sorted(by: { $0.key < $1.key }) where source != "default" {
        log.debug("\(key): \(source)")
      }
      try await BlockingThread.run("job") { try body(Session(settings: settings, log: log, interruption: interruption)) }
    } catch let error as ExitCode {
      throw error
    } catch {
      let failure = Failure(error, interruption: interruption)
      Console.error(failure.message)
      throw ExitCode(failure.exitReason.rawValue)
    }
  }

  /// The settings of the connections.
  var databaseSettings: Databases.Settings {
    var databases = Databases.Settings(logs: settings.dbURI?.connectionString, cels: settings.celDBURI?.connectionString)
    databases.connectTimeout = max(1, Int(settings.connectTimeout.components.seconds))
    databases.lockTimeout = max(1, settings.lockTimeout.milliseconds)
    return databases
  }

  /// The settings of a run.
  /// - Throws: ``JobError`` (65) if the directory is a file that cannot be used
  func runSettings() throws -> RunContext.Settings {
    var run = RunContext.Settings(databases: databaseSettings)
    run.celTable = settings.celTable
    run.celTimeZone = settings.celTimeZone
    run.defaultTenant = settings.defaultTenant.flatMap { UUIDValue($0) }
    run.chunkSize = settings.chunkSize
    run.linksCELs = settings.linkCELs
    run.history = settings.history
    run.workers = settings.workers
    run.closeAfter = settings.closeAfter.map { Double($0.milliseconds) / 1000 }
    run.finalAfter = Double(settings.finalAfter.milliseconds) / 1000
    run.retryFor = Double(settings.retryFor.milliseconds) / 1000
    run.checkpointDirectory = settings.checkpointDirectory
    run.program = Program.name
    switch settings.directory {
    case nil: run.directory = .automatic
    case .wazo?: run.directory = .wazo
    case .disabled?: run.directory = .none
    case .file(let path)?: run.directory = .contents(try Session.contents(path))
    }
    return run
  }

  /// Connects to the databases and prepares a run.
  /// - Parameters:
  ///   - start: how the run treats the checkpoint
  ///   - interprets: whether the run interprets CELs and so needs users and a default tenant
  ///   - changes: whether the run may change anything; with false it leaves even the schema alone
  func context(start: RunContext.Start = .usual, interprets: Bool = true, changes: Bool = true) throws -> RunContext {
    var settings = try runSettings()
    if !interprets {
      settings.directory = .none
      settings.defaultTenant = UUIDValue(high: 0, low: 0)
    }
    return try RunContext(settings, start: start, changes: changes, interruption: interruption, log: log)
  }

  /// Reads a directory of users and lines from a JSON file.
  /// - Throws: ``JobError`` (65) if the file is not a directory
  static func contents(_ path: String) throws -> DirectoryContents {
    var bytes: [UInt8] = []
    try ByteSource(path: path).forEachPiece { bytes.append(contentsOf: $0) }
    do {
      return try DirectoryContents(json: bytes)
    } catch {
      throw JobError(.badInput, "the directory \(path) cannot be used: \(error)")
    }
  }
}

extension Duration {
  var milliseconds: Int { Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000) }
}

extension LogLevel {
  /// The same level of the log.
  var level: Logger.Level {
    switch self {
    case .debug: .debug
    case .info: .info
    case .warning: .warning
    case .error: .error
    }
  }
}
