import CallLogs
import Listing
import PostgreSQL
import Store
import TestSupport
import Testing
import Values

/// A call log that a test has made, as SQL stores it.
private struct Made {
  struct Participant {
    var uuid: UUIDValue
    var user: UUIDValue
    var line: Int64?
    var isSource: Bool
    var answered: Bool
    var requested: Bool
    var tags: [String]
  }

  var id: Int64
  var tenant: UUIDValue
  /// Microseconds since 2000-01-01 UTC.
  var date: Int64
  var isAnswered: Bool
  var blocked: Bool?
  var voicemail: Bool?
  var direction: String?
  var from: String?
  var to: String?
  var conversation: String?
  var participants: [Participant]

  var status: CallLogView.Status {
    if blocked == true { return .blocked }
    return isAnswered ? .answered : voicemail == true ? .voicemail : .unknown
  }

  var source: Participant? { participants.filter(\.isSource).min { $0.uuid < $1.uuid } }
  var destination: Participant? {
    let called = participants.filter { !$0.isSource }
    return (called.contains { $0.answered } ? called.filter(\.answered) : called).max { $0.user < $1.user }
  }

  /// What the specification says of each filter, in other words than SQL's.
  func isIn(_ selection: CallLogSelection) -> Bool {
    func matches(_ number: String?, _ pattern: String) -> Bool {
      guard let number else { return false }
      var digits = pattern
      let (before, after) = (digits.hasPrefix("_"), digits.hasSuffix("_"))
      if before { digits.removeFirst() }
      if after { digits.removeLast() }
      return before && after
        ? number.contains(digits) : before ? number.hasSuffix(digits) : after ? number.hasPrefix(digits) : number == digits
    }
    if let from = selection.from, date < from { return false }
    if let to = selection.to, date >= to { return false }
    if !selection.tenants.isEmpty, !selection.tenants.contains(tenant) { return false }
    if !selection.tags.allSatisfy({ tag in participants.contains { $0.tags.contains(tag) } }) { return false }
    if let wanted = selection.direction, direction != wanted.rawValue { return false }
    if !(selection.statuses.map { $0.contains(status) } ?? (status != .blocked)) { return false }
    if let number = selection.number, !matches(from, number), !matches(to, number) { return false }
    if let wanted = selection.conversation, conversation != wanted { return false }
    if !selection.users.isEmpty {
      let terminal = participants.filter(\.isSource).map(\.user) + [destination?.user].compactMap(\.self)
      if !terminal.contains(where: { selection.users.contains($0) }) { return false }
    }
    return true
  }
}

@Suite("Call logs as they are read")
struct ViewTests {
  private static func uuid(_ number: Int) -> UUIDValue { UUIDValue(high: 0x11, low: UInt64(number)) }

  private static func make(_ count: Int, _ random: inout Seeded) -> [Made] {
    func pick<T>(_ values: [T]) -> T? { values.randomElement(using: &random) }
    return (1...count).map { id in
      let participants = (0..<Int.random(in: 0...4, using: &random)).map { number in
        Made.Participant(
          uuid: UUIDValue(high: random.next(), low: UInt64(number)), user: uuid(Int.random(in: 1...5, using: &random)),
          line: pick([nil, 7, 8]) ?? nil, isSource: random.oneIn(3), answered: random.oneIn(2), requested: random.oneIn(3),
          tags: ["sales", "pa,ris", "a\"b", "été"].filter { _ in random.oneIn(3) })
      }
      return Made(
        id: Int64(id), tenant: uuid(100 + Int.random(in: 0...2, using: &random)),
        date: Int64.random(in: 0...20, using: &random) * 1_000_000, isAnswered: random.oneIn(2),
        blocked: pick([nil, false, false, true]) ?? nil, voicemail: pick([nil, false, true]) ?? nil,
        direction: pick(["inbound", "internal", "outbound", nil]) ?? nil, from: pick(["101", "1012", "+33101", nil, ""]) ?? nil,
        to: pick(["101", "102", "2101", nil]) ?? nil, conversation: pick(["1.1", "1.2", nil]) ?? nil, participants: participants)
    }
  }

  private static func store(_ logs: [Made], _ database: TestDatabase) throws {
    func text(_ value: String?) -> String { value.map { "'" + $0.replacing("'", with: "''") + "'" } ?? "NULL" }
    func flag(_ value: Bool?) -> String { value.map { "\($0)" } ?? "NULL" }
    var sql =
      "INSERT INTO call_logd_tenant SELECT unnest('{\(Set(logs.map(\.tenant.description)).joined(separator: ","))}'::uuid[]);"
    for log in logs {
      let time = "timestamptz '2000-01-01Z' + interval '\(log.date) microseconds'"
      sql += """
        INSERT INTO call_logd_call_log (id, date, date_answer, tenant_uuid, direction, blocked, reached_voicemail, source_exten, destination_exten, conversation_id)
        VALUES (\(log.id), \(time), \(log.isAnswered ? time : "NULL"), '\(log.tenant)', \(text(log.direction)), \(flag(log.blocked)), \(flag(log.voicemail)),
          \(text(log.from)), \(text(log.to)), \(text(log.conversation)));

        """
      for one in log.participants {
        sql += """
          INSERT INTO call_logd_call_log_participant (uuid, call_log_id, user_uuid, line_id, role, answered, requested, tags)
          VALUES ('\(one.uuid)', \(log.id), '\(one.user)', \(one.line.map(String.init) ?? "NULL"), '\(one.isSource ? "source" : "destination")',
            \(one.answered), \(one.requested), ARRAY[\(one.tags.map { text($0) }.joined(separator: ","))]::varchar[]);

          """
      }
    }
    try database.run(sql)
  }

