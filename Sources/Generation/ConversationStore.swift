import CallLogs
import Logging
import PostgreSQL
import Runs
import Store
import Values

/// Replaces the call logs of conversations by those that their CELs give now, inside the
/// transaction of a chunk.
struct ConversationStore {
  let databases: Databases
  let table: CELTable
  let checkpoint: Checkpoint
  let linksCELs: Bool
  let log: Logger
  let points: Points
  /// Links in another database: those on record that may not be made yet, and those that this
  /// transaction will record.
  private var recorded: [Int64: Int32] = [:]
  private var toRecord: [Int64: Int32] = [:]
  /// Ids of new call logs.
  private var newIDs: [Int32] = []
  /// Tenants that are in the table for certain.
  private var tenants: Set<UUIDValue>
  /// Whether call logs of other CEL tables are in the same database.
  private let hasOtherTables: Bool

  init(_ context: RunContext) throws {
    databases = context.databases
    table = context.table
    checkpoint = context.checkpoint
    linksCELs = context.linksCELs
    log = context.log
    points = context.points
    tenants = try CallLogTables.tenants(on: context.databases.logs)
    hasOtherTables = try context.checkpoint.hasOthers(on: context.databases.logs)
  }

  /// The result for a group.
  enum Fate {
    case callLog, kept, unfinished, invalid, refused
    /// The chunk with its newest CEL will store it.
    case left
  }

  /// CELs, their groups, and the interpreter's results.
  struct Source {
    var batch = CELBatch()
    var grouping = Grouping()
    var results = CallLogBatch()
    /// By group; nil for groups that are not stored now.
    var outcomes: [Outcome?] = []
    var fates: [Fate?] = []
  }

  /// Ids of the call logs that the last ``storeFirst(_:of:counters:)`` stored.
  private(set) var firstIDs: [Int32] = []
  private var isFirst = false

  /// Stores new call logs before the checkpoint is locked, as ``store(_:of:counters:)`` does. A
  /// group that collides with another worker's gets no fate; the second step reads it whole.
  mutating func storeFirst(_ groups: [Int], of source: inout Source, counters: inout Counters) throws {
    firstIDs = []
    isFirst = true
    defer { isFirst = false }
    try store(groups, of: &source, counters: &counters, mayEnterTenants: true, mayCollide: true)
  }

  /// Stores the call logs of `groups`, removes those whose CELs give none, and sets each group's
  /// fate.
  ///
  /// If the server refuses the data (SQLSTATE class 22 or 23), halves narrow it down to the
  /// conversation. That one is reported and left out; the rest is stored.
  mutating func store(_ groups: [Int], of source: inout Source, counters: inout Counters) throws {
    try store(groups, of: &source, counters: &counters, mayEnterTenants: true, mayCollide: false)
  }

  private mutating func store(
    _ groups: [Int], of source: inout Source, counters: inout Counters, mayEnterTenants: Bool, mayCollide: Bool, tries: Int = 3
  ) throws {
    guard !groups.isEmpty else { return }
    var attempt = counters
    do {
      let fates = try databases.logs.savepoint { try storeAll(groups, &source, &attempt) }
      counters = attempt
      for (group, fate) in zip(groups, fates) { source.fates[group] = fate }
    } catch let error as PostgreSQLError where error.isAboutData {
      if error.constraint == "call_logd_call_log_pkey" {
        throw StoreError(
          .configuration,
          "the sequence of call_logd_call_log.id gives ids that are in use; nothing was written. This statement corrects it: SELECT setval(pg_get_serial_sequence('call_logd_call_log', 'id'), max(id)) FROM call_logd_call_log"
        )
      }
      if error.constraint == "call_logd_call_log_tenant_uuid_fkey", mayEnterTenants {
        // Somebody deleted a tenant since the run began.
        tenants.removeAll()
        return try store(groups, of: &source, counters: &counters, mayEnterTenants: false, mayCollide: mayCollide, tries: tries)
      }
      if error.constraint == "call_logd_recording_pkey", tries > 0 {
        // Another worker has committed a recording with that uuid since the look-up. The next
        // attempt finds it.
        return try store(
          groups, of: &source, counters: &counters, mayEnterTenants: mayEnterTenants, mayCollide: mayCollide, tries: tries - 1)
      }
      if groups.count == 1, mayCollide, error.sqlState == .uniqueViolation { return }
      if groups.count == 1 {
        let conversation = conversationID(groups[0], source)
        log.warning("refused conversation \(conversation): \(error)")
        source.fates[groups[0]] = .refused
        counters.conversationsRefused += 1
        return
      }
      let middle = groups.count / 2
      for half in [Array(groups[..<middle]), Array(groups[middle...])] {
        try store(half, of: &source, counters: &counters, mayEnterTenants: mayEnterTenants, mayCollide: mayCollide, tries: tries)
      }
    }
  }

