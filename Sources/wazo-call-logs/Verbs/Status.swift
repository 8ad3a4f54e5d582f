import ArgumentParser
import CallLogs
import Foundation
import Inspection
import Settings
import Terminal
import Values

struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what is covered, what is not, and what the last runs did.",
    discussion: """
      Shows the CELs that are covered and those that are not, missing ids that somebody may still \
      commit, calls that are still open, runs at work with their claims, the last ten runs, and \
      counts over all runs: CELs read, call logs made, events skipped or mended. Times are in UTC.

      It changes nothing. It neither waits for a run nor holds one up.

      Examples:
        wazo-call-logs status
        wazo-call-logs status --format json | jq '.runs[0].outcome'
        wazo-call-logs status --check-counts   compare the counts with the call logs
        wazo-call-logs status --offline    the journals of archive, purge, restore
        wazo-call-logs -D status           also the source of each setting
      """)

  @Option(help: "How the result is printed: text or json.")
  var format = OutputFormat.text
  @Flag(help: "Use no database: show the journals of archive, purge and restore in the checkpoint folder.")
  var offline = false
  @Flag(help: "Compare the counts by tenant and hour with the call logs, which reads them all.")
  var checkCounts = false
  @OptionGroup var common: CommonOptions

  func run() async throws {
    if offline { return try await StatusOffline.run(common, format) }
    try await Session.run(common) { session in
      let status = try StatusJob(try session.runSettings(), interruption: session.interruption, log: session.log)
        .run(checksCounts: checkCounts)
      let decision = session.settings.followDecision()
      try Console.result(format == .json ? Status.json(status, decision) : Status.text(status, decision))
      if let difference = status.countDifference, difference.wrong > 0 {
        throw JobError(
          .badInput,
          "the counts of \(Human.count(difference.wrong, "hour")) differ from the call logs; `wazo-call-logs migrate --counts` counts again"
        )
      }
      if checkCounts, !status.areCountsKept {
        throw JobError(.configuration, "call logs are not counted; `wazo-call-logs migrate --counts` begins it")
      }
    }
  }

  private static func text(_ status: StatusJob.Status, _ decision: Settings.FollowDecision) -> String {
    var lines = ["CEL table     \(status.table)"]
    lines.append("CEL ids       " + (status.bounds.map { "\($0.lowerBound) to \($0.upperBound)" } ?? "none"))
    if !status.missingMigrations.isEmpty {
      lines.append("Schema        to be migrated: \(status.missingMigrations.joined(separator: ", "))")
    }
    guard let coverage = status.coverage else {
      lines.append("Covered       nothing yet")
      return lines.joined(separator: "\n")
    }
    lines.append("Covered       \(coverage) (generation \(status.generation))")
    let ranges = status.uncovered.prefix(5).map { "\($0.lowerBound)-\($0.upperBound - 1)" }.joined(separator: ", ")
    lines.append(
      status.uncovered.isEmpty
        ? "Not covered   nothing"
        : "Not covered   \(Human.count(status.uncoveredCELs, "CEL")) in ids \(ranges)\(status.uncovered.count > 5 ? ", …" : "")")
    if let newest = status.newest {
      lines.append("Newest done   CEL \(newest.id)\(newest.time.map { " of " + TimestampText.text($0) } ?? "")")
    }
    lines.append("Call logs     \(Human.count(status.callLogs))")
    lines += StatusSearch.lines(status)
    if let since = status.audio.since {
      let failed = status.audio.failed > 0 ? " (\(Human.count(status.audio.failed)) could not be)" : ""
      lines.append("Audio files   \(Human.count(status.audio.files)) to be removed\(failed), since \(TimestampText.text(since))")
    }
    if status.audio.refused > 0 {
      lines.append(
        "\(status.audio.since == nil ? "Audio files" : "           ")   \(Human.count(status.audio.refused)) refused, outside of the recordings folder"
      )
    }
    if status.reaching > 0 {
      lines.append(
        "Reaching out  \(Human.count(status.reaching, "linkedid")) of calls with CELs that are not covered, or without an end"
      )
    }
    lines += StatusGaps.lines(status)
    lines += StatusFollower.lines(status, decision)
    if status.pendingLinks > 0 {
      lines.append("Links to make \(Human.count(status.pendingLinks)) in the CEL database, by the next run")
    }
    if let runs = status.runs { lines += runSections(runs) }
    lines += countSections(status.counters)
    return lines.joined(separator: "\n")
  }

  private static func json(_ status: StatusJob.Status, _ decision: Settings.FollowDecision) -> String {
    var json = JSONWriter()
    func ranges(_ key: Text, _ ranges: [Range<Int64>]) {
      json.key(key)
      json.open("[")
      for range in ranges {
        json.open("{")
        json.number("from", range.lowerBound)
        json.number("to", range.upperBound - 1)
        json.close("}")
      }
      json.close("]")
    }
    json.open("{")
    json.string("cel_table", status.table)
    json.number("least_id", status.bounds?.lowerBound)
    json.number("greatest_id", status.bounds?.upperBound)
    ranges("covered", status.coverage?.ranges ?? [])
    ranges(
      "uncovered", status.coverage == nil ? status.bounds.map { [$0.lowerBound..<$0.upperBound + 1] } ?? [] : status.uncovered)
    json.number("uncovered_cels", status.coverage == nil ? nil : status.uncoveredCELs)
    json.number("generation", status.generation)
    json.number("newest_covered_id", status.newest?.id)
    json.time("newest_covered_time", status.newest?.time)
    json.number("call_logs", status.callLogs)
    StatusSearch.append(status, to: &json)
    json.key("audio_files")
    json.open("{")
    json.number("waiting", status.audio.files)
    json.number("failed", status.audio.failed)
    json.number("refused", status.audio.refused)
    json.time("since", status.audio.since)
    json.close("}")
    json.number("reaching_linkedids", status.reaching)
    StatusGaps.append(status, to: &json)
    json.number("pending_links", status.pendingLinks)
    StatusFollower.append(status, decision, to: &json)
    json.key("counters")
    json.open("{")
    for (key, value) in status.counters { key.withText { json.number($0, value) } }
    json.close("}")
    runJSON(status.runs, into: &json)
    json.close("}")
    return String(decoding: json.out, as: UTF8.self)
  }
}
