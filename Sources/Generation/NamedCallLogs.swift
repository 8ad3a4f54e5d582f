import PostgreSQL
import Store
import Values

/// The call logs that CELs point to, as far as they are there.
///
/// A link is a claim: the call log that it names may have gone since, with a database that was restored from a dump or failed over to an older state, and its id may be another call's by now. So a link is true where the
/// call log is there and is of the CEL's own conversation, or of none (older versions of Wazo wrote none), or where a purge took it.
///
/// A call log of our own is no reason to leave a call alone: it may be one of before some of these CELs came, brought back by a dump or from an archive. It is made anew, and is the same if nothing changed.
struct NamedCallLogs {
  /// The conversation of each call log that is there, empty for none.
  private var conversations: [Int32: String] = [:]
  /// Call logs that are not there, and that a purge by an earlier version took, which noted only their ids.
  private var purged: Set<Int32> = []
  /// Call logs that this program made.
  private var own: Set<Int32> = []

  /// None.
  init() {}

  /// Those that the CELs of a source point to, groups in which each CEL points to one.
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

  /// Whether a group points to a call log that is nowhere.
  func isVoid(_ number: Int, _ source: ConversationStore.Source) -> Bool {
    source.grouping.order[source.grouping.groups[number].rows].contains {
      let id = source.batch.rows[Int($0)].callLogID
      return conversations[id] == nil && !purged.contains(id)
    }
  }

  /// Whether each link of a group is true, and to a call log that another program made.
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