  private func conversationID(_ group: Int, _ source: Source) -> String {
    let linkedids = source.grouping.linkedids[source.grouping.groups[group].linkedids]
    // The sender of the events decides on their number and length, so limit both.
    let names = linkedids.prefix(80).map { source.batch.linkedid($0).string }.joined(separator: ", ")
    return names.count <= 80 ? names : "\(names.prefix(80))… (\(linkedids.count) linkedid\(linkedids.count == 1 ? "" : "s"))"
  }

  /// A group to store, and its existing call logs.
  private struct Replacement {
    let group: Int
    var stored: [CallLogTables.Stored] = []
    var fate = Fate.invalid
  }

  private mutating func storeAll(_ groups: [Int], _ source: inout Source, _ counters: inout Counters) throws -> [Fate] {
    var replacements = groups.map { Replacement(group: $0) }
    // The first step selects only conversations without a stored call log.
    if !isFirst { try findStored(&replacements, source) }
    var numbers: [Int] = []
    var keptIDs: [Int32?] = []
    var obsolete: [Int32] = []
    for index in replacements.indices {
      let group = replacements[index].group
      if let reason = reasonToKeep(replacements[index], source) {
        replacements[index].fate = .kept
        counters.conversationsKept += 1
        switch reason {
        case .partlyGone: counters.conversationsPartlyGone += 1
        case .otherTable: counters.tally.note(.linkedidOfOtherTable, source.grouping.groups[group].greatestID)
        }
        continue
      }
      obsolete += replacements[index].stored.map(\.id)
      replacements[index].fate = fate(source.outcomes[group])
      switch source.outcomes[group] {
      case .callLog(let number)?:
        let id = replacements[index].stored.first { source.results.callLogs[number].conversationID.string == $0.conversationID }?
          .id
        numbers.append(number)
        keptIDs.append(id ?? replacements[index].stored.map(\.id).min())
        counters.callLogsRemoved += max(0, replacements[index].stored.count - 1)
      case .refused(let reason)?:
        log.warning("refused conversation \(conversationID(group, source)): \(reason.rawValue)")
        counters.conversationsRefused += 1
        counters.callLogsRemoved += replacements[index].stored.count
      default:
        counters.callLogsRemoved += replacements[index].stored.count
      }
    }
    let deleted = obsolete.isEmpty ? [] : try CallLogTables.deletedRecordings(ofCallLogs: obsolete, on: databases.logs)
    try CallLogTables.delete(obsolete, on: databases.logs)
    let ids = try completed(keptIDs)
    try CallLogTables.noteRemade(keptIDs.compactMap(\.self), on: databases.logs)
    try settleRecordings(numbers, &source, &counters)
    try enterTenants(numbers, source)
    try points.reached(.beforeCopy)
    try CallLogTables.copy(numbers, ids: ids, of: source.results, deletedRecordings: deleted, on: databases.logs)
    counters.callLogsWritten += numbers.count
    firstIDs += ids
    try points.reached(.beforeLinks)
    if linksCELs { try link(replacements, numbers, ids, Set(obsolete), source) }
    return replacements.map(\.fate)
  }

  private func fate(_ outcome: Outcome?) -> Fate {
    switch outcome {
    case .callLog?: .callLog
    case .unfinished?: .unfinished
    case .refused?: .refused
    case .invalid?, nil: .invalid
    }
  }

  // MARK: What is stored already

  private func findStored(_ replacements: inout [Replacement], _ source: Source) throws {
    var conversations = BinaryArray(.text)
    var placeOfGroup: [Int: Int] = [:]
    var placeOfID: [Int32: Int] = [:]
    for (place, replacement) in replacements.enumerated() {
      let group = source.grouping.groups[replacement.group]
      placeOfGroup[replacement.group] = place
      for linkedid in source.grouping.linkedids[group.linkedids] {
        conversations.append(UnsafeRawBufferPointer(source.batch.linkedid(linkedid).bytes))
      }
      for row in source.grouping.order[group.rows] {
        let id = source.batch.rows[Int(row)].callLogID
        if id != 0, placeOfID[id] == nil { placeOfID[id] = place }
      }
    }
    let stored = try CallLogTables.stored(conversations: conversations, ids: Array(placeOfID.keys), on: databases.logs)
    for callLog in stored {
      var conversation = callLog.conversationID
      let place =
        conversation.isEmpty
        ? placeOfID[callLog.id]
        : conversation.withUTF8 { source.batch.linkedids.find(Text(UnsafeRawBufferPointer($0))) }
          .flatMap { placeOfGroup[source.grouping.group(ofLinkedid: $0)] }
      if let place { replacements[place].stored.append(callLog) }
    }
    for place in replacements.indices { replacements[place].stored.sort { $0.id < $1.id } }
  }

  private enum ReasonToKeep {
    case partlyGone, otherTable
  }

