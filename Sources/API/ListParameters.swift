import CallLogs
import Listing
import Values

/// What a request for a list of call logs asks for.
public struct ListParameters: Sendable {
  /// A form of an answer.
  public enum Format: Sendable {
    case csv, json
  }

  /// Which call logs. Nothing in it says whose: that is ``CallLogQuery``'s to demand.
  public let selection: CallLogSelection
  /// In which order.
  public let order: CallLogOrder
  /// How many; nil for all.
  public let limit: Int64?
  /// How many are left out before the first.
  public let offset: Int64
  /// Whether call logs of the tenants below count. Those of "me" never do.
  public let isRecursive: Bool
  /// The form that the query asks for; nil where it asks for none.
  public let format: Format?

  /// How call logs are counted.
  public let count: Count
  /// Behind which place the list begins; nil for its beginning.
  public let after: CallLogSelection.Place?
  /// Whether the client has asked for one of the above, which Wazo's API does not have.
  public let tellsMore: Bool

  /// How call logs are counted.
  public enum Count: Sendable {
    /// All of them.
    case exact
    /// Up to ``ListParameters/mostCounted``.
    case bounded
    /// Not at all.
    case none
  }

  /// Up to how many call logs are counted where not all are.
  public static let mostCounted = 1000

  /// How many call logs a page has, where nothing is said.
  public static let defaultLimit: Int64 = 1000

  /// Reads them.
  /// - Parameter zone: of times that say none
  /// - Throws: ``APIError`` that names every bad parameter
  public init(_ query: QueryString, scope: ListScope, zone: WallClock) throws(APIError) {
    var reader = ParameterReader(query, zone: zone)
    var selection = CallLogSelection()
    reader.readFilters(of: &selection, hasUsers: scope.takesUsers)
    reader.readListFilters(of: &selection)
    switch scope {
    case .everybody: break
    case .user(let user): selection.users = [user]
    case .me(let user): selection.participant = user
    }
    self.selection = selection
    let limit = reader.count("limit", upTo: .max) ?? ListParameters.defaultLimit
    self.limit = limit == 0 ? nil : limit
    offset = reader.count("offset", upTo: .max) ?? 0
    let key = reader.orderKey("order") ?? .start
    order = CallLogOrder(by: key, isAscending: reader.choice("direction", ["asc": true, "desc": false]) ?? false)
    let recurse = reader.flag("recurse") ?? false
    isRecursive = recurse && scope.canRecurse
    let count = reader.choice("count", ["exact": Count.exact, "bounded": .bounded, "none": Count.none])
    let after = reader.place("after", isByStart: key == .start)
    (self.count, self.after, tellsMore) = (count ?? .exact, after.place, count != nil || after.isGiven)
    format = reader.choice("format", ["csv": .csv, "json": .json])
    try reader.check()
  }

  /// The query for call logs of these tenants, from the beginning of the list.
  public func query(tenants: VisibleTenants) -> CallLogQuery {
    CallLogQuery(tenants: tenants, selection, order: order, limit: limit, offset: offset)
  }
}

extension ListScope {
  /// Whether the query may name users. Where the path names one, it may not.
  fileprivate var takesUsers: Bool {
    if case .user = self { false } else { true }
  }

  fileprivate var canRecurse: Bool {
    if case .me = self { false } else { true }
  }
}

/// What a request to export recordings asks for in its query: filters as those of a list, without
/// order and page.
public struct ExportParameters: Sendable {
  /// Which call logs' recordings.
  public let selection: CallLogSelection
  /// Whether call logs of the tenants below count.
  public let isRecursive: Bool
  /// Who is written to when it is done; nil for nobody.
  public let email: String?

  /// Reads them.
  /// - Parameter zone: of times that say none
  /// - Throws: ``APIError`` that names every bad parameter
  public init(_ query: QueryString, zone: WallClock) throws(APIError) {
    var reader = ParameterReader(query, zone: zone)
    var selection = CallLogSelection()
    reader.readFilters(of: &selection, hasUsers: true)
    self.selection = selection
    isRecursive = reader.flag("recurse") ?? false
    email = reader.email("email")
    try reader.check()
  }
}

