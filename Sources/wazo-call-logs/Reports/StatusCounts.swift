import CallLogs
import Terminal

/// The counts over all runs, as `status` shows them.
extension Status {
  /// The classes of CELs, in the order of the output.
  private static let classes = [
    ("cels_call_log", "in call logs"), ("cels_unfinished", "of calls that had not ended"), ("cels_invalid", "that give no call"),
    ("cels_left", "of calls that another chunk completed"), ("cels_chat", "of SIP chats"),
    ("cels_refused", "of conversations that were refused"),
  ]
  private static let results = [
    ("call_logs_written", "call logs written"), ("call_logs_removed", "call logs removed"),
    ("conversations_kept", "conversations left as they stood"),
    ("conversations_partly_gone", "of them because the first of their CELs are gone"),
    ("conversations_purged", "of them because their call logs were purged"),
    ("conversations_closed", "calls closed that never ended"),
    ("conversations_refused", "conversations refused"),
  ]

  /// The sections, each with its heading. A section without counts is left out.
  static func countSections(_ counters: [(key: String, value: Int64)]) -> [String] {
    let values = Dictionary(counters.map { ($0.key, $0.value) }) { first, _ in first }
    func rows(_ labels: [(String, String)]) -> [(Int64, String)] {
      labels.compactMap { key, label in values[key].flatMap { $0 == 0 ? nil : ($0, label) } }
    }
    let flaws = Flaw.allCases.map { ("flaw_" + $0.key, $0.label) }
    // A later version of the program may have stored counts for which this one has no words.
    let known = Set((classes + results + flaws).map(\.0) + ["cels"])
    let others = counters.filter { !known.contains($0.key) }.map { ($0.key, $0.key) }
    return section("CELs over all runs", rows([("cels", "read")] + classes))
      + section("Done over all runs", rows(results + others))
      + section("Skipped or mended over all runs", rows(flaws))
  }

  private static func section(_ heading: String, _ rows: [(Int64, String)]) -> [String] {
    guard !rows.isEmpty else { return [] }
    let texts = rows.map { Human.count($0.0) }
    let width = texts.map(\.count).max() ?? 0
    return ["", heading]
      + zip(texts, rows).map { "  " + String(repeating: " ", count: width - $0.count) + $0 + "  " + $1.1 }
  }
}
