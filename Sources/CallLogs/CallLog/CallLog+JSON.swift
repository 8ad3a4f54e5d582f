import Values

extension CallLogBatch {
  /// Appends one call log as a JSON object on one line: the columns of `call_logd_call_log` by
  /// name, then `participants`, `destination_details`, `recordings` and `cel_ids`. Times are ISO
  /// 8601 in UTC with microseconds.
  public func appendJSON(ofCallLog number: Int, grouping: Grouping, batch: CELBatch, to out: inout [UInt8]) {
    let log = callLogs[number]
    var json = JSONWriter(out: out)
    out = []
    json.open("{")
    json.field("conversation_id", log.conversationID)
    json.time("date", log.date)
    json.time("date_answer", log.dateAnswer)
    json.time("date_end", log.dateEnd)
    json.uuid("tenant_uuid", log.tenant)
    json.string("direction", log.direction.rawValue)
    json.flag("blocked", log.blocked)
    json.flag("reached_voicemail", log.reachedVoicemail)
    json.field("user_field", log.userField)
    json.field("source_name", log.sourceName)
    json.field("source_exten", log.sourceExten)
    json.field("source_internal_name", log.sourceInternalName)
    json.field("source_internal_exten", log.sourceInternalExten)
    json.field("source_internal_context", log.sourceInternalContext)
    json.field("source_line_identity", log.sourceLineIdentity)
    json.field("requested_name", log.requestedName)
    json.field("requested_exten", log.requestedExten)
    json.field("requested_context", log.requestedContext)
    json.field("requested_internal_exten", log.requestedInternalExten)
    json.field("requested_internal_context", log.requestedInternalContext)
    json.field("destination_name", log.destinationName)
    json.field("destination_exten", log.destinationExten)
    json.field("destination_internal_exten", log.destinationInternalExten)
    json.field("destination_internal_context", log.destinationInternalContext)
    json.field("destination_line_identity", log.destinationLineIdentity)
    json.key("participants")
    json.open("[")
    for participant in participants[log.participants] { append(participant, &json) }
    json.close("]")
    json.key("destination_details")
    json.open("{")
    for detail in destinationDetails[log.destinationDetails] { json.field(detail.key, detail.value) }
    json.close("}")
    json.key("recordings")
    json.open("[")
    for recording in recordings[log.recordings] {
      json.open("{")
      json.uuid("uuid", recording.uuid)
      json.time("start_time", recording.start)
      json.time("end_time", recording.end)
      json.field("path", recording.path)
      json.close("}")
    }
    json.close("]")
    json.key("cel_ids")
    json.open("[")
    for row in grouping.order[grouping.groups[log.group].rows] { json.element(batch.rows[Int(row)].id) }
    json.close("]")
    json.close("}")
    out = json.out
  }

  private func append(_ participant: Participant, _ json: inout JSONWriter) {
    json.open("{")
    json.uuid("user_uuid", participant.userUUID)
    json.number("line_id", participant.lineID.map { Int64($0) })
    json.string("role", participant.role.rawValue)
    json.key("tags")
    json.open("[")
    for tag in participant.tags { json.element(tag) }
    json.close("]")
    json.flag("answered", participant.answered)
    json.flag("requested", participant.requested)
    json.close("}")
  }
}
