import CallLogs
import Logging
import PostgreSQL
import Runs
import Store
import Values

/// Makes conversations from all their CELs, wherever these lie. Requires the checkpoint lock:
/// everything covered so far is then committed and visible.
struct WholeConversations {
  let databases: Databases
  private let table: CELTable
  let checkpoint: Checkpoint
  private let remakesLinked: Bool
  private let closeAfter: Double?
  var interpreter: Interpreter
  var store: ConversationStore
  /// The CELs that were read, their groups, and each group's fate.
  private(set) var source = ConversationStore.Source()
  /// The call logs to which these CELs point, and the linkedids of purged calls.
  private var named = NamedCallLogs()
  private var purged: Set<String> = []
  /// Groups that stay as they stand because a purge took their call logs.
  private var keptForArchive: Set<Int> = []

  /// - Parameter remakesLinked: whether it also remakes call logs of other programs
  init(_ context: RunContext, remakesLinked: Bool) throws {
    databases = context.databases
    table = context.table
    checkpoint = context.checkpoint
    self.remakesLinked = remakesLinked
    closeAfter = context.settings.closeAfter
    interpreter = Interpreter(directory: context.directory, defaultTenant: context.defaultTenant)
    store = try ConversationStore(context)
  }

  /// Forgets the notes of an earlier attempt, and reads the clock: everything read from here on is
  /// made as of now.
  mutating func begin() throws {
    source.batch.removeAll()
    _ = interpreter.takeTally()
    try store.begin()
    if let closeAfter { interpreter.endedBefore = try CallLogTables.time(secondsAgo: closeAfter, on: databases.logs) }
  }

  /// Which chunk stores a conversation.
  enum Turn {
    /// This one, if the newest CEL has an id in the set: the ids of this transaction and the
    /// coverage.
    case newest(IDSet)
    /// This one in any case.
    case ours

    /// The least id from which on no CEL, and so no conversation, is ours; nil if there is none.
    var ahead: Int64? {
      guard case .newest(let ids) = self, let greatest = ids.greatest, greatest < Int64.max else { return nil }
      return greatest + 1
    }
  }

  /// Reads the conversations of `linkedids` whole, and stores those whose turn it is.
  /// - Parameters:
  ///   - covered: the coverage at the end of the transaction
  ///   - awaited: all awaited channels, read under the lock; nil if these are not known
  ///   - isOwn: whether this transaction has already stored a part of a linkedid's conversation.
  ///     Then links to that call log are its own, and the call log is removed if another chunk has
  ///     the turn.
  mutating func make(
    _ linkedids: [Text], turn: Turn, covered: IDSet, awaited: Set<String>? = nil, counters: inout Counters,
    isOwn: (Text) -> Bool = { _ in false }
  ) throws {
    var tally = Tally()
    try store.lookUpRecordedLinks()
    let beginnings = try table.readConversations(
      linkedids, ahead: turn.ahead, into: &source.batch, tally: &tally, on: databases.cels)
    store.completeLinks(of: &source.batch)
    ConversationStore.group(&source)
    named = remakesLinked ? NamedCallLogs() : try NamedCallLogs(of: source, checkpoint, on: databases.logs)
    purged = try CallLogTables.purged(among: BinaryArray(texts: source.batch.linkedids.texts), on: databases.logs)
    keptForArchive = []
    var now: [Int] = []
    var misplaced: [Int] = []
    var reaching = BinaryArray(.text)
    var whole = BinaryArray(.text)
    var areWhole: [Bool] = []
    for group in source.grouping.groups.indices {
      let wasStored = self.linkedids(of: group).contains(where: isOwn)
      if isOurs(group, turn) {
        if decide(group, wasStored: wasStored, &counters) { now.append(group) }
      } else {
        source.fates[group] = .left
        if wasStored { misplaced.append(group) }
      }
      let isWhole = source.grouping.order[source.grouping.groups[group].rows].allSatisfy {
        covered.contains(source.batch.rows[Int($0)].id)
      }
      areWhole.append(isWhole)
      for linkedid in self.linkedids(of: group) {
        if isWhole { whole.append(bytes(linkedid)) } else { reaching.append(bytes(linkedid)) }
      }
    }
    try store.store(now, of: &source, counters: &counters)
    try forgetPurged()
    try noteLate()
    try remove(misplaced, &counters)
    try checkpoint.noteReaching(reaching, on: databases.logs)
    try checkpoint.noteReaching(beginnings, on: databases.logs)
    try checkpoint.forgetReaching(whole, on: databases.logs)
    try noteOpen(asked: linkedids)
    try noteAwaited(areWhole, known: awaited)
  }

  private func isFragment(_ group: Int) -> Bool {
    let group = source.grouping.groups[group]
    // Asterisk logs no CHAN_START for its internal channels.
    return !group.isComplete && !group.hasFirstChannels && !group.isInternal
  }

  /// Whether there is no CEL.
  var isEmpty: Bool { source.batch.count == 0 }

  /// The fate of the conversation of a linkedid; nil if it has no CEL any more.
  func fate(of linkedid: Text) -> ConversationStore.Fate? {
    source.batch.linkedids.find(linkedid).flatMap { source.fates[source.grouping.group(ofLinkedid: $0)] }
  }