  /// Why a stored call log must stay although its CELs give another one now; nil if it may be
  /// replaced.
  private func reasonToKeep(_ replacement: Replacement, _ source: Source) -> ReasonToKeep? {
    let group = source.grouping.groups[replacement.group]
    guard !replacement.stored.isEmpty, let first = source.grouping.order[group.rows].first else { return nil }
    var now: CallLog?
    if case .callLog(let number)? = source.outcomes[replacement.group] { now = source.results.callLogs[number] }
    if hasOtherTables, replacement.stored.contains(where: { isOfOtherTable($0, now, source, group) }) { return .otherTable }
    // A call log that begins before the first CEL was made from CELs that are gone. The
    // remaining CELs must not replace it. Exceptions, where only the clock was read differently:
    // the channels that began the call are there whole, or begin and end differ by the same amount.
    let begins = source.batch.rows[Int(first)].time
    let isGone = replacement.stored.contains { $0.date < begins && !ConversationStore.isShifted($0, now) }
    return isGone && !group.hasFirstChannels ? .partlyGone : nil
  }

  /// Whether a stored call log differs from the present one only by its clock.
  private static func isShifted(_ stored: CallLogTables.Stored, _ now: CallLog?) -> Bool {
    guard let now, let end = now.dateEnd, let storedEnd = stored.dateEnd else { return false }
    return stored.date.subtractingReportingOverflow(now.date) == storedEnd.subtractingReportingOverflow(end)
  }

  /// Whether a stored call log of the same linkedid was made from another table's CELs: none of
  /// these CELs points to it, and none has the time of its beginning. Two Asterisks without
  /// `systemname` can give one linkedid to two calls.
  private func isOfOtherTable(_ stored: CallLogTables.Stored, _ now: CallLog?, _ source: Source, _ group: Group) -> Bool {
    guard group.hasFirstChannels, !ConversationStore.isShifted(stored, now) else { return false }
    return source.grouping.order[group.rows].allSatisfy {
      let row = source.batch.rows[Int($0)]
      return row.callLogID != stored.id && row.time != stored.date
    }
  }

  // MARK: Ids, tenants, recordings

  private mutating func completed(_ kept: [Int32?]) throws -> [Int32] {
    let new = try CallLogTables.newIDs(kept.count { $0 == nil }, on: databases.logs)
    newIDs += new
    var fresh = new.makeIterator()
    return kept.map { $0 ?? fresh.next() ?? 0 }
  }

  private mutating func enterTenants(_ numbers: [Int], _ source: Source) throws {
    var missing: Set<UUIDValue> = []
    for number in numbers where !tenants.contains(source.results.callLogs[number].tenant) {
      missing.insert(source.results.callLogs[number].tenant)
    }
    guard !missing.isEmpty else { return }
    try CallLogTables.add(tenants: Array(missing), on: databases.side)
    tenants.formUnion(missing)
  }

  // MARK: Links

  private mutating func link(
    _ replacements: [Replacement], _ numbers: [Int], _ ids: [Int32], _ obsolete: Set<Int32>, _ source: Source
  ) throws {
    var cels: [Int64] = []
    var callLogs: [Int32] = []
    var idOfGroup: [Int: Int32] = [:]
    for (number, id) in zip(numbers, ids) { idOfGroup[source.results.callLogs[number].group] = id }
    for replacement in replacements where replacement.fate != .kept {
      let id = idOfGroup[replacement.group] ?? 0
      for row in source.grouping.order[source.grouping.groups[replacement.group].rows] {
        let cel = source.batch.rows[Int(row)]
        // Without a call log, clear only links to call logs that were removed.
        guard cel.callLogID != id, id != 0 || obsolete.contains(cel.callLogID) else { continue }
        cels.append(cel.id)
        callLogs.append(id)
      }
    }
    if databases.isOne {
      try table.link(cels, to: callLogs, on: databases.cels)
    } else {
      for (cel, callLog) in zip(cels, callLogs) { toRecord[cel] = callLog }
    }
  }

  /// Forgets the records of an earlier attempt. Call it when a transaction begins.
  mutating func begin() throws {
    toRecord = [:]
    newIDs = []
    try lookUpRecordedLinks()
  }

  /// Looks up which links are recorded and may not be made yet. Call it before the CELs are read.
  mutating func lookUpRecordedLinks() throws {
    guard !databases.isOne else { return }
    recorded = try checkpoint.recordedLinks(on: databases.logs)
  }

  /// Sets the links of the CELs in memory to their state after all recorded links are made.
  func completeLinks(of batch: inout CELBatch) {
    batch.setCallLogs(recorded)
    batch.setCallLogs(toRecord)
  }

  /// Notes which call logs this transaction made. Needs the checkpoint's lock.
  mutating func noteMade() throws {
    try checkpoint.noteMade(newIDs.map(Int64.init).ranges, on: databases.logs)
    newIDs = []
  }

  /// Records the links to make in the CELs' database. Needs the checkpoint's lock, so that later
  /// commits have later records.
  mutating func recordLinks() throws {
    let cels = toRecord.keys.sorted()
    try checkpoint.recordLinks(cels, to: cels.map { toRecord[$0] ?? 0 }, on: databases.logs)
    toRecord = [:]
  }
}

extension PostgreSQLError {
  /// Whether the server refused the data itself, so that a retry gives the same error.
  var isAboutData: Bool {
    guard kind == .statement, let sqlState else { return false }
    return sqlState.class == "22" || sqlState.class == "23"
  }
}
