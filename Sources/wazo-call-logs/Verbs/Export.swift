import ArgumentParser
import CallLogs
import Foundation
import Listing
import Runs
import Terminal
import Values

struct Export: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write call logs as CSV or JSON, for people and their programs.",
    discussion: """
      Formats:
        csv         the API's CSV: dates in UTC, tags joined by a semicolon, as many
                    columns for recordings as needed
        legacy-csv  the download of Wazo's older administration guide, dates in local
                    time: Call Date,Caller,Called,Period,user Field
        jsonl       the API's JSON, one object in each line

      Without --format the name of the file decides: .csv, .jsonl or .ndjson. An ending .zst or \
      .gz after that compresses the file. Standard output is CSV.

      As in the API, blocked calls are left out unless you ask for them. All conditions must hold. \
      The earliest call comes first. The run reads one state of the database, needs the same \
      memory for any number of call logs, and changes nothing.

      With -o the file gets its name when it is complete and synced. Only its owner can read it. A \
      file of that name is replaced and keeps its owner and mode.

      Names and numbers come from callers, and a spreadsheet runs a cell that begins with = + - @ \
      as a formula. --spreadsheet-safe puts a single quote before such cells, also before numbers \
      such as +33123456789. Leave it out for programs.

      Examples:
        wazo-call-logs export -o calls.csv
        wazo-call-logs export --from 2025-03-01 --to 2025-03-31 -o march.csv.gz
        wazo-call-logs export --spreadsheet-safe --call-direction inbound -o in.csv
        wazo-call-logs export --format jsonl --tag sales | jq .duration
        wazo-call-logs export --format legacy-csv --number _101 -o 101.csv
      """)

  @Option(help: "What to write (default: by the name of the file, else csv).")
  var format: ExportFormat?
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The file to write; - is standard output.", valueName: "file"))
  var output = "-"
  @OptionGroup var dates: DateOptions
  @Option(help: ArgumentHelp("Only call logs of this tenant; repeat it for several.", valueName: "uuid"))
  var tenant: [String] = []
  @Option(
    help: ArgumentHelp(
      "Only calls in which somebody with this tag took part; repeat it to require several tags.", valueName: "tag")
  )
  var tag: [String] = []
  @Option(help: ArgumentHelp("Only calls that are inbound, internal or outbound.", valueName: "direction"))
  var callDirection: String?
  @Option(
    help: ArgumentHelp(
      "Only calls that are answered, blocked, voicemail or unknown; any for all; repeat it for several (default: all but blocked).",
      valueName: "status"))
  var callStatus: [String] = []
  @Option(
    help: ArgumentHelp(
      "Only calls from or to this number; _ before or after it stands for anything: _101, 0612_.", valueName: "number"))
  var number: String?
  @Option(
    help: ArgumentHelp("Only calls that this user made or that reached this user; repeat it for several.", valueName: "uuid")
  )
  var userUuid: [String] = []
  @Option(help: ArgumentHelp("Only the call logs of this conversation.", valueName: "linkedid"))
  var conversation: String?
  @Flag(help: "Put the latest call first.")
  var newestFirst = false
  @Flag(help: "Put a single quote before cells that a spreadsheet would run as formulas.")
  var spreadsheetSafe = false
  @OptionGroup var common: CommonOptions

  private var path: String? { output == "-" ? nil : output }

  func validate() throws {
    if output.isEmpty { throw ValidationError("-o takes the name of a file") }
    if tag.contains("") { throw ValidationError("--tag takes a tag, not an empty text") }
    if let number, number.wholeMatch(of: #/_?[0-9*#+]+_?/#) == nil {
      throw ValidationError("--number takes digits, with _ before or after them for anything, not \(number)")
    }
    _ = try selection()
    let form = try form()
    if spreadsheetSafe, form == .jsonl { throw ValidationError("--spreadsheet-safe goes with CSV only") }
  }

  private func form() throws -> ExportFormat {
    if let format { return format }
    guard let path else { return .csv }
    guard let form = ExportFormat(fileName: path) else {
      throw ValidationError(
        "the name \(path) does not say what to write: add --format (csv, legacy-csv or jsonl), or use a name that ends in .csv or .jsonl, or in one of them with .zst or .gz"
      )
    }
    return form
  }

  private func selection() throws -> CallLogSelection {
    var selection = CallLogSelection()
    (selection.from, selection.to) = try dates.bounds()
    selection.tenants = try Export.uuids(tenant, "--tenant")
    selection.tags = tag
    selection.direction = try direction()
    selection.statuses = try statuses()
    selection.number = number
    selection.users = try Export.uuids(userUuid, "--user-uuid")
    selection.conversation = conversation
    selection.isNewestFirst = newestFirst
    return selection
  }

  private func direction() throws -> Direction? {
    guard let text = callDirection else { return nil }
    guard let direction = Direction(rawValue: text) else {
      throw ValidationError("--call-direction takes inbound, internal or outbound, not \(text)")
    }
    return direction
  }

  /// The selected outcomes; nil if there is no `--call-status`.
  private func statuses() throws -> Set<CallLogView.Status>? {
    var statuses: Set<CallLogView.Status> = []
    for text in callStatus {
      if text == "any" {
        statuses.formUnion(CallLogView.Status.allCases)
      } else if let status = CallLogView.Status(rawValue: text) {
        statuses.insert(status)
      } else {
        throw ValidationError("--call-status takes answered, blocked, voicemail, unknown or any, not \(text)")
      }
    }
    return callStatus.isEmpty ? nil : statuses
  }

  private static func uuids(_ texts: [String], _ option: String) throws -> [UUIDValue] {
    try texts.map { text in
      guard let uuid = UUIDValue(text) else { throw ValidationError("\(option) takes a UUID, not \(text)") }
      return uuid
    }
  }

  func run() async throws { try await Session.run(common) { try export($0) } }

  private func export(_ session: Session) throws {
    var options = ExportJob.Options(format: try form())
    options.selection = try selection()
    options.path = path
    options.isSpreadsheetSafe = spreadsheetSafe
    // Progress would get between the lines of an export to the same terminal.
    let isWatched = Console.isTerminal && (path != nil || !Console.isOutputTerminal)
    let progress: ((ExportJob.Progress) -> Void)? = isWatched ? { show($0) } : nil
    let begun = Date()
    let databases = session.databaseSettings
    let summary = try ExportJob(
      connect: { try Databases.connect(databases.logs, databases, session.interruption, session.log) }, options,
      interruption: session.interruption, progress: progress
    ).run()
    if isWatched { Console.clearProgress() }
    // The reader of the pipe went away. End silently, as SIGPIPE does, and not with 0.
    if summary.isCutShort { throw ExitCode(ExitReason.brokenPipe.rawValue) }
    guard isWatched else { return }
    let seconds = Human.duration(Date().timeIntervalSince(begun))
    Console.note(
      "\(Human.count(summary.callLogs, "call log")) written to \(path ?? "standard output") in \(seconds), \(Human.count(summary.bytes, "byte"))."
    )
  }

  private func show(_ progress: ExportJob.Progress) {
    let rate = progress.seconds > 0 ? Double(progress.done) / progress.seconds : 0
    let left = rate > 0 ? Double(progress.total - progress.done) / rate : 0
    let share = progress.total > 0 ? progress.done * 100 / progress.total : 100
    Console.progress(
      "\(share) %  \(Human.count(progress.done)) of \(Human.count(progress.total, "call log")), \(Human.count(Int(rate)))/s"
        + (left > 1 ? ", \(Human.duration(left)) left" : ""))
  }
}

extension ExportFormat: ExpressibleByArgument {}
