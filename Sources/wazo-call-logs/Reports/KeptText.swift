import Runs
import Terminal

extension Counters {
  /// How many conversations the run left as they stand, and why; nil if there are none.
  var keptText: String? {
    guard conversationsKept > 0 else { return nil }
    let text = Human.count(conversationsKept, "conversation") + " left as they stand"
    let reasons = [
      (conversationsPartlyGone, "the first of their CELs are gone"), (conversationsPurged, "their call logs were purged"),
    ].filter { $0.0 > 0 }
    if let only = reasons.first, only.0 == conversationsKept { return "\(text): \(only.1)" }
    return reasons.isEmpty ? text : text + " (" + reasons.map { "\(Human.count($0.0)): \($0.1)" }.joined(separator: "; ") + ")"
  }
}
