import Archive
import Archiving
import ArgumentParser
import Files
import Foundation
import PostgreSQL
import Settings
import Values

/// Options for the folder of archives and the tables.
struct ArchivePlace: ParsableArguments {
  @Option(help: ArgumentHelp("Folder of archives (default: archives in the checkpoint folder).", valueName: "folder"))
  var archiveDir: String?
  @Option(
    help: ArgumentHelp(
      "Tables, separated by commas: call-logs, cel, and for purge recordings, which stands for audio files (default: all).",
      valueName: "tables"))
  var table: String?

  var texts: [(Settings.Key, String?)] { [(.archiveDirectory, archiveDir), (.purgeTables, table)] }

  /// The folder of archives, as an absolute path.
  /// - Throws: ``JobError`` (78) if no folder is set
  static func folder(_ settings: Settings) throws -> String {
    guard let folder = settings.archiveDirectory ?? settings.checkpointDirectory.map({ $0 + "/archives" }) else {
      throw JobError(.configuration, "there is no folder for archives; set archive_dir")
    }
    // The database records the path, so it must not depend on the working directory.
    return URL(fileURLWithPath: folder).standardizedFileURL.path
  }

  /// The selected tables that have archives.
  /// - Throws: ``JobError`` (64) if none of the selected ones has
  func kinds(_ settings: Settings) throws -> [ArchiveKind] {
    let kinds = ArchivePlace.all(settings)
    guard table == nil || !kinds.isEmpty else {
      throw JobError(
        .usage, "recordings have no archive of their own: their rows are in that of call-logs, and only purge removes audio files"
      )
    }
    return kinds
  }

  static func all(_ settings: Settings) -> [ArchiveKind] { settings.purgeTables.compactMap { ArchiveKind(rawValue: $0) } }
}

/// The options of `archive` and `purge`.
struct DueOptions: ParsableArguments {
  @Option(
    name: [.customShort("d", allowingJoined: true), .long, .customLong("days-to-keep"), .customLong("days_to_keep")],
    parsing: .unconditional,
    help: ArgumentHelp(
      "Keep the last N days (24 hours each), unless the tenant or a stored default says otherwise.", valueName: "n"))
  var days: Int?
  @Option(
    help: ArgumentHelp(
      "Everything before this date or time, for every tenant: 2025-03-01, 2025-03-01T10:00+02:00.", valueName: "date"))
  var before: String?
  @OptionGroup var place: ArchivePlace
  @Option(help: ArgumentHelp("Only call logs of this tenant.", valueName: "uuid"))
  var tenant: String?
  @Option(help: ArgumentHelp("zstd's effort, 1 to 19 (default: 3).", valueName: "n"))
  var level: String?
  @Option(help: ArgumentHelp("Rows in one part, which is one transaction (default: 100000).", valueName: "n"))
  var partRows: String?
  @Option(help: ArgumentHelp("Pause N seconds after each part.", valueName: "n"))
  var sleep: Double?
  @Option(help: ArgumentHelp("Begin no further part after N minutes.", valueName: "n"))
  var runTime: Double?
  @Flag(help: "Show which rows are due and which stay, and change nothing.")
  var dryRun = false
  @Flag(help: "Confirm that everything up to now is meant; needed with -d 0.")
  var yes = false
  @Option(help: "How the summary is printed: text or json.")
  var format = OutputFormat.text

  func validate() throws {
    if days != nil, before != nil { throw ValidationError("-d and --before exclude one another") }
    if let days, days < 0 { throw ValidationError("-d takes a number of days of 0 or more, not \(days)") }
    if let sleep, !(0...86_400).contains(sleep) { throw ValidationError("--sleep takes 0 to 86400 seconds") }
    if let runTime, !(0...525_600).contains(runTime) { throw ValidationError("--run-time takes 0 to 525600 minutes") }
    if let tenant, UUIDValue(tenant) == nil { throw ValidationError("--tenant takes a UUID, not \(tenant)") }
    let time = try beforeTime()
    let now = Timestamp(secondsSince1970: Date().timeIntervalSince1970)
    if !yes, days == 0 || time.map({ $0 >= now }) == true {
      throw ValidationError("that is everything up to now; add --yes if it is meant")
    }
  }

  private func beforeTime() throws -> Int64? {
    do {
      return try before.map { text throws(JobError) in try DateReading.microseconds(text, as: .lower) }
    } catch {
      throw ValidationError("--before: \(error.message)")
    }
  }

  var texts: [(Settings.Key, String?)] { place.texts + [(.archiveLevel, level), (.partRows, partRows)] }

  /// The options of the job.
  /// - Throws: ``JobError``: 64 if `--tenant` meets CELs, 78 for wrong settings
  func options(_ settings: Settings, deletes: Bool, archives: Bool = true) throws -> ArchiveJob.Options {
    var kinds = deletes ? ArchivePlace.all(settings) : try place.kinds(settings)
    if tenant != nil {
      // CELs have no tenant.
      if place.table != nil, kinds.contains(.cel) {
        throw JobError(.usage, "--tenant goes with call-logs and recordings only: CELs have no tenant")
      }
      kinds.removeAll { $0 == .cel }
    }
    var retention = Retention.days(try daysToKeep(settings))
    if let time = try beforeTime() { retention = .before(time) }
    var options = ArchiveJob.Options(
      folder: archives && !kinds.isEmpty ? try ArchivePlace.folder(settings) : nil, deletes: deletes, kinds: kinds,
      retention: retention)
    options.tenant = tenant.flatMap { UUIDValue($0) }
    options.forgetsRecordings = deletes && settings.purgeTables.contains("recordings")
    options.recordingsFolder = deletes ? settings.recordingsDirectory : nil
    options.level = settings.archiveLevel
    options.workers = max(1, ProcessInfo.processInfo.activeProcessorCount / 2)
    options.rows = settings.partRows
    options.pause = sleep ?? 0
    options.runTime = runTime.map { $0 * 60 }
    options.parameters = parameters(settings, archives: archives)
    return options
  }

  private func daysToKeep(_ settings: Settings) throws -> Retention.Days {
    let wazo: PurgeDatabaseSettings
    do {
      wazo = try PurgeDatabaseSettings.load(
        settings.purgeConfig ?? PurgeDatabaseSettings.path, isNamed: settings.purgeConfig != nil)
    } catch {
      throw JobError(.configuration, "\(error)")
    }
    return Retention.Days(
      commandLine: days, daysToKeep: settings.daysToKeep ?? wazo.daysToKeep, perPlugin: wazo.perPlugin,
      callLogs: settings.cdrDays,
      recordings: settings.recordingDays)
  }

  private func parameters(_ settings: Settings, archives: Bool) -> String {
    var words: [String] = []
    if let days { words.append("-d \(days)") }
    if let before { words.append("--before \(before)") }
    words.append("--table \(settings.purgeTables.joined(separator: ","))")
    if let tenant { words.append("--tenant \(tenant)") }
    if !archives { words.append("--no-archive") }
    return words.joined(separator: " ")
  }
}
