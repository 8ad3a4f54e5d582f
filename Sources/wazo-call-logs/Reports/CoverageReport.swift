import CallLogs
import Generation
import Runs
import Terminal
import Values

/// `generate`, `backfill` and `regenerate`: runs the job, shows progress, reports the result.
enum CoverageReport {
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
