import ArgumentParser
import Foundation
import Inspection
import Terminal
import Values

struct Migrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Create or update the tables of call logs.",
    discussion: """
      Every run does so by itself; this is for doing it beforehand, or by a role that owns the tables. Wazo's own tables are created where they are absent and left \
      alone where they exist. What is done already is not done again.

      Examples:
        wazo-call-logs migrate
        wazo-call-logs migrate --print | psql asterisk
      """)

  @Flag(name: .customLong("print"), help: "Print the SQL of what is to be done, and do nothing.")
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
          "\(putOff.joined(separator: ", ")) could not be done: a long transaction stands in the way, or this role does not own the table; everything works without"
        )
      }
    }
  }
}
