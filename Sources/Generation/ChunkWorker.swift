import CallLogs
import Logging
import PostgreSQL
import Runs
import Store
import Values

/// Covers claims, each in one transaction.
///
/// A chunk is done in two steps.
/// 1. The worker interprets and stores the conversations that lie inside the chunk: every channel
///    has its CHAN_START and CHAN_END there, every linkedid its LINKEDID_END. Other workers may do
///    the same at the same time.
/// 2. The worker locks the checkpoint. From there to COMMIT only one worker is at work. It reads
///    conversations that reach beyond the chunk as a whole, in new snapshots. It stores those whose
///    newest CEL lies in the chunk or in a covered range. It leaves the others to the chunk with
///    their newest CEL.
///
/// So the last worker to reach a conversation sees all of it, in any order of chunks.
struct ChunkWorker {
  let databases: Databases
  let table: CELTable
  let checkpoint: Checkpoint
  private let claims: Claims
  private let run: RunRecord
  private let log: Logger
  let remakes: Bool
  private let retry: Retry
  private let points: Points
  #if NAMED_POINTS
    let shortcuts: RunContext.Shortcuts
  #endif
  private var lateRows: LateRows
  private var whole: WholeConversations
  private(set) var source = ConversationStore.Source()
  /// Linkedids of the groups that the first step stored.
  private var storedFirst: Set<String> = []
  private(set) var clock = ClockCheck()

  /// - Parameter remakes: whether the worker also remakes call logs of other programs
  init(_ context: RunContext, run: RunRecord, remakes: Bool) throws {
    databases = context.databases
    table = context.table
    checkpoint = context.checkpoint
    claims = Claims(context.checkpoint)
    self.run = run
    log = context.log
    self.remakes = remakes
    retry = context.retry
    points = context.points
    #if NAMED_POINTS
      shortcuts = context.settings.shortcuts
    #endif
    lateRows = LateRows(context)
    whole = try WholeConversations(context, remakesLinked: remakes)
  }

  /// The result of one chunk.
  struct Done: Sendable {
    /// The ids of the chunk. All are covered now, except those that may still appear.
    var covered: Range<Int64>
    var counters: Counters
    /// The checkpoint as this chunk committed it.
    var checkpoint: Checkpoint
  }

  /// Covers the ids of a claim: its first `limit` CELs, or all of its ids if there are fewer CELs.
  /// - Returns: nil if the claim was gone, and nothing was done. Another worker took this one for
  ///   dead and may be working on the ids.
  mutating func cover(_ claim: Claim, limit: Int) throws -> Done? {
    var done: Done?
    do {
      try databases.logs.transaction(purpose: "Covering CELs from id \(claim.ids.lowerBound)") {
        done = nil
        let chunk = try work(claim.ids, limit: limit)
        guard try claims.release(claim, on: databases.logs) else { throw ClaimLost() }
        done = chunk
        try points.reached(.beforeCommit)
      }
      try points.reached(.afterCommit)
    } catch is ClaimLost {
      return nil
    } catch let error as PostgreSQLError {
      guard error.kind == .commitUnknown, retry.seconds > 0 else { throw error }
      // The new connection takes the worker's lock again, so the old session is gone and its
      // commit is visible.
      log.info("looking whether the chunk from id \(claim.ids.lowerBound) is committed: \(error)")
      let (claims, databases) = (claims, databases)
      var isLost = true
      let (stands, coverage) = try retry {
        if isLost {
          isLost = false
          throw error
        }
        return (try claims.stands(claim, on: databases.logs), try claims.standing(on: databases.logs).coverage)
      }
      if stands { throw error }
      // The claim is gone, so the chunk is committed, unless another worker took this one for
      // dead in between. Ids that were covered before prove nothing, but remaking them is safe.
      guard !remakes, let done else { return nil }
      let final = done.checkpoint.coverage.parts(in: ClosedRange(done.covered))
      if !final.allSatisfy({ coverage.gaps(in: $0).isEmpty }) { return nil }
    }
    return done
  }

  private struct ClaimLost: Error {}

