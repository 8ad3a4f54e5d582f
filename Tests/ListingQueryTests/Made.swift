import CallLogs
import Listing
import PostgreSQL
import Store
import TestSupport
import Values

/// A call log that a test has made, and what a query says of it in other words than SQL's.
struct Made {
  struct Participant {
    var uuid: UUIDValue
    var user: UUIDValue
    var line: Int64?
    var isSource: Bool
    var answered: Bool
    var requested: Bool
  }

  var id: Int32
  var tenant: UUIDValue
  /// Microseconds since 2000-01-01 UTC.
  var date: Int64
  var answer: Int64?
  var end: Int64?
  var isBlocked: Bool?
  var reachedVoicemail: Bool?
  var sourceName: String?
  var sourceNumber: String?
  var destinationName: String?
  var destinationNumber: String?
  var requestedNumber: String?
  var requestedInternalExtension: String?
  var requestedInternalContext: String?
  var recordings: Int
  var participants: [Participant]

  static func uuid(_ number: Int) -> UUIDValue { UUIDValue(high: 0x11, low: UInt64(number)) }
  static let tenants = (100...103).map(uuid)
  static let users = (1...5).map(uuid)

  static func some(_ count: Int32, _ random: inout Seeded) -> [Made] {
    func pick<T>(_ values: [T?]) -> T? { values.randomElement(using: &random) ?? nil }
    return (1...count).map { id in
      let date = Int64.random(in: 0...30, using: &random) * 1_000_000
      let answer = random.oneIn(3) ? nil : date + Int64.random(in: 0...9, using: &random) * 500_000
      return Made(
        id: id, tenant: tenants.randomElement(using: &random) ?? uuid(100), date: date, answer: answer,
        end: random.oneIn(4) ? nil : date + Int64.random(in: 0...9, using: &random) * 500_000,
        isBlocked: pick([nil, false, false, true]), reachedVoicemail: pick([nil, false, true]),
        sourceName: pick([nil, "Ann", "annabel", "50% off", "a_b", "École", ""]),
        sourceNumber: pick([nil, "101", "102", "+33101"]),
        destinationName: pick([nil, "Bob", "ANN", "c\\d"]), destinationNumber: pick([nil, "101", "103"]),
        requestedNumber: pick([nil, "101", "103", "900"]), requestedInternalExtension: pick([nil, "101", "1015"]),
        requestedInternalContext: pick([nil, "inside", "Inside"]), recordings: pick([0, 0, 1, 2]) ?? 0,
        participants: (0..<Int.random(in: 0...4, using: &random)).map { number in
          Participant(
            uuid: UUIDValue(high: random.next(), low: UInt64(number)), user: users.randomElement(using: &random) ?? uuid(1),
            line: pick([nil, 7, 8]), isSource: random.oneIn(3), answered: random.oneIn(2), requested: random.oneIn(3))
        })
    }
  }

  static func store(_ logs: [Made], _ database: TestDatabase) throws {
    try Migrator(database.admin).migrate(program: "tests")
    func text(_ value: String?) -> String { value.map { "'" + $0.replacing("'", with: "''") + "'" } ?? "NULL" }
    func flag(_ value: Bool?) -> String { value.map { "\($0)" } ?? "NULL" }
    func time(_ value: Int64?) -> String { value.map { "timestamptz '2000-01-01Z' + interval '\($0) microseconds'" } ?? "NULL" }
    var sql = "INSERT INTO call_logd_tenant SELECT unnest('{\(tenants.map(\.description).joined(separator: ","))}'::uuid[]);"
    for log in logs {
      sql += """
        INSERT INTO call_logd_call_log (id, date, date_answer, date_end, tenant_uuid, blocked, reached_voicemail, source_name, source_exten,
          destination_name, destination_exten, requested_exten, requested_internal_exten, requested_internal_context)
        VALUES (\(log.id), \(time(log.date)), \(time(log.answer)), \(time(log.end)), '\(log.tenant)', \(flag(log.isBlocked)),
          \(flag(log.reachedVoicemail)), \(text(log.sourceName)), \(text(log.sourceNumber)), \(text(log.destinationName)),
          \(text(log.destinationNumber)), \(text(log.requestedNumber)), \(text(log.requestedInternalExtension)),
          \(text(log.requestedInternalContext)));
        INSERT INTO call_logd_recording (start_time, end_time, path, call_log_id)
        SELECT '2000-01-01Z', '2000-01-01Z', CASE n WHEN 1 THEN NULL ELSE 'x' END, \(log.id) FROM generate_series(1, \(log.recordings)) n;

        """
      for one in log.participants {
        sql += """
          INSERT INTO call_logd_call_log_participant (uuid, call_log_id, user_uuid, line_id, role, answered, requested)
          VALUES ('\(one.uuid)', \(log.id), '\(one.user)', \(one.line.map(String.init) ?? "NULL"),
            '\(one.isSource ? "source" : "destination")', \(one.answered), \(one.requested));

          """
      }
    }
    try database.run(sql)
  }

  // MARK: As it is seen

