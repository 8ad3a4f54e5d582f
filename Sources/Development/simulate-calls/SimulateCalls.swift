import ArgumentParser
import Simulation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@main
struct SimulateCalls: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate-calls",
    abstract: "Simulate the CELs of a telephone system, and its directory of users and lines.",
    discussion: """
      Writes channel events like those in the table cel of a Wazo server: answered, missed, \
      forwarded and transferred calls, groups, mailboxes, conferences, pickups, click to call, \
      recordings, unfinished calls, chat messages. Calls at the same time are interleaved. The \
      same options give the same bytes.

      Two thousand calls of the last 30 days:

        simulate-calls --cels cels.csv --directory directory.json

      A million calls up to a fixed day, into a database with Wazo's tables:

        simulate-calls --calls 1000000 --until 2026-11-01 \\
            --cels cels.csv --directory-sql directory.sql
        psql -f directory.sql
        psql -c "\\copy cel ($(head -n 1 cels.csv)) from cels.csv csv header"

      For the next day of the same system, keep --seed, --users and --tenants. Set --first-id to \
      the id after the last one, --days to 1, and a later --until.

      A summary goes to standard error. Exit codes: 0 done; 64 wrong options; 74 a file cannot be \
      written.
      """)

  @Option(help: "Number of calls.")
  var calls = 2000

  @Option(help: "Origin of all random choices; another seed gives another system.")
  var seed: UInt64 = 1

  @Option(help: "Length of the period in days; most calls are in working hours.")
  var days = 30

  @Option(help: ArgumentHelp("End of the period in UTC, such as 2026-03-02T18:00 (default: now).", valueName: "date-time"))
  var until: String?

  @Option(help: "Number of users, over all tenants.")
  var users = 200

  @Option(help: "Number of tenants.")
  var tenants = 2

  @Option(name: .customLong("first-id"), help: "Id of the first CEL.")
  var firstID: Int64 = 1

  @Option(
    help: ArgumentHelp(
      "In place of --days: about N calls at the same time, evenly day and night, for as long as needed.",
      valueName: "n"))
  var busy: Int?

  @Option(help: ArgumentHelp("File for the CELs, as CSV; - is standard output.", valueName: "file"))
  var cels = "-"

  @Option(help: ArgumentHelp("File for the directory, as JSON.", valueName: "file"))
  var directory: String?

  @Option(
    name: .customLong("directory-sql"),
    help: ArgumentHelp("File for the directory, as INSERTs for Wazo's tables.", valueName: "file"))
  var directorySQL: String?

  func validate() throws {
    do {
      try options().validate()
    } catch let invalid as SimulationOptions.Invalid {
      throw ValidationError(invalid.description)
    }
  }

  private func options() throws -> SimulationOptions {
    var end = Int64(time(nil)) * 1_000_000
    if let until {
      guard let moment = SimulatedTime.microseconds(fromISO: until) else {
        throw ValidationError("--until must be a date and time in UTC such as 2026-03-02T18:00, not '\(until)'")
      }
      end = moment
    }
    return SimulationOptions(
      calls: calls, seed: seed, days: days, until: end, users: users, tenants: tenants, firstID: firstID,
      concurrentCalls: busy)
  }

  func run() throws {
    // When a reader goes away, write must return an error, which gets a message or is ignored. A
    // signal would end the program.
    signal(SIGPIPE, SIG_IGN)
    do {
      let simulation = try Simulation(options())
      if let directory { try Output.make(simulation.directoryJSON(), at: directory) }
      if let directorySQL { try Output.make(simulation.directorySQL(), at: directorySQL) }
      let output = try Output(cels)
      let summary = try simulation.writeCELs(to: output.put)
      try output.finish()
      report(summary)
    } catch let failure as Output.Failure {
      guard !failure.isClosedPipe else { return }
      complain("simulate-calls: \(failure)\n")
      throw ExitCode(74)
    }
  }

  private func report(_ summary: SimulationSummary) {
    complain("\(summary.callCount) calls, \(summary.cels) CELs; they should give \(summary.callLogs) call logs\n")
    for kind in CallKind.allCases {
      guard let count = summary.calls[kind] else { continue }
      let number = String(count)
      complain(String(repeating: " ", count: max(0, 10 - number.count)) + "\(number)  \(kind.rawValue)\n")
    }
  }

  private func complain(_ text: String) {
    // If standard error cannot be written, no message can reach anybody.
    try? Output.standardError.put(Array(text.utf8))
  }
}
