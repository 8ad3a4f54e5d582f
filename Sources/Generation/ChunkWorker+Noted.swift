import CallLogs
import PostgreSQL
import Store
import Values

/// Conversations that look whole in the chunk, and yet have CELs elsewhere.
extension ChunkWorker {
  /// What is noted about these linkedids, and the awaited channels.
  func notes(among linkedids: BinaryArray) throws -> Checkpoint.Notes {
    #if NAMED_POINTS
      if shortcuts.contains(.noReachLookUp) { return Checkpoint.Notes() }
    #endif
    return try checkpoint.notes(among: linkedids, on: databases.logs)
  }

  /// The linkedids of the conversations that are noted, or that have an awaited channel.
  func noted(by notes: Checkpoint.Notes) throws -> Set<String> {
    #if NAMED_POINTS
      if shortcuts.contains(.noReachLookUp) { return [] }
    #endif
    let awaited = try notes.awaited ?? checkpoint.awaited(among: channelsOfClosed(), on: databases.logs)
    return notes.linkedids.union(linkedids(ofChannels: awaited))
  }

  /// Conversations of a remade range that are whole in the chunk by themselves, and yet have CELs
  /// outside of it. Nothing notes them: they were whole when the range was covered first.
  func outside(_ covered: Range<Int64>, _ closed: BinaryArray) throws -> Set<String> {
    #if NAMED_POINTS
      if shortcuts.contains(.noReachLookUp) { return [] }
    #endif
    guard remakes, closed.count > 0 else { return [] }
    let found = try table.outside(
      ClosedRange(covered), linkedids: closed, channels: channelsOfClosed(), on: databases.cels)
    return found.linkedids.union(linkedids(ofChannels: found.channels))
  }

  /// The channels of the conversations that look whole.
  private func channelsOfClosed() -> BinaryArray {
    let (batch, grouping) = (source.batch, source.grouping)
    let channels = batch.uniqueids.texts.indices.filter { number in
      grouping.group(ofUniqueid: number).map { grouping.groups[$0].isClosed } ?? false
    }
    return BinaryArray(texts: channels.map { batch.uniqueids.texts[$0] })
  }

  /// The linkedids of the conversations that have these channels.
  private func linkedids(ofChannels channels: Set<String>) -> Set<String> {
    guard !channels.isEmpty else { return [] }
    var names: Set<String> = []
    let arena = TextArena()
    for channel in channels {
      guard let number = source.batch.uniqueids.find(arena.text(channel)),
        let group = source.grouping.group(ofUniqueid: number)
      else { continue }
      for linkedid in linkedids(of: group) { names.insert(linkedid.string) }
    }
    return names
  }
}