  var isAnswered: Bool { answer != nil }
  var status: CallLogView.Status {
    isBlocked == true ? .blocked : isAnswered ? .answered : reachedVoicemail == true ? .voicemail : .unknown
  }
  var source: Participant? { participants.filter(\.isSource).min { $0.uuid < $1.uuid } }
  var requested: Participant? { participants.filter(\.requested).min { ($0.user, $0.uuid) < ($1.user, $1.uuid) } }
  var destination: Participant? {
    let called = participants.filter { !$0.isSource }
    let candidates = called.contains { $0.answered } ? called.filter(\.answered) : called
    return candidates.max { ($0.user, $1.uuid) < ($1.user, $0.uuid) }
  }

  /// What a participant's other side is called.
  private func peer(of participant: Participant) -> String? { participant.isSource ? requestedNumber : sourceNumber }

  /// The ids of those that are the latest of some user with some other number.
  static func latestOfPeers(_ logs: [Made]) -> Set<Int32> {
    var latest: [String: Int32] = [:]
    for log in logs {
      for one in log.participants { latest["\(one.user) \(log.peer(of: one) ?? "NULL")", default: 0] = log.id }
    }
    return Set(latest.values)
  }

  // MARK: What each filter lets through

  func isIn(_ query: CallLogQuery, latest: Set<Int32>) -> Bool {
    let selection = query.selection
    guard query.tenants.contains(tenant), selection.tenants.isEmpty || selection.tenants.contains(tenant) else { return false }
    guard selection.statuses.map({ $0.contains(status) }) ?? (status != .blocked) else { return false }
    if let search = selection.search, !isFound(by: search) { return false }
    if let wanted = selection.isRecorded, wanted != (recordings > 0) { return false }
    if let first = selection.firstID, id < first { return false }
    if let ids = selection.ids, !ids.contains(id) { return false }
    if let wanted = selection.requestedInternalExtension, requestedInternalExtension != wanted { return false }
    if let wanted = selection.requestedInternalContext, requestedInternalContext != wanted { return false }
    if let user = selection.participant, !participants.contains(where: { $0.user == user }) { return false }
    if !selection.users.isEmpty {
      let terminal = participants.filter(\.isSource).map(\.user) + [destination?.user].compactMap(\.self)
      if !terminal.contains(where: selection.users.contains) { return false }
    }
    return !selection.isLatestOfPeer || latest.contains(id)
  }

  private func isFound(by search: CallLogSearch) -> Bool {
    switch search {
    case .callLog(let wanted): return id == wanted
    case .text(let text):
      let pattern = Array(("%" + text + "%").lowercased())
      return [sourceName, sourceNumber, destinationName, destinationNumber].contains { value in
        value.map { Made.fits(pattern[...], Array($0.lowercased())[...]) } ?? false
      }
    }
  }

  private static func fits(_ pattern: ArraySlice<Character>, _ text: ArraySlice<Character>) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    let rest = pattern.dropFirst()
    switch first {
    case "%": return fits(rest, text) || !text.isEmpty && fits(pattern, text.dropFirst())
    case "_": return !text.isEmpty && fits(rest, text.dropFirst())
    case "\\": return rest.first != nil && text.first == rest.first && fits(rest.dropFirst(), text.dropFirst())
    default: return text.first == first && fits(rest, text.dropFirst())
    }
  }

  // MARK: What they are sorted by

  /// A key that is known by its number, or by the bytes of its text.
  enum SortKey: Comparable {
    case number(Int64)
    case uuid(UUIDValue)
    case text([UInt8])

    static func < (a: SortKey, b: SortKey) -> Bool {
      switch (a, b) {
      case (.number(let a), .number(let b)): a < b
      case (.uuid(let a), .uuid(let b)): a < b
      case (.text(let a), .text(let b)): a.lexicographicallyPrecedes(b)
      default: false
      }
    }
  }

  func key(_ key: CallLogOrder.Key) -> SortKey? {
    func text(_ value: String?) -> SortKey? { value.map { .text(Array($0.utf8)) } }
    func number(_ value: Int64?) -> SortKey? { value.map { .number($0) } }
    func uuid(_ value: UUIDValue?) -> SortKey? { value.map { .uuid($0) } }
    return switch key {
    case .id: number(Int64(id))
    case .tenant: uuid(tenant)
    case .start: number(date)
    case .answered, .answer: number(answer)
    case .duration: number(answer.flatMap { answer in end.map { $0 - answer } })
    case .status: number([.unknown: 0, .blocked: 1, .voicemail: 2, .answered: 3][status])
    case .sourceName: text(sourceName)
    case .sourceExtension: text(sourceNumber)
    case .destinationName: text(destinationName)
    case .destinationExtension: text(destinationNumber)
    case .requestedExtension: text(requestedNumber)
    case .requestedInternalExtension: text(requestedInternalExtension)
    case .requestedInternalContext: text(requestedInternalContext)
    case .sourceUser: uuid(source?.user)
    case .sourceLine: number(source?.line)
    case .destinationUser: uuid(destination?.user)
    case .destinationLine: number(destination?.line)
    case .requestedUser: uuid(requested?.user)
    default: nil
    }
  }

  /// Whether one comes before another.
  static func areInOrder(_ a: Made, _ b: Made, _ order: CallLogOrder) -> Bool {
    let (one, two) = (a.key(order.key), b.key(order.key))
    guard one == two else {
      // What is not known comes first of the ascending, last of the descending.
      guard let one else { return order.isAscending }
      guard let two else { return !order.isAscending }
      return order.isAscending ? one < two : two < one
    }
    return order.isAscending ? a.id < b.id : a.id > b.id
  }
}
