import CallLogs
import Terminal

/// Warnings about the CELs as a whole: their source is set up wrongly, no single event is at fault.
enum EventWarnings {
  /// The counts of a run.
  struct Seen {
    /// CELs read, SIP chats aside.
    var cels: Int
    /// Their flaws.
    var tally: Tally
    /// What to do if the events have wrong names, as the end of a sentence.
    var remedy: String
    /// Whether so many calls lack a LINKEDID_END that Asterisk does not seem to log it.
    var hasNoEnds: Bool
  }

  /// With fewer CELs the share of unknown names is chance.
  private static let fewestNamed = 20
  /// Fewer CELs may have no CHAN_START: a night may have one long conference and no new call.
  private static let fewestBegun = 300

  /// The fault and its remedy; nil if there is none. Only the first cause: a run that cannot read
  /// the events sees no CHAN_START, either.
  static func sentence(_ seen: Seen) -> String? {
    let unknown = seen.tally[.unknownEvent]
    if seen.cels >= fewestNamed, unknown * 2 > seen.cels {
      let ids = seen.tally.examples(of: .unknownEvent).map(String.init).joined(separator: ", ")
      return
        "\(Human.count(unknown)) of \(Human.count(seen.cels)) CELs are of unknown events (CEL \(ids), …): eventtype must hold Asterisk's names, such as CHAN_START, or its numbers; \(seen.remedy)"
    }
    if seen.cels >= fewestBegun, seen.tally.chanStarts == 0 {
      return
        "no CHAN_START in \(Human.count(seen.cels)) CELs: without it no call has a beginning; add CHAN_START to the line events= of cel.conf"
    }
    if seen.hasNoEnds {
      return
        "no LINKEDID_END in \(Human.count(seen.cels)) CELs: without it no call has an end; add LINKEDID_END to the line events= of cel.conf, or set close_after (such as --close-after 1d)"
    }
    return nil
  }
}
