import CallLogs
import Logging
import PostgreSQL
import Store

/// Covers a run of CEL ids chunk by chunk, each in one transaction.
///
/// A chunk is done in two steps. First, what lies whole inside it (every channel with its CHAN_START and CHAN_END, every linkedid with its LINKEDID_END) is
/// interpreted and stored; other workers may do the same meanwhile. Then the checkpoint is locked, from there to COMMIT one worker at a time: conversations that reach
/// beyond the chunk are read whole, in new snapshots, and stored if their newest CEL lies in the chunk or in a covered range; else the chunk that has it will do so. So whoever
/// comes last to a conversation, in whatever order, sees all of it.
struct ChunkWorker {
  private let databases: Databases
  private let table: CELTable
  private let checkpoint: Checkpoint
  private let log: Logger
  private let chunkSize: Int
  private var lateRows: LateRows
  private var interpreter: Interpreter
  private var store: ConversationStore
  private var source = ConversationStore.Source()
  private var beyond = ConversationStore.Source()
  /// Linkedids whose conversations the first step leaves to the second.
  private var notInside: Set<String> = []
  private(set) var clock = ClockCheck()

  init(_ context: RunContext) throws {
    databases = context.databases
    table = context.table
    checkpoint = context.checkpoint
    log = context.log
    chunkSize = context.chunkSize
    lateRows = LateRows(context)
    interpreter = Interpreter(directory: context.directory, defaultTenant: context.defaultTenant)
    store = ConversationStore(
      databases: context.databases, table: context.table, checkpoint: context.checkpoint, linksCELs: context.linksCELs,
      log: context.log,
      tenants: try CallLogTables.tenants(on: context.databases.logs))
  }

  /// What one chunk did.
  struct Done {
    /// The ids that were looked at; all are covered now but those that may still come.
    var covered: Range<Int64>
    var counters: Counters
    /// The checkpoint as it was committed.
    var checkpoint: Checkpoint
  }

  /// Covers the first chunk of `ids`: at most the chunk size of CELs, all the ids where there are fewer.
  mutating func cover(_ ids: Range<Int64>) throws -> Done {
    try databases.logs.transaction(purpose: "Covering CELs from id \(ids.lowerBound)") {
      source.batch.removeAll()
      beyond.batch.removeAll()
      // What an attempt noted that failed.
      _ = interpreter.takeTally()
      var counters = Counters()
      var read = try table.read(ids, limit: chunkSize, into: &source.batch, tally: &counters.tally, on: databases.cels)
      var covered = ids
      if read.cels >= chunkSize, let last = read.greatestID { covered = ids.lowerBound..<last + 1 }
      let gaps = try lateRows.settle(in: covered, into: &source.batch, read: &read, tally: &counters.tally)
      let final = Coverage(Coverage(gaps).gaps(in: covered))
      counters.cels = read.cels
      counters.chat = read.chats
      counters.invalid = read.unusable
      try storeWhatIsInside(&counters)
      let locked = try checkpoint.locked(on: databases.logs)
      try storeWhatReachesBeyond(final, locked.coverage, &counters)
      count(&counters)
      counters.tally.add(interpreter.takeTally())
      guard counters.isBalanced else {
        throw JobError(
          .fault,
          "CELs \(covered.lowerBound) to \(covered.upperBound - 1) are not all accounted for: \(counters.json); nothing was written"
        )
      }
      var witness: (id: Int64, time: Int64)?
      if let id = read.greatestID, let time = try table.storedTime(of: id, on: databases.cels) { witness = (id, time) }
      let changes = read.cels > 0 || final.ranges.contains { !locked.coverage.gaps(in: $0).isEmpty }
      if changes { try checkpoint.cover(final.ranges, witness: witness, counters: counters.json, on: databases.logs) }
      try checkpoint.replaceGaps(in: covered, with: gaps, on: databases.logs)
      var committed = locked
      committed.coverage = Coverage(locked.coverage.ranges + final.ranges)
      if changes { committed.generation += 1 }
      return Done(covered: covered, counters: counters, checkpoint: committed)
    }
  }

  /// Makes links that are recorded for the CELs' database; nothing where it is the same database.
  mutating func makeRecordedLinks() throws {
    guard store.linksCELs, !databases.isOne else { return }
    while try checkpoint.makeRecordedLinks(in: table, cels: databases.cels, logs: databases.logs) {}
  }

  /// Adds what the last chunk showed of the clock.
  mutating func observeClock() { clock.add(source.batch.clock) }

  // MARK: Step 1

  private mutating func storeWhatIsInside(_ counters: inout Counters) throws {
    ChunkWorker.group(&source)
    notInside = []
    // Rows may come in any order then.
    if table.isTimed { return }
    notInside = try checkpoint.reaching(among: linkedids(of: source) { $0.isClosed }, on: databases.logs)
    // A conversation that has a call log was made from CELs elsewhere, or the same ones: its linkedid may have ended twice.
    notInside.formUnion(
      try CallLogTables.conversations(among: linkedids(of: source) { $0.isClosed && !$0.isLinked }, on: databases.logs))
    var inside: [Int] = []
    for group in source.grouping.groups.indices where source.grouping.groups[group].isClosed && !isNoted(group, source, notInside)
    {
      if ChunkWorker.decide(group, &source, &interpreter, &counters) { inside.append(group) }
    }
    try store.store(inside, of: &source, counters: &counters)
  }

  // MARK: Step 2

