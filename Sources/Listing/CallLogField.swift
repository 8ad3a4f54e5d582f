import CallLogs
import PostgreSQL
import Values

/// A field of a call log in listings and exports. ``all`` is the one table of fields. The SELECT,
/// the CSV and the JSON derive from it.
public struct CallLogField: Sendable {
  /// The kind of a field's values.
  public enum Kind: Sendable {
    case integer, uuid, flag, time, text, status, tags, destinationDetails, recordings
  }

  /// A value of a field.
  enum Value {
    case integer(Int64?)
    case uuid(UUIDValue?)
    case flag(Bool)
    case time(Timestamp?)
    case text(Text)
    case status(CallLogView.Status)
    case tags([Text])
    case destinationDetails([(key: Text, value: Text)])
    case recordings([CallLogView.Recording])
  }

  /// Copies the value of a row's column into a view.
  typealias Reading = @Sendable (inout CallLogView, RowView, Int, TextArena) -> Void

  /// The key in JSON and the column name in CSV.
  public let name: StaticText
  /// The kind of its values.
  public let kind: Kind
  /// The column of `call_logd_call_log` with its value; nil where the value derives from other
  /// columns or tables.
  public let column: String?
  /// Its position in the CSV, from 1; nil where it has none, or several columns.
  public let csvPlace: Int?
  /// Whether the JSON contains it.
  public let isInJSON: Bool
  let value: @Sendable (CallLogView) -> Value
  let read: Reading?

  private init(
    _ name: StaticText, _ kind: Kind, column: String? = nil, csv: Int? = nil, json: Bool = true,
    value: @escaping @Sendable (CallLogView) -> Value, read: Reading? = nil
  ) {
    (self.name, self.kind, self.column, csvPlace, isInJSON) = (name, kind, column, csv, json)
    (self.value, self.read) = (value, read)
  }

  private static func text(
    _ name: StaticText, column: String, csv: Int? = nil, json: Bool = true, _ path: WritableKeyPath<CallLogView, Text> & Sendable
  ) -> CallLogField {
    CallLogField(name, .text, column: column, csv: csv, json: json, value: { .text($0[keyPath: path]) }) {
      view, row, column, arena in
      view[keyPath: path] = row.bytes(column) { bytes in bytes.map { arena.text($0) } ?? .null }
    }
  }

  private static func time(
    _ name: StaticText, column: String, csv: Int, _ path: WritableKeyPath<CallLogView, Timestamp?> & Sendable
  ) -> CallLogField {
    CallLogField(name, .time, column: column, csv: csv, value: { .time($0[keyPath: path]) }) { view, row, column, _ in
      view[keyPath: path] = row.timestamp(column)
    }
  }

  /// A column that is read only because other fields derive from it.
  private static func hidden(
    _ name: StaticText, column: String, _ path: WritableKeyPath<CallLogView, Bool> & Sendable
  ) -> CallLogField {
    CallLogField(name, .flag, column: column, json: false, value: { .flag($0[keyPath: path]) }) { view, row, column, _ in
      view[keyPath: path] = row.bool(column) == true
    }
  }

  /// All fields, in the order of the API's JSON (Wazo, wazo-call-logd, `GET /cdr`).
  public static let all: [CallLogField] = [
    CallLogField("id", .integer, csv: 1, value: { .integer($0.id) }),
    CallLogField("tenant_uuid", .uuid, csv: 2, value: { .uuid($0.tenant) }),
    CallLogField("start", .time, csv: 4, value: { .time($0.start) }),
    time("end", column: "date_end", csv: 6, \.end),
    CallLogField("answered", .flag, csv: 3, value: { .flag($0.isAnswered) }),
    time("answer", column: "date_answer", csv: 5, \.answer),
    CallLogField("duration", .integer, csv: 13, value: { .integer($0.duration) }),
    text("call_direction", column: "direction", csv: 14, \.direction),
    CallLogField("call_status", .status, csv: 15, value: { .status($0.status) }),
    text("conversation_id", column: "conversation_id", \.conversationID),
    CallLogField("destination_details", .destinationDetails, value: { .destinationDetails($0.destinationDetails) }),
    text("destination_extension", column: "destination_exten", csv: 7, \.destinationExtension),
    text("destination_internal_context", column: "destination_internal_context", csv: 10, \.destinationInternalContext),
    text("destination_internal_extension", column: "destination_internal_exten", csv: 9, \.destinationInternalExtension),
    CallLogField("destination_line_id", .integer, csv: 12, value: { .integer($0.destination?.line) }),
    text("destination_name", column: "destination_name", csv: 8, \.destinationName),
    CallLogField("destination_user_uuid", .uuid, csv: 11, value: { .uuid($0.destination?.user) }),
    text("requested_name", column: "requested_name", csv: 16, \.requestedName),
    text("requested_context", column: "requested_context", csv: 18, \.requestedContext),
    text("requested_extension", column: "requested_exten", csv: 17, \.requestedExtension),
    text("requested_internal_context", column: "requested_internal_context", csv: 20, \.requestedInternalContext),
    text("requested_internal_extension", column: "requested_internal_exten", csv: 19, \.requestedInternalExtension),
    CallLogField("requested_user_uuid", .uuid, csv: 21, value: { .uuid($0.requestedUser) }),
    text("source_extension", column: "source_exten", csv: 22, \.sourceExtension),
    text("source_internal_context", column: "source_internal_context", csv: 26, \.sourceInternalContext),
    text("source_internal_name", column: "source_internal_name", csv: 24, \.sourceInternalName),
    text("source_internal_extension", column: "source_internal_exten", csv: 25, \.sourceInternalExtension),
    CallLogField("source_line_id", .integer, csv: 28, value: { .integer($0.source?.line) }),
    text("source_name", column: "source_name", csv: 23, \.sourceName),
    CallLogField("source_user_uuid", .uuid, csv: 27, value: { .uuid($0.source?.user) }),
    CallLogField("tags", .tags, csv: 29, value: { .tags($0.hidesTags ? [] : $0.tags) }),
    // The CSV has columns for each recording, after all others.
    CallLogField("recordings", .recordings, value: { .recordings($0.recordings) }),

    // The status derives from these two flags. The legacy CSV contains the text.
    hidden("blocked", column: "blocked", \.isBlocked),
    hidden("reached_voicemail", column: "reached_voicemail", \.reachedVoicemail),
    text("user_field", column: "user_field", json: false, \.userField),
  ]

  /// The fields of the JSON, in its order.
  static let json = all.filter(\.isInJSON)
  /// The fields of the CSV, in its order, without recordings.
  static let csv = all.filter { $0.csvPlace != nil }.sorted { ($0.csvPlace ?? 0) < ($1.csvPlace ?? 0) }
  /// The fields that are read from columns of the call log, without its id, tenant and start.
  static let read = all.filter { $0.read != nil }
}