  private func linkedids(of group: Int) -> some Sequence<Text> {
    // Capture the texts alone: a closure that holds all of self costs more than the work in it.
    let texts = source.batch.linkedids.texts
    return source.grouping.linkedids[source.grouping.groups[group].linkedids].lazy.map { texts[Int($0)] }
  }

  private func bytes(_ text: Text) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(text.bytes) }

  private func isOurs(_ group: Int, _ turn: Turn) -> Bool {
    switch turn {
    case .newest(let ids): ids.contains(source.grouping.groups[group].greatestID)
    case .ours: true
    }
  }

  /// Interprets a group to store.
  /// - Returns: false if it stays as it stands: another program made the call log of all its CELs,
  ///   or a purge took it.
  private mutating func decide(_ group: Int, wasStored: Bool, _ counters: inout Counters) -> Bool {
    if !wasStored, !remakesLinked {
      let isPurged = !purged.isEmpty && linkedids(of: group).contains { purged.contains($0.string) }
      if isPurged || source.grouping.groups[group].isLinked && named.areTrue(ofGroup: group, source) {
        source.fates[group] = .kept
        counters.conversationsKept += 1
        if isPurged {
          counters.conversationsPurged += 1
          keptForArchive.insert(group)
        }
        return false
      }
    }
    if !wasStored, !remakesLinked, source.grouping.groups[group].isLinked, named.isVoid(group, source) {
      counters.tally.note(.voidLink, source.grouping.groups[group].greatestID)
    }
    let outcome = interpreter.interpret(group: group, of: source.grouping, in: source.batch, into: &source.results)
    source.outcomes[group] = outcome
    if case .callLog = outcome, !source.grouping.groups[group].isComplete { counters.conversationsClosed += 1 }
    return true
  }

  /// Notes calls that stay as they stand although CELs of them are here. They are remade once the
  /// rest is restored.
  private func noteLate() throws {
    var late = BinaryArray(.text)
    var made = BinaryArray(.text)
    for group in source.grouping.groups.indices {
      let waits = keptForArchive.contains(group) || source.outcomes[group] != nil && source.fates[group] == .kept
      if waits {
        for linkedid in linkedids(of: group) { late.append(bytes(linkedid)) }
      } else if source.fates[group] == .callLog {
        made.append(bytes(source.grouping.conversationID(of: group, in: source.batch)))
      }
    }
    try checkpoint.noteLate(late, on: databases.logs)
    try checkpoint.forgetLate(made, on: databases.logs)
  }

  /// Removes remade calls from the record of purged ones.
  private func forgetPurged() throws {
    guard remakesLinked, !purged.isEmpty else { return }
    var again = BinaryArray(.text)
    // These calls are part of another one now. If their call logs were restored, they would be
    // in its way.
    var joined = BinaryArray(.text)
    for group in source.grouping.groups.indices where source.fates[group] == .callLog {
      let conversation = source.grouping.conversationID(of: group, in: source.batch)
      for linkedid in linkedids(of: group) where purged.contains(linkedid.string) {
        again.append(bytes(linkedid))
        if linkedid != conversation { joined.append(bytes(linkedid)) }
      }
    }
    try CallLogTables.forgetPurged(again, on: databases.logs)
    try checkpoint.noteLate(joined, on: databases.logs)
  }

  /// Removes the call logs that the first step stored for conversations that another chunk is to
  /// store.
  private mutating func remove(_ groups: [Int], _ counters: inout Counters) throws {
    guard !groups.isEmpty else { return }
    for group in groups { source.outcomes[group] = .unfinished }
    try store.store(groups, of: &source, counters: &counters)
    for group in groups { source.fates[group] = .left }
  }

  /// Notes the calls without an end, and removes those from the record that have ended or have no
  /// CEL left. A call stays noted if it was ended by `close_after` and gave no call log for lack of
  /// a beginning: nothing else would find it when the rest appears, because that rest may look
  /// complete.
  private func noteOpen(asked: [Text]) throws {
    var open: [Checkpoint.OpenCall] = []
    var ended = BinaryArray(.text)
    for group in source.grouping.groups.indices {
      switch source.fates[group] {
      case .unfinished?,
        .invalid? where isFragment(group), .refused? where isFragment(group):
        let rows = source.grouping.order[source.grouping.groups[group].rows].lazy.map { source.batch.rows[Int($0)].time }
        guard let first = rows.first, let newest = rows.last else { continue }
        open.append(
          Checkpoint.OpenCall(
            conversation: source.grouping.conversationID(of: group, in: source.batch), linkedids: Array(linkedids(of: group)),
            first: first, newest: newest, cels: rows.count))
      case .left?, nil: break
      case .callLog?, .kept?, .invalid?, .refused?:
        for linkedid in linkedids(of: group) { ended.append(bytes(linkedid)) }
      }
    }
    for linkedid in asked where source.batch.linkedids.find(linkedid) == nil { ended.append(bytes(linkedid)) }
    try checkpoint.noteOpen(open, on: databases.logs)
    try checkpoint.forgetOpen(ended, on: databases.logs)
  }
}

extension ConversationStore {
  /// Groups the batch of a source, and resets all results.
  static func group(_ source: inout Source) {
    source.grouping.group(source.batch)
    source.results.removeAll()
    source.outcomes = Array(repeating: nil, count: source.grouping.groups.count)
    source.fates = Array(repeating: nil, count: source.grouping.groups.count)
  }
}
