import CallLogs

/// Which linkedids of a batch hang together by what was read so far, and which of these conversations have a CEL that is ahead of all that is covered.
struct ConversationParts {
  /// The least id that is ahead; nil where nothing is.
  let ahead: Int64?
  private var connected = ConnectedLinkedids()
  /// By the linkedid that stands for the call.
  private var goesOn: [Bool] = []
  private var rows = 0
  /// Whether any conversation goes on.
  private(set) var isAnyAhead = false

  init(ahead: Int64?) { self.ahead = ahead }

  /// Takes in what the batch has got since the last time.
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

  /// Whether the conversation of a channel of the batch goes on.
  mutating func goesOn(channel: Int) -> Bool {
    guard isAnyAhead, let linkedid = connected.linkedid(ofUniqueid: channel) else { return false }
    return goesOn[Int(connected.call(ofLinkedid: linkedid))]
  }
}
