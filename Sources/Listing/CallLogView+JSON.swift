import CallLogs
import Values

extension CallLogView {
  /// The keys of destination details in the order of the JSON.
  private static let detailKeys: [StaticText] = [
    "type", "user_uuid", "user_name", "meeting_uuid", "meeting_name", "conference_id", "group_label", "group_id", "voicemail_id",
    "voicemail_name",
  ]
  /// The keys whose values are numbers.
  private static let numericKeys: [StaticText] = ["conference_id", "group_id", "voicemail_id"]

  /// Appends the call log as a JSON object on one line, with the API's keys in the API's order.
  /// Unknown values are `null`.
  public func appendJSON(to out: inout [UInt8]) {
    var json = JSONWriter(out: out)
    out = []
    append(to: &json)
    out = json.out
  }

  /// Appends the same object to a JSON text.
  public func append(to json: inout JSONWriter) {
    json.open("{")
    for field in CallLogField.json {
      switch field.value(self) {
      case .integer(let value): json.number(field.name.text, value)
      case .uuid(let value): json.uuid(field.name.text, value)
      case .flag(let value): json.flag(field.name.text, value)
      case .time(let value): json.time(field.name.text, value, isShort: true)
      case .text(let value): json.field(field.name.text, value)
      case .status(let value): json.string(field.name.text, value.rawValue)
      case .tags where hidesTags: break
      case .tags(let tags):
        json.key(field.name.text)
        json.open("[")
        for tag in tags { json.element(tag) }
        json.close("]")
      case .destinationDetails:
        json.key(field.name.text)
        appendDetails(to: &json)
      case .recordings(let recordings):
        json.key(field.name.text)
        json.open("[")
        for recording in recordings { append(recording, to: &json) }
        json.close("]")
      }
    }
    json.close("}")
  }

  private func appendDetails(to json: inout JSONWriter) {
    json.open("{")
    defer { json.close("}") }
    // The type says what the other keys mean: without one they are left out.
    guard destinationDetails.contains(where: { $0.key == "type" }) else {
      json.field("type", "unknown")
      return
    }
    for key in CallLogView.detailKeys.map(\.text) {
      guard let value = destinationDetails.first(where: { $0.key == key })?.value else { continue }
      if CallLogView.numericKeys.contains(where: { $0.text == key }), let number = value.decimal.flatMap({ Int64(exactly: $0) }) {
        json.number(key, number)
      } else {
        json.field(key, value)
      }
    }
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
