import ArgumentParser
import CallLogs
import Foundation
import Settings

/// The program. Its command line is that of Wazo's program of the same name, and more.
@main
struct Main: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wazo-call-logs",
    abstract: "Makes call logs from Asterisk's channel events (CEL) in PostgreSQL.",
    discussion: """
      Without a verb it generates: everything above the greatest CEL that is done, then 20,000 CELs of history. \
      That is the nightly run:

        wazo-call-logs

      It takes the database from Wazo's configuration, its own, libpq's variables or --db-uri; works in one transaction per chunk; and can be \
      killed and started again at any moment.

      Exit codes: 0 done; 64 usage; 65 bad input; 69 database not reachable; 70 a fault in the program; 74 I/O error or disk full; \
      75 another job is running, or retries ran out; 77 permission or password; 78 configuration; 130 and 143 interrupted, state is safe.
      """,
    version: Program.version,
    subcommands: [
      Generate.self, Delete.self, Backfill.self, Regenerate.self, Status.self, Explain.self, Interpret.self, Migrate.self,
      ArchiveVerb.self, Purge.self, Restore.self, Archives.self, Export.self,
    ],
    defaultSubcommand: Generate.self)

  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    ProcessList.hideSecrets()
    await main(Arguments.verbFirst(arguments))
  }
}

/// What the program calls itself.
enum Program {
  static let version = "0.1.0"
  static let name = "wazo-call-logs \(version)"
}

/// The order of the command line.
enum Arguments {
  static let verbs = [
    "generate", "delete", "backfill", "regenerate", "status", "explain", "interpret", "migrate", "archive", "purge",
    "restore", "archives", "export",
  ]
  /// Options that come with a value in the next word.
  private static let valued: Set<String> = Set([
    "-c", "--cel-count", "-d", "--days", "--format", "--config", "--from-id", "--to-id", "--from", "--to",
    "--log-level", "--conversation",
    "--checkpoint-dir", "--before", "--tenant", "--sleep", "--run-time", "--file",
    "-o", "--output", "--tag", "--call-direction", "--call-status", "--number", "--user-uuid",
  ]).union(Settings.Key.allCases.map(\.optionName))

  /// Wazo's program takes its verb anywhere (`-c 5 generate`); here it is put first.
  static func verbFirst(_ arguments: [String]) -> [String] {
    var index = 0
    while index < arguments.count {
      let word = arguments[index]
      if word == "--" { break }
      if word.hasPrefix("-"), word != "-" {
        index += valued.contains(word) ? 2 : 1
        continue
      }
      guard index > 0, verbs.contains(word) else { break }
      var rest = arguments
      rest.remove(at: index)
      return [word] + rest
    }
    return arguments
  }
}
