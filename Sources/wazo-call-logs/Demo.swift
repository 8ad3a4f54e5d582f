import ArgumentParser
import CallLogs
import Foundation
import Jobs
import Logging
import PostgreSQL
import PrivateServer
import SQL
import Simulation

struct Demo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show it at work on simulated calls, in a PostgreSQL of its own.",
    discussion: """
      Starts a private PostgreSQL, simulates calls of 30 days into Wazo's tables, generates their call logs, shows the last of them, and stops the server.

      Examples:
        wazo-call-logs demo
        wazo-call-logs demo --calls 20000 --seed 7 --stay   keep the server for trying other commands
      """)

  @Option(help: "How many calls to simulate.")
  var calls = 2000
  @Option(help: "The seed of the simulation; the same seed gives the same calls.")
  var seed: UInt64 = 1
  @Flag(help: "Keep the server until Ctrl-C, for trying other commands.")
  var stay = false

  func validate() throws {
    if calls < 1 { throw ValidationError("--calls takes a number above 0, not \(calls)") }
  }

  func run() async throws {
    let interruption = Interruption()
    Interruption.installSignalHandlers(interruption)
    do {
      try show(interruption)
    } catch {
      let failure = Failure(error, interruption: interruption)
      Console.error(failure.message)
      throw ExitCode(failure.kind.rawValue)
    }
  }

  private func show(_ interruption: Interruption) throws {
    let log = Console.logger(.warning)
    say("Starting a PostgreSQL of its own")
    let server: PrivateServer
    do { server = try PrivateServer() } catch { throw JobError(.unavailable, "\(error)") }
    defer { server.stop() }
    try server.createDatabase("demo")
    let uri = server.uri(database: "demo")
    let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "wazo-call-logs demo"), log: log)
    interruption.register(connection)
    let simulated = try simulate(into: connection)
    say("Simulated \(Human.count(simulated.callCount, "call")) of 30 days: \(Human.count(simulated.cels, "CEL"))")

    var settings = RunContext.Settings(databases: Databases.Settings(logs: uri, cels: nil))
    settings.defaultTenant = UUIDValue("00000000-0000-4000-8000-000000000001")
    settings.chunkSize = 2000
    settings.program = Program.name
    let context = try RunContext(settings, interruption: interruption, log: log)
    let summary = try GenerateJob(context) { progress in
      let line =
        "  \(Int(progress.share * 100)) %  \(Human.count(progress.cels)) CELs, \(Human.count(progress.callLogs)) call logs"
      if Console.isTerminal { Console.progress(line) } else { print(line) }
    }.run(.ids(from: nil, to: nil))
    Console.clearProgress()
    print(Covering.text(summary))
    try report(connection)
    next(uri, try connection.query(SQL.demoReports["example"] ?? "", purpose: "Looking for an example").string(0, 0) ?? "")
    while stay, !interruption.isRequested { Thread.sleep(forTimeInterval: 0.2) }
  }

  private func simulate(into connection: Connection) throws -> SimulationSummary {
    let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
    let simulation: Simulation
    do {
      simulation = try Simulation(SimulationOptions(calls: calls, seed: seed, days: 30, until: now))
    } catch {
      throw JobError(.usage, "\(error)")
    }
    try connection.script(SQL.demoServer, purpose: "Creating the tables of a Wazo server")
    try connection.script(String(decoding: simulation.directorySQL(), as: UTF8.self), purpose: "Entering users and lines")
    var summary: SimulationSummary?
    let columns =
      "id, eventtype, eventtime, userdeftype, cid_name, cid_num, cid_ani, cid_rdnis, cid_dnid, exten, context, channame, appname, appdata, "
      + "amaflags, accountcode, peeraccount, uniqueid, linkedid, userfield, peer, extra"
    try connection.copyIn("COPY cel (\(columns)) FROM STDIN (FORMAT csv, HEADER)", purpose: "Loading simulated CELs") { copy in
      summary = try simulation.writeCELs(to: copy.write)
    }
    try connection.script(
      "SELECT setval('cel_id_seq', (SELECT max(id) FROM cel)); ANALYZE cel", purpose: "Finishing the simulation")
    guard let summary else { throw JobError(.fault, "the simulation wrote nothing") }
    return summary
  }

  private func report(_ connection: Connection) throws {
    var last = TextTable(["date", "from", "to", "duration", "direction", "status", "tags"], right: [3])
    for row in try connection.query(SQL.demoReports["last"] ?? "", purpose: "Reading the last call logs") {
      last.add((0..<7).map { row.string($0) ?? "" })
    }
    print("\nThe last 20 call logs\n")
    print(last.lines(limit: 34).joined(separator: "\n"))
    var counts = TextTable(["status", "inbound", "internal", "outbound", "all"], right: [1, 2, 3, 4])
    for row in try connection.query(SQL.demoReports["counts"] ?? "", purpose: "Counting call logs") {
      counts.add([row.string(0) ?? ""] + (1...4).map { Human.count(row.int64($0) ?? 0) })
    }
    print("\nCall logs by status and direction\n")
    print(counts.lines().joined(separator: "\n"))
  }

  private func next(_ uri: String, _ conversation: String) {
    let program = CommandLine.arguments.first ?? "wazo-call-logs"
    if stay {
      print(
        """

        The server stays until Ctrl-C. In another terminal:
          export WAZO_CALL_LOGS_DB_URI='\(uri)' WAZO_CALL_LOGS_DEFAULT_TENANT=00000000-0000-4000-8000-000000000001
          \(program) status
          \(program) explain \(conversation)
          \(program) delete -d 7 && \(program) generate -d 7
          psql '\(uri)' -c 'SELECT * FROM call_logd_call_log ORDER BY date DESC LIMIT 5'
        """)
    } else {
      print(
        """

        Next:
          make demo STAY=1          the same, with the server kept for trying status, explain, delete and generate
          \(program) --help
          \(program) --db-uri postgresql:///asterisk    the nightly run on a server of yours
        """)
    }
    // A pipe or a file would show it only at the end otherwise.
    fflush(nil)
  }

  private func say(_ line: String) {
    print(line)
    fflush(nil)
  }
}