extension ParameterReader {
  /// What lists and exports have in common.
  mutating func readFilters(of selection: inout CallLogSelection, hasUsers: Bool) {
    selection.from = time("from")
    selection.to = time("until")
    selection.search = search("search")
    selection.direction = choice(
      "call_direction", ["internal": Direction.internal, "inbound": .inbound, "outbound": .outbound])
    selection.number = number("number")
    selection.tags = tags("tags")
    if hasUsers { selection.users = uuids("user_uuid") ?? [] }
    selection.firstID = id("from_id")
  }

  /// What lists alone have.
  mutating func readListFilters(of selection: inout CallLogSelection) {
    if let status = status("call_status") { selection.statuses = [status] }
    selection.isRecorded = flag("recorded")
    selection.isLatestOfPeer = choice("distinct", ["peer_exten": true]) ?? false
    selection.conversation = conversation("conversation_id")
    selection.requestedInternalExtension = number("requested_internal_extension")
    selection.requestedInternalContext = shortText("requested_internal_context", 1...255)
  }

  /// Tags, each once. Each is a condition of its own, and the server plans for all of them.
  private mutating func tags(_ name: String) -> [String] {
    var seen: Set<String> = []
    let tags = (list(name) ?? []).filter { seen.insert($0).inserted }
    let most = 100
    guard tags.count <= most else {
      note(.longer(Int64(most)), name)
      return []
    }
    return tags
  }

  private mutating func id(_ name: String) -> Int32? {
    count(name, upTo: Int64(Int32.max)).flatMap { Int32(exactly: $0) }
  }

  private mutating func search(_ name: String) -> CallLogSearch? {
    guard let text = text(name) else { return nil }
    do {
      return try CallLogSearch(text)
    } catch {
      note(.above(Int64(Int32.max)), name)
      return nil
    }
  }

  private mutating func status(_ name: String) -> CallLogView.Status? {
    guard let word = text(name) else { return nil }
    let status = CallLogView.Status(rawValue: word)
    if status == nil { note(.enumeration(["answered", "blocked", "voicemail", "unknown"]), name) }
    return status
  }

  /// A place in a list; an empty text stands for its beginning.
  /// - Parameter isByStart: whether the list is sorted by the start, as it must be
  mutating func place(_ name: String, isByStart: Bool) -> (isGiven: Bool, place: CallLogSelection.Place?) {
    guard let word = text(name) else { return (false, nil) }
    if word.isEmpty { return (true, nil) }
    guard let place = CallLogSelection.Place(word: word) else {
      note(.pattern("^-?[0-9]+_-?[0-9]+$", "Not a place that an answer gave as next."), name)
      return (true, nil)
    }
    if !isByStart { note(Problem(message: "Only a list that is sorted by start has places."), name) }
    return (true, place)
  }

  private mutating func shortText(_ name: String, _ length: ClosedRange<Int>) -> String? {
    guard let text = text(name) else { return nil }
    guard length.contains(text.unicodeScalars.count) else {
      note(.length(length), name)
      return nil
    }
    return text
  }

  /// The field that a list is sorted by.
  ///
  /// The choices name `destination_details`, as they always have; it is an object, though, and has
  /// no order.
  mutating func orderKey(_ name: String) -> CallLogOrder.Key? {
    guard let word = text(name) else { return nil }
    if let key = CallLogOrder.Key(rawValue: word) { return key }
    let keys = CallLogOrder.Key.allCases.map(\.rawValue)
    let unordered = "destination_details"
    if word == unordered {
      note(.choice(keys, "Call logs cannot be sorted by \(unordered)."), name)
    } else {
      note(.choice((keys + [unordered]).sorted()), name)
    }
    return nil
  }

  /// An address of e-mail.
  mutating func email(_ name: String) -> String? {
    guard let text = text(name, isBad: .noAddress) else { return nil }
    guard EmailAddress.isOne(text) else {
      note(.noAddress, name)
      return nil
    }
    return text
  }
}
