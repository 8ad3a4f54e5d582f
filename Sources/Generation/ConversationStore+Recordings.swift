import CallLogs
import Runs
import Store
import Values

/// Recording uuids. They are derived from the path, which several calls can share.
extension ConversationStore {
  /// Gives the uuid of a path to the call with the least conversation_id, among all calls with a
  /// recording of that path, in the table and in this batch. So the order of storing does not
  /// matter.
  func settleRecordings(_ numbers: [Int], _ source: inout Source, _ counters: inout Counters) throws {
    let recorded = numbers.filter { !source.results.callLogs[$0].recordings.isEmpty }
    guard !recorded.isEmpty else { return }
    let wanted = recorded.flatMap { source.results.recordings[source.results.callLogs[$0].recordings].map(\.uuid) }
    var taken: Set<UUIDValue> = []
    let stored = try CallLogTables.recordings(withUUIDs: wanted, on: databases.logs)
    let least = try giveAway(stored, wantedBy: recorded, source)
    for recording in stored where !least.contains(recording.uuid) { taken.insert(recording.uuid) }
    let callLogs = source.results.callLogs
    for number in recorded.sorted(by: { callLogs[$0].conversationID < callLogs[$1].conversationID }) {
      let changed = source.results.deriveUUIDs(ofCallLog: number) { taken.contains($0) }
      let group = source.grouping.groups[source.results.callLogs[number].group]
      for _ in 0..<changed { counters.tally.note(.recordingUUIDTaken, group.greatestID) }
      taken.formUnion(source.results.recordings[source.results.callLogs[number].recordings].map(\.uuid))
    }
  }

  /// Takes the uuid from stored recordings of calls with a greater conversation_id.
  /// - Returns: the uuids that are free now.
  private func giveAway(_ stored: [CallLogTables.StoredRecording], wantedBy numbers: [Int], _ source: Source) throws -> Set<
    UUIDValue
  > {
    guard !stored.isEmpty else { return [] }
    var least: [UUIDValue: Text] = [:]
    for number in numbers {
      let log = source.results.callLogs[number]
      for recording in source.results.recordings[log.recordings] {
        least[recording.uuid] = least[recording.uuid].map { min($0, log.conversationID) } ?? log.conversationID
      }
    }
    var free: Set<UUIDValue> = []
    let names = TextArena()
    for recording in stored {
      // A new uuid is derived from the path, so a recording without one keeps its uuid.
      guard let path = recording.path, let conversation = recording.conversationID, let ours = least[recording.uuid],
        ours < names.text(conversation)
      else { continue }
      let other = CallLogBatch.otherRecordingUUID(
        date: recording.date, conversationID: names.text(conversation), path: names.text(path))
      try CallLogTables.change(recording: recording.uuid, to: other, on: databases.logs)
      free.insert(recording.uuid)
    }
    return free
  }
}
