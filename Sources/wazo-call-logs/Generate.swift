import ArgumentParser
import CallLogs
import Foundation
import Generation
import Runs
import Terminal
import Values

struct Generate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make call logs from CELs that are not done yet (the default).",
    discussion: """
      Without -c or -d the run covers all CELs above the greatest one that is done. Then it \
      covers 20,000 CELs of history (setting `history`), newest first. The first run covers the \
      newest 20,000 CELs. `backfill` covers all history.

      A call gets its call log after its end. For calls that never get an end, see --close-after. \
      Call logs that Wazo's programs made stay as they are.

      You can kill the run at any moment. Any number of runs may work at the same time, here or \
      on other machines: one worker claims each chunk of CELs.

      Examples:
        wazo-call-logs                     the nightly run
        wazo-call-logs generate -c 50000   the newest 50,000 uncovered CELs
        wazo-call-logs generate -d 7       uncovered CELs of the last 7 days
      """)

  @Option(
    name: [.customShort("c", allowingJoined: true), .long], parsing: .unconditional,
    help: ArgumentHelp("Cover the newest N uncovered CELs.", valueName: "n"))
  var celCount: Int?
  @Option(
    name: [.customShort("d", allowingJoined: true), .long], parsing: .unconditional,
    help: ArgumentHelp("Cover the uncovered CELs of the last N days (24 hours each).", valueName: "n"))
  var days: Int?
  @Flag(name: [.customShort("A"), .long], help: "Same as no option; accepted for Wazo's command line.")
  var all = false
  @Flag(help: "Forget the coverage: the table now holds other CELs, for example after TRUNCATE … RESTART IDENTITY.")
  var rebase = false
  @Flag(help: "Keep the coverage: this is the same database, but dumped and restored, moved or upgraded.")
  var adopt = false
  @Option(help: "How the summary is printed: text or json.")
  var format = OutputFormat.text
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if [celCount != nil, days != nil, all].count(where: { $0 }) > 1 {
      throw ValidationError("-A, -c and -d exclude one another")
    }
    if rebase, adopt { throw ValidationError("--rebase and --adopt exclude one another") }
    if let celCount, celCount <= 0 { throw ValidationError("-c takes a number of CELs above 0, not \(celCount)") }
    if let days, days <= 0 { throw ValidationError("-d takes a number of days above 0, not \(days)") }
  }

  func run() async throws {
    let scope: Scope = celCount.map { .newest($0) } ?? days.map { .days($0) } ?? .nightly
    try await Covering.run(scope, common, format, start: rebase ? .anew : adopt ? .adopting : .usual)
  }
}

struct Backfill: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make call logs from all history that is not done yet.",
    discussion: """
      Covers all CELs that are not covered, or those between two ids or two dates. CELs that come \
      in after the start are left to the next run. You can stop it at any time and start it again. \
      Several backfills, here or on other machines, share the work.

      With dates the run looks for the least and the greatest CEL id in the range, and takes all \
      ids between the two. A call that reaches out of the range is made from all its CELs. A date \
      without an offset is in local time; TZ=UTC before the command makes it UTC.

      Examples:
        wazo-call-logs backfill                                     all history
        wazo-call-logs backfill --from 2025-03-01 --to 2025-03-31   all of March
        wazo-call-logs backfill --from 2025-03-30T10:00+02:00       since then
        wazo-call-logs backfill --from-id 1000000 --to-id 1999999   a range of ids
        wazo-call-logs backfill --workers 4                         four at a time
        wazo-call-logs backfill --no-link-cels                      faster, no links
      """)

  @OptionGroup var range: RangeOptions
  @Option(help: "How the summary is printed: text or json.")
  var format = OutputFormat.text
  @OptionGroup var common: CommonOptions

  func run() async throws { try await Covering.run(try range.scope(), common, format) }
}

/// `generate`, `backfill` and `regenerate`: runs the job, shows progress, reports the result.
enum Covering {
  static func run(
    _ scope: Scope, _ common: CommonOptions, _ format: OutputFormat, start: RunContext.Start = .usual,
    remakes: Bool = false
  )
    async throws
  {
    try await Session.run(common) { session in
      let context = try session.context(start: start)
      let summary = try GenerateJob(context, progress: show).run(scope, remakes: remakes)
      Console.clearProgress()
      warn(summary, session)
      switch format {
      case .json: try Console.result(json(summary))
      case .text:
        // Cron mails any output. So print only on a terminal, or if an administrator must act.
        if Console.isOutputTerminal || needsALook(summary) {
          try Console.result(text(summary, remakes: remakes))
        } else if remakes {
          // Cron does not run `regenerate`. A person ran it and wants to see the result.
          try Console.result(outcome(summary, remakes: true))
        }
      }
    }
  }

