import Archiving
import ArgumentParser
import Foundation
import PostgreSQL
import Settings
import Terminal
import Values

struct ArchiveVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "archive",
    abstract: "Write old call logs and CELs into an archive and verify it; delete nothing.",
    discussion: """
      Writes the rows that `purge` would delete. The files are PostgreSQL's CSV, compressed with \
      zstd: a set of files for each table and month, each set with a manifest. Other programs can \
      read them.

      Rows that are in the archive already and have not changed are not written again. A later \
      `purge` verifies that copy and deletes the rows. See `wazo-call-logs purge --help` for which \
      rows are due.

      Examples:
        wazo-call-logs archive --dry-run                  which rows are due
        wazo-call-logs archive -d 365                     rows older than a year
        wazo-call-logs archive --before 2025-01-01 --table call-logs
        wazo-call-logs archive -d 365 --archive-dir /mnt/archives
      """)

  @OptionGroup var due: DueOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await ArchiveVerb.run(due, common, deletes: false, archives: true)
  }

  /// Runs either verb.
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
      // Cron mails any output.
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
