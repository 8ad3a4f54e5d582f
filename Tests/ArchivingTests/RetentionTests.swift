import Archive
import Archiving
import CallLogs
import Foundation
import TestSupport
import Testing
import Values

@Suite("What is due, and what is kept")
struct RetentionTests {
  private let tenants = (1...4).map { "\($0)0000000-0000-4000-8000-000000000000" }

  /// Call logs of these ages in days, for each tenant.
  private func aged(_ ages: [Int]) throws -> (TestDatabase, Runner, ArchivePlace) {
    let (database, runner) = try wazo()
    try runner.backfill()
    for tenant in tenants {
      try database.run("INSERT INTO call_logd_tenant VALUES ('\(tenant)')")
      for age in ages {
        try database.run(
          "INSERT INTO call_logd_call_log (date, tenant_uuid) VALUES (now() - interval '\(age * 24) hours' - interval '1 minute', '\(tenant)')"
        )
      }
    }
    return (database, runner, try ArchivePlace())
  }

  /// Days of the oldest call log left, by tenant.
  private func left(_ database: TestDatabase) throws -> [String] {
    try database.rows(
      "coalesce(extract(epoch FROM now() - min(l.date))::int8 / 86400, -1) FROM call_logd_tenant t LEFT JOIN call_logd_call_log l ON l.tenant_uuid = t.uuid GROUP BY t.uuid ORDER BY t.uuid"
    )
  }

  @Test("the tenant's own days, then wazo-purge-db's where nothing else was stored, then the stored default")
  func precedence() throws {
    let (database, runner, place) = try aged([1, 9, 29, 99, 399])
    try database.run(
      "INSERT INTO call_logd_retention (tenant_uuid, cdr_days) VALUES ('\(tenants[0])', 10), ('\(tenants[1])', 0), ('\(tenants[2])', NULL)"
    )
    func run(_ days: Retention.Days) throws -> [Int] {
      try runner.dryPurge(runner.options(place, kinds: [.callLogs], .days(days))).map(\.deleted)
    }
    // 3 of the first tenant, 5 of the second, and of the two others what the rule gives.
    #expect(try run(.init()) == [3 + 5 + 2])
    #expect(try run(.init(commandLine: 30)) == [3 + 5 + 2 * 2])
    #expect(try run(.init(daysToKeep: 5)) == [3 + 5 + 2 * 4])
    #expect(try run(.init(commandLine: 30, daysToKeep: 5)) == [3 + 5 + 2 * 2])
    #expect(try run(.init(commandLine: 30, perPlugin: ["call-logs": 5, "cel": 1])) == [3 + 5 + 2 * 4])
    #expect(try run(.init(commandLine: 30, callLogs: 365)) == [3 + 5 + 2 * 2])
    #expect(try run(.init(commandLine: 30, callLogs: 5)) == [3 + 5 + 2 * 4])
    #expect(try run(.init(commandLine: 0)) == [3 + 5 + 2 * 5])
    // Somebody stored another default: it goes before -d.
    try database.run(
      "INSERT INTO call_logd_config (retention_cdr_days, retention_cdr_days_from_file, retention_export_days_from_file, retention_recording_days_from_file) VALUES (5, false, false, false)"
    )
    #expect(try run(.init(commandLine: 30)) == [3 + 5 + 2 * 4])
    try runner.purge(place, kinds: [.callLogs], .days(.init(commandLine: 30)))
    #expect(try left(database) == ["9", "-1", "1", "1"])
    let words = try place.manifests().flatMap(\.retention)
    #expect(words.contains { $0.contains("\(tenants[0]): 10 days (the tenant's own)") })
  }

  @Test("a date goes before all of that; a tenant restricts it")
  func before() throws {
    let (database, runner, place) = try aged([1, 9, 29])
    try database.run("INSERT INTO call_logd_retention (tenant_uuid, cdr_days) VALUES ('\(tenants[0])', 1000)")
    var options = runner.options(place, kinds: [.callLogs])
    options.tenant = UUIDValue(tenants[0])
    #expect(try runner.archiving(place).archive(options)[0].deleted == 3)
    #expect(try left(database) == ["-1", "29", "29", "29"])
    #expect(try place.manifests().allSatisfy { $0.tenants == [tenants[0]] })
  }

