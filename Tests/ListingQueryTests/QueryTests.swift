import CallLogs
import Listing
import PostgreSQL
import Store
import TestSupport
import Testing
import Values

@Suite("Lists of call logs")
struct QueryTests {
  private static func query(_ random: inout Seeded, _ count: Int32) -> CallLogQuery {
    let some = Made.tenants.filter { _ in random.oneIn(2) }
    var query = CallLogQuery(tenants: random.oneIn(5) ? .all : VisibleTenants(some) ?? VisibleTenants(Made.uuid(100)))
    var selection = CallLogSelection()
    if random.oneIn(5) { selection.tenants = Made.tenants.filter { _ in random.oneIn(2) } }
    if random.oneIn(2) { selection.statuses = Set(CallLogView.Status.allCases.filter { _ in !random.oneIn(3) }) }
    if random.oneIn(3) {
      let texts = ["ann", "ANN", "10", "+33", "%", "_", "a_b", "\\%", "\\_", "50%", "éCOLE", "\\\\", "zzz", "'; --", "n%e"]
      selection.search =
        random.oneIn(6)
        ? .callLog(Int32.random(in: 1...count, using: &random)) : .text(texts.randomElement(using: &random) ?? "")
    }
    if random.oneIn(5) { selection.isRecorded = random.oneIn(2) }
    if random.oneIn(5) { selection.firstID = Int32.random(in: 0...count, using: &random) }
    if random.oneIn(6) { selection.ids = (1...count).filter { _ in random.oneIn(2) } }
    if random.oneIn(6) { selection.requestedInternalExtension = ["101", "1015", "_101", "9"].randomElement(using: &random) }
    if random.oneIn(6) { selection.requestedInternalContext = ["inside", "INSIDE"].randomElement(using: &random) }
    if random.oneIn(4) { selection.participant = Made.users.randomElement(using: &random) }
    if random.oneIn(5) { selection.users = Made.users.filter { _ in random.oneIn(3) } }
    selection.isLatestOfPeer = random.oneIn(4)
    query.selection = selection
    query.order = CallLogOrder(
      by: CallLogOrder.Key.allCases.randomElement(using: &random) ?? .start, isAscending: random.oneIn(2))
    if random.oneIn(2) { query.limit = [0, 1, 3, 10, 1000, .max].randomElement(using: &random) }
    if random.oneIn(2) { query.offset = [0, 1, 5, 1000, .max].randomElement(using: &random) ?? 0 }
    return query
  }

  private static func page(_ logs: [Made], _ query: CallLogQuery) -> [Int32] {
    let left = logs.dropFirst(Int(clamping: query.offset))
    return left.prefix(query.limit.map { Int(clamping: $0) } ?? .max).map(\.id)
  }

  @Test(
    "any query gives the page that its filters and its order say, and the counts with and without them", arguments: 0..<4)
  func anyQuery(round: Int) throws {
    var random = Seeded()
    let database = try TestDatabase(.empty)
    let logs = Made.some(60, &random)
    try Made.store(logs, database)
    let latest = Made.latestOfPeers(logs)
    for _ in 0..<120 {
      let query = QueryTests.query(&random, 60)
      let expected = logs.filter { $0.isIn(query, latest: latest) }.sorted { Made.areInOrder($0, $1, query.order) }
      #expect(try CallLogTables.ids(of: query, on: database.admin) == QueryTests.page(expected, query), "\(random): \(query)")
      #expect(try CallLogTables.filteredCount(query, on: database.admin) == expected.count, "\(random): \(query)")
      let total = logs.filter { log in
        query.tenants.contains(log.tenant) && (query.selection.tenants.isEmpty || query.selection.tenants.contains(log.tenant))
          && (query.selection.participant.map { user in log.participants.contains { $0.user == user } } ?? true)
      }
      #expect(try CallLogTables.totalCount(query, on: database.admin) == total.count, "\(random): \(query)")
    }
  }

  @Test("pages follow each other without overlap or gap, whatever they are sorted by", arguments: CallLogOrder.Key.allCases)
  func pages(key: CallLogOrder.Key) throws {
    var random = Seeded()
    let database = try TestDatabase(.empty)
    try Made.store(Made.some(40, &random), database)
    for tenants in [
      VisibleTenants.all, VisibleTenants(Made.uuid(100)), VisibleTenants([Made.uuid(100), Made.uuid(101)]) ?? .all,
    ] {
      var query = CallLogQuery(tenants: tenants, order: CallLogOrder(by: key, isAscending: random.oneIn(2)))
      let all = try CallLogTables.ids(of: query, on: database.admin)
      var found: [Int32] = []
      query.limit = 7
      for page in 0..<8 {
        query.offset = Int64(page) * 7
        found += try CallLogTables.ids(of: query, on: database.admin)
      }
      #expect(found == all && Set(all).count == all.count, "\(random)")
    }
  }

  @Test("a long list comes in pieces, whole and in order, as the page does at once")
  func pieces() throws {
    var random = Seeded()
    let database = try TestDatabase(.empty)
    try Made.store(Made.some(50, &random), database)
    let query = CallLogQuery(tenants: VisibleTenants([Made.uuid(100), Made.uuid(101)]) ?? .all, limit: 23, offset: 2)
    let arena = TextArena()
    let whole = try CallLogTables.views(of: query, in: arena, on: database.admin).map(\.id)
    for size in [1, 7, 23, 100] {
      var found: [Int64] = []
      try database.admin.transaction(.readOnly, purpose: "Testing") {
        try CallLogTables.forEachPage(of: query, size: size, on: database.admin) { found += $0.map(\.id) }
      }
      #expect(found == whole, "\(random)")
    }
  }

