import CallLogs
import Foundation
import PostgreSQL
import Store
import TestSupport
import Testing
import Values

@testable import Listing

@Suite("Statistics of call logs")
struct StatisticsTests {
  /// Times around changes of clocks, with the zone whose clocks they are.
  private static let changes: [(zone: String, day: String, days: Int)] = [
    ("Europe/Paris", "2024-03-29", 4), ("Europe/Paris", "2024-10-25", 4), ("America/New_York", "2024-11-01", 5),
    // Half an hour; a midnight that is skipped; one that comes twice; a day that is skipped.
    ("Australia/Lord_Howe", "2024-04-05", 3), ("America/Sao_Paulo", "2018-11-02", 4), ("America/St_Johns", "2006-10-27", 4),
    ("Pacific/Apia", "2011-12-27", 6), ("Asia/Kolkata", "2024-12-30", 4), ("UTC", "2024-02-27", 4),
    ("Europe/Paris", "2023-02-01", 700), ("America/New_York", "2015-06-01", 3300),
  ]

  private static func time(_ day: String) -> Timestamp {
    let parts = day.split(separator: "-").compactMap { Int64($0) }
    let date = CivilDate(year: parts[0], month: parts[1], day: parts[2])
    return ((date?.daysSince1970 ?? 0) * 86_400 - 946_684_800) * 1_000_000
  }

  private static func date(_ time: Timestamp) -> Date {
    Date(timeIntervalSinceReferenceDate: Double(time.floorDivided(by: 1_000_000)) - 31_622_400)
  }

  private static func store(_ count: Int, from start: Timestamp, days: Int, _ database: TestDatabase, _ random: inout Seeded)
    throws
  {
    try Migrator(database.admin).migrate(program: "tests")
    var sql = "INSERT INTO call_logd_tenant SELECT unnest('{\(Made.tenants.map(\.description).joined(separator: ","))}'::uuid[]);"
    func text(_ values: [String?]) -> String { random.pick(values).map { "'\($0)'" } ?? "NULL" }
    for id in 1...count {
      // Often a whole hour, or the last instant before one.
      let hour = Int64(random.below(days * 24)) * 3_600_000_000
      let within = random.pick([0, -1, 1_800_000_000, Int64(random.below(3_600_000_000))])
      let date = "timestamptz '2000-01-01Z' + interval '\(start + hour + within) microseconds'"
      let answer = random.oneIn(3) ? "NULL" : "\(date) + interval '\(random.below(9_000_000)) microseconds'"
      let end = random.oneIn(5) ? "NULL" : "\(date) + interval '\(random.below(90_000_000)) microseconds'"
      sql += """
        INSERT INTO call_logd_call_log (id, date, date_answer, date_end, tenant_uuid, direction, blocked, reached_voicemail,
          source_name, source_exten, destination_name, destination_exten)
        VALUES (\(id), \(date), \(answer), \(end), '\(random.pick(Made.tenants))',
          \(text([nil, "internal", "inbound", "outbound"])), \(random.pick(["NULL", "false", "false", "true"])),
          \(random.pick(["NULL", "false", "true"])), \(text([nil, "Ann", "École", "ann"])), \(text([nil, "", "101", "102", "+33101"])),
          \(text([nil, "Bob"])), \(text([nil, "101", "*98"])));

        """
      if random.oneIn(3) {
        sql += """
          INSERT INTO call_logd_call_log_participant (call_log_id, user_uuid, role, tags)
          VALUES (\(id), '\(random.pick(Made.users))', '\(random.pick(["source", "destination"]))', '{sales}');

          """
      }
    }
    try database.run(sql)
  }