  @Test("CELs go by whole calls: one newer CEL keeps the call, and so does one that is not covered")
  func wholeCalls() throws {
    let calls = (1...3).map { "171498960\($0).\($0)" }
    let (database, runner) = try wazo(
      CELRow.call(calls[0]), CELRow.call(calls[1], at: 100), CELRow.call(calls[2], at: 200), CELRow.chat("1714989999.9", at: 300))
    let place = try ArchivePlace()
    // A channel of the first call goes on in the third.
    try database.run("UPDATE cel SET uniqueid = '\(calls[0])' WHERE linkedid = '\(calls[2])' AND eventtype = 'APP_START'")
    try runner.backfill()
    let time = try Int64(database.value("(extract(epoch FROM timestamptz '2024-05-06 10:01:50Z') * 1000000)::int8")) ?? 0
    let cutoff = Retention.before(time - 946_684_800_000_000)
    let first = try runner.purge(place, kinds: [.cel], cutoff, rows: 3)
    #expect(first[0].deleted == 10 && first[0].kept.young == 10)
    #expect(
      try database.rows("DISTINCT linkedid FROM cel WHERE channame NOT LIKE 'Message%' ORDER BY 1") == [calls[0], calls[2]])
    try database.insert(CELRow.call("1714980000.7", at: -500))
    let second = try runner.purge(place, kinds: [.cel], rows: 3)
    #expect(second[0].deleted == 24 && second[0].kept.uncovered == 10)
    // Three calls in three parts: none was cut. (Chats stand for themselves.)
    #expect(try place.manifests().map(\.rows).filter { $0 > 4 }.sorted() == [10, 20])
    try place.expectClean()
    try runner.backfill()
    #expect(try database.count("call_logd_call_log") == 3)
    try runner.purge(place, kinds: [.cel])
    #expect(try database.count("cel") == 0 && database.count("call_logd_open") == 0)
    #expect(try database.coverage() == "{[0,45)}")
  }

  @Test(
    "a plain Asterisk's table, times without a zone in a database with a zone of its own: archived, purged and restored the same")
  func plain() throws {
    let database = try TestDatabase(.plain)
    try database.run("ALTER DATABASE \(database.name) SET TimeZone = 'America/Montreal'")
    for (day, call) in (0..<4).map({ "171498960\($0).\($0)" }).enumerated() {
      try database.insert(CELRow.call(call, at: Double(day) * 86_400), plain: true)
    }
    let runner = Runner(database, table: "asterisk.cel")
    try runner.backfill()
    let all = "to_jsonb(c)::text FROM asterisk.cel c ORDER BY id"
    let before = try database.rows(all)
    let place = try ArchivePlace()
    // 2024-05-08 12:00 UTC: 10:00 in Montreal is 14:00 UTC, so that two calls are due.
    let cutoff = Retention.before((1_715_169_600 - 946_684_800) * 1_000_000)
    try runner.archiving(place).archive(runner.options(place, deletes: false, kinds: [.cel], cutoff, rows: 10))
    let told = try runner.dryPurge(runner.options(place, kinds: [.cel], cutoff, rows: 10))
    let done = try runner.purge(place, kinds: [.cel], cutoff, rows: 10)
    #expect(told.map(\.deleted) == [20] && done.map(\.deleted) == [20] && done[0].found == 20)
    try runner.restore(place, kinds: [.cel]) { $0.filter.to = (1_715_083_200 - 946_684_800) * 1_000_000 }
    #expect(try database.count("asterisk.cel") == 30)
    try runner.restore(place, kinds: [.cel])
    #expect(try database.rows(all) == before)
  }

  @Test("purged call logs are not made again; their CELs stay covered")
  func notMadeAgain() throws {
    let (database, runner) = try wazo(CELRow.call("1714989600.1"), CELRow.call("1714989700.2", at: 100))
    try runner.backfill()
    let coverage = try database.coverage()
    try runner.purge(ArchivePlace(), kinds: [.callLogs])
    #expect(try database.coverage() == coverage)
    try runner.generate()
    try runner.backfill()
    #expect(try database.count("call_logd_call_log") == 0 && database.count("cel WHERE call_log_id IS NOT NULL") == 20)
  }
}
