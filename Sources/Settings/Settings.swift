/// What an administrator can set. Where each value comes from is said in ``sources``; `Settings.load` finds them.
///
/// The keys of configuration files are those of ``Key``, in snake case; passwords appear in no description of this type.
public struct Settings: Sendable {
  /// The database that gets the call logs. nil: libpq finds it through its own variables (`PGHOST`, `PGSERVICE`, …).
  public var dbURI: DatabaseURI?
  /// The database that has the CELs; the same as ``dbURI`` unless set. nil as there.
  public var celDBURI: DatabaseURI?
  /// The CEL table, as `table` or `schema.table`, quoted as in SQL where it must be.
  public var celTable = "cel"
  /// The IANA zone in which the wall clock of `eventtime` is read. nil: as the column has it.
  public var celTimeZone: String?
  /// UUID, in lower case, of the tenant of calls that nobody's line tells the tenant of. nil: the one known tenant.
  public var defaultTenant: String?
  /// Who owns which line. nil: Wazo's tables where they exist, else nothing.
  public var directory: DirectorySource?
  /// CELs in one transaction, 1 to 10,000,000.
  public var chunkSize = 20_000
  /// Whether `cel.call_log_id` is filled. nil: yes where the column exists.
  public var linkCELs: Bool?
  /// CELs of history that a nightly run adds, 0 or more.
  public var history = 20_000
  /// Chunks that are worked on at the same time, each on connections of its own, 1 to 64.
  public var workers = 1
  /// A call without LINKEDID_END whose newest event is older than this is closed by what it has. nil: such a call waits for its end.
  public var closeAfter: Duration?
  /// How long a CEL id must have been missing before it counts as never coming, where locks cannot show who may still commit it.
  public var finalAfter = Duration.seconds(3600)
  /// How long a statement waits for a lock on the CEL table.
  public var lockTimeout = Duration.seconds(5)
  /// How long an attempt to connect may take.
  public var connectTimeout = Duration.seconds(10)
  /// For how long a lost or refused connection is tried again; zero: not at all.
  public var retryFor = Duration.seconds(60)
  /// The folder of checkpoint files. nil: there is none, because neither the system's folder nor a home folder is known.
  public var checkpointDirectory: String?
  /// The folder of archives. nil: `archives` in ``checkpointDirectory``.
  public var archiveDirectory: String?
  /// zstd's effort for archives, 1 to 19.
  public var archiveLevel = 3
  /// Rows in one part of an archive, 1 to 1,000,000.
  public var partRows = 100_000
  /// What archive and purge work on, `call-logs`, `recordings` (audio files, which have no archive) or `cel`, in that order.
  public var purgeTables = ["call-logs", "recordings", "cel"]
  /// Days for which rows are kept, in place of wazo-purge-db's. nil: wazo-purge-db's.
  public var daysToKeep: Int?
  /// Days for which call logs of tenants that chose none are kept. nil: the number stored in the database.
  public var cdrDays: Int?
  /// Days for which audio files of tenants that chose none are kept. nil: the number stored in the database.
  public var recordingDays: Int?
  /// The folder of audio files, an absolute path other than the root: no file elsewhere is ever removed.
  public var recordingsDirectory = "/var/lib/wazo/sounds/tenants"
  /// How long restored rows are not purged again.
  public var keepRestored = Duration.seconds(30 * 86_400)
  /// wazo-purge-db's configuration file. nil: where Wazo has it, if it is there.
  public var purgeConfig: String?
  /// The least severe messages that are shown.
  public var logLevel = LogLevel.warning

  /// Where each value came from, by key: `option --db-uri`, `environment variable WAZO_CALL_LOGS_DB_URI`, a file and
  /// its line, `default`. For `--debug`.
  public var sources: [String: String] = [:]
  /// Keys in our own files that mean nothing, each as a sentence with the file, the line and the nearest key that does; to be shown as warnings.
  public var unknownKeys: [String] = []

  /// The defaults, and no database.
  public init() {}
}

/// Where the owners of lines (user, tenant, tags, extension) are looked up.
public enum DirectorySource: Sendable, Equatable {
  /// Wazo's tables.
  case wazo
  /// A JSON file.
  case file(path: String)
  /// Nowhere, even where Wazo's tables exist.
  case disabled
}

/// How severe a message must be to be shown.
public enum LogLevel: String, Sendable, CaseIterable {
  /// Everything, with the ids of skipped events and the sources of settings.
  case debug
  /// Also what a run does while all is well.
  case info
  /// What an administrator may have to act on.
  case warning
  /// Only what makes a run fail.
  case error
}
