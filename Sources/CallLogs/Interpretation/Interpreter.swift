import Values

/// Turns groups of CELs into call logs, by the rules of the article Interpretation, R17 to R103.
///
/// The same CELs and the same directory always give the same call logs, to the byte. Only one
/// thread at a time may use an interpreter.
public struct Interpreter {
  let directory: Directory
  let defaultTenant: UUIDValue
  /// A call without LINKEDID_END counts as ended if its newest event is before this moment. nil:
  /// only LINKEDID_END ends a call (Interpretation, R98).
  public var endedBefore: Timestamp?

  var raw = RawCallLog()
  var tally = Tally()
  /// The rows of the current group, in order.
  var events: [CEL] = []
  var arena: TextArena
  private var isCallee: [Bool] = []
  private var seen: [Bool] = []
  var stops: [(index: Int, id: Text)]?
  // These are kept between groups for their memory.
  var sortedChannels: [Int] = []
  var pairs = Payload.Pairs()
  var tokens: [Payload.Token] = []

  /// An interpreter that looks users up in `directory`. `defaultTenant` is the tenant of calls that
  /// cannot be attributed to one.
  public init(directory: Directory, defaultTenant: UUIDValue) {
    self.directory = directory
    self.defaultTenant = defaultTenant
    arena = TextArena(blockSize: 64)
  }

  /// The flaws since the last call of ``takeTally()``.
  public mutating func takeTally() -> Tally {
    defer { tally = Tally() }
    return tally
  }

  /// Interprets one group of `grouping`, which must be made from `batch`.
  ///
  /// The texts of the call log lie in the batch's memory.
  public mutating func interpret(group number: Int, of grouping: Grouping, in batch: CELBatch, into results: inout CallLogBatch)
    -> Outcome
  {
    let group = grouping.groups[number]
    events.removeAll(keepingCapacity: true)
    guard !group.isInternal else { return .invalid(.nobodyCalled) }
    guard group.isComplete || isOfLongAgo(group, grouping, batch) else { return .unfinished }
    arena = batch.arena
    let conversationID = grouping.conversationID(of: number, in: batch)
    guard conversationID.count <= 255 || conversationID.codePoints <= 255 else { return .refused(.conversationIDTooLong) }

    raw.reset()
    raw.log.conversationID = conversationID
    raw.log.group = number
    stops = nil
    let rows = batch.rows
    for row in grouping.order[group.rows] { events.append(rows[Int(row)]) }
    if isLocalOriginate() {
      readOriginate()
    } else {
      readDispatched(channels: batch.uniqueids.count)
    }
    if !group.isComplete { endWithTheNewestEvent() }
    return finish(into: &results)
  }

  private func isOfLongAgo(_ group: Group, _ grouping: Grouping, _ batch: CELBatch) -> Bool {
    guard let endedBefore, let newest = grouping.order[group.rows].last else { return false }
    return batch.rows[Int(newest)].time < endedBefore
  }

  /// The end of such a call is unknown. It was not before the newest event (Interpretation, R99).
  private mutating func endWithTheNewestEvent() {
    guard let newest = events.last?.time else { return }
    if raw.log.dateEnd == nil { raw.log.dateEnd = newest }
    for take in raw.takes.indices where raw.takes[take].end == nil { raw.takes[take].end = newest }
  }

  // MARK: Originate or dispatched (R17)

  /// Interpretation, R17: the API or click-to-call began the call with a pair of Local channels.
  func isLocalOriginate() -> Bool {
    var starts = 0
    for event in events where event.type == .chanStart {
      guard event.channame.hasIgnoringCase("local/") else { return false }
      starts += 1
      if starts == 2 { break }
    }
    guard starts == 2, let first = events.first, first.type == .chanStart else { return false }
    guard let second = events.dropFirst().first(where: { $0.uniqueid == first.uniqueid }), second.type == .answer else {
      return false
    }
    // At least three uniqueids are needed.
    guard let other = events.first(where: { $0.uniqueid != first.uniqueid })?.uniqueid else { return false }
    return events.contains { $0.uniqueid != first.uniqueid && $0.uniqueid != other }
  }

  // MARK: Caller and callees (R18 to R20)

  /// Reads all events of the caller in order, then all events of the callees. So direction, tenant
  /// and announcements are known before a callee's first event (Interpretation, R19).
  private mutating func readDispatched(channels: Int) {
    guard let caller = events.first(where: { $0.type == .chanStart })?.uniqueid else { return noteUnread { _ in true } }
    if isCallee.count < channels {
      isCallee.append(contentsOf: repeatElement(false, count: channels - isCallee.count))
    }
    var hasCallees = false
    var emptyIsCallee = false
    var isFirst = true
    for event in events where event.type == .chanStart {
      if isFirst {
        isFirst = false
        continue
      }
      hasCallees = true
      if event.uniqueid < 0 { emptyIsCallee = true } else { isCallee[Int(event.uniqueid)] = true }
    }
    for index in events.indices where events[index].uniqueid == caller { readCaller(events[index], at: index) }
    if hasCallees {
      for index in events.indices {
        let uniqueid = events[index].uniqueid
        if uniqueid < 0 ? emptyIsCallee : isCallee[Int(uniqueid)] { readCallee(events[index], at: index) }
      }
    }
    noteUnread { [isCallee] in $0 != caller && ($0 < 0 ? !emptyIsCallee : !isCallee[Int($0)]) }
    for event in events where event.uniqueid >= 0 && event.type == .chanStart { isCallee[Int(event.uniqueid)] = false }
  }

  /// Counts each channel without a CHAN_START once (Interpretation, R20).
  private mutating func noteUnread(_ isUnread: (Int32) -> Bool) {
    guard events.contains(where: { isUnread($0.uniqueid) }) else { return }
    var noted: [Int32] = []
    for event in events where isUnread(event.uniqueid) && !noted.contains(event.uniqueid) {
      tally.note(.missingChanStart, event.id)
      noted.append(event.uniqueid)
      // A limit for conversations with very many channels.
      if noted.count == 64 { return }
    }
  }
}
