import Values

/// In which order call logs are listed.
public struct CallLogOrder: Equatable, Sendable {
  /// What they are sorted by. The raw value is the name of the field.
  public enum Key: String, CaseIterable, Sendable {
    case id
    case tenant = "tenant_uuid"
    case start
    /// By the time of the answer, as `answer`.
    case answered
    case answer
    /// By the true difference of end and answer, although a negative one is shown as 0.
    case duration
    case direction = "call_direction"
    /// Unknown, blocked, voicemail, answered.
    case status = "call_status"
    case conversation = "conversation_id"
    case destinationExtension = "destination_extension"
    case destinationInternalContext = "destination_internal_context"
    case destinationInternalExtension = "destination_internal_extension"
    case destinationLine = "destination_line_id"
    case destinationName = "destination_name"
    case destinationUser = "destination_user_uuid"
    case requestedName = "requested_name"
    case requestedContext = "requested_context"
    case requestedExtension = "requested_extension"
    case requestedInternalContext = "requested_internal_context"
    case requestedInternalExtension = "requested_internal_extension"
    case requestedUser = "requested_user_uuid"
    case sourceExtension = "source_extension"
    case sourceInternalContext = "source_internal_context"
    case sourceInternalName = "source_internal_name"
    case sourceInternalExtension = "source_internal_extension"
    case sourceLine = "source_line_id"
    case sourceName = "source_name"
    case sourceUser = "source_user_uuid"
  }

  /// What they are sorted by; by their ids where that is equal.
  public var key: Key
  /// Whether the least comes first, and what is not known before it. Otherwise the greatest does,
  /// and what is not known comes last.
  public var isAscending: Bool

  /// That order.
  public init(by key: Key, isAscending: Bool) { (self.key, self.isAscending) = (key, isAscending) }

  /// The latest first.
  public static let newestFirst = CallLogOrder(by: .start, isAscending: false)

  /// The key as SQL, of `call_logd_call_log l`.
  var expression: String {
    switch key {
    case .id: "l.id"
    case .tenant: "l.tenant_uuid"
    case .start: "l.date"
    case .answered, .answer: "l.date_answer"
    case .duration: "l.date_end - l.date_answer"
    case .status:
      "CASE WHEN l.blocked THEN 1 WHEN l.date_answer IS NOT NULL THEN 3 WHEN l.reached_voicemail THEN 2 ELSE 0 END"
    case .destinationUser: CallLogOrder.participant("user_uuid", CallLogOrder.destination)
    case .destinationLine: CallLogOrder.participant("line_id", CallLogOrder.destination)
    case .sourceUser: CallLogOrder.participant("user_uuid", CallLogOrder.source)
    case .sourceLine: CallLogOrder.participant("line_id", CallLogOrder.source)
    case .requestedUser: CallLogOrder.participant("user_uuid", "p.requested ORDER BY p.user_uuid, p.uuid")
    default: "l.\(column)"
    }
  }

  /// The participants as the views choose them.
  private static let destination = "p.role = 'destination' ORDER BY p.answered DESC, p.user_uuid DESC, p.uuid"
  private static let source = "p.role = 'source' ORDER BY p.uuid"

  private static func participant(_ column: String, _ which: String) -> String {
    "(SELECT p.\(column) FROM call_logd_call_log_participant p WHERE p.call_log_id = l.id AND \(which) LIMIT 1)"
  }

  /// The column of a field that is one.
  private var column: String {
    CallLogField.all.first { $0.name.text.string == key.rawValue }?.column ?? "id"
  }

  /// Whether the key can be unknown.
  private var isNullable: Bool {
    switch key {
    case .id, .tenant, .start, .status: false
    default: true
    }
  }

  /// The rest of an ORDER BY, with the id behind it, so that pages never overlap.
  ///
  /// Nothing is said about NULL where there is none: an index by tenant and date gives the order of
  /// `DESC` alone, and the server would sort a tenant's call logs for the other.
  /// - Parameters:
  ///   - key: the key's name or place
  ///   - id: the id's
  func terms(key: String, id: String) -> String {
    let direction = isAscending ? "" : " DESC"
    let nulls = isNullable ? (isAscending ? " NULLS FIRST" : " NULLS LAST") : ""
    return self.key == .id ? "\(id)\(direction)" : "\(key)\(direction)\(nulls), \(id)\(direction)"
  }
}
