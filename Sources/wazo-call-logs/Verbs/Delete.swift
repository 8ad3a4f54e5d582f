import ArgumentParser
import CallLogs
import Foundation
import Generation
import Terminal
import Values

struct Delete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Delete call logs, so that they can be made again.",
    discussion: """
      As in Wazo's program, -d N deletes the call logs of the last N days and keeps the older \
      ones. --from and --to delete those whose call began in that range. The run also deletes \
      their participants and the rows of their recordings, and clears their links in the CELs. \
      The CELs and the audio files stay.

      The run marks the CELs as not done, so that `generate` or `backfill` makes the call logs \
      again. `regenerate` remakes them in place and keeps their ids.

      The run works on 10,000 call logs at a time, newest first. Each step is one transaction \
      with the record that these CELs are not done. `generate` may run at the same time.

      Examples:
        wazo-call-logs delete -d 30 --dry-run                    what would go
        wazo-call-logs delete -d 30                              the last 30 days
        wazo-call-logs delete --from 2025-03-01 --to 2025-03-31  all of March
        wazo-call-logs delete -A                                 every call log
      """)

  @Flag(name: [.customShort("A"), .long], help: "Delete every call log of every tenant.")
  var all = false
  @Option(
    name: [.customShort("d", allowingJoined: true), .long], parsing: .unconditional,
    help: ArgumentHelp("Delete the call logs of the last N days (24 hours each).", valueName: "n"))
  var days: Int?
  @Option(
    name: [.customShort("c", allowingJoined: true), .long], parsing: .unconditional,
    help: ArgumentHelp("Has no effect; accepted for Wazo's command line.", valueName: "n"))
  var celCount: Int?
  @OptionGroup var dates: DateOptions
  @Flag(help: "Show what would be deleted, and change nothing.")
  var dryRun = false
  @Option(help: "How the summary is printed: text or json.")
  var format = OutputFormat.text
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if [celCount != nil, days != nil, all].count(where: { $0 }) > 1 {
      throw ValidationError("-A, -c and -d exclude one another")
    }
    if dates.isGiven, all || days != nil || celCount != nil {
      throw ValidationError("-A, -c, -d and dates (--from, --to) exclude one another")
    }
    if let days, days <= 0 { throw ValidationError("-d takes a number of days above 0, not \(days)") }
    if let celCount, celCount <= 0 { throw ValidationError("-c takes a number of CELs above 0, not \(celCount)") }
  }

  func run() async throws {
    guard let extent = try extent() else {
      Console.error(
        "delete does nothing without -A (every call log), -d N (those of the last N days), or --from and --to (those of a range of dates)"
      )
      return
    }
    try await Session.run(common) { session in
      let settings = try session.runSettings()
      if let database = try DeleteJob.databaseWithoutCallLogs(
        settings, interruption: session.interruption, log: session.log)
      {
        let nothing = "There are no call logs in database \(database): nothing to delete."
        return try Console.result(format == .json ? json(DeleteJob.Summary()) : nothing)
      }
      let context = try session.context(interprets: false, changes: !dryRun)
      let job = DeleteJob(context, progress: show)
      let summary = dryRun ? try job.dryRun(extent) : try job.run(extent)
      Console.clearProgress()
      switch format {
      case .json: try Console.result(json(summary))
      case .text where dryRun: try Console.result(text(summary))
      // Cron mails any output.
      case .text:
        if Console.isOutputTerminal {
          try Console.result("\(Human.count(summary.callLogs, "call log")) deleted; their CELs are uncovered.")
        }
      }
    }
  }

  private func show(_ progress: DeleteJob.Progress) {
    let share = progress.total.flatMap { $0 > 0 ? min(Double(progress.callLogs) / Double($0), 1) : nil }
    Console.progress(
      (share.map { "\(Int($0 * 100)) %  " } ?? "") + "\(Human.count(progress.callLogs, "call log")) deleted")
  }

  private func extent() throws -> DeleteJob.Extent? {
    if all { return .all }
    if let days { return .lastDays(days) }
    guard dates.isGiven else { return nil }
    let (from, to) = try dates.bounds()
    return .dates(from: from, to: to)
  }

  private func text(_ summary: DeleteJob.Summary) -> String {
    var lines = [
      "\(Human.count(summary.callLogs, "call log")) would be deleted, with \(Human.count(summary.participants, "participant")) "
        + "and \(Human.count(summary.recordings, "recording")) (rows; audio files are not touched)."
    ]
    if let oldest = summary.oldest, let newest = summary.newest {
      lines.append("Calls that began from \(TimestampText.text(oldest)) to \(TimestampText.text(newest)).")
    }
    lines.append(
      "\(Human.count(summary.uncoveredCELs, "CEL")) would be uncovered, \(Human.count(summary.unlinkedCELs, "CEL")) unlinked from call logs."
    )
    lines.append("Nothing was changed.")
    return lines.joined(separator: "\n")
  }

  private func json(_ summary: DeleteJob.Summary) -> String {
    var json = JSONWriter()
    json.open("{")
    json.flag("dry_run", dryRun)
    json.number("call_logs", Int64(summary.callLogs))
    json.number("participants", summary.participants)
    json.number("recordings", summary.recordings)
    json.time("oldest", summary.oldest)
    json.time("newest", summary.newest)
    json.number("cels_uncovered", summary.uncoveredCELs)
    json.number("cels_unlinked", summary.unlinkedCELs)
    json.close("}")
    return String(decoding: json.out, as: UTF8.self)
  }
}
