import Archiving
import ArgumentParser
import CallLogs
import Foundation
import PostgreSQL
import Settings
import Terminal
import Values

struct Restore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put archived rows back into their tables.",
    discussion: """
      Verifies every file that it needs, then restores the rows part by part. If a file is \
      damaged, it changes no row, names the file and ends with 65. Rows that exist are left alone, \
      so you can repeat a restore, also after an interruption.

      A restored call log is the same as before, with its id, participants, destination and \
      recordings. With a range of dates, CELs come back by whole linkedids. `purge` leaves \
      restored rows alone for 30 days (--keep-restored).

      A database that has archived rows itself takes the parts of another database only with \
      --from-other-database. A database that has archived nothing takes them without it.

      Examples:
        wazo-call-logs restore --from 2025-03-01 --to 2025-03-31 --dry-run
        wazo-call-logs restore --from 2025-03-01 --to 2025-03-31 --table call-logs
        wazo-call-logs restore --archive-dir /mnt/archives        the whole archive
        wazo-call-logs restore \\
          --file call-logs/2025/2025-03/call-logs-2025-03-0001.manifest.json
      """)

  @OptionGroup var dates: DateOptions
  @OptionGroup var place: ArchivePlace
  @Option(help: ArgumentHelp("Only call logs of this tenant.", valueName: "uuid"))
  var tenant: String?
  @Option(
    help: ArgumentHelp("Only the part that this file of the archive belongs to; repeat it for several.", valueName: "path"))
  var file: [String] = []
  @Option(help: ArgumentHelp("How long purge leaves restored rows alone (default: 30d).", valueName: "time"))
  var keepRestored: String?
  @Flag(help: "Also restore parts that were archived from another database.")
  var fromOtherDatabase = false
  @Flag(help: "Verify the files, show what would be restored, and change nothing.")
  var dryRun = false
  @Option(help: "How the summary is printed: text or json.")
  var format = OutputFormat.text
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if let tenant, UUIDValue(tenant) == nil { throw ValidationError("--tenant takes a UUID, not \(tenant)") }
  }

  func run() async throws {
    try await Session.run(common, more: place.texts + [(.keepRestored, keepRestored)]) { session in
      let options = try options(session.settings)
      let context = try session.context(interprets: false, changes: !dryRun)
      let job = RestoreJob(context, options) { Console.progress($0) }
      let tables = dryRun ? try job.dryRun() : try job.run()
      Console.clearProgress()
      switch format {
      case .json: try Console.result(json(tables))
      case .text: if dryRun || Console.isOutputTerminal { try Console.result(text(tables)) }
      }
    }
  }

  private func options(_ settings: Settings) throws -> RestoreJob.Options {
    var kinds = try place.kinds(settings)
    if tenant != nil {
      if place.table != nil, kinds.contains(.cel) {
        throw JobError(.usage, "--tenant goes with call-logs only: CELs have no tenant")
      }
      kinds.removeAll { $0 == .cel }
    }
    var options = RestoreJob.Options(folder: try ArchivePlace.folder(settings), kinds: kinds)
    let bounds = try dates.bounds()
    (options.filter.from, options.filter.to) = bounds
    options.filter.tenant = tenant.flatMap { UUIDValue($0) }
    options.files = file
    options.takesOtherDatabases = fromOtherDatabase
    options.keepFor = Double(settings.keepRestored.milliseconds) / 1000
    var words = ["--table \(settings.purgeTables.joined(separator: ","))", "--archive-dir \(options.folder)"]
    if let from = dates.from { words.append("--from \(from)") }
    if let to = dates.to { words.append("--to \(to)") }
    if let tenant { words.append("--tenant \(tenant)") }
    words += file.map { "--file \($0)" }
    if fromOtherDatabase { words.append("--from-other-database") }
    options.parameters = words.joined(separator: " ")
    return options
  }

  private func text(_ tables: [RestoreJob.TableSummary]) -> String {
    var lines = tables.map { table in
      let noun = table.kind == .cel ? "CEL" : "call log"
      return dryRun
        ? "\(table.kind.rawValue): \(Human.count(table.parts, "part")) with \(Human.count(table.restored, noun)), verified."
        : "\(table.kind.rawValue): \(Human.count(table.restored, noun)) restored, \(Human.count(table.existing)) were there and left alone."
    }
    if dryRun { lines.append("Nothing was changed.") }
    return lines.joined(separator: "\n")
  }

  private func json(_ tables: [RestoreJob.TableSummary]) -> String {
    var json = JSONWriter()
    json.open("{")
    json.flag("dry_run", dryRun)
    json.key("tables")
    json.open("[")
    for table in tables {
      json.open("{")
      json.string("table", table.kind.rawValue)
      json.number("parts", Int64(table.parts))
      json.number(dryRun ? "rows" : "restored", Int64(table.restored))
      json.number("existing", dryRun ? nil : Int64(table.existing))
      json.close("}")
    }
    json.close("]")
    json.close("}")
    return String(decoding: json.out, as: UTF8.self)
  }
}
