import Generation
import Store
import TestSupport
import Testing

@Suite("What a deletion removes, and what it would remove")
struct DeletionTests {
  private let calls = (1...6).map { "1714989\($0)00.\($0)" }

  private func time(_ seconds: Double) -> Int64 { (1_714_989_600 - 946_684_800) * 1_000_000 + Int64(seconds * 1_000_000) }

  /// A call an hour, the even ones recorded.
  private func hourly(chunkSize: Int = 20_000) throws -> (TestDatabase, Runner) {
    let (database, runner) = try wazo(chunkSize: chunkSize)
    for (hour, call) in calls.enumerated() {
      let recording = hour % 2 == 0 ? "/tmp/\(hour).wav" : nil
      try database.insert(CELRow.call(call, at: Double(hour) * 3600, recording: recording))
    }
    return (database, runner)
  }

  /// Everything that a run could change.
  private func everything(_ database: TestDatabase) throws -> [String] {
    try database.rows(
      "relname, n FROM (SELECT relname::text, pg_relation_filenode(oid)::text AS n FROM pg_class WHERE relnamespace = 'public'::regnamespace) t ORDER BY 1"
    )
      + database.contentsWithIDs().rows.sorted() + database.links().rows.sorted()
      + database.rows("to_jsonb(c)::text FROM call_logd_checkpoint c") + database.rows("to_jsonb(r)::text FROM call_logd_reach r")
      + database.rows("last_value FROM call_logd_call_log_id_seq")
  }

  private func numbers(_ summary: DeleteJob.Summary) -> [Int64?] {
    [
      Int64(summary.callLogs), summary.participants, summary.recordings, summary.oldest, summary.newest, summary.uncoveredCELs,
      summary.unlinkedCELs,
    ]
  }

