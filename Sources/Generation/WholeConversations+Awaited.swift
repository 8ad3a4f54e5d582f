import CallLogs
import PostgreSQL
import Store
import Values

extension WholeConversations {
  /// Notes the channels that lack a CHAN_START: their CELs are covered now, so no later chunk sees
  /// them beside the rest of the channel's call. Forgets channels whose CHAN_START has come.
  ///
  /// A conversation that is left to another chunk is read again there, so its channels need no
  /// note yet.
  /// - Parameters:
  ///   - areWhole: by group, whether all its CELs are covered
  ///   - known: all awaited channels; nil if these are not known
  func noteAwaited(_ areWhole: [Bool], known: Set<String>?) throws {
    let (batch, grouping) = (source.batch, source.grouping)
    var hasStart = Array(repeating: false, count: batch.uniqueids.count)
    var isInternal = Array(repeating: true, count: batch.uniqueids.count)
    for row in batch.rows where row.uniqueid >= 0 {
      if row.type == .chanStart { hasStart[Int(row.uniqueid)] = true }
      if !row.isInternal { isInternal[Int(row.uniqueid)] = false }
    }
    var missing: [Text] = []
    var found: [Text] = []
    for (channel, name) in batch.uniqueids.texts.enumerated() {
      guard let group = grouping.group(ofUniqueid: channel), source.fates[group] != .left else { continue }
      if hasStart[channel] {
        if areWhole[group] { found.append(name) }
      } else if !isInternal[channel] {
        // Asterisk logs no CHAN_START for its internal channels.
        missing.append(name)
      }
    }
    for group in grouping.groups.indices where source.fates[group] != .left {
      for linkedid in grouping.linkedids[grouping.groups[group].linkedids] {
        let name = batch.linkedid(linkedid)
        let channel = batch.uniqueids.find(name)
        let place = channel.flatMap { grouping.group(ofUniqueid: $0) }
        // The channel is in this group, or its CHAN_START is covered elsewhere.
        if let channel, let place, place == group || hasStart[channel] && areWhole[place] { continue }
        missing.append(name)
      }
    }
    if let known {
      missing.removeAll { known.contains($0.string) }
      found = known.isEmpty ? [] : found.filter { known.contains($0.string) }
    }
    try checkpoint.noteAwaited(
      BinaryArray(texts: missing), hasStarts: hasStart.contains(true), on: databases.logs)
    try checkpoint.forgetAwaited(BinaryArray(texts: found), on: databases.logs)
  }
}
