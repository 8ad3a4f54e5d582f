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

      With --search also the indexes for searches by text, number and tag are made, while others \
      write call logs. They need the extension pg_trgm of PostgreSQL's own packages, and make \
      call logs slower to write. With --counts all call logs are counted by tenant and hour, and \
      triggers keep the counts; nobody writes call logs meanwhile, some seconds for 5 million.

      Examples:
        wazo-call-logs migrate --print                   look first; changes nothing
        wazo-call-logs migrate                           create or update the tables
        wazo-call-logs migrate --print | psql asterisk   the same through psql
        wazo-call-logs migrate --counts --search         for lists of millions
      """)

  @Flag(name: .customLong("print"), help: "Print the SQL that is missing, and change nothing.")
  var prints = false
  @Flag(help: "Make the indexes for searches by text, number and tag.")
  var search = false
  @Flag(help: "Count call logs by tenant and hour, and keep the counts from then on.")
  var counts = false
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if prints, counts { throw ValidationError("--counts makes its triggers and counts together; leave --print out") }
  }

  func run() async throws {
    try await Session.run(common) { session in
      let job = MigrateJob(try session.runSettings(), interruption: session.interruption, log: session.log)
      if prints {
        try Console.result(try job.script(search: search), terminator: "")
        return
      }
      var (done, putOff) = try job.run { Console.progress("migrating to \($0)") }
      if counts {
        Console.progress("counting call logs")
        try job.makeCounts()
        done.append("counts")
      }
      if search { done += try job.makeSearchIndexes { Console.progress("creating \($0)") } }
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
