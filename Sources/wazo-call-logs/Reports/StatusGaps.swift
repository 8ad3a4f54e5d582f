import Inspection
import Terminal
import Values

/// Missing ids and open writers, as `status` shows them.
enum StatusGaps {
  /// As lines of text.
  static func lines(_ status: StatusJob.Status) -> [String] {
    var lines: [String] = []
    if case .timed(let reason) = status.lateRule {
      lines += entry("Late rows", "by time: \(reason); a missing id is final after \(Human.duration(status.finalAfter))")
    } else {
      lines += entry("Late rows", "by locks: a missing id is final once no open transaction can commit it")
    }
    for gap in status.gaps.prefix(5) {
      let ids = "\(gap.ids.lowerBound)-\(gap.ids.upperBound - 1)"
      let since = "\(TimestampText.text(gap.since)) (\(Human.duration(max(gap.age, 0))))"
      lines += entry("Waiting for", "ids \(ids), missing since \(since): they may still come")
    }
    if status.gaps.count > 5 {
      let ids = status.gaps.dropFirst(5).map(\.ids).width
      lines.append("Waiting for   \(Human.count(ids)) more ids in \(Human.count(status.gaps.count - 5, "gap"))")
    }
    lines += status.writers.prefix(5).flatMap { entry("Open writer", "\($0)") }
    if status.writers.count > 5 { lines.append("Open writer   \(Human.count(status.writers.count - 5)) more") }
    return lines
  }

  private static func entry(_ name: String, _ text: String) -> [String] {
    var lines = Human.wrapped(text, indent: 14)
    if let first = lines.first { lines[0] = name + String(first.dropFirst(name.count)) }
    return lines
  }

  /// As members of a JSON object.
  static func append(_ status: StatusJob.Status, to json: inout JSONWriter) {
    json.key("late_rule")
    json.open("{")
    switch status.lateRule {
    case .locks: json.string("rule", "locks")
    case .timed(let reason):
      json.string("rule", "timed")
      json.string("reason", reason)
      json.number("final_after_seconds", Int64(status.finalAfter))
    }
    json.close("}")
    json.key("gaps")
    json.open("[")
    for gap in status.gaps {
      json.open("{")
      json.number("from", gap.ids.lowerBound)
      json.number("to", gap.ids.upperBound - 1)
      json.time("missing_since", gap.since)
      json.number("age_seconds", Int64(max(gap.age, 0)))
      json.close("}")
    }
    json.close("]")
    json.key("open_writers")
    json.open("[")
    for writer in status.writers {
      json.open("{")
      json.number("pid", writer.processID)
      json.string("gid", writer.preparedAs)
      json.string("user", writer.user)
      json.string("application", writer.application)
      json.string("client", writer.client)
      json.time("since", writer.since)
      json.number("age_seconds", writer.age)
      json.close("}")
    }
    json.close("]")
  }
}
