import Values

/// What each channel of a call did, from its first to its last event.
///
/// It comes from the events alone. Missing events and events out of order make it poorer, and never
/// wrong in itself: segments of a channel do not overlap, and each lies in the channel's life.
public struct Timeline: Sendable {
  /// What a channel does for some time.
  public struct Segment: Equatable, Sendable {
    /// What it does.
    public enum Kind: String, CaseIterable, Sendable {
      /// The telephone rings.
      case ringing
      /// The channel has dialled, and waits for an answer.
      case calling
      /// The channel waits in a queue or in a holding bridge.
      case waiting
      /// An application of the dialplan has the channel, such as an announcement.
      case application
      /// The channel is in a mailbox.
      case voicemail
      /// The channel is in a bridge with at least one other channel of this call.
      case talking
      /// The channel is in a conference whose other channels belong to other calls, or are not
      /// there yet.
      case conference
      /// The channel is alone in a bridge.
      case alone
      /// The channel is on hold, or all others in its bridge are.
      case hold
      /// The channel is parked.
      case parked
      /// Half of a pair of Local channels passes the sound on.
      case relay
    }

    /// What it does.
    public let kind: Kind
    /// The start, in microseconds since 2000-01-01 UTC.
    public let start: Timestamp
    /// The end, in the same unit; later than the start.
    public let end: Timestamp
    /// The channels that it talks with, also through Local channels: places in
    /// ``Timeline/channels``.
    public let peers: [Int]
    /// The application, where the dialplan runs one.
    public let application: String?
  }

  /// The part that a channel plays.
  public enum Role: String, Sendable {
    /// It began the call.
    case caller
    /// It was called.
    case callee
    /// It is half of a pair of Local channels.
    case local
    /// Asterisk made it for itself, such as the announcer of a conference.
    case asterisk
    /// Its start is not among the events.
    case unknown
  }

  /// A channel.
  public struct Channel: Sendable {
    /// Its identifier; empty for rows without one, which count as one channel.
    public let uniqueid: String
    /// Its name, such as `PJSIP/abc-0000002f`.
    public let name: String
    /// The part that it plays.
    public let role: Role
    /// The name of whom it belongs to, as the first caller id says; empty where none does.
    public let ownerName: String
    /// The number of whom it belongs to.
    public let ownerNumber: String
    /// Its first event, in microseconds since 2000-01-01 UTC.
    public let start: Timestamp
    /// Its CHAN_END. Without one, its HANGUP; without that, the last event of the call.
    public let end: Timestamp
    /// Whether its CHAN_START is among the events.
    public let hasStart: Bool
    /// Whether its CHAN_END is among the events.
    public let hasEnd: Bool
    /// Whether it has an ANSWER.
    public let isAnswered: Bool
    /// What it did, in order. In the gaps between them the dialplan had it.
    public let segments: [Segment]

    /// Whether it talked with anybody, or could have.
    public var hasTalked: Bool {
      segments.contains { [.talking, .conference, .hold, .alone].contains($0.kind) }
    }
  }

  /// What an event meant.
  public struct Reading: Sendable {
    /// What it meant.
    public let meaning: Meaning
    /// Its channel: a place in ``Timeline/channels``.
    public let channel: Int
    /// The other channels that it is about.
    public let peers: [Int]
    /// What the meaning is about: an application, a number, a cause. Empty where there is nothing.
    public let detail: String
  }

  /// The events in order.
  public let events: [CallEvent]
  /// What each of them meant.
  public let readings: [Reading]
  /// The channels in the order in which they began.
  public let channels: [Channel]
  /// Whether every channel begins and ends among the events, and every linkedid has its
  /// LINKEDID_END. Channels that Asterisk makes for itself do not count.
  public let isWhole: Bool
  /// The linkedids without a LINKEDID_END.
  public let missingEnds: [String]

  /// Makes the timeline of the events of one conversation.
  /// - Parameter events: in any order
  public init(_ events: [CallEvent]) {
    var builder = TimelineBuilder(events.inOrder())
    builder.run()
    (self.events, readings, channels) = (builder.events, builder.readings, builder.channels)
    var open: [String] = []
    let ended = Set(events.lazy.filter { $0.kind == .linkedidEnd }.map(\.linkedid))
    for event in events where !event.isOfAsterisk && !ended.contains(event.linkedid) && !open.contains(event.linkedid) {
      open.append(event.linkedid)
    }
    missingEnds = open
    isWhole = !events.isEmpty && open.isEmpty && channels.allSatisfy { $0.role == .asterisk || ($0.hasStart && $0.hasEnd) }
  }

  /// The time of the first event; nil where there is none.
  public var start: Timestamp? { events.first?.time }
  /// The time of the last event; nil where there is none.
  public var end: Timestamp? { events.last?.time }
}
