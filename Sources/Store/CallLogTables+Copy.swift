import CallLogs
import PostgreSQL

extension CallLogTables {
  /// Copies call logs with their participants, destinations and recordings into the four tables.
  /// - Parameters:
  ///   - numbers: which call logs of `batch`
  ///   - ids: their ids, in the same order
  ///   - deletedRecordings: recordings whose audio is gone: their path stays NULL
  public static func copy(
    _ numbers: [Int], ids: [Int32], of batch: CallLogBatch, deletedRecordings: Set<UUIDValue>, on connection: Connection
  ) throws {
    guard !numbers.isEmpty else { return }
    var writer = BinaryRowWriter()
    for (number, id) in zip(numbers, ids) { append(batch.callLogs[number], id, to: &writer) }
    try send(&writer, "call_logd_call_log (\(columns.joined(separator: ", ")))", "Storing \(numbers.count) call logs", connection)

    var rows = 0
    var tags = BinaryArray(.varchar)
    for (number, id) in zip(numbers, ids) {
      for participant in batch.participants[batch.callLogs[number].participants] {
        writer.beginRow(fields: 8)
        writer.uuid(participant.uuid)
        writer.int4(id)
        writer.uuid(participant.userUUID)
        if let line = participant.lineID { writer.int4(line) } else { writer.null() }
        writer.text(participant.role.rawValue)
        tags.removeAll()
        for tag in participant.tags { tags.append(UnsafeRawBufferPointer(tag.bytes)) }
        writer.textArray(tags)
        writer.bool(participant.answered)
        writer.bool(participant.requested)
        rows += 1
      }
    }
    try send(
      &writer, "call_logd_call_log_participant (uuid, call_log_id, user_uuid, line_id, role, tags, answered, requested)",
      "Storing \(rows) participants", connection, rows: rows)

    rows = 0
    for (number, id) in zip(numbers, ids) {
      for detail in batch.destinationDetails[batch.callLogs[number].destinationDetails] {
        writer.beginRow(fields: 4)
        writer.uuid(detail.uuid)
        writer.int4(id)
        writer.text(detail.key)
        writer.text(detail.value)
        rows += 1
      }
    }
    try send(
      &writer, "call_logd_call_log_destination (uuid, call_log_id, destination_details_key, destination_details_value)",
      "Storing \(rows) destination details", connection, rows: rows)

    rows = 0
    for (number, id) in zip(numbers, ids) {
      for recording in batch.recordings[batch.callLogs[number].recordings] {
        writer.beginRow(fields: 5)
        writer.uuid(recording.uuid)
        writer.timestamptz(microsecondsSince2000: recording.start)
        writer.timestamptz(microsecondsSince2000: recording.end)
        if deletedRecordings.contains(recording.uuid) { writer.null() } else { writer.text(recording.path) }
        writer.int4(id)
        rows += 1
      }
    }
    try send(
      &writer, "call_logd_recording (uuid, start_time, end_time, path, call_log_id)", "Storing \(rows) recordings", connection,
      rows: rows)
  }

  private static func append(_ log: CallLog, _ id: Int32, to writer: inout BinaryRowWriter) {
    writer.beginRow(fields: 26)
    writer.int4(id)
    writer.timestamptz(microsecondsSince2000: log.date)
    writer.time(log.dateAnswer)
    writer.time(log.dateEnd)
    writer.uuid(log.tenant)
    writer.text(log.sourceName)
    writer.text(log.sourceExten)
    writer.text(log.sourceInternalName)
    writer.text(log.sourceInternalExten)
    writer.text(log.sourceInternalContext)
    writer.text(log.sourceLineIdentity)
    writer.text(log.requestedName)
    writer.text(log.requestedExten)
    writer.text(log.requestedContext)
    writer.text(log.requestedInternalExten)
    writer.text(log.requestedInternalContext)
    writer.text(log.destinationName)
    writer.text(log.destinationExten)
    writer.text(log.destinationInternalExten)
    writer.text(log.destinationInternalContext)
    writer.text(log.destinationLineIdentity)
    writer.text(log.direction.rawValue)
    writer.text(log.userField)
    writer.text(log.conversationID)
    writer.bool(log.blocked)
    writer.bool(log.reachedVoicemail)
  }

  private static func send(
    _ writer: inout BinaryRowWriter, _ target: String, _ purpose: String, _ connection: Connection, rows: Int = 1
  ) throws {
    defer { writer.reset() }
    guard rows > 0 else { return }
    writer.trailer()
    // Kept whole until here: a chunk's rows are a few megabytes, and one COPY per table is cheaper than many.
    try writer.withBytes { bytes in
      _ = try connection.copyIn("COPY \(target) FROM STDIN (FORMAT binary)", purpose: purpose) { try $0.write(bytes) }
    }
  }
}

extension BinaryRowWriter {
  fileprivate mutating func text(_ value: Text) {
    if value.isNull { null() } else { bytes(UnsafeRawBufferPointer(value.bytes)) }
  }

  fileprivate mutating func uuid(_ value: UUIDValue) { uuid(high: value.high, low: value.low) }

  fileprivate mutating func time(_ value: Int64?) {
    if let value { timestamptz(microsecondsSince2000: value) } else { null() }
  }
}