  private static func database() throws -> TestDatabase {
    let database = try TestDatabase(.empty)
    try Migrator(database.admin).migrate(program: "tests")
    return database
  }

  private static func selection(_ random: inout Seeded) -> CallLogSelection {
    var selection = CallLogSelection()
    if random.oneIn(4) { selection.from = Int64.random(in: 0...20, using: &random) * 1_000_000 }
    if random.oneIn(4) { selection.to = Int64.random(in: 0...20, using: &random) * 1_000_000 }
    if random.oneIn(4) { selection.tenants = [uuid(100), uuid(Int.random(in: 100...102, using: &random))] }
    if random.oneIn(4) { selection.tags = ["sales", "pa,ris", "a\"b", "été"].filter { _ in random.oneIn(3) } }
    if random.oneIn(4) { selection.direction = [.inbound, .internal, .outbound].randomElement(using: &random) }
    if random.oneIn(2) { selection.statuses = Set(CallLogView.Status.allCases.filter { _ in !random.oneIn(3) }) }
    if random.oneIn(4) { selection.number = ["101", "_101", "101_", "_0_", "+33101", "7"].randomElement(using: &random) }
    if random.oneIn(4) { selection.users = (1...5).filter { _ in random.oneIn(3) }.map(uuid) }
    if random.oneIn(6) { selection.conversation = "1.1" }
    selection.isNewestFirst = random.oneIn(2)
    return selection
  }

  @Test(
    "any selection gives the call logs that the specification says, in order and whole, on pages of any size", arguments: 0..<4)
  func selections(round: Int) throws {
    var random = Seeded()
    let database = try ViewTests.database()
    let logs = ViewTests.make(80, &random)
    try ViewTests.store(logs, database)
    for _ in 0..<60 {
      let selection = ViewTests.selection(&random)
      let expected = logs.filter { $0.isIn(selection) }.sorted {
        let isBefore = ($0.date, $0.id) < ($1.date, $1.id)
        return selection.isNewestFirst ? !isBefore : isBefore
      }
      var found: [Int64] = []
      try database.admin.transaction(.readOnly, purpose: "Testing") {
        try CallLogTables.forEachPage(of: selection, size: Int.random(in: 1...90, using: &random), on: database.admin) { page in
          for view in page {
            found.append(view.id)
            let log = try #require(logs.first { $0.id == view.id })
            #expect(view.start == log.date && view.tenant == log.tenant && view.status == log.status, "\(random)")
            #expect(view.source?.user == log.source?.user && view.source?.line == log.source?.line, "\(random)")
            #expect(view.destination?.user == log.destination?.user, "\(random)")
            #expect(
              view.requestedUser == log.participants.filter(\.requested).min { ($0.user, $0.uuid) < ($1.user, $1.uuid) }?.user,
              "\(random)")
            let tags = Set(log.participants.flatMap(\.tags)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(view.tags.map(\.string) == tags, "\(random)")
            #expect(view.sourceExtension.optionalString == log.from && view.conversationID.optionalString == log.conversation)
          }
        }
        #expect(try CallLogTables.count(selection, on: database.admin) == expected.count, "\(random): \(selection)")
      }
      #expect(found == expected.map(\.id), "\(random): \(selection)")
    }
  }

  @Test(
    "recordings come by their beginning, destination details with them; the greatest number of recordings is that of the selection"
  )
  func parts() throws {
    let database = try ViewTests.database()
    var random = Seeded()
    var logs = ViewTests.make(3, &random)
    for index in logs.indices { logs[index].blocked = index == 2 }
    try ViewTests.store(logs, database)
    try database.run(
      """
      INSERT INTO call_logd_recording (uuid, start_time, end_time, path, call_log_id)
      SELECT gen_random_uuid(), timestamptz '2000-01-01 00:01Z' - n * interval '1 s', '2000-01-01 00:02Z', CASE n WHEN 1 THEN NULL ELSE 'x' END, l
      FROM (VALUES (1, 2), (3, 4)) counts (l, most), generate_series(1, most) n;
      INSERT INTO call_logd_call_log_destination (call_log_id, destination_details_key, destination_details_value)
      VALUES (1, 'type', 'group'), (1, 'group_id', '12'), (2, 'type', '');
      """)
    let arena = TextArena()
    let views = try CallLogTables.views(ofCallLogs: [3, 99, 1, 2], in: arena, on: database.admin)
    #expect(views.map(\.id) == [3, 1, 2])
    #expect(
      views[1].recordings.map(\.isDeleted) == [false, true] && views[1].recordings.map(\.start) == [58_000_000, 59_000_000])
    #expect(Set(views[1].destinationDetails.map { "\($0.key)=\($0.value)" }) == ["type=group", "group_id=12"])
    #expect(views[2].destinationDetails.map(\.value.isNull) == [false] && views[0].destinationDetails.isEmpty)
    var selection = CallLogSelection()
    #expect(try CallLogTables.greatestNumberOfRecordings(selection, on: database.admin) == 2)
    selection.statuses = Set(CallLogView.Status.allCases)
    #expect(try CallLogTables.greatestNumberOfRecordings(selection, on: database.admin) == 4)
    selection.to = 0
    #expect(try CallLogTables.greatestNumberOfRecordings(selection, on: database.admin) == 0)
    #expect(try CallLogTables.views(ofCallLogs: [], in: arena, on: database.admin).isEmpty)
  }
}
