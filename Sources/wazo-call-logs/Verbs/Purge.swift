import ArgumentParser
import CallLogs
import Files
import Foundation
import Settings

struct Purge: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Archive old call logs and CELs, then delete them with their audio files.",
    discussion: """
      The run deletes rows only after it has written, synced, read back and verified their \
      archive. It works part by part, each part in one transaction. You can kill it at any moment \
      and start it again.

      Call logs and audio are due tenant by tenant, by the beginning of the call. The first of \
      these that applies counts:
        1. --before, for every tenant
        2. the days that the tenant chose
        3. wazo-purge-db's days or -d, if they are not 365 and the stored default is
        4. the default stored in the database, else 365

      For CELs: --before, wazo-purge-db's days for cel, -d, days_to_keep, 365. CELs go by whole \
      calls: every CEL of the call must be due and done. The run counts the CELs that stay.

      Audio files go after their call logs. They go earlier if recordings are kept for a shorter \
      time than call logs; the call log then stays without a path.

      Examples:
        wazo-call-logs purge --dry-run                        which rows are due
        wazo-call-logs purge -d 90 --table cel                keep CELs for 90 days
        wazo-call-logs purge -d 30 --table recordings         keep audio for 30 days
        wazo-call-logs purge -d 365 --sleep 5 --run-time 60   an hour, with pauses
        wazo-call-logs purge -d 365 --no-archive              delete only
      """)

  @OptionGroup var due: DueOptions
  @Flag(help: "Delete without an archive.")
  var noArchive = false
  @Option(
    help: ArgumentHelp(
      "Folder of audio files; purge removes none elsewhere (default: /var/lib/wazo/sounds/tenants).", valueName: "folder"))
  var recordingsDir: String?
  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await ArchiveVerb.run(due, common, deletes: true, archives: !noArchive, more: [(.recordingsDirectory, recordingsDir)])
  }
}
