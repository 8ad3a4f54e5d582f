import CallLogs

/// Which linkedids of a batch hang together by what was read so far, and which of these conversations have a CEL that is ahead of all that is covered.
struct ConversationParts {
  /// The least id that is ahead; nil where nothing is.
  let ahead: Int64?
  private var parent: [Int32] = []
  /// The first linkedid of each channel.
  private var owner: [Int32] = []
  /// By root.
  private var goesOn: [Bool] = []
  private var rows = 0
  /// Whether any conversation goes on.
  private(set) var isAnyAhead = false

  init(ahead: Int64?) { self.ahead = ahead }

  /// Takes in what the batch has got since the last time.
  mutating func add(_ batch: CELBatch) {
    for number in parent.count..<max(parent.count, batch.linkedids.count) {
      parent.append(Int32(truncatingIfNeeded: number))
      goesOn.append(false)
    }
    for _ in owner.count..<max(owner.count, batch.uniqueids.count) { owner.append(-1) }
    for row in batch.rows[rows...] {
      var root = root(row.linkedid)
      if row.uniqueid >= 0 {
        let known = owner[Int(row.uniqueid)]
        if known < 0 { owner[Int(row.uniqueid)] = row.linkedid } else { root = join(root, self.root(known)) }
      }
      if let ahead, row.id >= ahead {
        goesOn[Int(root)] = true
        isAnyAhead = true
      }
    }
    rows = batch.rows.count
  }

  /// Whether the conversation of a channel of the batch goes on.
  mutating func goesOn(channel: Int) -> Bool {
    guard isAnyAhead, owner[channel] >= 0 else { return false }
    return goesOn[Int(root(owner[channel]))]
  }

  private mutating func join(_ a: Int32, _ b: Int32) -> Int32 {
    guard a != b else { return a }
    let (low, high) = (min(a, b), max(a, b))
    parent[Int(high)] = low
    if goesOn[Int(high)] { goesOn[Int(low)] = true }
    return low
  }

  private mutating func root(_ linkedid: Int32) -> Int32 {
    var at = linkedid
    while parent[Int(at)] != at {
      parent[Int(at)] = parent[Int(parent[Int(at)])]
      at = parent[Int(at)]
    }
    return at
  }
}