  @Test(
    "by dates: those that began in the range; their CELs are uncovered and no longer linked, and backfill makes the same again")
  func dates() throws {
    let (database, runner) = try hourly()
    try runner.backfill()
    let before = try database.contents()
    let summary = try runner.deletion(.dates(from: time(3600), to: time(10_800)))
    #expect(numbers(summary) == [2, 0, 1, time(3600), time(7200), 21, 21])
    #expect(try database.conversations() == [calls[0]] + calls[3...])
    #expect(try database.coverage() == "{[0,12),[33,64)}")
    #expect(
      try database.value("string_agg(DISTINCT (call_log_id IS NULL)::text, ',') FROM cel WHERE id BETWEEN 12 AND 32") == "true")
    #expect(try runner.deletion(.dates(from: time(3600), to: time(10_800))).callLogs == 0)
    try runner.generate(.dates(from: time(3600), to: time(10_800)))
    expectSame(try database.contents(), before)
    try expectWhole(database)
    #expect(try runner.deletion(.dates(from: nil, to: time(0))).callLogs == 0)
    #expect(try runner.deletion(.dates(from: time(18_000), to: nil)).callLogs == 1)
    #expect(try runner.deletion(.dates(from: nil, to: time(1))).callLogs == 1)
  }

  @Test("of everything tells how many there were at its start; of a range it does not count first")
  func progress() throws {
    let (_, runner) = try wazo(
      CELRow.call("1714989600.1"), CELRow.call("1714989700.2", at: 100), CELRow.call("1714989800.3", at: 200))
    for (extent, total) in [(DeleteJob.Extent.all, Int64(3)), (.dates(from: nil, to: .max / 2), nil)] {
      try runner.backfill()
      let context = try runner.context()
      defer { context.databases.close() }
      var seen: [DeleteJob.Progress] = []
      _ = try DeleteJob(context, batch: 2) { seen.append($0) }.run(extent)
      #expect(seen.map(\.callLogs) == [2, 3] && seen.map(\.total) == [total, total])
    }
  }

  @Test("a dry run tells the numbers of the real run, whatever is covered, and changes nothing", arguments: 0..<4)
  func dryRun(round: Int) throws {
    var random = Seeded()
    let (database, runner) = try wazo()
    try database.simulate(calls: 60, seed: UInt64.random(in: 0..<1000, using: &random), directory: true)
    try database.roughen(&random)
    let greatest = try Int64(database.value("max(id) FROM cel")) ?? 0
    var settled = runner
    settled.settings.linksCELs = Bool.random(using: &random)
    for _ in 0..<3 {
      let from = Int64.random(in: 0...greatest, using: &random)
      try settled.backfill(from: from, to: from + Int64.random(in: 0...greatest, using: &random))
    }
    // Also what points nowhere.
    try database.run("UPDATE cel SET call_log_id = 4711 WHERE id % 50 = 3 AND call_log_id IS NULL")
    let dates = try database.rows("extract(epoch FROM date)::int8 FROM call_logd_call_log ORDER BY date").compactMap { Int64($0) }
    let bounds = [dates.randomElement(using: &random), dates.randomElement(using: &random)].compactMap(\.self).sorted().map {
      ($0 - 946_684_800) * 1_000_000
    }
    let extents: [DeleteJob.Extent] = [
      .dates(from: bounds.first, to: bounds.last), .lastDays(10), .dates(from: bounds.first, to: nil),
      .dates(from: nil, to: bounds.last), .all,
    ]
    for extent in extents {
      let batch = [1, 3, 10_000].randomElement(using: &random) ?? 1
      let before = try everything(database)
      let told = try settled.dryRun(extent, batch: batch)
      #expect(try everything(database) == before, "\(extent), \(random)")
      let rows = try database.value(
        "(SELECT count(*) FROM call_logd_call_log_participant), (SELECT count(*) FROM call_logd_recording) FROM (SELECT) x")
      let done = try settled.deletion(extent, batch: batch)
      #expect(numbers(told) == numbers(done), "\(extent) by \(batch), \(random)")
      let left = try database.value(
        "(SELECT count(*) FROM call_logd_call_log_participant), (SELECT count(*) FROM call_logd_recording) FROM (SELECT) x")
      let gone = zip(rows.split(separator: "|"), left.split(separator: "|")).map { (Int64($0) ?? 0) - (Int64($1) ?? 0) }
      #expect(gone == [done.participants, done.recordings], "\(extent), \(random)")
    }
    #expect(try settled.dryRun(.all).callLogs == 0)
  }

  @Test(
    "what lies between the call logs of one transaction is uncovered with them, in a dry run as well", arguments: [1, 2, 10_000])
  func portions(batch: Int) throws {
    let (database, runner) = try hourly()
    // An old call, whose ids are among those of the newer ones.
    try database.run("UPDATE cel SET eventtime = eventtime - interval '7 days' WHERE linkedid = '\(calls[3])'")
    try runner.backfill()
    let extent = DeleteJob.Extent.dates(from: time(3600), to: time(18_000))
    let told = try runner.dryRun(extent, batch: batch)
    #expect(told.callLogs == 3 && told.unlinkedCELs == 32 && told.uncoveredCELs == (batch == 1 ? 32 : 42))
    #expect(try numbers(told) == numbers(runner.deletion(extent, batch: batch)))
    #expect(
      try database.value("count(*) FROM cel, call_logd_checkpoint WHERE NOT covered @> cel.id::int8") == "\(told.uncoveredCELs)")
  }

  @Test("the same where the CELs are in another database")
  func twoDatabases() throws {
    let (cels, logs) = (try TestDatabase(.wazo), try TestDatabase(.empty))
    for (hour, call) in calls.enumerated() { try cels.insert(CELRow.call(call, at: Double(hour) * 3600)) }
    let runner = Runner(logs, cels: cels, chunkSize: 25)
    try runner.backfill(to: 45)
    for extent in [DeleteJob.Extent.dates(from: time(3600), to: time(7200)), .all] {
      let told = try runner.dryRun(extent)
      #expect(told.callLogs > 0)
      #expect(try numbers(told) == numbers(runner.deletion(extent)))
    }
    #expect(try cels.value("count(*) FROM cel WHERE call_log_id IS NOT NULL") == "0")
  }

  @Test("a dry run makes no schema: call logs of Wazo's program are counted without ours, and without any it says so")
  func schema() throws {
    let (database, runner) = try hourly()
    let failure = try failure { try runner.dryRun(.all) }
    #expect(failure.exitReason == .configuration && failure.message.contains("no call logs"))
    #expect(try database.value("to_regclass('call_logd_migration') IS NULL") == "true")
    try runner.backfill()
    try database.run(
      """
      DROP TABLE call_logd_migration, call_logd_reach, call_logd_link, call_logd_gap, call_logd_run, call_logd_claim, call_logd_open, call_logd_checkpoint,
        call_logd_archive, call_logd_restored, call_logd_audio, call_logd_seen, call_logd_purged, call_logd_former, call_logd_late,
        call_logd_awaited, call_logd_follower, call_logd_export_recording, call_logd_export_request, call_logd_remade,
        call_logd_count, call_logd_count_change;
      DROP SEQUENCE call_logd_claim_owner_seq;
      DROP FUNCTION call_logd_sum, call_logd_count_note, call_logd_count_clear;
      DROP INDEX call_logd_call_log__idx__tenant_uuid_date;
      """)
    let told = try runner.dryRun(.all)
    #expect(told.callLogs == 6 && told.recordings == 3 && told.uncoveredCELs == 0 && told.unlinkedCELs == 63)
    #expect(try database.value("to_regclass('call_logd_migration') IS NULL") == "true")
    #expect(try numbers(told) == numbers(runner.deletion(.all)))
  }
}
