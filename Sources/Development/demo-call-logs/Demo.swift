import ArgumentParser
import DevelopmentSQL
import Foundation
import Logging
import PostgreSQL
import PrivateServer
import Simulation
import Terminal
import Values

/// `make demo`: shows the program on simulated calls, in a private PostgreSQL server.
@main
struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo-call-logs",
    abstract: "Show wazo-call-logs on simulated calls, in a private PostgreSQL server.",
    discussion: """
      Starts a private PostgreSQL server, simulates the calls of 30 days into Wazo's tables, runs \
      wazo-call-logs on them, shows the newest call logs, and stops the server.

      Examples:
        demo-call-logs
        demo-call-logs --calls 20000 --seed 7
        demo-call-logs --stay                    keeps the server for other commands
        demo-call-logs --serve                   the same, with the REST API
      """)

  @Option(help: "How many calls to simulate.")
  var calls = 2000
  @Option(help: "The seed of the simulation; the same seed gives the same calls.")
  var seed: UInt64 = 1
  @Option(help: "The program to show (default: the wazo-call-logs beside this one).")
  var program = URL(fileURLWithPath: CommandLine.arguments.first ?? "").deletingLastPathComponent()
    .appendingPathComponent("wazo-call-logs").path
  @Flag(help: "Keep the server until Ctrl-C, to try other commands.")
  var stay = false
  @Flag(help: "Serve the call logs by Wazo's REST API until Ctrl-C.")
  var serve = false
  @Option(help: "The service to show (default: the wazo-call-logd beside this program).")
  var service = URL(fileURLWithPath: CommandLine.arguments.first ?? "").deletingLastPathComponent()
    .appendingPathComponent("wazo-call-logd").path

  func validate() throws {
    if calls < 1 { throw ValidationError("--calls takes a number above 0, not \(calls)") }
  }

  func run() throws {
    let interruption = Interruption()
    Interruption.installSignalHandlers(interruption)
    do {
      try show(interruption)
    } catch let error as any ReportedError {
      Console.note("demo-call-logs: \(error.report)")
      throw ExitCode(error.exitReason.rawValue)
    }
  }

  private func show(_ interruption: Interruption) throws {
    say("Starting a private PostgreSQL server")
    let server: PrivateServer
    do { server = try PrivateServer() } catch { throw JobError(.unavailable, "\(error)") }
    defer { server.stop() }
    try server.createDatabase("demo")
    let uri = server.uri(database: "demo")
    let connection = try Connection(
      ConnectionParameters(uri: uri, applicationName: "demo-call-logs"), log: Console.logger(.warning))
    interruption.register(connection)
    let simulated = try simulate(into: connection)
    say("Simulated \(Human.count(simulated.callCount, "call")) of 30 days: \(Human.count(simulated.cels, "CEL"))")
    let served = serve ? try DemoService() : nil
    defer { served?.stop() }
    if let served { try move(recordings: served.recordings, connection) }
    print(try makeCallLogs(uri))
    try report(connection)
    if let served { try start(served, uri, connection) }
    next(uri, try connection.query(DevelopmentSQL.reports["example"] ?? "", purpose: "Looking for an example").string(0, 0) ?? "")
    if let served { show(served, try example(of: served.recordings, connection)) }
    let live = served.map { _ in LiveCalls(connection) }
    while stay || serve, !interruption.isRequested {
      try served?.check()
      do {
        try live?.step()
      } catch {
        // Ctrl-C ends the statement that runs.
        if interruption.isRequested { break }
        throw error
      }
      Thread.sleep(forTimeInterval: 0.2)
    }
  }

  /// Runs the program as a user would. Its progress goes to the terminal.
  /// - Returns: its result in a sentence
  private func makeCallLogs(_ uri: String) throws -> String {
    struct Summary: Decodable {
      var cels: Int
      var callLogsWritten: Int
      var milliseconds: Int
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = [
      "backfill", "--db-uri", uri, "--default-tenant", Demo.tenant, "--chunk-size", "2000", "--format", "json",
      "--checkpoint-dir", NSTemporaryDirectory() + "demo-call-logs-checkpoints",
    ]
    let output = Pipe()
    process.standardOutput = output
    do { try process.run() } catch {
      throw JobError(.configuration, "cannot run \(program): \(error.localizedDescription)")
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0, let summary = try? decoder.decode(Summary.self, from: text) else {
      throw JobError(.fault, "wazo-call-logs ended with \(process.terminationStatus)")
    }
    return
      "\(Human.count(summary.cels, "CEL")) covered in \(Human.duration(Double(summary.milliseconds) / 1000)): "
      + "\(Human.count(summary.callLogsWritten, "call log")) written."
  }

  static let tenant = "00000000-0000-4000-8000-000000000001"

  private func simulate(into connection: Connection) throws -> SimulationSummary {
    let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
    let simulation: Simulation
    do {
      simulation = try Simulation(SimulationOptions(calls: calls, seed: seed, days: 30, until: now))
    } catch {
      throw JobError(.usage, "\(error)")
    }
    try connection.script(DevelopmentSQL.server, purpose: "Creating the tables of a Wazo server")
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
    for row in try connection.query(DevelopmentSQL.reports["last"] ?? "", purpose: "Reading the last call logs") {
      last.add((0..<7).map { row.string($0) ?? "" })
    }
    print("\nThe last 20 call logs\n")
    print(last.lines(limit: 34).joined(separator: "\n"))
    var counts = TextTable(["status", "inbound", "internal", "outbound", "all"], right: [1, 2, 3, 4])
    for row in try connection.query(DevelopmentSQL.reports["counts"] ?? "", purpose: "Counting call logs") {
      counts.add([row.string(0) ?? ""] + (1...4).map { Human.count(row.int64($0) ?? 0) })
    }
    print("\nCall logs by status and direction\n")
    print(counts.lines().joined(separator: "\n"))
  }

  private func next(_ uri: String, _ conversation: String) {
    if stay || serve {
      print(
        """

        The server stays until Ctrl-C. In another terminal:
          export WAZO_CALL_LOGS_DB_URI='\(uri)' WAZO_CALL_LOGS_DEFAULT_TENANT=\(Demo.tenant)
          \(program) status
          \(program) explain \(conversation)
          \(program) delete -d 7 && \(program) generate -d 7
          psql '\(uri)' -c 'SELECT * FROM call_logd_call_log ORDER BY date DESC LIMIT 5'
        """)
    } else {
      print(
        """

        Next:
          make demo STAY=1          the same, and keeps the server to try status, explain, delete and generate
          make demo SERVE=1         the same, with Wazo's REST API
          \(program) --help
          \(program) --db-uri postgresql:///asterisk    the nightly run on your server
        """)
    }
    // Otherwise a pipe or a file would show it only at the end.
    fflush(nil)
  }

  private func say(_ line: String) {
    print(line)
    fflush(nil)
  }
}