  @Test("a call log is seen by its tenant and by who took part, blocked or not, and by nobody else")
  func one() throws {
    var random = Seeded()
    let database = try TestDatabase(.empty)
    let logs = Made.some(20, &random)
    try Made.store(logs, database)
    let arena = TextArena()
    for log in logs {
      for tenant in Made.tenants {
        let view = try CallLogTables.view(ofCallLog: log.id, tenants: VisibleTenants(tenant), in: arena, on: database.admin)
        #expect((view != nil) == (tenant == log.tenant), "\(random)")
      }
      #expect(try CallLogTables.view(ofCallLog: log.id, tenants: .all, in: arena, on: database.admin)?.status == log.status)
      for user in Made.users {
        let view = try CallLogTables.view(
          ofCallLog: log.id, tenants: .all, participant: user, in: arena, on: database.admin)
        #expect((view != nil) == log.participants.contains { $0.user == user }, "\(random)")
      }
    }
    #expect(try CallLogTables.view(ofCallLog: 999, tenants: .all, in: arena, on: database.admin) == nil)
  }

  @Test("tenants that are asked for, but not visible, give nothing, not everything")
  func invisible() throws {
    var random = Seeded()
    let database = try TestDatabase(.empty)
    try Made.store(Made.some(20, &random), database)
    var selection = CallLogSelection()
    selection.tenants = [Made.uuid(101)]
    let query = CallLogQuery(tenants: VisibleTenants(Made.uuid(100)), selection)
    #expect(try CallLogTables.ids(of: query, on: database.admin).isEmpty)
    #expect(try CallLogTables.filteredCount(query, on: database.admin) == 0)
    #expect(try CallLogTables.totalCount(query, on: database.admin) == 0)
  }

  @Test("a user who asks for the own calls sees no tags, in CSV an empty cell")
  func hiddenTags() throws {
    let (arena, tenant) = (TextArena(), Made.uuid(100))
    var view = CallLogView(id: 1, tenant: tenant, start: 0)
    view.add(tags: [arena.text("sales")])
    var (shown, hidden) = ([UInt8](), [UInt8]())
    view.appendJSON(to: &shown)
    view.hidesTags = true
    view.appendJSON(to: &hidden)
    #expect(String(decoding: shown, as: UTF8.self).contains(#""tags":["sales"],"#))
    #expect(
      String(decoding: hidden, as: UTF8.self) == String(decoding: shown, as: UTF8.self).replacing(#""tags":["sales"],"#, with: "")
    )
    var csv: [UInt8] = []
    CallLogCSV(recordings: 0).append(view, to: &csv)
    #expect(String(decoding: csv, as: UTF8.self).hasSuffix(",\r\n"))
  }
}

@Suite("Searches")
struct SearchTests {
  private static let uuid = "5b2f9c1e-0000-4000-8000-00000000000a"

  @Test(
    "a text that looks like a recording's file name asks for its call log, any other for itself",
    arguments: [
      ("2026-03-02T08_00_03UTC-17-\(uuid).wav", CallLogSearch.callLog(17)), ("x-17-\(uuid)", .callLog(17)),
      ("x-3-17-\(uuid)", .callLog(17)), ("x-17-\(uuid)-18-\(uuid).wav", .callLog(18)), ("x-017-\(uuid) and more", .callLog(17)),
      ("x-17-\(String(repeating: "z", count: 36))", .callLog(17)), ("x-2147483647-\(uuid)", .callLog(.max)),
      ("-17-\(uuid)", .text("-17-\(uuid)")), ("17-\(uuid)", .text("17-\(uuid)")),
      ("x-17-\(uuid.dropLast())", .text("x-17-\(uuid.dropLast())")),
      ("x-17-\(uuid.uppercased())", .text("x-17-\(uuid.uppercased())")), ("x--\(uuid)", .text("x--\(uuid)")),
      ("x-17-\(uuid)\n", .text("x-17-\(uuid)\n")), ("ann", .text("ann")), ("-", .text("-")),
    ])
  func meaning(text: String, search: CallLogSearch) throws {
    #expect(try CallLogSearch(text) == search)
  }

  @Test("an empty text asks for nothing, and an id that no call log has is a mistake")
  func edges() throws {
    #expect(try CallLogSearch("") == nil)
    #expect(throws: CallLogSearch.Mistake.idTooGreat) { try CallLogSearch("x-2147483648-\(Self.uuid)") }
    #expect(throws: CallLogSearch.Mistake.idTooGreat) { try CallLogSearch("x-\(String(repeating: "9", count: 90))-\(Self.uuid)") }
  }

  @Test("the name under which a recording is downloaded finds its call log")
  func fileNames() throws {
    var random = Seeded()
    for _ in 0..<100 {
      let id = Int32.random(in: 0...(.max), using: &random)
      let view = CallLogView(id: Int64(id), tenant: Made.uuid(1), start: 0)
      let recording = CallLogView.Recording(
        uuid: UUIDValue(high: random.next(), low: random.next()),
        start: Int64(Int32.random(in: .min ... .max, using: &random)) * 1000,
        end: 0, isDeleted: false)
      #expect(try CallLogSearch(view.fileName(of: recording)) == .callLog(id), "\(random)")
    }
  }
}
