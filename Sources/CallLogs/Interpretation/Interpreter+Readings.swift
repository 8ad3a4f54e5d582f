extension Interpreter {
  /// The way in which the interpreter read an event.
  public enum Reading: String, Sendable {
    /// As an event of the caller.
    case caller
    /// As an event of a callee.
    case callee
    /// As both: its channel came first and has two CHAN_STARTs (Interpretation, R18).
    case both
    /// By the rules of originates (Interpretation, R52 to R58).
    case originate
    /// Not read: its channel has no CHAN_START (Interpretation, R20).
    case unread
    /// Not read: the event has no meaning for call logs. It only holds the conversation together.
    case silent
  }

  /// The readings of the group that was interpreted last, in the order of its events. Empty if the
  /// group was incomplete.
  public func readings() -> (isOriginate: Bool, byEvent: [Reading]) {
    let isOriginate = isLocalOriginate()
    let starts = events.filter { $0.type == .chanStart }.map(\.uniqueid)
    let callees = Set(starts.dropFirst())
    let byEvent = events.map { event -> Reading in
      if !event.type.isRead { return .silent }
      if isOriginate { return .originate }
      let isCaller = event.uniqueid == starts.first
      let isCallee = callees.contains(event.uniqueid)
      return isCaller ? (isCallee ? .both : .caller) : isCallee ? .callee : .unread
    }
    return (isOriginate, byEvent)
  }
}
