import Archive
import Foundation
import PostgreSQL
import TestSupport
import Testing

@Suite("Archives hold what was in the tables")
struct ArchiveRoundTripTests {
  private static let texts: [String?] = [
    nil, "", " ", "NULL", "\\N", "\\.", "a,b", "\"", "\"\"", "say \"hi\"", "line\nfeed", "carriage\rreturn", "both\r\n", "\r\n",
    "\t",
    "tab\tand, comma", "📞 ☎️ Ann", "e\u{301}", "\u{202E}", "'quoted'", "{a,b}", "=1+1", "\u{1}", "ends with \\", "日本語",
  ]

  private static func text(_ random: inout Seeded, long: Bool = false) -> Parameter {
    if long, random.oneIn(8) {
      let piece = (texts.randomElement(using: &random) ?? nil) ?? "x"
      return .text(String(String(repeating: piece + "…\"\n", count: 30_000).prefix(65_536)))
    }
    return (texts.randomElement(using: &random) ?? nil).map { .text($0) } ?? .null
  }

  /// Random call logs with all that belongs to them, and CELs.
  static func fill(_ database: TestDatabase, _ random: inout Seeded, calls: Int) throws {
    let tenants = [UUID(), UUID(), UUID()].map { $0.uuidString.lowercased() }
    for tenant in tenants { try database.run("INSERT INTO call_logd_tenant VALUES ('\(tenant)')") }
    for _ in 0..<calls {
      let seconds = Double.random(in: 0..<12_000_000, using: &random)
      let id =
        try database.admin.query(
          """
          INSERT INTO call_logd_call_log (date, date_answer, tenant_uuid, source_name, source_exten, source_internal_name, requested_name,
            destination_name, user_field, conversation_id, direction, blocked)
          VALUES (timestamptz '2024-01-01Z' + interval '\(seconds) s', '\(random.oneIn(5) ? "infinity" : "2024-05-01 10:00:00.123456+02")',
            '\(tenants.randomElement(using: &random) ?? "")', $1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id
          """,
          [
            text(&random), text(&random), text(&random, long: true), text(&random, long: true), text(&random), text(&random),
            random.oneIn(4) ? .null : .text("c\(random.next())"), random.oneIn(2) ? .null : .text("internal"),
            random.oneIn(3) ? .null : .bool(random.oneIn(2)),
          ], purpose: "A test's row"
        ).int64(0, 0) ?? 0
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        let tags = (0..<Int.random(in: 0...3, using: &random)).compactMap { _ in texts.randomElement(using: &random) ?? nil }
        try database.admin.execute(
          "INSERT INTO call_logd_call_log_participant (call_log_id, user_uuid, role, tags) VALUES ($1, gen_random_uuid(), 'source', $2)",
          [.int4(Int32(id)), .textArray(tags)], purpose: "A test's row")
      }
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        try database.admin.execute(
          "INSERT INTO call_logd_call_log_destination (call_log_id, destination_details_key, destination_details_value) VALUES ($1, 'user_name', coalesce($2, 'x'))",
          [.int4(Int32(id)), text(&random)], purpose: "A test's row")
        try database.admin.execute(
          "INSERT INTO call_logd_recording (call_log_id, start_time, end_time, path) VALUES ($1, now(), now(), $2)",
          [.int4(Int32(id)), text(&random, long: true)], purpose: "A test's row")
      }
      try database.admin.execute(
        "INSERT INTO cel (eventtype, eventtime, uniqueid, linkedid, cid_name, extra, call_log_id) VALUES ('ANSWER', timestamptz '2024-01-01Z' + interval '\(seconds) s', $1, $2, coalesce($3, ''), $4, $5)",
        [
          .text("u\(random.next() % 40)"), random.oneIn(20) ? .text("") : .text("l\(random.next() % 60)"), text(&random),
          text(&random, long: true), random.oneIn(2) ? .null : .int4(Int32(id)),
        ], purpose: "A test's row")
    }
  }

  @Test("whatever is in the rows: after purge and restore every byte is as before", arguments: 0..<4)
  func roundTrip(round: Int) throws {
    var random = Seeded()
    let (database, runner) = try wazo()
    try runner.backfill()
    try ArchiveRoundTripTests.fill(database, &random, calls: 60)
    // No call of these, but all is covered.
    try runner.backfill()
    let before = try database.rowsOfAll()
    let calls = try database.count("call_logd_call_log")
    #expect(calls > 20)
    let place = try ArchivePlace()
    let rows = [1, 7, 20, 100_000].randomElement(using: &random) ?? 1
    let told = try runner.dryPurge(runner.options(place, rows: rows))
    let done = try runner.purge(place, rows: rows)
    #expect(told.map(\.rows) == done.map(\.rows) && told.map(\.parts) == done.map(\.parts), "\(random)")
    #expect(told.map(\.deleted) == done.map(\.deleted) && told.map(\.kept) == done.map(\.kept), "\(random)")
    #expect(try database.rowsOfAll().rows.isEmpty, "\(random)")
    try place.expectClean()
    #expect(try place.rows()[.callLogs] == calls)
    if rows == 1 { #expect(done[0].parts == calls) }
    #expect(try place.manifests().allSatisfy { $0.table == .cel || $0.rows <= rows }, "\(random)")
    let restored = try runner.restore(place)
    #expect(restored[0].restored == calls && restored[0].existing == 0)
    expectSame(try database.rowsOfAll(), before, "\(random)")
    let again = try runner.restore(place)
    #expect(again.map(\.restored) == [0, 0] && again.map(\.existing) == restored.map(\.restored))
    expectSame(try database.rowsOfAll(), before, "\(random)")
  }

  @Test("another database, with nothing in it, gets the rows with their ids, and gives out greater ones")
  func elsewhere() throws {
    var random = Seeded()
    let (database, runner) = try wazo()
    try runner.backfill()
    try ArchiveRoundTripTests.fill(database, &random, calls: 30)
    try runner.backfill()
    let before = try database.rowsOfAll()
    let place = try ArchivePlace()
    try runner.purge(place, rows: 9)
    let (other, otherRunner) = try wazo()
    try otherRunner.restore(place)
    expectSame(try other.rowsOfAll(), before, "\(random)")
    #expect(try other.value("nextval('call_logd_call_log_id_seq')::int8 > max(id) FROM call_logd_call_log") == "true")
    #expect(try other.value("nextval('cel_id_seq')::int8 > max(id) FROM cel") == "true")
  }

  @Test("archive deletes nothing; a later archive or purge takes what has not changed and writes only what has")
  func copies() throws {
    var random = Seeded()
    let (database, runner) = try wazo()
    try runner.backfill()
    try ArchiveRoundTripTests.fill(database, &random, calls: 40)
    try runner.backfill()
    let before = try database.rowsOfAll()
    let calls = try database.count("call_logd_call_log")
    let place = try ArchivePlace()
    let copying = runner.archiving(place)
    let first = try copying.archive(runner.options(place, deletes: false, rows: 10))
    expectSame(try database.rowsOfAll(), before, "\(random)")
    let second = try copying.archive(runner.options(place, deletes: false, rows: 10))
    #expect(second.map(\.parts) == [0, 0] && second.map(\.found) == first.map { $0.rows[$0.kind.contents[0]] ?? 0 })
    let changed = try database.value("id FROM call_logd_call_log ORDER BY date, id LIMIT 1")
    try database.run("UPDATE call_logd_call_log SET user_field = 'changed' WHERE id = \(changed)")
    let changedRows = try database.rowsOfAll()
    let told = try runner.dryPurge(runner.options(place, rows: 10))
    let purged = try runner.purge(place, rows: 10)
    #expect(told.map(\.found) == purged.map(\.found) && told.map(\.deleted) == purged.map(\.deleted))
    #expect(purged[0].deleted == calls && purged[0].parts >= 1 && purged[0].found >= calls / 3)
    #expect(try database.rowsOfAll().rows.isEmpty)
    try place.expectClean()
    // Of the row that is in two parts the later state comes back.
    try runner.restore(place)
    expectSame(try database.rowsOfAll(), changedRows, "\(random)")
    // What was restored and has not changed is in the archive already. Calls without a call log are
    // uncovered by a restore; what is not covered is not purged.
    let files = try place.files()
    try runner.backfill()
    try runner.purge(place, kinds: [.cel], rows: 10)
    #expect(try place.files() == files && database.count("cel") == 0)
  }

  @Test("--no-archive deletes the same, and no more")
  func withoutArchive() throws {
    let (database, runner) = try wazo(CELRow.call("1714989600.1"), CELRow.call("1714989700.2", at: 100))
    try runner.backfill()
    let place = try ArchivePlace()
    let summary = try runner.archiving(place).archive(runner.options(nil, rows: 1))
    #expect(summary.map(\.deleted) == [2, 20])
    #expect(try database.rowsOfAll().rows.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: place.folder))
  }
}
