/// The kinds of simulated calls.
public enum CallKind: String, CaseIterable, Sendable {
  /// A user calls a user of the same tenant, who answers.
  case internalAnswered = "internal, answered"
  /// A call from outside that a user answers.
  case inboundAnswered = "inbound, answered"
  /// A call to an outside number, answered.
  case outboundAnswered = "outbound, answered"
  /// A call to an outside number that nobody answers.
  case outboundUnanswered = "outbound, not answered"
  /// An internal or inbound call that nobody answers.
  case unanswered = "not answered"
  /// The caller hangs up before the dialplan has found the destination.
  case abandoned = "hung up at once"
  /// The called user is on the telephone.
  case busy = "busy"
  /// The called user forwards every call, to a colleague or to an outside number.
  case forwardedAlways = "forwarded, unconditional"
  /// The called user does not answer and has forwarded such calls.
  case forwardedUnanswered = "forwarded on no answer"
  /// Several members of a group ring, one answers.
  case group = "group"
  /// Several members of a group ring, nobody answers.
  case groupUnanswered = "group, not answered"
  /// A call from outside that ends in a mailbox.
  case inboundVoicemail = "voicemail, inbound"
  /// An internal call that ends in a mailbox.
  case internalVoicemail = "voicemail, internal"
  /// A user enters a conference room.
  case conference = "conference"
  /// A user enters a meeting.
  case meeting = "meeting"
  /// A colleague answers a telephone that rings somewhere else: two linkedids.
  case pickup = "pickup"
  /// The called user consults a colleague and then connects both: two linkedids.
  case attendedTransfer = "attended transfer"
  /// The called user sends the caller on to a colleague.
  case blindTransfer = "blind transfer"
  /// Click to call: all lines of the user ring first, then the dialplan dials the number.
  case originate = "originate"
  /// An answered and recorded call, often with pauses.
  case recorded = "recorded"
  /// A call from a number that the user has blocked.
  case blocked = "blocked"
  /// The system wakes the called user's mobile application before it can ring.
  case mobile = "mobile wake-up"
  /// Rows are missing: the end of the call, or the end of one channel.
  case unfinished = "unfinished"
  /// A SIP chat message. It leaves CELs and is not a call.
  case chat = "SIP chat"

  /// How many of a thousand calls are of this kind.
  var share: Int {
    switch self {
    case .internalAnswered: 172
    case .inboundAnswered: 200
    case .outboundAnswered: 135
    case .outboundUnanswered: 55
    case .unanswered: 110
    case .abandoned: 16
    case .busy: 36
    case .forwardedAlways: 20
    case .forwardedUnanswered: 20
    case .group: 30
    case .groupUnanswered: 8
    case .inboundVoicemail: 62
    case .internalVoicemail: 26
    case .conference: 15
    case .meeting: 15
    case .pickup: 8
    case .attendedTransfer: 8
    case .blindTransfer: 8
    case .originate: 14
    case .recorded: 15
    case .blocked: 10
    case .mobile: 6
    case .unfinished: 5
    case .chat: 6
    }
  }
}

/// Deals the kinds of calls like cards from a deck of a thousand, in which every kind has its
/// share. So even the rare kinds occur in every run of two thousand calls.
struct CallKindDeck {
  private let deck = CallKind.allCases.flatMap { Array(repeating: $0, count: $0.share) }
  private var left: [CallKind] = []

  mutating func deal(using random: inout RandomSource) -> CallKind {
    if left.isEmpty {
      left = deck
      for position in left.indices.reversed() { left.swapAt(position, random.below(position + 1)) }
    }
    return left.popLast() ?? .internalAnswered
  }
}