  private static func query(from start: Timestamp, days: Int, _ random: inout Seeded) -> CallLogQuery {
    var selection = CallLogSelection()
    func time() -> Timestamp {
      start + Int64(random.below(days * 24 + 1)) * 3_600_000_000
        + random.pick([0, 0, 900_000_000, Int64(random.below(3_600_000_000))])
    }
    if random.oneIn(2) { selection.from = time() }
    if random.oneIn(2) { selection.to = time() }
    if random.oneIn(3) { selection.tenants = Made.tenants.filter { _ in random.oneIn(2) } }
    if random.oneIn(2) { selection.statuses = Set(CallLogView.Status.allCases.filter { _ in !random.oneIn(3) }) }
    if random.oneIn(4) { selection.direction = random.pick([.internal, .inbound, .outbound]) }
    if random.oneIn(5) { selection.number = random.pick(["_101", "101", "9"]) }
    if random.oneIn(6) { selection.caller = "101" }
    if random.oneIn(6) { selection.search = .text("ann") }
    if random.oneIn(6) { selection.tags = ["sales"] }
    if random.oneIn(6) { selection.participant = random.pick(Made.users) }
    if random.oneIn(6) { selection.isLatestOfPeer = true }
    let some = Made.tenants.filter { _ in random.oneIn(2) }
    return CallLogQuery(tenants: random.oneIn(3) ? .all : VisibleTenants(some) ?? VisibleTenants(Made.uuid(100)), selection)
  }

  /// What the list says of a call log.
  private struct Listed {
    var start: Timestamp
    var status: CallLogView.Status
    var talk: Int64
    var caller, callerName, callee: String
  }

  private static func list(_ query: CallLogQuery, _ connection: Connection) throws -> [Listed] {
    let arena = TextArena()
    return try withExtendedLifetime(arena) {
      try CallLogTables.views(of: query, in: arena, on: connection).map {
        Listed(
          start: $0.start, status: $0.status, talk: $0.status == .answered ? $0.talk ?? 0 : 0, caller: $0.sourceExtension.string,
          callerName: $0.sourceName.string, callee: $0.destinationExtension.string)
      }
    }
  }

  private static func sums(_ logs: some Sequence<Listed>, hasTalk: Bool) -> CallLogStatistics.Sums {
    var sums = CallLogStatistics.Sums()
    if hasTalk { sums.talk = 0 }
    for log in logs {
      switch log.status {
      case .answered: sums.answered += 1
      case .unknown: sums.unknown += 1
      case .voicemail: sums.voicemail += 1
      case .blocked: sums.blocked += 1
      }
      if hasTalk { sums.talk = (sums.talk ?? 0) + log.talk }
    }
    return sums
  }

  /// Counts of the tables themselves, in the form of counts that something keeps.
  private static let hourly = HourlyCounts { direction in
    let columns = CallLogView.Status.allCases.map {
      "count(*) FILTER (WHERE \(CallLogSelection.status) = '\($0.rawValue)') AS \($0.rawValue)"
    }
    return """
      SELECT l.tenant_uuid, date_trunc('hour', l.date, 'UTC') AS hour, \(columns.joined(separator: ", "))
      FROM call_logd_call_log l WHERE \(direction.map { "l.direction = '\($0.rawValue)'" } ?? "true") GROUP BY 1, 2
      """
  }

