import PostgreSQL
import Store
import Values

/// The call logs to which CELs point, as far as they exist.
///
/// A link is only a claim. The call log may be gone, because the database was restored from a dump
/// or failed over to an older state, and its id may now belong to another call. So a link is true
/// in two cases: the call log exists and has the CEL's conversation, or none (older versions of
/// Wazo wrote none); or a purge took it.
///
/// A call log of this program is no reason to leave a call alone: it may be older than some of
/// these CELs, brought back by a dump or from an archive. It is remade, and is the same if nothing
/// changed.
struct NamedCallLogs {
  /// The conversation of each existing call log; empty if it has none.
  private var conversations: [Int32: String] = [:]
  /// Absent call logs that a purge by an earlier version took. It noted only their ids.
  private var purged: Set<Int32> = []
  /// Call logs that this program made.
  private var own: Set<Int32> = []

  /// An empty set.
  init() {}

  /// The call logs of those groups in which each CEL has a link.
  init(of source: ConversationStore.Source, _ checkpoint: Checkpoint, on connection: Connection) throws {
    var ids: Set<Int32> = []
    for group in source.grouping.groups where group.isLinked {
      for row in source.grouping.order[group.rows] { ids.insert(source.batch.rows[Int(row)].callLogID) }
    }
    guard !ids.isEmpty else { return }
    conversations = try CallLogTables.conversations(ofCallLogs: ids.sorted(), on: connection)
    let absent = ids.subtracting(conversations.keys)
    own = try CallLogTables.own(among: conversations.keys.sorted(), checkpoint, on: connection)
    if !absent.isEmpty { purged = try ArchiveRecord.purgedByID(among: absent.sorted(), on: connection) }
  }

  /// Whether a group points to a call log that does not exist.
  func isVoid(_ number: Int, _ source: ConversationStore.Source) -> Bool {
    source.grouping.order[source.grouping.groups[number].rows].contains {
      let id = source.batch.rows[Int($0)].callLogID
      return conversations[id] == nil && !purged.contains(id)
    }
  }

  /// Whether each link of a group is true and leads to a call log of another program.
  func areTrue(ofGroup number: Int, _ source: ConversationStore.Source) -> Bool {
    let group = source.grouping.groups[number]
    var last: Int32 = 0
    for row in source.grouping.order[group.rows] {
      let id = source.batch.rows[Int(row)].callLogID
      if id == last { continue }
      last = id
      if own.contains(id) { return false }
      guard var conversation = conversations[id] else {
        if purged.contains(id) { continue }
        return false
      }
      if conversation.isEmpty { continue }
      let linkedid = conversation.withUTF8 { source.batch.linkedids.find(Text(UnsafeRawBufferPointer($0))) }
      guard let linkedid, source.grouping.group(ofLinkedid: linkedid) == number else { return false }
    }
    return true
  }
}
