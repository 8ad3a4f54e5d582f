extension Settings {
  /// The keys of configuration files, in the order of the manual's table.
  public enum Key: String, CaseIterable, Sendable {
    case dbURI = "db_uri"
    case celDBURI = "cel_db_uri"
    case celTable = "cel_table"
    case celTimeZone = "cel_time_zone"
    case defaultTenant = "default_tenant"
    case directory
    case chunkSize = "chunk_size"
    case linkCELs = "link_cels"
    case history
    case follow
    case followHistory = "follow_history"
    case workers
    case closeAfter = "close_after"
    case finalAfter = "final_after"
    case lockTimeout = "lock_timeout"
    case connectTimeout = "connect_timeout"
    case retryFor = "retry_for"
    case checkpointDirectory = "checkpoint_dir"
    case archiveDirectory = "archive_dir"
    case archiveLevel = "archive_level"
    case partRows = "part_rows"
    case purgeTables = "purge_tables"
    case daysToKeep = "days_to_keep"
    case cdrDays = "cdr_days"
    case recordingDays = "recording_days"
    case recordingsDirectory = "recordings_dir"
    case keepRestored = "keep_restored"
    case purgeConfig = "purge_config"
    case logLevel = "log_level"
  }

  /// One row of the manual's table of settings.
  public struct Entry: Sendable, Equatable {
    /// The key in configuration files, for example `chunk_size`.
    public let key: String
    /// The environment variable, for example `WAZO_CALL_LOGS_CHUNK_SIZE`.
    public let environmentName: String
    /// The default in words.
    public let defaultText: String
    /// The meaning in one line.
    public let explanation: String
    /// The allowed values in words.
    public let allowed: String
  }

  /// All settings, for the manual's page "Settings".
  public static var catalogue: [Entry] {
    Key.allCases.map { key in
      Entry(
        key: key.rawValue, environmentName: key.environmentName, defaultText: key.defaultText,
        explanation: key.explanation, allowed: key.allowed)
    }
  }
}

extension Settings.Key {
  /// The prefix of the program's environment variables.
  static let environmentPrefix = "WAZO_CALL_LOGS"

  /// The environment variable, for example `WAZO_CALL_LOGS_CHUNK_SIZE`.
  public var environmentName: String { "\(Self.environmentPrefix)_\(rawValue.uppercased())" }

  /// The command line option, for example `--chunk-size`.
  public var optionName: String {
    switch self {
    case .archiveLevel: "--level"
    case .purgeTables: "--table"
    default: "--" + String(rawValue.map { $0 == "_" ? "-" : $0 })
    }
  }

  /// Whether the value can contain a password.
  public var isSecret: Bool { self == .dbURI || self == .celDBURI }

  var defaultText: String {
    switch self {
    case .dbURI: "Wazo's db_uri, else libpq's variables"
    case .celDBURI: "db_uri; Wazo's where db_uri is Wazo's"
    case .celTable: "cel"
    case .celTimeZone: "none"
    case .defaultTenant: "the one known tenant"
    case .directory, .linkCELs, .follow: "auto"
    case .chunkSize, .history: "20000"
    case .workers: "1"
    case .followHistory: "0"
    case .closeAfter: "off"
    case .finalAfter: "1h"
    case .lockTimeout: "5s"
    case .connectTimeout: "10s"
    case .retryFor: "60s"
    case .checkpointDirectory: "/var/lib/wazo-call-logs, else the XDG state folder"
    case .archiveDirectory: "archives in checkpoint_dir"
    case .archiveLevel: "3"
    case .partRows: "100000"
    case .purgeTables: "call-logs,recordings,cel"
    case .daysToKeep: "wazo-purge-db's, else 365"
    case .cdrDays, .recordingDays: "the one stored in the database, else 365"
    case .recordingsDirectory: "/var/lib/wazo/sounds/tenants"
    case .keepRestored: "30d"
    case .purgeConfig: "/etc/wazo-purge-db/config.yml"
    case .logLevel: "warning"
    }
  }