  private static func show(_ progress: GenerateJob.Progress) {
    let rate = progress.seconds > 0 ? Double(progress.cels) / progress.seconds : 0
    let left = progress.share > 0.01 ? progress.seconds / progress.share * (1 - progress.share) : 0
    Console.progress(
      "\(Int(progress.share * 100)) %  \(Human.count(progress.cels)) CELs, \(Human.count(progress.callLogs)) call logs, "
        + "\(Human.count(Int(rate))) CELs/s\(left > 1 ? ", \(Human.duration(left)) left" : "")")
  }

  private static func warn(_ summary: GenerateJob.Summary, _ session: Session) {
    if let offset = summary.clockOffset {
      session.log.warning(
        "eventtime is \(Human.offset(offset)) off the time that the uniqueids tell: Asterisk and its database session have different time zones. Set cel_time_zone to that of Asterisk, then run `wazo-call-logs regenerate` to correct existing call logs"
      )
    }
    let counters = summary.counters
    let seen = EventWarnings.Seen(
      cels: counters.cels - counters.chat, tally: counters.tally,
      remedy: "correct what fills the table, then run `wazo-call-logs regenerate`",
      hasNoEnds: counters.unfinished >= 1000 && counters.callLog == 0)
    if let warning = EventWarnings.sentence(seen) { session.log.warning("\(warning)") }
  }

  /// Flaws that occur every day on a healthy server.
  private static let ordinary: Set<Flaw> = [.unknownEvent, .missingChanStart, .unknownChannelName]

  private static func needsALook(_ summary: GenerateJob.Summary) -> Bool {
    summary.counters.conversationsRefused > 0 || summary.counters.tally.noted.contains { !ordinary.contains($0) }
  }

  /// The result in one sentence.
  private static func outcome(_ summary: GenerateJob.Summary, remakes: Bool) -> String {
    let counters = summary.counters
    let written = Human.count(counters.callLogsWritten, "call log") + " written"
    if counters.cels == 0, summary.chunks == 0 {
      if counters.conversationsClosed > 0 {
        return "Every CEL was covered before; \(written), of calls that never ended (close_after)."
      }
      return remakes ? "Nothing to do: there are no CELs there." : "Nothing to do: every CEL is covered."
    }
    let parts = [
      "\(Human.count(counters.cels, "CEL")) covered in \(Human.duration(summary.seconds)): \(written)",
      counters.callLogsRemoved > 0 ? "\(Human.count(counters.callLogsRemoved)) removed" : nil, counters.keptText,
      counters.conversationsClosed > 0 ? "\(Human.count(counters.conversationsClosed)) of calls that never ended" : nil,
    ]
    return parts.compactMap { $0 }.joined(separator: ", ") + "."
  }

  /// The summary, one fact a line.
  static func text(_ summary: GenerateJob.Summary, remakes: Bool = false) -> String {
    let counters = summary.counters
    var lines = [outcome(summary, remakes: remakes)]
    let parts: [(Int, String)] = [
      (counters.callLog, "in call logs"), (counters.unfinished, "of calls that have not ended"),
      (counters.invalid, "that give no call"),
      (counters.left, "of calls that the chunk with their newest CEL completes"), (counters.chat, "of SIP chats"),
      (counters.refused, "of conversations that were refused"),
    ]
    if counters.cels > 0 {
      lines.append("CELs: " + parts.filter { $0.0 > 0 }.map { "\(Human.count($0.0)) \($0.1)" }.joined(separator: ", ") + ".")
    }
    for flaw in counters.tally.noted {
      let ids = counters.tally.examples(of: flaw).map(String.init).joined(separator: ", ")
      lines.append(
        "\(Human.count(counters.tally[flaw])) × \(flaw.label) (CEL \(ids)\(counters.tally[flaw] > Tally.exampleLimit ? ", …" : ""))"
      )
    }
    if !summary.waiting.isEmpty {
      let ids = summary.waiting.width
      lines.append(
        "\(Human.count(ids, "id")) may still be committed, as `status` shows. The next run looks again."
      )
    }
    if !summary.uncovered.isEmpty {
      let ids = summary.uncovered.width
      let ranges = summary.uncovered.prefix(3).map { "\($0.lowerBound)-\($0.upperBound - 1)" }.joined(separator: ", ")
      lines.append(
        "Not covered: \(Human.count(ids)) ids (\(ranges)\(summary.uncovered.count > 3 ? ", …" : "")); `wazo-call-logs backfill` covers them."
      )
    }
    return lines.joined(separator: "\n")
  }

  private static func json(_ summary: GenerateJob.Summary) -> String {
    var json = JSONWriter()
    json.open("{")
    for (key, value) in summary.counters.items { key.withText { json.number($0, Int64(value)) } }
    json.number("chunks", Int64(summary.chunks))
    json.number("milliseconds", Int64(summary.seconds * 1000))
    json.number("waiting_ids", summary.waiting.width)
    json.number("uncovered_ids", summary.uncovered.width)
    json.close("}")
    return String(decoding: json.out, as: UTF8.self)
  }
}

extension String {
  /// The string as text for a JSON key.
  func withText(_ body: (Text) -> Void) {
    var copy = self
    copy.withUTF8 { body(Text(UnsafeRawBufferPointer($0))) }
  }
}
