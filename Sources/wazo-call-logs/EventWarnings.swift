import CallLogs
import Terminal

/// What is wrong with so many events that no single one of them is to blame.
enum EventWarnings {
  /// What a run saw.
  struct Seen {
    /// CELs read, SIP chats aside.
    var cels: Int
    /// What was wrong with them.
    var tally: Tally
    /// What is to be corrected where the events have the wrong names, and what to do then.
    var remedy: String
    /// Whether so many calls lack a LINKEDID_END that none seems to get one.
    var hasNoEnds: Bool
  }

  /// Fewer CELs than that tell nothing of their names.
  private static let fewestNamed = 20
  /// Fewer CELs than that need not have a CHAN_START among them: a night may have one long conference and no new call.
  private static let fewestBegun = 300

  /// What is wrong and what to do about it; nil where nothing is. The first cause only: where the events are unknown, no CHAN_START is seen, either.
  static func sentence(_ seen: Seen) -> String? {
    let unknown = seen.tally[.unknownEvent]
    if seen.cels >= fewestNamed, unknown * 2 > seen.cels {
      let ids = seen.tally.examples(of: .unknownEvent).map(String.init).joined(separator: ", ")
      return
        "\(Human.count(unknown)) of \(Human.count(seen.cels)) CELs are of unknown events (CEL \(ids), …): eventtype must hold Asterisk's own names, such as CHAN_START, or its numbers; \(seen.remedy)"
    }
    if seen.cels >= fewestBegun, seen.tally.chanStarts == 0 {
      return
        "no CHAN_START in \(Human.count(seen.cels)) CELs: without it no call has a beginning; add CHAN_START to the line events= of cel.conf"
    }
    if seen.hasNoEnds {
      return
        "no LINKEDID_END in \(Human.count(seen.cels)) CELs: without it no call is known to have ended; add LINKEDID_END to the line events= of cel.conf, or set close_after (such as --close-after 1d)"
    }
    return nil
  }
}
