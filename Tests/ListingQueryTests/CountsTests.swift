import CallLogs
import PostgreSQL
import Store
import TestSupport
import Testing
import Values

@testable import Listing

@Suite("Numbers of call logs from the counts by hour")
struct CountsTests {
  @Test("are those of the table, for any tenants, dates, direction and status, before and after the changes are added up")
  func sameNumber() throws {
    var random = Seeded()
    let database = try TestDatabase(.empty)
    try Made.store(Made.some(80, &random), database)
    // Some before 2000, where dates are negative numbers.
    try database.run(
      """
      UPDATE call_logd_call_log SET direction = (ARRAY['inbound', 'internal', 'outbound', NULL])[id % 4 + 1],
        date = date - interval '4 h' + id * interval '7 min';
      """)
    try CallLogCounts.make(on: database.admin)
    let hour = CallLogCounts.hour
    var taken = 0
    for round in 0..<300 {
      if round == 100 {
        try database.run(
          """
          UPDATE call_logd_call_log SET date = date + interval '31 min' WHERE id % 3 = 0;
          DELETE FROM call_logd_call_log WHERE id = 5;
          """)
      }
      if round == 200 { try CallLogCounts.fold(on: database.admin) }
      var selection = CallLogSelection()
      // Half of them at the start or in the middle of an hour.
      func time() -> Int64 { Int64(random.below(30) - 6) * hour / 2 + (random.oneIn(2) ? 0 : Int64(random.below(1_000_000_000))) }
      if random.oneIn(2) { selection.from = time() }
      if random.oneIn(2) { selection.to = time() }
      if random.oneIn(9) { selection.from = random.pick([.min, .max]) }
      if random.oneIn(2) { selection.direction = random.pick([.inbound, .internal]) }
      if random.oneIn(2) { selection.statuses = Set(CallLogView.Status.allCases.filter { _ in !random.oneIn(3) }) }
      if random.oneIn(3) { selection.tenants = Made.tenants.filter { _ in random.oneIn(2) } }
      let expected = try CallLogTables.count(selection, on: database.admin)
      if let number = try CallLogCounts.number(of: selection, on: database.admin) {
        taken += 1
        #expect(number == expected, "\(random): \(selection)")
      }
    }
    #expect(taken > 150)
  }

  @Test("are not asked for a filter that they do not know, nor where nobody keeps them")
  func otherFilters() throws {
    var random = Seeded()
    let database = try TestDatabase(.empty)
    try Made.store(Made.some(10, &random), database)
    #expect(try CallLogCounts.number(of: CallLogSelection(), on: database.admin) == nil)
    #expect(try CallLogCounts.hours(tenants: .all, on: database.admin) == nil)
    try CallLogCounts.make(on: database.admin)
    #expect(try CallLogCounts.number(of: CallLogSelection(), on: database.admin) != nil)
    let others: [(inout CallLogSelection) -> Void] = [
      { $0.search = .text("ann") }, { $0.number = "1" }, { $0.caller = "1" }, { $0.callee = "1" }, { $0.tags = ["a"] },
      { $0.users = Made.users }, { $0.conversation = "1.1" }, { $0.isRecorded = false }, { $0.firstID = 0 }, { $0.ids = [1] },
      { $0.requestedInternalExtension = "1" }, { $0.requestedInternalContext = "a" }, { $0.participant = Made.uuid(1) },
      { $0.isLatestOfPeer = true }, { $0.before = CallLogSelection.Place(start: 1, id: 1) },
      { $0.after = CallLogSelection.Place(start: 1, id: 1) },
    ]
    for change in others {
      var selection = CallLogSelection()
      change(&selection)
      #expect(try CallLogCounts.number(of: selection, on: database.admin) == nil, "\(selection)")
    }
  }

  @Test("by hour, direction and status add up to all, within whole hours")
  func hours() throws {
    var random = Seeded()
    let database = try TestDatabase(.empty)
    try Made.store(Made.some(60, &random), database)
    try database.run(
      """
      UPDATE call_logd_call_log SET direction = 'inbound' WHERE id % 2 = 0;
      UPDATE call_logd_call_log SET date = date + id * interval '10 min';
      """)
    try CallLogCounts.make(on: database.admin)
    let hours = try #require(try CallLogCounts.hours(tenants: .all, on: database.admin))
    let directions: [Direction?] = [.inbound, .internal, .outbound, nil]
    let all = hours.reduce(0) { sum, hour in
      sum + directions.reduce(0) { sum, direction in sum + CallLogView.Status.allCases.reduce(0) { $0 + hour[direction, $1] } }
    }
    #expect(all == 60 && hours.map(\.start) == hours.map(\.start).sorted())
    #expect(hours.allSatisfy { $0.start % CallLogCounts.hour == 0 })
    let hour = CallLogCounts.hour
    let part = try #require(try CallLogCounts.hours(tenants: .all, from: hour, to: 3 * hour, on: database.admin))
    #expect(part == hours.filter { $0.start >= hour && $0.start < 3 * hour })
    var selection = CallLogSelection()
    (selection.direction, selection.statuses, selection.from, selection.to) = (.inbound, [.answered], hour, 3 * hour)
    #expect(try CallLogTables.count(selection, on: database.admin) == part.reduce(0) { $0 + $1[.inbound, .answered] })
  }
}
