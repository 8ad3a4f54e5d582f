import CallLogs
import Foundation
import Inspection
import Store
import Terminal
import Values

/// Runs, claims and calls without an end, as `status` shows them.
extension Status {
  /// The sections, each with its heading. An empty section is left out.
  static func runSections(_ runs: StatusJob.Runs) -> [String] {
    openSection(runs.open, runs.now) + workSection(runs) + lastSection(runs.last)
  }

  private static func openSection(_ open: StatusJob.OpenCalls?, _ now: Int64) -> [String] {
    guard let open, open.count > 0 else { return [] }
    var text = "\(Human.count(open.count, "call")) without LINKEDID_END"
    if let since = open.since { text += ", the first since \(time(since)) (\(age(since, now)))" }
    var lines = ["", "Calls still open"] + Human.wrapped(text, indent: 2)
    if let closeAfter = open.closeAfter {
      let due =
        open.due > 0
        ? "\(Human.count(open.due)) of them had no event for \(Human.span(closeAfter)) (close_after): the next run ends those whose beginning is there"
        : "each of them had an event in the last \(Human.span(closeAfter)) (close_after)"
      lines += Human.wrapped(due, indent: 2)
    } else if open.suggestsClosing {
      lines += Human.wrapped(
        "\(Human.count(open.silentForADay)) of them had no event for a day: if LINKEDID_END is not among the events= of cel.conf, add it there; "
          + "close_after (such as --close-after 1d) ends calls that never get theirs", indent: 2)
    }
    return lines
  }

  private static func workSection(_ runs: StatusJob.Runs) -> [String] {
    var lines: [String] = []
    for run in runs.last where run.isAtWork {
      lines += Human.wrapped("\(name(run)) since \(time(run.record.started)), \(place(run))", indent: 2)
      lines += Human.wrapped(counts(run), indent: 4)
    }
    lines += claimLines(runs.claims.filter { $0.isAlive || !runs.knowsWhoIsAlive })
    let left = runs.knowsWhoIsAlive ? claimLines(runs.claims.filter { !$0.isAlive }) : []
    return
      (lines.isEmpty
      ? [] : ["", runs.knowsWhoIsAlive ? "At work" : "Claimed (a standby cannot show which runs are at work)"] + lines)
      + (left.isEmpty ? [] : ["", "Left by workers that are gone, for the next run to take over"] + left)
  }

  private static func claimLines(_ claims: [Claims.Seen]) -> [String] {
    let lines = claims.prefix(20).flatMap { claim in
      Human.wrapped(
        "ids \(claim.ids.lowerBound)-\(claim.ids.upperBound - 1), claimed \(time(claim.since)) by worker \(claim.owner) of run \(claim.run)",
        indent: 2)
    }
    return claims.count > 20 ? lines + ["  and \(Human.count(claims.count - 20, "more claim"))"] : lines
  }

  private static func lastSection(_ all: [StatusJob.Run]) -> [String] {
    var lines: [String] = []
    for run in all where !run.isAtWork {
      lines += Human.wrapped("\(name(run)), begun \(time(run.record.started)), \(place(run))", indent: 2)
      var result = run.outcome?.rawValue ?? "no end recorded so far"
      if let seconds = run.seconds { result += " \(run.outcome == .done ? "in" : "after") \(Human.duration(seconds))" }
      let counts = counts(run)
      lines += Human.wrapped(counts.isEmpty ? result : "\(result): \(counts)", indent: 4)
      if let error = run.record.error { lines += Human.wrapped(error, indent: 4) }
    }
    return lines.isEmpty ? [] : ["", "Last runs"] + lines
  }

  private static func name(_ run: StatusJob.Run) -> String {
    "\(run.record.id) \(run.record.verb)" + (run.record.parameters.isEmpty ? "" : " \(run.record.parameters)")
  }

  private static func place(_ run: StatusJob.Run) -> String { "process \(run.record.pid) on \(run.record.host)" }

  private static func counts(_ run: StatusJob.Run) -> String {
    var parts: [String] = []
    if run["cels"] > 0 {
      parts.append(Human.count(run["cels"], "CEL") + (run.rate.map { " (\(Human.count(Int64($0)))/s)" } ?? ""))
    }
    for (key, word) in [("written", "written"), ("removed", "removed"), ("deleted", "deleted")] {
      let count = run["call_logs_\(key)"]
      if count > 0 { parts.append("\(Human.count(count, "call log")) \(word)") }
    }
    return parts.joined(separator: ", ")
  }

  /// `2026-03-02 08:00:00 UTC`.
  static func time(_ time: Int64) -> String {
    TimestampText.text(time).split(separator: ".").first.map { $0.replacing("T", with: " ") + " UTC" } ?? ""
  }

  /// How long ago that was: `3 d ago`, `5 min ago`. Both times are in microseconds.
  static func age(_ time: Int64, _ now: Int64) -> String { Human.span(Double(max(now - time, 0)) / 1_000_000) + " ago" }

  // MARK: JSON

  /// Appends the same facts as keys of an open object.
  static func runJSON(_ runs: StatusJob.Runs?, into json: inout JSONWriter) {
    json.key("runs")
    json.open("[")
    for run in runs?.last ?? [] { runJSON(run, into: &json) }
    json.close("]")
    json.key("claims")
    json.open("[")
    for claim in runs?.claims ?? [] {
      json.open("{")
      json.number("from", claim.ids.lowerBound)
      json.number("to", claim.ids.upperBound - 1)
      json.number("worker", Int64(claim.owner))
      json.number("run", Int64(claim.run))
      json.time("since", claim.since)
      if runs?.knowsWhoIsAlive == true { json.flag("alive", claim.isAlive) }
      json.close("}")
    }
    json.close("]")
    guard let open = runs?.open else { return }
    json.key("open_calls")
    json.open("{")
    json.number("count", open.count)
    json.time("since", open.since)
    json.number("silent_for_a_day", open.silentForADay)
    json.number("close_after_seconds", open.closeAfter.map { Int64($0) })
    json.number("closed_by_next_run", open.due)
    json.close("}")
  }

  private static func runJSON(_ run: StatusJob.Run, into json: inout JSONWriter) {
    json.open("{")
    json.number("id", Int64(run.record.id))
    json.string("verb", run.record.verb)
    json.string("parameters", run.record.parameters)
    json.string("program", run.record.program)
    json.string("host", run.record.host)
    json.number("pid", Int64(run.record.pid))
    json.time("started", run.record.started)
    json.time("ended", run.record.ended)
    json.flag("at_work", run.isAtWork)
    json.string("outcome", run.outcome?.rawValue)
    json.number("milliseconds", run.seconds.map { Int64($0 * 1000) })
    json.number("cels_per_second", run.rate.map { Int64($0) })
    json.key("counters")
    json.open("{")
    for (key, value) in run.record.counters { key.withText { json.number($0, value) } }
    json.close("}")
    json.string("error", run.record.error)
    json.close("}")
  }
}
