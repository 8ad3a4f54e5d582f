import Values

/// Turns groups of CELs into call logs: the rules of the specification's sections 4 to 8 with the project's decisions on the original's quirks.
///
/// Pure: the same CELs and the same directory always give the same call logs, to the byte. One thread at a time.
public struct Interpreter {
  let directory: Directory
  let defaultTenant: UUIDValue
  /// A call without LINKEDID_END whose newest event is before this counts as ended; nil: only LINKEDID_END ends a call.
  public var endedBefore: Timestamp?

  var raw = RawCallLog()
  var tally = Tally()
  /// The rows of the group at hand, in order.
  var events: [CEL] = []
  var arena: TextArena
  private var isCallee: [Bool] = []
  private var seen: [Bool] = []
  var stops: [(index: Int, id: Text)]?
  // Kept from group to group for their memory.
  var sortedChannels: [Int] = []
  var pairs = Payload.Pairs()
  var tokens: [Payload.Token] = []

  /// An interpreter that looks users up in `directory` and gives calls without a tenant to `defaultTenant`.
  public init(directory: Directory, defaultTenant: UUIDValue) {
    self.directory = directory
    self.defaultTenant = defaultTenant
    arena = TextArena(blockSize: 64)
  }

  /// What was wrong with CELs and texts since the last call of ``takeTally()``.
  public mutating func takeTally() -> Tally {
    defer { tally = Tally() }
    return tally
  }

  /// Interprets one group of `grouping`, which was made from `batch`.
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

  /// Nobody knows when such a call ended; it was not before its newest event.
  private mutating func endWithTheNewestEvent() {
    guard let newest = events.last?.time else { return }
    if raw.log.dateEnd == nil { raw.log.dateEnd = newest }
    for take in raw.takes.indices where raw.takes[take].end == nil { raw.takes[take].end = newest }
  }

  // MARK: Choosing the interpreter

  /// Specification, section 4: a call started by the API or click-to-call through a pair of Local channels.
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
    // A third channel, besides the first event's.
    guard let other = events.first(where: { $0.uniqueid != first.uniqueid })?.uniqueid else { return false }
    return events.contains { $0.uniqueid != first.uniqueid && $0.uniqueid != other }
  }

  // MARK: Dispatch

  /// All the caller's events in order, then all the callees' in order: direction, tenant and announcements are known before the first event of a callee is read.
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

  /// Counts the channels that have no CHAN_START, once each.
  private mutating func noteUnread(_ isUnread: (Int32) -> Bool) {
    guard events.contains(where: { isUnread($0.uniqueid) }) else { return }
    var noted: [Int32] = []
    for event in events where isUnread(event.uniqueid) && !noted.contains(event.uniqueid) {
      tally.note(.missingChanStart, event.id)
      noted.append(event.uniqueid)
      // Enough to tell; a conversation may hold very many.
      if noted.count == 64 { return }
    }
  }
}
