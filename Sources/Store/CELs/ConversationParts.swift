import CallLogs

/// The conversations of a batch by the rows read so far: their connected linkedids, and whether
/// they have a CEL ahead of all covered ids.
struct ConversationParts {
  /// The smallest id that counts as ahead; nil where none does.
  let ahead: Int64?
  private var connected = ConnectedLinkedids()
  /// Indexed by the linkedid that represents the call.
  private var goesOn: [Bool] = []
  private var rows = 0
  /// Whether some conversation goes on.
  private(set) var isAnyAhead = false

  init(ahead: Int64?) { self.ahead = ahead }

  /// Adds the rows that the batch has received since the last call.
  mutating func add(_ batch: CELBatch) {
    connected.grow(linkedids: batch.linkedids.count, uniqueids: batch.uniqueids.count)
    for _ in goesOn.count..<max(goesOn.count, batch.linkedids.count) { goesOn.append(false) }
    for row in batch.rows[rows...] {
      if let (kept, gone) = connected.add(linkedid: row.linkedid, uniqueid: row.uniqueid), goesOn[Int(gone)] {
        goesOn[Int(kept)] = true
      }
      if let ahead, row.id >= ahead {
        goesOn[Int(connected.call(ofLinkedid: row.linkedid))] = true
        isAnyAhead = true
      }
    }
    rows = batch.rows.count
  }

  /// Whether the conversation of a channel goes on, which means that it has a CEL ahead.
  mutating func goesOn(channel: Int) -> Bool {
    guard isAnyAhead, let linkedid = connected.linkedid(ofUniqueid: channel) else { return false }
    return goesOn[Int(connected.call(ofLinkedid: linkedid))]
  }
}
