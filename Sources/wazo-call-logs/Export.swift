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
      csv is the API's CSV, but all call logs and no pages: dates in UTC, tags joined by a semicolon, as many columns of recordings as are needed. \
      legacy-csv is that of Wazo's older guide (Call Date,Caller,Called,Period,user Field), dates in local time. jsonl is the API's JSON, an object to a line. \
      Blocked calls are left out unless they are asked for, as in the API. The earliest call comes first.

      With -o the file appears under its name when it is whole and safe on the disk, readable for its owner only; one that was there is replaced then. \
      Names that end in .csv or .jsonl say the format, .zst or .gz behind that compress. All is read from one state of the database, whatever is written meanwhile; memory stays the same however many \
      call logs there are. Changes nothing.

      A cell that begins with = + - @ is run as a formula by a spreadsheet that opens the file, and names and numbers come from callers. --spreadsheet-safe puts a single quote \
      before such cells, also before numbers such as +33123456789, which a spreadsheet would turn into 33123456789. Leave it out for programs.

      Examples:
        wazo-call-logs export -o calls.csv
        wazo-call-logs export --from 2025-03-01 --to 2025-03-31 -o march.csv.gz
        wazo-call-logs export --spreadsheet-safe --call-direction inbound -o in.csv
        wazo-call-logs export --format jsonl --tag sales | jq .duration
        wazo-call-logs export --format legacy-csv --number _101 -o 101.csv
      """)

  @Option(help: "What to write (default: what the file's name says, else csv).")
  var format: ExportFormat?
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The file to write; - is standard output.", valueName: "file"))
  var output = "-"
  @OptionGroup var dates: DateOptions
  @Option(help: ArgumentHelp("Only call logs of this tenant; several times for several.", valueName: "uuid"))
  var tenant: [String] = []
  @Option(
    help: ArgumentHelp(
      "Only calls in which somebody with this tag took part; several times for all of several.", valueName: "tag")
  )
  var tag: [String] = []
  @Option(help: ArgumentHelp("Only calls that went inbound, internal or outbound.", valueName: "direction"))
  var callDirection: String?
  @Option(
    help: ArgumentHelp(
      "Only calls that were answered, blocked, voicemail or unknown; any for all of them; several times for several (default: all but blocked).",
      valueName: "status"))
  var callStatus: [String] = []
  @Option(
    help: ArgumentHelp(
      "Only calls from or to this number; _ before or behind it stands for anything: _101, 0612_.", valueName: "number"))
  var number: String?
  @Option(
    help: ArgumentHelp("Only calls that this user made, or that reached this user; several times for several.", valueName: "uuid")
  )
  var userUuid: [String] = []
  @Option(help: ArgumentHelp("Only the call logs of this conversation.", valueName: "linkedid"))
  var conversation: String?
  @Flag(help: "The latest call first.")
  var newestFirst = false
  @Flag(help: "Disarm cells that a spreadsheet would run as formulas.")
  var spreadsheetSafe = false
  @OptionGroup var common: CommonOptions

  private var path: String? { output == "-" ? nil : output }

  func validate() throws {
    if output.isEmpty { throw ValidationError("-o takes the name of a file") }
    if tag.contains("") { throw ValidationError("--tag takes a tag, not an empty text") }
    if let number, number.wholeMatch(of: #/_?[0-9*#+]+_?/#) == nil {
      throw ValidationError("--number takes digits, with _ before or behind them for anything, not \(number)")
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
        "the name \(path) does not say what to write: --format does (csv, legacy-csv or jsonl), or a name that ends in .csv or .jsonl, with .zst or .gz behind"
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

  /// nil leaves it to the default.
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
    // Not between the lines of the export itself.
    let isWatched = Console.isTerminal && (path != nil || !Console.isOutputTerminal)
    let progress: ((ExportJob.Progress) -> Void)? = isWatched ? { show($0) } : nil
    let begun = Date()
    let databases = session.databaseSettings
    let summary = try ExportJob(
      connect: { try Databases.connect(databases.logs, databases, session.interruption, session.log) }, options,
      interruption: session.interruption, progress: progress
    ).run()
    if isWatched { Console.clearProgress() }
    // As a program ends whose reader is gone: without a word, and not as if all had been written.
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
