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

/// What every verb takes. Each is also a setting: a key of the configuration file, and an environment variable WAZO_CALL_LOGS_….
struct CommonOptions: ParsableArguments {
  @Option(name: .customLong("db-uri"), help: ArgumentHelp("Database that gets the call logs.", valueName: "uri"))
  var dbURI: String?
  @Option(
    name: .customLong("cel-db-uri"), help: ArgumentHelp("Database that has the CELs (default: the same).", valueName: "uri"))
  var celDBURI: String?
  @Option(help: ArgumentHelp("CEL table, with its schema if need be (default: cel).", valueName: "table"))
  var celTable: String?
  @Option(
    help: ArgumentHelp(
      "Time zone in which eventtime's wall clock is read, for PBXs that log local time, such as Europe/Paris.", valueName: "zone")
  )
  var celTimeZone: String?
  @Option(help: ArgumentHelp("Tenant of calls whose tenant nothing tells (default: the only one there is).", valueName: "uuid"))
  var defaultTenant: String?
  @Option(
    help: ArgumentHelp(
      "Who owns which line: a JSON file, 'wazo' (its tables) or 'none' (default: Wazo's tables where they exist).",
      valueName: "source"))
  var directory: String?
  @Option(help: ArgumentHelp("CELs in one transaction (default: 20000).", valueName: "n"))
  var chunkSize: String?
  @Flag(inversion: .prefixedNo, help: "Fill cel.call_log_id, which Wazo's own tools read (default: where the column exists).")
  var linkCels: Bool?
  @Option(help: ArgumentHelp("Chunks that are worked on at the same time, 1 to 64 (default: 1).", valueName: "n"))
  var workers: String?
  @Option(
    help: ArgumentHelp(
      "Close a call without LINKEDID_END whose newest event is older, by what it has: 6h, 2d, off (default: off).",
      valueName: "time"))
  var closeAfter: String?
  @Option(
    help: ArgumentHelp(
      "How long an id must have been missing before it counts as never coming, where locks cannot show who may still commit it: a standby, ids not from a sequence (default: 1h).",
      valueName: "time"))
  var finalAfter: String?
  @Option(help: ArgumentHelp("How long a statement waits for a lock (default: 5s).", valueName: "time"))
  var lockTimeout: String?
  @Option(help: ArgumentHelp("How long an attempt to connect may take (default: 10s).", valueName: "time"))
  var connectTimeout: String?
  @Option(
    help: ArgumentHelp(
      "For how long to try again after losing against another transaction, or the connection (default: 60s).", valueName: "time"))
  var retryFor: String?
  @Option(
    help: ArgumentHelp(
      "Folder of checkpoint files, which repeat the coverage for monitoring (default: /var/lib/wazo-call-logs, else the XDG state folder).",
      valueName: "folder"))
  var checkpointDir: String?
  @Option(
    help: ArgumentHelp(
      "Configuration file in place of /etc/wazo-call-logs/config.yml; conf.d beside it is read too.", valueName: "file"))
  var config: String?
  @Option(
    help: ArgumentHelp("Least severe messages shown: debug, info, warning or error (default: warning).", valueName: "level"))
  var logLevel: String?
  @Flag(name: [.customShort("D"), .long], help: "Show what is done, as --log-level debug.")
  var debug = false

  /// The settings, from here and everywhere else.
  /// - Parameter more: texts of options that only the verb at hand has
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
      // What the command line says wrongly is a usage error, what a file or the environment says is configuration.
      if case .invalidValue(_, _, let source, _) = error, source.hasPrefix("option") { throw JobError(.usage, "\(error)") }
      throw JobError(.configuration, "\(error)")
    }
  }
}

/// A verb at work: settings, log, interruption, and one place where errors become messages and exit codes.
struct Session {
  let settings: Settings
  let log: Logger
  let interruption: Interruption

  /// Runs a verb.
  static func run(
    _ options: CommonOptions, needsDatabase: Bool = true, more: [(Settings.Key, String?)] = [],
    _ body: @escaping (Session) throws -> Void
  ) async throws {
    let interruption = Interruption()
    Interruption.installSignalHandlers(interruption) { signal in
      // Without a database there is nothing to bring to an end, and reading may wait for input that never comes.
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

  /// How to connect.
  var databaseSettings: Databases.Settings {
    var databases = Databases.Settings(logs: settings.dbURI?.connectionString, cels: settings.celDBURI?.connectionString)
    databases.connectTimeout = max(1, Int(settings.connectTimeout.components.seconds))
    databases.lockTimeout = max(1, settings.lockTimeout.milliseconds)
    return databases
  }

  /// What the jobs need of the settings.
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

  /// Connects and prepares.
  /// - Parameters:
  ///   - start: what becomes of the checkpoint
  ///   - interprets: whether CELs are read, so that users and a default tenant are needed
  ///   - changes: whether anything will be changed; false changes nothing at all, the schema neither
  func context(start: RunContext.Start = .usual, interprets: Bool = true, changes: Bool = true) throws -> RunContext {
    var settings = try runSettings()
    if !interprets {
      settings.directory = .none
      settings.defaultTenant = UUIDValue(high: 0, low: 0)
    }
    return try RunContext(settings, start: start, changes: changes, interruption: interruption, log: log)
  }

  /// The directory that a JSON file holds.
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