  var explanation: String {
    switch self {
    case .dbURI: "Database that gets the call logs."
    case .celDBURI: "Database that has the CELs."
    case .celTable: "CEL table, with its schema if needed."
    case .celTimeZone: "Time zone of eventtime, for PBXs that log local time."
    case .defaultTenant: "Tenant for calls that cannot be attributed to one."
    case .directory:
      "Who owns which line: a JSON file, wazo, none; auto: Wazo's tables if they exist."
    case .chunkSize: "CELs in one transaction."
    case .linkCELs: "Whether to fill cel.call_log_id; auto: if the column exists."
    case .history: "CELs of history that a nightly run adds."
    case .follow:
      "Whether wazo-call-logd makes call logs as calls end; auto: unless Wazo's configuration exists, as Wazo's daemon does the same."
    case .followHistory: "CELs of history that the follower adds each minute when it is idle."
    case .workers: "Chunks at work at the same time, each on its own connections."
    case .closeAfter: "Ends a call without LINKEDID_END after so long without an event."
    case .finalAfter:
      "How long an id must be missing to count as never coming, where locks cannot tell."
    case .lockTimeout: "How long a statement waits for a lock."
    case .connectTimeout: "How long an attempt to connect may take."
    case .retryFor:
      "How long to retry after a lock conflict or lost connection, and to wait for another run that makes no progress; 0: not at all."
    case .checkpointDirectory: "Folder of checkpoint files."
    case .archiveDirectory: "Folder of archives."
    case .archiveLevel: "zstd's effort for archives."
    case .partRows: "Rows in one part of an archive, which is one transaction."
    case .purgeTables: "Tables that archive, purge, restore and archives work on."
    case .daysToKeep: "Days for which rows are kept, if nothing else says."
    case .cdrDays: "Days for call logs of tenants that chose none."
    case .recordingDays: "Days for audio of tenants that chose none."
    case .recordingsDirectory: "Folder of audio files; purge removes none elsewhere."
    case .keepRestored: "How long purge leaves restored rows alone."
    case .purgeConfig:
      "wazo-purge-db's configuration; conf.d beside it is read too."
    case .logLevel: "Least severe messages shown."
    }
  }

  /// The allowed values, as the end of a sentence.
  public var allowed: String {
    switch self {
    case .dbURI, .celDBURI: "postgresql://user:password@host/database, or host=… dbname=… as libpq reads it"
    case .celTable: "a table name, or schema.table"
    case .celTimeZone: "an IANA time zone that the system knows, such as America/Montreal"
    case .defaultTenant: "a UUID such as 6a1f2c3d-0b1c-4d5e-8f90-123456789abc"
    case .directory: "the path of a JSON file, wazo, none or auto"
    case .chunkSize: "a whole number from 1 to 10000000"
    case .linkCELs, .follow: "true, false or auto"
    case .history, .followHistory: "a whole number, 0 or more"
    case .workers: "a whole number from 1 to 64"
    case .closeAfter: "off, or a time from 1min to 3650d, such as 6h, 90min or 2d"
    case .finalAfter: "a time from 0 to 30d, such as 1h, 10min or 2d"
    case .lockTimeout, .connectTimeout: "a time from 1ms to 24h, such as 5s, 500ms or 5 (seconds)"
    case .retryFor: "a time from 0 to 24h, such as 60s, 500ms, 5min or 60 (seconds)"
    case .checkpointDirectory: "the path of a folder"
    case .archiveDirectory: "the path of a folder"
    case .archiveLevel: "a whole number from 1 to 19"
    case .partRows: "a whole number from 1 to 1000000"
    case .purgeTables: "call-logs, recordings and cel, or some of them, separated by commas"
    case .recordingsDirectory: "the absolute path of a folder below the root, such as /var/spool/asterisk/monitor"
    case .daysToKeep, .cdrDays, .recordingDays: "a whole number of days, 0 or more"
    case .keepRestored: "a time from 0 to 3650d, such as 30d or 12h"
    case .purgeConfig: "the path of a YAML file"
    case .logLevel: LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
    }
  }
}
