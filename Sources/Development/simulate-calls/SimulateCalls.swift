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
    abstract: "Make up the CELs of a telephone system, and the directory that goes with them.",
    discussion: """
      Writes channel events as a real Wazo server has them in its table cel: answered, missed, forwarded and transferred \
      calls, groups, mailboxes, conferences, pickups, click to call, recordings, unfinished calls, chat messages. Calls \
      that are up at the same time are interleaved. The same options give the same bytes.

      Two thousand calls of the last 30 days, to look at:

        simulate-calls --cels cels.csv --directory directory.json

      A million calls up to a fixed day, into a database that has Wazo's tables:

        simulate-calls --calls 1000000 --until 2026-11-01 --cels cels.csv --directory-sql directory.sql
        psql -f directory.sql
        psql -c "\\copy cel ($(head -n 1 cels.csv)) from cels.csv csv header"

      The next day's calls of the same system: the same --seed, --users and --tenants, with the --first-id after the last id, \
      --days 1 and a later --until.

      A summary goes to standard error. Ends with 0, with 64 for bad options, with 74 where a file cannot be written.
      """)

  @Option(help: "Number of calls.")
  var calls = 2000

  @Option(help: "Start of all random choices; another one is another system.")
  var seed: UInt64 = 1

  @Option(help: "Length of the period in days; most calls fall into working hours.")
  var days = 30

  @Option(help: ArgumentHelp("End of the period in UTC, such as 2026-03-02T18:00. (default: now)", valueName: "date-time"))
  var until: String?

  @Option(help: "Number of users, over all tenants.")
  var users = 200

  @Option(help: "Number of tenants.")
  var tenants = 2

  @Option(name: .customLong("first-id"), help: "Id of the first CEL.")
  var firstID: Int64 = 1

  @Option(
    help: ArgumentHelp(
      "About so many calls at once, evenly day and night, over the time that this takes; instead of --days.",
      valueName: "calls"))
  var busy: Int?

  @Option(help: ArgumentHelp("Where the CELs go, as CSV; - for standard output.", valueName: "file"))
  var cels = "-"

  @Option(help: ArgumentHelp("Where the directory goes, as JSON.", valueName: "file"))
  var directory: String?

  @Option(
    name: .customLong("directory-sql"),
    help: ArgumentHelp("Where the directory goes, as INSERTs for Wazo's tables.", valueName: "file"))
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
    // A reader that goes away shall be an error of write, which has a message or is passed over, and not a signal.
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
    complain("\(summary.callCount) calls, \(summary.cels) CELs; \(summary.callLogs) call logs should come of them\n")
    for kind in CallKind.allCases {
      guard let count = summary.calls[kind] else { continue }
      let number = String(count)
      complain(String(repeating: " ", count: max(0, 10 - number.count)) + "\(number)  \(kind.rawValue)\n")
    }
  }

  private func complain(_ text: String) {
    // Nobody is left to tell where standard error cannot be written.
    try? Output.standardError.put(Array(text.utf8))
  }
}
