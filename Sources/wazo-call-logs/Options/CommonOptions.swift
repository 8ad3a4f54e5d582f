import ArgumentParser
import CallLogs
import Files
import Foundation
import Logging
import Settings
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
