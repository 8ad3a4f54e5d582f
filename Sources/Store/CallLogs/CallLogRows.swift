import CallLogs
import PostgreSQL
import Values

/// Call logs as rows of `COPY … FROM STDIN (FORMAT binary)` for the four tables, in the order of
/// storing (foreign keys). The raw value names the rows in messages.
package enum CallLogRows: String, CaseIterable {
  /// `call_logd_call_log`.
  case callLogs = "call logs"
  /// `call_logd_call_log_participant`.
  case participants
  /// `call_logd_call_log_destination`.
  case destinations = "destination details"
  /// `call_logd_recording`.
  case recordings

  /// The table and its columns.
  var target: String {
    switch self {
    case .callLogs: "call_logd_call_log (\(CallLogTables.columns.joined(separator: ", ")))"
    case .participants: "call_logd_call_log_participant (uuid, call_log_id, user_uuid, line_id, role, tags, answered, requested)"
    case .destinations: "call_logd_call_log_destination (uuid, call_log_id, destination_details_key, destination_details_value)"
    case .recordings: "call_logd_recording (uuid, start_time, end_time, path, call_log_id)"
    }
  }

  /// Writes the rows of call logs for this table.
  /// - Parameters:
  ///   - numbers: the positions of call logs in `batch`
  ///   - ids: their ids, in the same order
  ///   - deletedRecordings: recordings whose audio files are deleted; their path stays NULL
  /// - Returns: the number of rows.
  package func append(
    _ numbers: [Int], ids: [Int32], of batch: CallLogBatch, deletedRecordings: Set<UUIDValue>, to writer: inout BinaryRowWriter
  ) -> Int {
    var rows = 0
    switch self {
    case .callLogs:
      for (number, id) in zip(numbers, ids) { writer.append(batch.callLogs[number], id) }
      rows = numbers.count
    case .participants:
      var tags = BinaryArray(.varchar)
      for (number, id) in zip(numbers, ids) {
        for participant in batch.participants[batch.callLogs[number].participants] {
          writer.append(participant, id, &tags)
          rows += 1
        }
      }
    case .destinations:
      for (number, id) in zip(numbers, ids) {
        for detail in batch.destinationDetails[batch.callLogs[number].destinationDetails] {
          writer.append(detail, id)
          rows += 1
        }
      }
    case .recordings:
      for (number, id) in zip(numbers, ids) {
        for recording in batch.recordings[batch.callLogs[number].recordings] {
          writer.append(recording, id, isDeleted: deletedRecordings.contains(recording.uuid))
          rows += 1
        }
      }
    }
    return rows
  }
}

extension BinaryRowWriter {
  fileprivate mutating func append(_ log: CallLog, _ id: Int32) {
    beginRow(fields: 26)
    int4(id)
    timestamptz(microsecondsSince2000: log.date)
    time(log.dateAnswer)
    time(log.dateEnd)
    uuid(log.tenant)
    text(log.sourceName)
    text(log.sourceExten)
    text(log.sourceInternalName)
    text(log.sourceInternalExten)
    text(log.sourceInternalContext)
    text(log.sourceLineIdentity)
    text(log.requestedName)
    text(log.requestedExten)
    text(log.requestedContext)
    text(log.requestedInternalExten)
    text(log.requestedInternalContext)
    text(log.destinationName)
    text(log.destinationExten)
    text(log.destinationInternalExten)
    text(log.destinationInternalContext)
    text(log.destinationLineIdentity)
    text(log.direction.label)
    text(log.userField)
    text(log.conversationID)
    bool(log.blocked)
    bool(log.reachedVoicemail)
  }

  fileprivate mutating func append(_ participant: Participant, _ id: Int32, _ tags: inout BinaryArray) {
    beginRow(fields: 8)
    uuid(participant.uuid)
    int4(id)
    uuid(participant.userUUID)
    if let line = participant.lineID { int4(line) } else { null() }
    text(participant.role.label)
    tags.removeAll()
    for tag in participant.tags { tags.append(UnsafeRawBufferPointer(tag.bytes)) }
    textArray(tags)
    bool(participant.answered)
    bool(participant.requested)
  }

  fileprivate mutating func append(_ detail: DestinationDetail, _ id: Int32) {
    beginRow(fields: 4)
    uuid(detail.uuid)
    int4(id)
    text(detail.key)
    text(detail.value)
  }

  fileprivate mutating func append(_ recording: Recording, _ id: Int32, isDeleted: Bool) {
    beginRow(fields: 5)
    uuid(recording.uuid)
    timestamptz(microsecondsSince2000: recording.start)
    timestamptz(microsecondsSince2000: recording.end)
    if isDeleted { null() } else { text(recording.path) }
    int4(id)
  }

  private mutating func text(_ value: Text) {
    if value.isNull { null() } else { bytes(UnsafeRawBufferPointer(value.bytes)) }
  }

  private mutating func uuid(_ value: UUIDValue) { uuid(high: value.high, low: value.low) }

  private mutating func time(_ value: Int64?) {
    if let value { timestamptz(microsecondsSince2000: value) } else { null() }
  }
}

extension Direction {
  /// The value of the column `direction`, without an allocation.
  fileprivate var label: Text {
    switch self {
    case .inbound: "inbound"
    case .internal: "internal"
    case .outbound: "outbound"
    }
  }
}

extension Role {
  /// The value of the column `role`, without an allocation.
  fileprivate var label: Text {
    switch self {
    case .source: "source"
    case .destination: "destination"
    }
  }
}