  @Test(
    "periods, hours of the week and talk are those of the list's call logs, whatever the filter and the zone", arguments: 0..<11)
  func anyQuery(change: Int) throws {
    var random = Seeded("statistics \(change)")
    let seed = random
    let (name, day, days) = StatisticsTests.changes[change]
    let start = StatisticsTests.time(day)
    let database = try TestDatabase(.empty)
    try StatisticsTests.store(150, from: start, days: days, database, &random)
    // Some of the call logs are written while the counts are kept.
    if random.oneIn(2) {
      try CallLogCounts.make(on: database.admin)
      try database.run(
        "UPDATE call_logd_call_log SET blocked = true WHERE id % 7 = 0; DELETE FROM call_logd_call_log WHERE id % 11 = 0")
      if random.oneIn(2) { try CallLogCounts.fold(on: database.admin) }
    }
    let zone = try #require(CallLogStatistics.Zone(named: name))
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(identifier: name))
    var seen = 0
    for _ in 0..<40 {
      let query = StatisticsTests.query(from: start, days: days, &random)
      let units = CallLogStatistics.Unit.allCases.filter { $0 != .hour || days < 9 }
      let hasTalk = random.oneIn(2)
      var question = CallLogStatistics.Question(
        by: random.oneIn(4) ? nil : random.pick(units), zone: zone, parts: [hasTalk ? .talk : .calls],
        now: start + Int64(random.below(days)) * 86_400_000_000)
      question.most = 4000
      let listed = try StatisticsTests.list(query, database.admin)
      let counts = random.pick([nil, StatisticsTests.hourly, .kept])
      let calls = try #require(
        try CallLogStatistics.read(query, question, counts: counts, on: database.admin).calls, "\(seed)")
      seen += listed.count
      #expect(calls.whole == StatisticsTests.sums(listed, hasTalk: hasTalk), "\(seed) \(query)")
      #expect(listed.isEmpty || !calls.periods.isEmpty, "\(seed) \(query)")
      for period in calls.periods {
        let own = listed.filter { period.start <= $0.start && $0.start < period.end }
        #expect(period.sums == StatisticsTests.sums(own, hasTalk: hasTalk), "\(seed) \(query) \(zone.text(period.start))")
      }
      for (weekday, hours) in calls.hours.enumerated() {
        for (hour, sums) in hours.enumerated() {
          let own = listed.filter {
            let parts = calendar.dateComponents([.weekday, .hour], from: StatisticsTests.date($0.start))
            return parts.hour == hour && ((parts.weekday ?? 0) + 5) % 7 == weekday
          }
          #expect(sums == StatisticsTests.sums(own, hasTalk: false), "\(seed) \(query) \(weekday) \(hour)")
        }
      }
      // Without gap and overlap, from before the time to behind it.
      for (one, next) in zip(calls.periods, calls.periods.dropFirst()) { #expect(one.end == next.start, "\(seed)") }
      if let range = calls.range, !range.isEmpty, let first = calls.periods.first, let last = calls.periods.last {
        #expect(first.start <= range.lowerBound && range.lowerBound < first.end, "\(seed) \(query)")
        #expect(last.start < range.upperBound && range.upperBound <= last.end, "\(seed) \(query)")
      }
    }
    #expect(seen > 100, "\(seed)")
  }

  @Test("a period begins where the calendar's next one does", arguments: 0..<11)
  func calendar(change: Int) throws {
    let (name, day, days) = StatisticsTests.changes[change]
    let zone = try #require(CallLogStatistics.Zone(named: name))
    var calendar = Calendar(identifier: .iso8601)
    calendar.timeZone = try #require(TimeZone(identifier: name))
    let start = StatisticsTests.time(day)
    let parts: [CallLogStatistics.Unit: Set<Calendar.Component>] = [
      .hour: [.year, .month, .day, .hour], .day: [.year, .month, .day], .week: [.yearForWeekOfYear, .weekOfYear],
      .month: [.year, .month], .year: [.year],
    ]
    for (unit, components) in parts where unit != .hour || days < 9 {
      let bounds = try #require(
        zone.bounds(of: start..<start + Int64(days) * 86_400_000_000, by: unit, most: 10_000))
      func name(_ time: Timestamp) -> DateComponents { calendar.dateComponents(components, from: StatisticsTests.date(time)) }
      // Where clocks go back by less than an hour, or over midnight, some names come twice.
      let repeats = unit == .hour && zone.name == "Australia/Lord_Howe" || zone.name == "America/St_Johns"
      for (one, next) in zip(bounds, bounds.dropFirst()) where !repeats {
        #expect(name(one) == name(next - 1), "\(unit) \(zone.text(one)) \(zone.text(next))")
        let isSameHour = unit == .hour && zone.text(one).prefix(13) == zone.text(next).prefix(13)
        #expect(isSameHour || name(one) != name(next), "\(unit) \(zone.text(one)) \(zone.text(next))")
      }
    }
  }

  @Test("days at changes of clocks have 23 and 25 hours")
  func lengths() throws {
    let zone = try #require(CallLogStatistics.Zone(named: "Europe/Paris"))
    for (day, hours) in [("2024-03-31", 23), ("2024-10-27", 25), ("2024-06-01", 24)] {
      let noon = StatisticsTests.time(day) + 43_200_000_000
      let bounds = try #require(zone.bounds(of: noon..<noon + 1, by: .day, most: 2))
      #expect(bounds.count == 2 && bounds[1] - bounds[0] == Int64(hours) * 3_600_000_000, "\(day)")
      #expect(zone.bounds(of: bounds[0]..<bounds[1], by: .hour, most: 30)?.count == hours + 1, "\(day)")
    }
    #expect(zone.text(StatisticsTests.time("2024-10-27") + 1_500_000) == "2024-10-27T02:00:01.500000+02:00")
  }

  @Test("the numbers with most calls are those of the list's call logs, each with a name that one of them has")
  func top() throws {
    var random = Seeded()
    let start = StatisticsTests.time("2024-03-29")
    let database = try TestDatabase(.empty)
    try StatisticsTests.store(150, from: start, days: 4, database, &random)
    for _ in 0..<40 {
      let query = StatisticsTests.query(from: start, days: 4, &random)
      let count = random.below(7)
      let question = CallLogStatistics.Question(zone: .utc, parts: [.top], top: count, now: start)
      let statistics = try CallLogStatistics.read(query, question, on: database.admin)
      let top = try #require(statistics.top)
      let listed = try StatisticsTests.list(query, database.admin)
      func expected(_ key: (Listed) -> String) -> [String] {
        let groups = Dictionary(grouping: listed, by: key)
        let order = groups.keys.sorted {
          let (one, other) = (groups[$0]?.count ?? 0, groups[$1]?.count ?? 0)
          return one != other ? one > other : $0.utf8.lexicographicallyPrecedes($1.utf8)
        }
        return order.prefix(count).map { number in
          let own = groups[number] ?? []
          return "\(number) \(own.count) \(own.count { $0.status == .answered })"
        }
      }
      #expect(statistics.calls == nil)
      #expect(top.callers.map { "\($0.number) \($0.total) \($0.answered)" } == expected(\.caller), "\(random) \(query)")
      #expect(top.callees.map { "\($0.number) \($0.total) \($0.answered)" } == expected(\.callee), "\(random) \(query)")
      for party in top.callers {
        let names = Set(listed.filter { $0.caller == party.number }.map(\.callerName))
        #expect(names.contains(party.name), "\(random) \(query)")
      }
    }
  }

  @Test("counts that something keeps serve filters of tenants, times, direction and status, and no others")
  func keptCounts() throws {
    var random = Seeded()
    let start = StatisticsTests.time("2024-03-29")
    let database = try TestDatabase(.empty)
    try StatisticsTests.store(30, from: start, days: 4, database, &random)
    let mark: Int64 = 1_000_000
    func counts(_ areComplete: Bool) -> HourlyCounts {
      HourlyCounts(
        relation: { _ in
          "SELECT '\(Made.tenants[0])'::uuid AS tenant_uuid, '2024-03-30Z'::timestamptz AS hour, \(mark)::int8 AS answered, 0::int8 AS unknown, 0::int8 AS voicemail, 0::int8 AS blocked"
        }, areComplete: { _ in areComplete })
    }
    func areUsed(
      _ zone: String = "Europe/Paris", complete: Bool = true, parts: Set<CallLogStatistics.Part> = [.calls],
      _ edit: (inout CallLogSelection) -> Void = { _ in }
    ) throws -> Bool {
      var query = CallLogQuery(tenants: VisibleTenants(Made.tenants[0]))
      // Without a start, a filter that no call log fits has no time to count in.
      query.selection.from = start
      edit(&query.selection)
      let question = CallLogStatistics.Question(
        zone: try #require(CallLogStatistics.Zone(named: zone)), parts: parts, now: start + 4 * 86_400_000_000)
      let read = try CallLogStatistics.read(query, question, counts: counts(complete), on: database.admin)
      return (read.calls?.whole.answered ?? 0) >= mark
    }
    #expect(try areUsed())
    #expect(try areUsed { ($0.from, $0.to) = (start + 17, start + 3 * 86_400_000_000 + 5) })
    #expect(try areUsed { ($0.direction, $0.statuses) = (.inbound, [.answered]) })
    #expect(try !areUsed { $0.statuses = [.unknown] })
    // Talk comes along only where call logs are read.
    var question = CallLogStatistics.Question(zone: .utc, parts: [.calls], now: start + 4 * 86_400_000_000)
    question.takesTalk = true
    var query = CallLogQuery(tenants: VisibleTenants(Made.tenants[0]))
    query.selection.from = start
    #expect(try CallLogStatistics.read(query, question, counts: counts(true), on: database.admin).calls?.whole.talk == nil)
    #expect(try CallLogStatistics.read(query, question, counts: counts(false), on: database.admin).calls?.whole.talk != nil)
    #expect(try !areUsed(complete: false) && !areUsed(parts: [.talk]) && !areUsed("Asia/Kolkata"))
    let edits: [(inout CallLogSelection) -> Void] = [
      { $0.number = "1_" }, { $0.caller = "1" }, { $0.callee = "1" }, { $0.tags = ["a"] }, { $0.search = .text("a") },
      { $0.users = [Made.users[0]] }, { $0.participant = Made.users[0] }, { $0.conversation = "1.1" }, { $0.isRecorded = false },
      { $0.firstID = 1 }, { $0.ids = [1] }, { $0.isLatestOfPeer = true }, { $0.requestedInternalContext = "a" },
      { $0.requestedInternalExtension = "a" },
      {
        $0.from = start + 86_400_000_001; $0.to = start + 86_400_000_009
      },
    ]
    for (place, edit) in edits.enumerated() { #expect(try !areUsed("Europe/Paris", edit), "\(place)") }
  }

  @Test("a time with too many periods is refused, and by itself the length of a period fits any time")
  func bounded() throws {
    let database = try TestDatabase(.empty)
    try Migrator(database.admin).migrate(program: "tests")
    let tenant = Made.uuid(100)
    let start = StatisticsTests.time("1970-01-01")
    func read(_ by: CallLogStatistics.Unit?, days: Int64) throws -> CallLogStatistics.Calls? {
      var query = CallLogQuery(tenants: VisibleTenants(tenant))
      (query.selection.from, query.selection.to) = (start, start + days * 86_400_000_000)
      let question = CallLogStatistics.Question(by: by, zone: .utc, parts: [.calls], now: start)
      return try CallLogStatistics.read(query, question, on: database.admin).calls
    }
    #expect(throws: CallLogStatistics.TooManyPeriods(by: .hour, most: 400)) { try read(.hour, days: 17) }
    #expect(throws: CallLogStatistics.TooManyPeriods(by: .day, most: 400)) { try read(.day, days: 401) }
    #expect(try read(.day, days: 400)?.periods.count == 400)
    for days: Int64 in [0, 1, 3, 4, 100, 101, 730, 731, 10_950, 10_951, 140_000] {
      let calls = try #require(try read(nil, days: days))
      #expect(days == 0 ? calls.periods.isEmpty : (1...400).contains(calls.periods.count), "\(days)")
    }
    // No calls and no start: there is nothing to draw.
    let nothing = try CallLogStatistics.read(
      CallLogQuery(tenants: .all), CallLogStatistics.Question(zone: .utc, now: start), on: database.admin)
    #expect(nothing.calls?.range == nil && nothing.calls?.periods.isEmpty == true && nothing.top?.callers.isEmpty == true)
    // A date without end is one of the calls all the same.
    try database.run(
      """
      INSERT INTO call_logd_tenant VALUES ('\(tenant)');
      INSERT INTO call_logd_call_log (date, tenant_uuid) VALUES ('2024-01-01Z', '\(tenant)'), ('infinity', '\(tenant)');
      """)
    #expect(throws: CallLogStatistics.TooManyPeriods.self) {
      try CallLogStatistics.read(
        CallLogQuery(tenants: .all), CallLogStatistics.Question(zone: .utc, now: start), on: database.admin)
    }
    var query = CallLogQuery(tenants: .all)
    query.selection.from = StatisticsTests.time("9990-01-01")
    try CallLogCounts.make(on: database.admin)
    for counts in [nil, HourlyCounts.kept] {
      let question = CallLogStatistics.Question(zone: .utc, parts: [.calls], now: start)
      let far = try CallLogStatistics.read(query, question, counts: counts, on: database.admin)
      #expect(far.calls?.whole.total == 1 && far.calls?.periods.map(\.sums.total).reduce(0, +) == 1)
    }
  }
}
