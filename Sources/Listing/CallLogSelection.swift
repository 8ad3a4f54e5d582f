import CallLogs
import PostgreSQL
import Values

/// A selection of stored call logs and their order, with the filters of Wazo's API. All conditions
/// must hold. A condition that is not set selects everything.
public struct CallLogSelection: Sendable {
  /// Calls that began at or after this time (microseconds since 2000-01-01 UTC).
  public var from: Timestamp?
  /// Calls that began before this time (microseconds since 2000-01-01 UTC).
  public var to: Int64?
  /// Calls of one of these tenants; empty for all.
  public var tenants: [UUIDValue] = []
  /// Calls in which each of these tags belongs to some participant.
  public var tags: [String] = []
  /// Calls of this direction.
  public var direction: Direction?
  /// Calls with one of these statuses; nil for all except blocked ones, as in the API.
  public var statuses: Set<CallLogView.Status>?
  /// Calls from or to this number. A `_` at its start or end matches any text.
  public var number: String?
  /// Calls from this number. A `_` at its start or end matches any text.
  public var caller: String?
  /// Calls that reached this number. A `_` at its start or end matches any text.
  public var callee: String?
  /// Calls that one of these users made or received.
  public var users: [UUIDValue] = []
  /// Calls of this conversation.
  public var conversation: String?
  /// Those that a search finds.
  public var search: CallLogSearch?
  /// Those that have recordings, deleted ones included; false for those that have none.
  public var isRecorded: Bool?
  /// Those of this id and above.
  public var firstID: Int32?
  /// Those of these ids.
  public var ids: [Int32]?
  /// Those in which this extension was asked for.
  public var requestedInternalExtension: String?
  /// Those in which an extension of this context was asked for.
  public var requestedInternalContext: String?
  /// Those in which this user took part, also as one of many whose telephones rang.
  public var participant: UUIDValue?
  /// The latest that each user had with each other number, of all tenants and before any other
  /// condition.
  public var isLatestOfPeer = false
  /// Those that come behind this place where the latest come first.
  public var before: Place?
  /// Those that come behind this place where the earliest come first.
  public var after: Place?
  /// Whether the latest calls come first.
  public var isNewestFirst = false
  /// How many call logs the server looks at.
  var reach = Reach.all

  /// How many call logs the server looks at for conditions on other tables.
  enum Reach {
    /// All: the calls of a user are gathered first.
    case all
    /// Many, of a part of the list.
    case many
    /// A few thousand: it looks up the participants of each.
    case few
  }

  /// A place in a list of call logs by their start.
  public struct Place: Equatable, Sendable {
    /// The start of the call log that stands there, in microseconds since 2000-01-01 UTC.
    public let start: Timestamp
    /// Its id.
    public let id: Int32

    /// The place of a call log.
    public init(start: Timestamp, id: Int32) { (self.start, self.id) = (start, id) }

    /// The place that a word of ``word`` tells; nil for another word.
    public init?(word: String) {
      let parts = word.split(separator: "_", omittingEmptySubsequences: false)
      guard parts.count == 2, let start = Timestamp(parts[0]), let id = Int32(parts[1]),
        Place.times.contains(start) || start == .min || start == .max
      else { return nil }
      self.init(start: start, id: id)
    }

    /// The times that the server has (PostgreSQL, "Date/Time Types"). The first and the last number
    /// are infinite times.
    private static let times: Range<Timestamp> = -211_813_488_000_000_000..<9_223_371_331_200_000_000

    /// The place as a word of digits, `-` and `_`, for addresses and clients.
    public var word: String { "\(start)_\(id)" }
  }

  /// Selects all calls except blocked ones, the earliest first.
  public init() {}

  /// SQL for the status, with the rules of ``CallLogView/status``.
  static let status = """
    CASE WHEN l.blocked THEN 'blocked' WHEN l.date_answer IS NOT NULL THEN 'answered' WHEN l.reached_voicemail THEN 'voicemail' ELSE 'unknown' END
    """

  /// The condition on `call_logd_call_log l`, and its parameters from `$1` on.
  var condition: (sql: String, parameters: [Parameter]) {
    var parameters: [Parameter] = []
    let terms = terms { parameter in
      parameters.append(parameter)
      return "$\(parameters.count)"
    }
    return (terms.isEmpty ? "true" : terms.joined(separator: " AND "), parameters)
  }

  /// The conditions on `call_logd_call_log l`; none for everything.
  /// - Parameter bind: gives a value a place among the statement's parameters
  func terms(_ bind: (Parameter) -> String) -> [String] {
    var terms: [String] = []
    if let from { terms.append("l.date >= \(bind(.timestamptz(from)))") }
    if let to { terms.append("l.date < \(bind(.timestamptz(to)))") }
    if tenants.count == 1 {
      // ANY would lose the order of the index, and sort all call logs of the tenant.
      terms.append("l.tenant_uuid = \(bind(.uuid(tenants[0])))")
    } else if !tenants.isEmpty {
      terms.append("l.tenant_uuid = ANY(\(bind(.array(BinaryArray(uuids: tenants)))))")
    }
    if let conversation { terms.append("l.conversation_id = \(bind(.text(conversation)))") }
    if let direction { terms.append("l.direction = \(bind(.text(direction.rawValue)))") }
    if let statuses {
      if statuses.count < CallLogView.Status.allCases.count {
        terms.append("\(CallLogSelection.status) = ANY(\(bind(.textArray(statuses.map(\.rawValue).sorted()))))")
      }
    } else {
      terms.append("l.blocked IS NOT TRUE")
    }
    if let number {
      let pattern = bind(.text(CallLogSelection.pattern(number)))
      terms.append("(l.source_exten LIKE \(pattern) OR l.destination_exten LIKE \(pattern))")
    }
    for tag in tags {
      terms.append(
        """
        EXISTS (SELECT FROM call_logd_call_log_participant p
          WHERE p.call_log_id = l.id AND \(bind(.text(tag))) = ANY(p.tags)\(each))
        """)
    }
    if !users.isEmpty {
      let wanted = bind(.array(BinaryArray(uuids: users)))
      // The first condition makes PostgreSQL use the index. The others select the participants that
      // count: every caller, and the one callee that the view shows.
      terms.append(
        """
        \(took(part: "= ANY(\(wanted))"))
          AND (EXISTS (SELECT FROM call_logd_call_log_participant p WHERE p.call_log_id = l.id AND p.role = 'source' AND p.user_uuid = ANY(\(wanted)))
            OR (SELECT p.user_uuid FROM call_logd_call_log_participant p WHERE p.call_log_id = l.id AND p.role = 'destination'
                ORDER BY p.answered DESC, p.user_uuid DESC LIMIT 1) = ANY(\(wanted)))
        """)
    }
    return terms + furtherTerms(bind)
  }

  var order: String { isNewestFirst ? "l.date DESC, l.id DESC" : "l.date, l.id" }

  /// The number as a pattern for LIKE.
  static func pattern(_ number: String) -> String {
    var digits = number[...]
    let (before, after) = (digits.hasPrefix("_"), digits.count > 1 && digits.hasSuffix("_"))
    if before { digits.removeFirst() }
    if after { digits.removeLast() }
    var pattern = before ? "%" : ""
    for character in digits {
      if character == "%" || character == "_" || character == "\\" { pattern.append("\\") }
      pattern.append(character)
    }
    return pattern + (after ? "%" : "")
  }
}

extension BinaryArray {
  /// Creates an array of UUIDs.
  init(uuids: [UUIDValue]) {
    self.init(.uuid)
    for uuid in uuids { append(uuid) }
  }
}
