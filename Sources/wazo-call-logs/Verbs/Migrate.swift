import ArgumentParser
import Foundation
import Inspection
import Terminal
import Values

struct Migrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Create or update the tables of call logs.",
    discussion: """
      Every run that changes something creates missing tables itself. Use this verb to do it \
      beforehand, or as the role that owns the tables. Wazo's tables are created if they are \
      absent. Existing ones stay as they are, except for two new indexes. Steps that are done \
      already are not repeated.

      Examples:
        wazo-call-logs migrate --print                   look first; changes nothing
        wazo-call-logs migrate                           create or update the tables
        wazo-call-logs migrate --print | psql asterisk   the same through psql
      """)

  @Flag(name: .customLong("print"), help: "Print the SQL that is missing, and change nothing.")
  var prints = false
  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await Session.run(common) { session in
      let job = MigrateJob(try session.runSettings(), interruption: session.interruption, log: session.log)
      if prints {
        try Console.result(try job.script(), terminator: "")
        return
      }
      let (done, putOff) = try job.run { Console.progress("migrating to \($0)") }
      Console.clearProgress()
      if Console.isOutputTerminal {
        try Console.result(done.isEmpty ? "The schema is up to date." : "Done: \(done.joined(separator: ", ")).")
      }
      if !putOff.isEmpty {
        throw JobError(
          .busy,
          "\(putOff.joined(separator: ", ")) could not be done: a long transaction is in the way, or this role does not own the table. Everything works without these steps"
        )
      }
    }
  }
}