  private mutating func work(_ ids: Range<Int64>, limit: Int) throws -> Done {
    try checkpoint.shareGate(on: databases.logs)
    source.batch.removeAll()
    try whole.begin()
    var counters = Counters()
    var read = try table.read(ids, limit: limit, into: &source.batch, tally: &counters.tally, on: databases.cels)
    var covered = ids
    if read.cels >= limit, let last = read.greatestID { covered = ids.lowerBound..<last + 1 }
    let settled = try lateRows.settle(in: covered, into: &source.batch, read: &read, tally: &counters.tally)
    let gaps = settled.gaps
    whole.store.completeLinks(of: &source.batch)
    let final = IDSet(IDSet(gaps).gaps(in: covered))
    try points.reached(.afterRead)
    counters.cels = read.cels
    counters.chat = read.chats
    counters.invalid = read.unusable
    try storeWhatIsInside(covered, &counters)
    try points.reached(.beforeLock)
    let locked = try checkpoint.locked(on: databases.logs)
    try points.reached(.afterLock)
    let after = IDSet(locked.coverage.ranges + final.ranges)
    try storeWhatReachesBeyond(after, ahead: max(covered.upperBound, (locked.coverage.greatest ?? 0) + 1), &counters)
    try whole.store.recordLinks()
    try whole.store.noteMade()
    try points.reached(.beforeCoverage)
    count(&counters)
    counters.tally.add(whole.interpreter.takeTally())
    guard counters.isBalanced else {
      throw JobError(
        .fault,
        "CELs \(covered.lowerBound) to \(covered.upperBound - 1) are not all accounted for: \(counters.json); nothing was written"
      )
    }
    var committed = locked
    committed.coverage = after
    if read.cels > 0 || after != locked.coverage {
      try locked.cover(final.ranges, witnesses: try witnesses(locked, read), counters: counters.json, on: databases.logs)
      committed.generation += 1
    }
    try locked.noteSequence(try table.lastGiven(on: databases.cels), on: databases.logs)
    try checkpoint.noteSeen(settled.present, in: final.ranges, forgets: remakes, on: databases.logs)
    // A remade range may lack ids that were found final before. Nobody waits for those.
    try checkpoint.replaceGaps(in: covered, with: gaps.flatMap { locked.coverage.gaps(in: $0) }, on: databases.logs)
    if read.cels > 0 { try run.count(counters.json, on: databases.logs) }
    return Done(covered: covered, counters: counters, checkpoint: committed)
  }

  /// Some of the CELs that were read. Later runs recognise the table by them. None if the
  /// checkpoint has witnesses with greater ids.
  private func witnesses(_ locked: Checkpoint, _ read: ChunkRead) throws -> [Checkpoint.Witness] {
    let rows = source.batch.rows
    guard let greatest = read.greatestID, let least = rows.first?.id else { return [] }
    var ids: [Int64] = []
    if locked.witnesses.first.map({ greatest >= $0.id }) ?? true {
      ids = [greatest, least, rows[rows.count / 3].id, rows[rows.count * 2 / 3].id]
    } else if locked.witnesses.allSatisfy({ least < $0.id }) {
      ids = [least]
    }
    return try table.storedTimes(of: ids, on: databases.cels).map { ($0.key, $0.value) }
  }

  /// Adds the clock readings of the last chunk.
  mutating func observeClock() { clock.add(source.batch.clock) }

  // MARK: Step 1

  private mutating func storeWhatIsInside(_ covered: Range<Int64>, _ counters: inout Counters) throws {
    ConversationStore.group(&source)
    storedFirst = []
    // A timed table has no reliable order of ids.
    if table.isTimed { return }
    // The stored call log of such a conversation was made from CELs elsewhere, or from these:
    // its linkedid may have ended twice.
    let closed = linkedids { $0.isClosed }
    let noted = try noted(by: notes(among: closed)).union(outside(covered, closed))
    // Includes purged ones. The second step tells them apart, when it reads them whole.
    let known = try CallLogTables.conversations(
      among: linkedids { $0.isClosed && !$0.isLinked }, andPurged: true, on: databases.logs)
    let named = remakes ? NamedCallLogs() : try NamedCallLogs(of: source, checkpoint, on: databases.logs)
    var inside: [Int] = []
    for group in source.grouping.groups.indices where source.grouping.groups[group].isClosed && !contains(noted, group) {
      if source.grouping.groups[group].isLinked, !remakes, named.areTrue(ofGroup: group, source) {
        source.fates[group] = .kept
        counters.conversationsKept += 1
      } else if !source.grouping.groups[group].hasLinks, !contains(known, group) {
        source.outcomes[group] = whole.interpreter.interpret(
          group: group, of: source.grouping, in: source.batch, into: &source.results)
        inside.append(group)
      }
    }
    try whole.store.storeFirst(inside, of: &source, counters: &counters)
    storedFirst = []
    for group in inside where source.fates[group] == .callLog { storedFirst.formUnion(linkedids(of: group).map(\.string)) }
  }

