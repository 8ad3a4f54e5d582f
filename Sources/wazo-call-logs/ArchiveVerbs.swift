import Archiving
import ArgumentParser
import Files
import Foundation
import Settings
import Terminal
import Values

struct ArchiveVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "archive",
    abstract: "Write old call logs and CELs into an archive, and verify it. Deletes nothing.",
    discussion: """
      Writes what `purge` would delete, in files that anything reads: PostgreSQL's CSV, compressed with zstd, a set of them for each table and month, with a manifest. What an earlier \
      archive has and what has not changed since is not written again, and a later purge does not, either.

      Examples:
        wazo-call-logs archive -d 365 --dry-run
        wazo-call-logs archive --before 2025-01-01 --table call-logs --archive-dir /mnt/archives
      """)

  @OptionGroup var due: DueOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await ArchiveVerb.run(due, common, deletes: false, archives: true)
  }

  /// What both verbs do.
  static func run(
    _ due: DueOptions, _ common: CommonOptions, deletes: Bool, archives: Bool, more: [(Settings.Key, String?)] = []
  ) async throws {
    try await Session.run(common, more: due.texts + more) { session in
      let options = try due.options(session.settings, deletes: deletes, archives: archives)
      let context = try session.context(interprets: false, changes: !due.dryRun)
      let job = ArchiveJob(context, options) { table in
        Console.progress(ArchiveReport.progress(table, deletes: deletes))
      }
      let summary = due.dryRun ? try job.dryRun() : try job.run()
      Console.clearProgress()
      switch due.format {
      case .json: try Console.result(ArchiveReport.json(summary, isDryRun: due.dryRun))
      // Cron mails what is printed.
      case .text:
        if due.dryRun || Console.isOutputTerminal {
          try Console.result(ArchiveReport.text(summary, options, isDryRun: due.dryRun))
        }
      }
      if !due.dryRun, let audio = summary.audio, audio.failed > 0 {
        throw JobError(
          .inputOutput,
          "\(Human.count(audio.failed, "audio file")) could not be removed; all else is done, and the next purge tries again")
      }
    }
  }
}

struct Purge: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Archive old call logs and CELs, then delete them.",
    discussion: """
      Nothing is deleted before its archive was written, synced, read back and verified. It goes part by part, each part one transaction, and can be killed and started again at any moment. \
      Call logs are kept as long as their tenant chose, else as wazo-purge-db's settings or the stored default say; CELs as wazo-purge-db's. \
      CELs go by whole calls, and only those that are done: what is kept for that is counted. \
      Audio files go after their call logs, or before them where a tenant keeps recordings for a shorter time.

      Examples:
        wazo-call-logs purge --dry-run                      what the settings come to
        wazo-call-logs purge -d 90 --table cel              keep CELs for 90 days
        wazo-call-logs purge -d 30 --table recordings       keep audio for 30 days
        wazo-call-logs purge -d 365 --sleep 5 --run-time 60 for an hour, gently
        wazo-call-logs purge -d 365 --no-archive            delete only
      """)

  @OptionGroup var due: DueOptions
  @Flag(help: "Delete without an archive.")
  var noArchive = false
  @Option(
    help: ArgumentHelp(
      "Folder of audio files; none elsewhere is removed (default: /var/lib/wazo/sounds/tenants).", valueName: "folder"))
  var recordingsDir: String?
  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await ArchiveVerb.run(due, common, deletes: true, archives: !noArchive, more: [(.recordingsDirectory, recordingsDir)])
  }
}