  private mutating func storeWhatReachesBeyond(_ covered: Coverage, _ coverage: Coverage, _ counters: inout Counters) throws {
    // Looked up again: another worker may have noted one in the meantime.
    let noted = try checkpoint.reaching(among: linkedids(of: source) { $0.isClosed }, on: databases.logs).union(notInside)
    var wanted: [Text] = []
    for group in source.grouping.groups.indices
    where table.isTimed || !source.grouping.groups[group].isClosed || isNoted(group, source, noted) {
      wanted += source.grouping.linkedids[source.grouping.groups[group].linkedids].map { source.batch.linkedid($0) }
    }
    guard !wanted.isEmpty else { return }
    var tally = Tally()
    try table.readConversations(wanted, into: &beyond.batch, tally: &tally, on: databases.cels)
    ChunkWorker.group(&beyond)
    var now: [Int] = []
    var reaching = BinaryArray(.text)
    var whole = BinaryArray(.text)
    for group in beyond.grouping.groups.indices {
      let newest = beyond.grouping.groups[group].greatestID
      if covered.contains(newest) || coverage.contains(newest) {
        let wasStored = wasStored(group)
        if ChunkWorker.decide(group, &beyond, &interpreter, &counters, wasStored: wasStored) { now.append(group) }
      } else {
        beyond.fates[group] = .left
      }
      let isWhole = beyond.grouping.order[beyond.grouping.groups[group].rows].allSatisfy {
        let id = beyond.batch.rows[Int($0)].id
        return covered.contains(id) || coverage.contains(id)
      }
      // What has not ended yet is noted as well: the rest of it may look whole in a chunk of its own.
      let isDone = isWhole && beyond.grouping.groups[group].isComplete
      for linkedid in beyond.grouping.linkedids[beyond.grouping.groups[group].linkedids] {
        let bytes = UnsafeRawBufferPointer(beyond.batch.linkedid(linkedid).bytes)
        if isDone { whole.append(bytes) } else { reaching.append(bytes) }
      }
    }
    try store.store(now, of: &beyond, counters: &counters)
    try checkpoint.noteReaching(reaching, on: databases.logs)
    try checkpoint.forgetReaching(whole, on: databases.logs)
    adoptFates()
  }

  /// Groups of the chunk have the fate of the conversations that they are part of.
  private mutating func adoptFates() {
    for group in source.grouping.groups.indices {
      guard let first = source.grouping.linkedids[source.grouping.groups[group].linkedids].first
      else { continue }
      guard let linkedid = beyond.batch.linkedids.find(source.batch.linkedid(first)) else {
        // Deleted in the meantime, by a purge for instance: what was read of it is no call any more.
        if source.fates[group] == nil { source.fates[group] = .invalid }
        continue
      }
      source.fates[group] = beyond.fates[beyond.grouping.group(ofLinkedid: linkedid)]
    }
  }

  // MARK: Groups

  private static func group(_ source: inout ConversationStore.Source) {
    source.grouping.group(source.batch)
    source.results.removeAll()
    source.outcomes = Array(repeating: nil, count: source.grouping.groups.count)
    source.fates = Array(repeating: nil, count: source.grouping.groups.count)
  }

  /// Interprets a group that is to be stored.
  /// - Returns: false where it stays as it stands: all its CELs have a call log, which another program made before.
  private static func decide(
    _ group: Int, _ source: inout ConversationStore.Source, _ interpreter: inout Interpreter, _ counters: inout Counters,
    wasStored: Bool = false
  ) -> Bool {
    if source.grouping.groups[group].isLinked, !wasStored {
      source.fates[group] = .kept
      counters.conversationsKept += 1
      return false
    }
    source.outcomes[group] = interpreter.interpret(group: group, of: source.grouping, in: source.batch, into: &source.results)
    return true
  }

  /// Whether the first step stored a part of this conversation: then the links to its call log are this chunk's own.
  private func wasStored(_ group: Int) -> Bool {
    beyond.grouping.linkedids[beyond.grouping.groups[group].linkedids].contains {
      guard let linkedid = source.batch.linkedids.find(beyond.batch.linkedid($0)) else { return false }
      if case .callLog? = source.fates[source.grouping.group(ofLinkedid: linkedid)] { return true }
      return false
    }
  }

  private func linkedids(of source: ConversationStore.Source, where isWanted: (Group) -> Bool) -> BinaryArray {
    var array = BinaryArray(.text)
    for group in source.grouping.groups where isWanted(group) {
      for linkedid in source.grouping.linkedids[group.linkedids] {
        array.append(UnsafeRawBufferPointer(source.batch.linkedid(linkedid).bytes))
      }
    }
    return array
  }

  private func isNoted(_ group: Int, _ source: ConversationStore.Source, _ noted: Set<String>) -> Bool {
    guard !noted.isEmpty else { return false }
    return source.grouping.linkedids[source.grouping.groups[group].linkedids].contains {
      noted.contains(source.batch.linkedid($0).string)
    }
  }

  private func count(_ counters: inout Counters) {
    for (group, fate) in zip(source.grouping.groups, source.fates) {
      let cels = group.rows.count
      switch fate {
      case .callLog?, .kept?: counters.callLog += cels
      case .unfinished?: counters.unfinished += cels
      case .invalid?: counters.invalid += cels
      case .refused?: counters.refused += cels
      case .left?: counters.left += cels
      case nil: break
      }
    }
  }
}
