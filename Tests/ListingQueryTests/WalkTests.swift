import CallLogs
import PostgreSQL
import Store
import TestSupport
import Testing
import Values

@testable import Listing

@Suite("Pages that are looked for in parts")
struct WalkTests {
  /// Call logs of four tenants, some at the same microsecond, with names, numbers, users, tags and
  /// recordings.
  private static func database(_ count: Int32, _ random: inout Seeded) throws -> TestDatabase {
    let database = try TestDatabase(.empty)
    try Made.store(Made.some(count, &random), database)
    try database.run(
      """
      UPDATE call_logd_call_log SET direction = (ARRAY['inbound', 'internal', 'outbound', NULL])[id % 4 + 1];
      UPDATE call_logd_call_log_participant SET tags = CASE call_log_id % 5 WHEN 0 THEN '{}' WHEN 1 THEN '{sales,night}'
        WHEN 2 THEN '{night}' ELSE '{sales}' END::varchar[];
      """)
    return database
  }

  private static func query(_ random: inout Seeded) -> CallLogQuery {
    var selection = CallLogSelection()
    if random.oneIn(3) { selection.tenants = Made.tenants.filter { _ in random.oneIn(2) } }
    if random.oneIn(3) { selection.statuses = Set(CallLogView.Status.allCases.filter { _ in !random.oneIn(3) }) }
    let texts = ["ann", "10", "%", "_", "50%", "annabel", "a_b", "\\", "b\\", "3310"]
    if random.oneIn(3) { selection.search = .text(random.pick(texts)) }
    if random.oneIn(3) { selection.number = random.pick(["101", "_101", "101_", "_10_", "33101", "10_"]) }
    if random.oneIn(5) { selection.caller = random.pick(["+33101", "_101", "101"]) }
    if random.oneIn(5) { selection.callee = random.pick(["103", "_03", "1_", "103_"]) }
    if random.oneIn(4) { selection.tags = random.pick([["sales"], ["night", "sales"], ["nobody"]]) }
    if random.oneIn(4) { selection.participant = random.pick(Made.users) }
    if random.oneIn(4) { selection.users = Made.users.filter { _ in random.oneIn(3) } }
    if random.oneIn(4) { selection.isRecorded = random.oneIn(2) }
    if random.oneIn(4) { selection.direction = random.pick([.inbound, .outbound]) }
    if random.oneIn(4) { selection.from = Int64(random.below(31)) * 1_000_000 }
    if random.oneIn(4) { selection.to = Int64(random.below(31)) * 1_000_000 + 1 }
    let tenants = random.oneIn(3) ? nil : VisibleTenants(Made.tenants.filter { _ in random.oneIn(2) })
    var query = CallLogQuery(
      tenants: tenants ?? .all, selection, order: CallLogOrder(by: .start, isAscending: random.oneIn(3)),
      limit: Int64(random.pick([1, 3, 10, 1000])), offset: Int64(random.pick([0, 0, 2, 50])))
    if random.oneIn(3) {
      let place = CallLogSelection.Place(start: Int64(random.below(31)) * 1_000_000, id: Int32(random.below(120)))
      query = query.behind(place)
    }
    return query
  }

  @Test(
    "a page that is looked for in parts, or by an index, is the page of the plain statement", arguments: [false, true],
    0..<2)
  func samePage(hasIndexes: Bool, round: Int) throws {
    var random = Seeded()
    let database = try WalkTests.database(120, &random)
    if hasIndexes { _ = try Migrator(database.admin).makeSearchIndexes() }
    var walked = 0
    for _ in 0..<250 {
      let query = WalkTests.query(&random)
      let steps = CallLogWalk.Steps(
        first: random.pick([1, 5, 20]), growth: random.pick([2, 8]), longest: random.pick([20, 1000]))
      let plain = try query.plainIDs(on: database.admin)
      #expect(try CallLogTables.ids(of: query, on: database.admin) == plain, "\(random): \(query)")
      guard var walk = CallLogWalk(query, steps: steps, on: database.admin) else { continue }
      walked += 1
      #expect(
        try walk.run(most: nil) == CallLogPage(ids: plain, continuation: nil), "\(random): \(query), \(steps)")
    }
    #expect(walked > 100)
  }

  @Test("short pages go on from where they ended, and give the whole list in its order", arguments: 0..<2)
  func shortPages(round: Int) throws {
    var random = Seeded()
    let database = try WalkTests.database(120, &random)
    var goneOn = 0
    for _ in 0..<40 {
      var query = WalkTests.query(&random)
      (query.limit, query.offset) = (4, 0)
      var all = query
      all.limit = nil
      let expected = try all.plainIDs(on: database.admin)
      var found: [Int32] = []
      for _ in 0..<400 {
        guard var walk = CallLogWalk(query, steps: CallLogWalk.Steps(first: 7), on: database.admin) else { break }
        let page = try walk.run(most: 7)
        found += page.ids
        if let place = page.continuation {
          goneOn += 1
          query = query.behind(place)
        } else if page.ids.count == 4, let last = page.ids.last {
          let start = try database.admin.query(
            "SELECT date FROM call_logd_call_log WHERE id = $1", [.int4(last)], purpose: "Testing")
          query = query.behind(CallLogSelection.Place(start: start.timestamp(0, 0) ?? 0, id: last))
        } else {
          #expect(found == expected, "\(random): \(query)")
          break
        }
      }
    }
    #expect(goneOn > 20)
  }

  @Test("counts are those of the plain statement, with search indexes and without", arguments: [false, true])
  func counts(hasIndexes: Bool) throws {
    var random = Seeded()
    let database = try WalkTests.database(120, &random)
    if hasIndexes { _ = try Migrator(database.admin).makeSearchIndexes() }
    for _ in 0..<150 {
      let query = WalkTests.query(&random)
      let expected = try query.visibleSelection.map { try CallLogTables.count($0, on: database.admin) } ?? 0
      #expect(try CallLogTables.filteredCount(query, on: database.admin) == expected, "\(random): \(query)")
      let bounded = try CallLogTables.boundedCount(query, upTo: 5, on: database.admin)
      #expect(bounded.number == min(expected, 5) && bounded.isBounded == (expected > 5), "\(random): \(query)")
    }
  }

  @Test(
    "a search without three letters or digits in a row never asks the index",
    arguments: [("ab", false), ("a_bc", false), ("12", false), ("abc", true), ("a-bcd", true), ("\\%ab", false), ("été", false)])
  func shortSearches(text: String, takesIndex: Bool) {
    var selection = CallLogSelection()
    selection.search = .text(text)
    #expect(selection.indexPatterns.isEmpty != takesIndex)
    selection = CallLogSelection()
    selection.number = "_12"
    #expect(selection.indexPatterns.isEmpty)
    selection.number = "_123"
    #expect(!selection.indexPatterns.isEmpty)
  }
}
