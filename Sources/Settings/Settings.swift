/// The settings of the program. ``sources`` holds the origin of each value. `Settings.load` finds
/// them.
///
/// The keys of configuration files are those of ``Key``, in snake case. No description of this type
/// shows a password.
public struct Settings: Sendable {
  /// The database that gets the call logs. nil: libpq finds it by its own variables (`PGHOST`,
  /// `PGSERVICE`, …).
  public var dbURI: DatabaseURI?
  /// The database that has the CELs. The default is ``dbURI``.
  public var celDBURI: DatabaseURI?
  /// The CEL table, as `table` or `schema.table`, with quotes as in SQL.
  public var celTable = "cel"
  /// The IANA time zone of `eventtime`. nil: the time zone of the column.
  public var celTimeZone: String?
  /// The tenant of calls that cannot be attributed to one: a UUID in lower case. nil: the one known
  /// tenant.
  public var defaultTenant: String?
  /// The source of the owners of lines. nil: Wazo's tables if they exist, else none.
  public var directory: DirectorySource?
  /// CELs in one transaction, 1 to 10,000,000.
  public var chunkSize = 20_000
  /// Whether to fill `cel.call_log_id`. nil: yes if the column exists.
  public var linkCELs: Bool?
  /// CELs of history that a nightly run adds, 0 or more.
  public var history = 20_000
  /// Whether the service makes call logs as calls end. nil: unless Wazo's configuration exists.
  public var follow: Bool?
  /// CELs of history that the follower adds each minute when it is idle, 0 or more.
  public var followHistory = 0
  /// The number of chunks at work at the same time, 1 to 64. Each has its own connections.
  public var workers = 1
  /// The time without an event after which a call without LINKEDID_END is ended at its newest
  /// event. nil: the call waits for LINKEDID_END.
  public var closeAfter: Duration?
  /// How long an id must be missing to count as never coming, where locks cannot tell.
  public var finalAfter = Duration.seconds(3600)
  /// How long a statement waits for a lock on the CEL table.
  public var lockTimeout = Duration.seconds(5)
  /// How long an attempt to connect may take.
  public var connectTimeout = Duration.seconds(10)
  /// How long to retry after a lock conflict or a lost connection, and to wait for a run that makes
  /// no progress. Zero: not at all.
  public var retryFor = Duration.seconds(60)
  /// The folder of checkpoint files. nil: neither the system's state folder nor a home folder is
  /// known.
  public var checkpointDirectory: String?
  /// The folder of archives. nil: `archives` in ``checkpointDirectory``.
  public var archiveDirectory: String?
  /// zstd's compression level for archives, 1 to 19.
  public var archiveLevel = 3
  /// Rows in one part of an archive, 1 to 1,000,000.
  public var partRows = 100_000
  /// The tables that archive, purge, restore and archives work on, in this order: `call-logs`,
  /// `recordings` (audio files, which only purge handles), `cel`.
  public var purgeTables = ["call-logs", "recordings", "cel"]
  /// Days for which rows are kept. nil: wazo-purge-db's setting.
  public var daysToKeep: Int?
  /// Days for call logs of tenants that chose none. nil: the number stored in the database.
  public var cdrDays: Int?
  /// Days for audio files of tenants that chose none. nil: the number stored in the database.
  public var recordingDays: Int?
  /// The folder of audio files: an absolute path below the root. The program never removes an audio
  /// file elsewhere.
  public var recordingsDirectory = "/var/lib/wazo/sounds/tenants"
  /// How long purge leaves restored rows alone.
  public var keepRestored = Duration.seconds(30 * 86_400)
  /// The configuration file of wazo-purge-db. nil: Wazo's usual path, if the file exists.
  public var purgeConfig: String?
  /// The least severe messages shown.
  public var logLevel = LogLevel.warning

  /// The source of each value by key: `option --db-uri`, `environment variable
  /// WAZO_CALL_LOGS_DB_URI`, a file with its line, or `default`. The debug log shows it.
  public var sources: [String: String] = [:]
  /// Unknown keys in the program's own files, as warnings. Each names the file, the line and the
  /// nearest known key.
  public var unknownKeys: [String] = []

  /// The defaults, without a database.
  public init() {}
}

/// The source of the owners of lines (user, tenant, tags, extension).
public enum DirectorySource: Sendable, Equatable {
  /// Wazo's tables.
  case wazo
  /// A JSON file.
  case file(path: String)
  /// None, even if Wazo's tables exist.
  case disabled
}

/// The severity of messages.
public enum LogLevel: String, Sendable, CaseIterable {
  /// All messages, with the ids of skipped events and the sources of settings.
  case debug
  /// Also the normal progress of a run.
  case info
  /// Conditions that may need an administrator.
  case warning
  /// Only errors that end a run.
  case error
}