  // MARK: Step 2

  /// - Parameters:
  ///   - after: the coverage after this transaction
  ///   - ahead: an id above all of that coverage
  private mutating func storeWhatReachesBeyond(_ after: IDSet, ahead: Int64, _ counters: inout Counters) throws {
    // Look again, now that this worker is alone: another one may have noted or stored something
    // since the first step.
    let notes = try notes(among: linkedids(where: { $0.isClosed }))
    var noted = try noted(by: notes)
    noted.formUnion(
      try CallLogTables.conversations(
        among: BinaryArray(strings: Array(storedFirst)), besides: whole.store.firstIDs, on: databases.logs))
    let wanted = source.grouping.groups.indices.filter { source.fates[$0] == nil || contains(noted, $0) }
    guard !wanted.isEmpty else { return }
    let waiting = try leaveWhatGoesOn(wanted, ahead)
    var asked: [Text] = []
    for group in wanted where !contains(waiting, group) { asked += linkedids(of: group) }
    guard !asked.isEmpty else { return }
    let own = storedFirst
    #if NAMED_POINTS
      if shortcuts.contains(.noRereading) {
        return try storeWithoutRereading(wanted.filter { !contains(waiting, $0) }, after, &counters)
      }
    #endif
    try whole.make(asked, turn: .newest(after), covered: after, awaited: notes.awaited, counters: &counters) {
      own.contains($0.string)
    }
    for group in wanted where !contains(waiting, group) {
      // Its CELs may be gone in the meantime, for example by a purge. Then there is no call any
      // more.
      source.fates[group] = linkedids(of: group).lazy.compactMap { whole.fate(of: $0) }.first ?? source.fates[group] ?? .invalid
    }
  }

  #if NAMED_POINTS
    /// Tests use this in place of the second step: it uses the CELs of the chunk alone, which is
    /// wrong.
    private mutating func storeWithoutRereading(_ groups: [Int], _ after: IDSet, _ counters: inout Counters) throws {
      for group in groups {
        source.outcomes[group] = whole.interpreter.interpret(
          group: group, of: source.grouping, in: source.batch, into: &source.results)
      }
      try whole.store.store(groups, of: &source, counters: &counters)
    }
  #endif

  /// Leaves conversations with CELs above all coverage to the chunk that has those. So a long call
  /// is not read whole in each chunk.
  /// - Returns: their linkedids, noted as reaching beyond the chunk.
  private mutating func leaveWhatGoesOn(_ wanted: [Int], _ ahead: Int64) throws -> Set<String> {
    var candidates = BinaryArray(.text)
    for group in wanted where source.fates[group] == nil {
      for linkedid in linkedids(of: group) { candidates.append(UnsafeRawBufferPointer(linkedid.bytes)) }
    }
    let waiting = try table.linkedids(among: candidates, withCELsFrom: ahead, on: databases.cels)
    guard !waiting.isEmpty else { return [] }
    var left = BinaryArray(.text)
    var all: Set<String> = []
    for group in wanted where source.fates[group] == nil && contains(waiting, group) {
      source.fates[group] = .left
      for linkedid in linkedids(of: group) {
        left.append(UnsafeRawBufferPointer(linkedid.bytes))
        all.insert(linkedid.string)
      }
    }
    try checkpoint.noteReaching(left, on: databases.logs)
    return all
  }

  // MARK: Groups

  func linkedids(of group: Int) -> some Sequence<Text> {
    // Capture the texts alone: a closure that holds all of self costs more than the work in it.
    let texts = source.batch.linkedids.texts
    return source.grouping.linkedids[source.grouping.groups[group].linkedids].lazy.map { texts[Int($0)] }
  }

  private func linkedids(where isWanted: (Group) -> Bool) -> BinaryArray {
    var array = BinaryArray(.text)
    for (index, group) in source.grouping.groups.enumerated() where isWanted(group) {
      for linkedid in linkedids(of: index) { array.append(UnsafeRawBufferPointer(linkedid.bytes)) }
    }
    return array
  }

  private func contains(_ names: Set<String>, _ group: Int) -> Bool {
    !names.isEmpty && linkedids(of: group).contains { names.contains($0.string) }
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
