import CallLogs
import Values

extension CallLogView {
  /// The keys of destination details in the order in which they are written.
  private static let detailKeys: [Text] = [
    "type", "user_uuid", "user_name", "meeting_uuid", "meeting_name", "conference_id", "group_label", "group_id", "voicemail_id",
    "voicemail_name",
  ]
  /// Those whose values are numbers.
  private static let numericKeys: [Text] = ["conference_id", "group_id", "voicemail_id"]

  /// Appends the call log as a JSON object on one line, with the keys of the API in its order; what is not known is `null`.
  public func appendJSON(to out: inout [UInt8]) {
    var json = JSONWriter(out: out)
    out = []
    append(to: &json)
    out = json.out
  }

  /// Appends the same object to what is being written.
  public func append(to json: inout JSONWriter) {
    json.open("{")
    json.number("id", id)
    json.uuid("tenant_uuid", tenant)
    json.time("start", start, isShort: true)
    json.time("end", end, isShort: true)
    json.flag("answered", isAnswered)
    json.time("answer", answer, isShort: true)
    json.number("duration", duration)
    json.field("call_direction", direction)
    json.string("call_status", status.rawValue)
    json.field("conversation_id", conversationID)
    appendDetails(to: &json)
    json.field("destination_extension", destinationExtension)
    json.field("destination_internal_context", destinationInternalContext)
    json.field("destination_internal_extension", destinationInternalExtension)
    json.number("destination_line_id", destination?.line)
    json.field("destination_name", destinationName)
    json.uuid("destination_user_uuid", destination?.user)
    json.field("requested_name", requestedName)
    json.field("requested_context", requestedContext)
    json.field("requested_extension", requestedExtension)
    json.field("requested_internal_context", requestedInternalContext)
    json.field("requested_internal_extension", requestedInternalExtension)
    json.uuid("requested_user_uuid", requestedUser)
    json.field("source_extension", sourceExtension)
    json.field("source_internal_context", sourceInternalContext)
    json.field("source_internal_name", sourceInternalName)
    json.field("source_internal_extension", sourceInternalExtension)
    json.number("source_line_id", source?.line)
    json.field("source_name", sourceName)
    json.uuid("source_user_uuid", source?.user)
    json.key("tags")
    json.open("[")
    for tag in tags { json.element(tag) }
    json.close("]")
    json.key("recordings")
    json.open("[")
    for recording in recordings { append(recording, to: &json) }
    json.close("]")
    json.close("}")
  }

  private func appendDetails(to json: inout JSONWriter) {
    json.key("destination_details")
    json.open("{")
    for key in CallLogView.detailKeys {
      guard let value = destinationDetails.first(where: { $0.key == key })?.value else {
        // There is always a type.
        if key == "type" { json.field(key, "unknown") }
        continue
      }
      if CallLogView.numericKeys.contains(key), let number = value.decimal.flatMap({ Int64(exactly: $0) }) {
        json.number(key, number)
      } else {
        json.field(key, value)
      }
    }
    json.close("}")
  }

  private func append(_ recording: Recording, to json: inout JSONWriter) {
    json.open("{")
    json.uuid("uuid", recording.uuid)
    json.time("start_time", recording.start, isShort: true)
    json.time("end_time", recording.end, isShort: true)
    json.flag("deleted", recording.isDeleted)
    var name: [UInt8] = []
    appendFileName(of: recording, to: &name)
    name.withUnsafeBytes { json.field("filename", Text($0)) }
    json.close("}")
  }
}
