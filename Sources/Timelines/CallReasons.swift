import CallLogs
import Values

/// Why a call log is what it is, as far as its events tell: what `explain` knows, in pieces that a
/// person can read.
public struct CallReasons: Sendable {
  /// What the events give today.
  public enum Verdict: Equatable, Sendable {
    /// A call log.
    case callLog
    /// A call log without an end of its own: LINKEDID_END is missing, and a run closed the call at
    /// its newest event (Interpretation, R98).
    case closed
    /// Nothing, for this reason. The call log was made from more events, or by another program.
    case nothing(String)
  }

  /// Where a fact comes from.
  public struct Origin: Sendable {
    /// The event that says it; nil where no event does.
    public let event: Int64?
    /// Its kind.
    public let kind: EventKind?
  }

  /// What the stored call log says.
  public struct Stored: Sendable {
    /// Its times, in microseconds since 2000-01-01 UTC.
    public let start: Timestamp, answer: Timestamp?, end: Timestamp?
    /// Its direction, as the table has it.
    public let direction: String

    /// What it says.
    public init(start: Timestamp, answer: Timestamp?, end: Timestamp?, direction: String) {
      (self.start, self.answer, self.end, self.direction) = (start, answer, end, direction)
    }
  }

  /// What the events give.
  public let verdict: Verdict
  /// The linkedids of the conversation.
  public let linkedids: [String]
  /// Whether the call began through a pair of Local channels (Interpretation, R17).
  public let isOriginate: Bool
  /// How the interpreter read each event, by id. Empty where it read none.
  public let readings: [Int64: Interpreter.Reading]
  /// The event of the start; its channel is the caller (Interpretation, R63).
  public let start: Origin
  /// The event of the answer; without an event where nobody answered (Interpretation, R59 to R61).
  public let answer: Origin
  /// The event of the direction; without an event where the call is internal because nothing says
  /// otherwise (Interpretation, R64 to R66).
  public let direction: Origin
  /// The event of the end (Interpretation, R63).
  public let end: Origin
  /// Which of the stored facts these events do not give. Other events gave them, which are not
  /// here any more, or another program wrote them.
  public let differing: [Fact]
  /// The flaws of the events.
  public let flaws: Tally

  /// What a call log says.
  public enum Fact: String, Sendable, CaseIterable {
    /// Its start.
    case start
    /// The time of the answer.
    case answer
    /// The direction.
    case direction
    /// Its end.
    case end
  }

  /// Reads the events again.
  /// - Parameters:
  ///   - events: of the conversation
  ///   - conversation: its conversation_id; empty where it has none
  public init(_ events: [CallEvent], conversation: String, stored: Stored) {
    let arena = TextArena()
    defer { withExtendedLifetime(arena) {} }
    var batch = CELBatch()
    var tally = Tally()
    for event in events { batch.append(event.columns(in: arena), tally: &tally) }
    var grouping = Grouping()
    grouping.group(batch)
    // Users and tenants decide nothing that is told here.
    var interpreter = Interpreter(directory: .none, defaultTenant: UUIDValue(high: 0, low: 0))
    interpreter.endedBefore = .max
    var made = CallLogBatch()
    let wanted = batch.linkedids.find(arena.text(conversation))
    guard let group = wanted.map({ grouping.group(ofLinkedid: $0) }) ?? grouping.groups.indices.first,
      grouping.groups.indices.contains(group)
    else {
      (verdict, linkedids, isOriginate, readings, flaws) = (.nothing(""), [], false, [:], tally)
      let none = Origin(event: nil, kind: nil)
      (start, answer, direction, end, differing) = (none, none, none, none, [])
      return
    }
    let outcome = interpreter.interpret(group: group, of: grouping, in: batch, into: &made)
    tally.add(interpreter.takeTally())
    flaws = tally
    linkedids = grouping.linkedids[grouping.groups[group].linkedids].map { batch.linkedid($0).string }
    let rows = grouping.order[grouping.groups[group].rows].map { batch.rows[Int($0)] }
    let found = interpreter.readings()
    isOriginate = found.isOriginate
    readings = Dictionary(zip(rows.map(\.id), found.byEvent)) { $1 }
    guard case .callLog(let place) = outcome, made.callLogs.indices.contains(place) else {
      verdict = .nothing(outcome.reason)
      let none = Origin(event: nil, kind: nil)
      (start, answer, direction, end, differing) = (none, none, none, none, [])
      return
    }
    verdict = grouping.groups[group].isComplete ? .callLog : .closed
    let log = made.callLogs[place]
    let known = Dictionary(events.map { ($0.id, $0) }) { $1 }
    let order = rows.compactMap { known[$0.id] }
    func first(_ kinds: [EventKind], at time: Int64?) -> Origin {
      let event = time.flatMap { time in order.first { kinds.contains($0.kind) && $0.time == time } }
      return Origin(event: event?.id, kind: event?.kind)
    }
    start = first([.chanStart], at: log.date)
    answer = first([.bridgeEnter, .bridgeStart], at: log.dateAnswer)
    end = first([.chanEnd], at: log.dateEnd)
    let wantedKind: EventKind? = log.direction == .inbound ? .incall : log.direction == .outbound ? .outcall : nil
    let saying = order.last { $0.kind == wantedKind }
    direction = Origin(event: saying?.id, kind: saying?.kind)
    differing = Fact.allCases.filter { fact in
      switch fact {
      case .start: log.date != stored.start
      case .answer: log.dateAnswer != stored.answer
      case .direction: log.direction.rawValue != stored.direction
      case .end: log.dateEnd != stored.end
      }
    }
  }
}

extension Outcome {
  /// Why there is no call log, in words; empty where there is one.
  fileprivate var reason: String {
    switch self {
    case .callLog: ""
    case .unfinished: "LINKEDID_END is missing"
    case .invalid(let reason): reason.rawValue
    case .refused(let reason): reason.rawValue
    }
  }
}
