import CallLogs
import Logging
import PostgreSQL
import Runs
import Store
import Values

/// Makes conversations from all their CELs, wherever they lie. Only who has locked the checkpoint may do so: he comes after everybody whose CELs are covered, and sees all of them.
struct WholeConversations {
  private let databases: Databases
  private let table: CELTable
  private let checkpoint: Checkpoint
  private let remakesLinked: Bool
  private let closeAfter: Double?
  var interpreter: Interpreter
  var store: ConversationStore
  /// The CELs that were read, their groups, and what became of each.
  private(set) var source = ConversationStore.Source()
  /// The call logs that these CELs point to, and the linkedids of calls that were purged.
  private var named = NamedCallLogs()
  private var purged: Set<String> = []
  /// Groups that stay as they stand because their call logs were purged.
  private var keptForArchive: Set<Int> = []

  /// - Parameter remakesLinked: whether call logs that another program made are made anew
  init(_ context: RunContext, remakesLinked: Bool) throws {
    databases = context.databases
    table = context.table
    checkpoint = context.checkpoint
    self.remakesLinked = remakesLinked
    closeAfter = context.settings.closeAfter
    interpreter = Interpreter(directory: context.directory, defaultTenant: context.defaultTenant)
    store = try ConversationStore(context)
  }

  /// Forgets what an attempt noted, and looks at the clock: what is read from here on is made as of now.
  mutating func begin() throws {
    source.batch.removeAll()
    _ = interpreter.takeTally()
    try store.begin()
    if let closeAfter { interpreter.endedBefore = try CallLogTables.time(secondsAgo: closeAfter, on: databases.logs) }
  }

  /// Whose turn it is to store a conversation.
  enum Turn {
    /// Ours if its newest CEL has an id in one of these: what this transaction covers, or what is covered already.
    case newest(IDSet)
    /// Ours in any case.
    case ours

    /// The least id from which on no CEL is ours, nor its conversation; nil where there is none.
    var ahead: Int64? {
      guard case .newest(let ids) = self, let greatest = ids.greatest, greatest < Int64.max else { return nil }
      return greatest + 1
    }
  }

  /// Reads the conversations of `linkedids` whole and stores those whose turn it is.
  /// - Parameters:
  ///   - covered: what will be covered at the end of the transaction
  ///   - isOwn: whether this transaction has stored a part of a linkedid's conversation already: then links to its call log are its own, and it is removed where another chunk has the turn
  mutating func make(
    _ linkedids: [Text], turn: Turn, covered: IDSet, counters: inout Counters, isOwn: (Text) -> Bool = { _ in false }
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
  }

  private func isFragment(_ group: Int) -> Bool {
    let group = source.grouping.groups[group]
    // Of a channel that Asterisk makes for itself no CHAN_START comes.
    return !group.isComplete && !group.hasFirstChannels && !group.isInternal
  }

  /// Whether no CEL was found.
  var isEmpty: Bool { source.batch.count == 0 }

  /// What became of the conversation of a linkedid; nil where it has no CEL any more.
  func fate(of linkedid: Text) -> ConversationStore.Fate? {
    source.batch.linkedids.find(linkedid).flatMap { source.fates[source.grouping.group(ofLinkedid: $0)] }
  }

  private func linkedids(of group: Int) -> some Sequence<Text> {
    // The texts alone: a closure that holds all of self costs more than what it does.
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

  /// Interprets a group that is to be stored.
  /// - Returns: false where it stays as it stands: all its CELs have a call log, which another program made before, or its call log was purged.
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

  /// A call that stays as it stands, though it has CELs here, gets its due when the rest is restored.
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

  /// What was purged and is made again is not purged any more.
  private func forgetPurged() throws {
    guard remakesLinked, !purged.isEmpty else { return }
    var again = BinaryArray(.text)
    // Calls that are part of another one now: should their call logs be restored, they are in the way.
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

  /// Removes what the first step stored of conversations that another chunk is to store.
  private mutating func remove(_ groups: [Int], _ counters: inout Counters) throws {
    guard !groups.isEmpty else { return }
    for group in groups { source.outcomes[group] = .unfinished }
    try store.store(groups, of: &source, counters: &counters)
    for group in groups { source.fates[group] = .left }
  }

  /// Notes the calls that have not ended, and forgets those that have, or of which nothing is left. What was closed without its end and gave no call, because its beginning is not there, stays noted:
  /// nothing else would tell of it when the rest comes, which may look whole.
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
  /// Cuts the batch of a source into groups and forgets what was made of it before.
  static func group(_ source: inout Source) {
    source.grouping.group(source.batch)
    source.results.removeAll()
    source.outcomes = Array(repeating: nil, count: source.grouping.groups.count)
    source.fates = Array(repeating: nil, count: source.grouping.groups.count)
  }
}
