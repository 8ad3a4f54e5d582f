import ArgumentParser
import CallLogs
import Foundation
import RunSetup
import Interpreting
import Terminal
import Values

struct Interpret: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn CELs from a CSV file into call logs on standard output, without a database.",
    discussion: """
      Reads PostgreSQL's CSV, also compressed with zstd. The first line names the columns; \
      eventtype, eventtime, channame, uniqueid and linkedid must be there. An unquoted empty field \
      is NULL. A broken line ends the run with 65 and the number of the line. A malformed event is \
      skipped and counted.

      Writes each call log as an object with the columns of the call log and participants, \
      destination_details, recordings and cel_ids. A call without LINKEDID_END gives no call log, \
      unless --close-after is set. --directory takes a JSON file here.

      Examples:
        wazo-call-logs interpret cels.csv
        wazo-call-logs interpret --directory users.json --format jsonl cels.csv.zst
        psql -c "\\copy cel TO STDOUT (FORMAT csv, HEADER)" | wazo-call-logs interpret
      """)

  @Argument(help: "The CSV file; - is standard input.")
  var file = "-"
  @Option(help: "What to write: json (one array) or jsonl (one object in each line).")
  var format = Format.json
  @OptionGroup var common: CommonOptions

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case json, jsonl
  }

  func run() async throws {
    try await Session.run(common, needsDatabase: false) { session in
      var contents = DirectoryContents()
      switch session.settings.directory {
      case .file(let path)?: contents = try RunSetup.contents(path)
      case .wazo?: throw JobError(.usage, "interpret uses no database: --directory takes a JSON file here, or none")
      case .disabled?, nil: break
      }
      let directory = Directory(contents)
      let job = InterpretJob(
        path: file, format: format == .json ? .json : .jsonl, directory: directory, defaultTenant: tenant(session, directory),
        zone: session.settings.celTimeZone.flatMap { WallClock(named: $0) },
        closeAfter: session.settings.closeAfter.map { Double($0.milliseconds) / 1000 })
      report(try job.run(), session)
    }
  }

  private func tenant(_ session: Session, _ directory: Directory) -> UUIDValue {
    if let tenant = session.settings.defaultTenant.flatMap({ UUIDValue($0) }) ?? directory.defaultTenant { return tenant }
    if directory.tenants.count == 1, let only = directory.tenants.first { return only }
    let nobody = UUIDValue(high: 0, low: 0)
    session.log.warning("calls that cannot be attributed to a tenant get \(nobody); --default-tenant sets another one")
    return nobody
  }

  private func report(_ summary: InterpretJob.Summary, _ session: Session) {
    if let offset = summary.clockOffset {
      session.log.warning(
        "eventtime is \(Human.offset(offset)) off the time that the uniqueids tell; set --cel-time-zone to the time zone of Asterisk"
      )
    }
    for flaw in summary.tally.noted {
      let ids = summary.tally.examples(of: flaw).map(String.init).joined(separator: ", ")
      session.log.warning(
        "\(Human.count(summary.tally[flaw])) × \(flaw.label) (CEL \(ids)\(summary.tally[flaw] > Tally.exampleLimit ? ", …" : ""))"
      )
    }
    let seen = EventWarnings.Seen(
      cels: summary.cels - summary.chats, tally: summary.tally, remedy: "correct them in the file",
      hasNoEnds: !summary.hasEnds && summary.unfinished > 0 && summary.callLogs == 0)
    if let warning = EventWarnings.sentence(seen) { session.log.warning("\(warning)") }
    session.log.info(
      "\(Human.count(summary.cels, "CEL")): \(Human.count(summary.callLogs, "call log")); conversations without one: \(summary.unfinished) unfinished, \(summary.invalid) invalid, \(summary.refused) refused; \(summary.chats) CELs of SIP chats"
    )
  }
}
