import ArgumentParser
import CallLogs
import Foundation
import Settings

/// The program. It accepts the command line of Wazo's program of the same name, and more.
@main
struct Main: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wazo-call-logs",
    abstract: "Makes call logs from Asterisk's channel events (CEL) in PostgreSQL.",
    discussion: """
      Without a verb the program runs `generate`, which is the nightly run. It covers all CELs \
      above the greatest one that is done, then 20,000 CELs of history.

      The first of these that names a database counts: --db-uri, the environment, \
      /etc/wazo-call-logs, Wazo's configuration, libpq's variables. Each chunk of CELs is one \
      transaction. You can kill the program at any moment and start it again.

      Examples:
        wazo-call-logs                    the nightly run
        wazo-call-logs status             what is covered, what the last runs did
        wazo-call-logs backfill           all history at once
        wazo-call-logs follow             call logs as calls end, until it is stopped
        wazo-call-logs explain 1714986000.1
                                          why a call has a call log or none

      Exit codes:
        0         done; skipped events are counted and are no error
        64        the command line is wrong
        65        the input is wrong, or a file of an archive is damaged or missing
        69        the database cannot be reached
        70        a fault in the program
        74        I/O error or full disk, here or at the server
        75        another run holds what is needed, or retries ran out
        77        a permission or a password is missing
        78        the configuration is wrong
        130, 143  interrupted by SIGINT or SIGTERM; the state is safe
        141       the reader closed the pipe of an `export`
      """,
    version: Program.version,
    subcommands: [
      Generate.self, Delete.self, Backfill.self, Regenerate.self, Status.self, Explain.self, Interpret.self, Follow.self,
      Migrate.self,
      ArchiveVerb.self, Purge.self, Restore.self, Archives.self, Export.self, Token.self,
    ],
    defaultSubcommand: Generate.self)

  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    ProcessList.hideSecrets()
    await main(Arguments.verbFirst(arguments))
  }
}

/// The program's name and version, for the record of runs and for manifests.
enum Program {
  static let version = "0.1.0"
  static let name = "wazo-call-logs \(version)"
}
