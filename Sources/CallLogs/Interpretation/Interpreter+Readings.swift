extension Interpreter {
  /// How an event was read.
  public enum Reading: String, Sendable {
    /// As one of the caller's.
    case caller
    /// As one of a callee's.
    case callee
    /// As both: its channel has two CHAN_STARTs and came first.
    case both
    /// By the rules of calls begun through a pair of Local channels.
    case originate
    /// Not at all: its channel has no CHAN_START.
    case unread
    /// It says nothing that call logs need; it only holds the conversation together.
    case silent
  }

  /// How the events of the group that was interpreted last were read, in their order. Empty where the group was not complete.
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
