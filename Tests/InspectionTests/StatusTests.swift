import CallLogs
import Foundation
import Inspection
import PostgreSQL
import PrivateServer
import Runs
import Store
import TestSupport
import Testing

@Suite("status")
struct StatusTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"

  private func status(_ runner: Runner) throws -> StatusJob.Status {
    try StatusJob(runner.settings, interruption: Interruption(), log: quiet).run()
  }

  private func runs(_ runner: Runner) throws -> StatusJob.Runs { try #require(try status(runner).runs) }

  @Test("shows the last runs, newest first, with what they were asked for and what they did")
  func lastRuns() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.generate(.newest(5))
    try runner.backfill(to: 1_000_000)
    try database.run(
      """
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no tea' USING ERRCODE = '42501'; END $$;
      CREATE TRIGGER fail BEFORE DELETE ON call_logd_call_log FOR EACH ROW EXECUTE FUNCTION fail();
      """)
    _ = try failure { try runner.delete(.all) }
    try database.run("DROP TRIGGER fail ON call_logd_call_log")
    try runner.delete(.all)
    let runs = try runs(runner).last
    #expect(runs.map(\.record.verb) == ["delete", "delete", "backfill", "generate"])
    #expect(runs.map(\.record.parameters) == ["-A", "-A", "--to-id 1000000", "-c 5"])
    #expect(runs.map(\.outcome) == [.done, .failed, .done, .done])
    #expect(runs[1].record.error?.contains("no tea") == true && runs[0].record.error == nil)
    #expect(runs[0]["call_logs_deleted"] == 2 && runs[1]["call_logs_deleted"] == 0)
    #expect(runs[2]["cels"] + runs[3]["cels"] == 20)
    // The second call lies in the ids of both. Both read it whole and make it: a call log of our
    // own is not taken for done because CELs point to it.
    #expect(runs[2]["call_logs_written"] + runs[3]["call_logs_written"] == 3)
    #expect(runs.allSatisfy { !$0.isAtWork && $0.seconds != nil && !$0.record.host.isEmpty })
    #expect(runs[3].rate == runs[3].seconds.map { Double(runs[3]["cels"]) / $0 } && runs[0].rate == nil)
    #expect(runs.allSatisfy { $0.record.pid == ProcessInfo.processInfo.processIdentifier })
  }

  @Test("shows ten runs and no more")
  func ten() throws {
    let (_, runner) = try wazo(CELRow.call(a))
    for _ in 0..<12 { try runner.backfill() }
    #expect(try runs(runner).last.map(\.record.id) == Array((3...12).reversed()))
  }

  @Test("tells a run at work and its claim from those whose session is gone")
  func claims() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    _ = try runner.context()
    let other = try database.connect()
    let checkpoint = try Checkpoint.obtain(try CELTable.find("cel", timeZone: nil, on: other), on: other)
    let run = try RunRecord.begin(
      checkpoint, verb: "backfill", parameters: "", program: "x", host: "elsewhere", pid: 7, on: other)
    let owner = try Claims.newOwner(on: other)
    #expect(try Claims.lock(owner: owner, on: other))
    _ = try Claims(checkpoint).take(1..<11, owner: owner, run: run.id, on: other)
    try run.count(#"{"cels": 100}"#, on: other)
    var seen = try runs(runner)
    #expect(seen.last.map(\.isAtWork) == [true] && seen.last.map(\.outcome) == [nil])
    #expect(seen.last[0].rate ?? 0 > 0)
    #expect(seen.claims.map(\.ids) == [1..<11] && seen.claims.map(\.isAlive) == [true])
    #expect(seen.claims.map(\.owner) == [owner] && seen.claims.map(\.run) == [run.id])
    other.close()
    try wait { try runs(runner).claims.allSatisfy { !$0.isAlive } }
    seen = try runs(runner)
    #expect(seen.last.map(\.isAtWork) == [false] && seen.last.map(\.outcome) == [.died])
    // When it died nobody knows.
    #expect(seen.last[0].seconds == nil && seen.last[0].rate == nil)
    #expect(seen.claims.map(\.isAlive) == [false])
    try runner.generate()
    seen = try runs(runner)
    #expect(seen.last.map(\.outcome) == [.done, .died] && seen.last.map { $0.seconds == nil } == [false, true])
    #expect(seen.claims.isEmpty)
  }

  private func wait(_ location: SourceLocation = #_sourceLocation, until holds: () throws -> Bool) throws {
    for _ in 0..<1000 {
      if try holds() { return }
      Thread.sleep(forTimeInterval: 0.02)
    }
    Issue.record("waited in vain", sourceLocation: location)
  }

  @Test("shows the calls that have not ended, since when, and how many of them close_after is about to close")
  func openCalls() throws {
    var (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try database.run(
      "DELETE FROM cel WHERE eventtype = 'LINKEDID_END'; UPDATE cel SET eventtime = now() - interval '1 h' WHERE linkedid = '\(b)'"
    )
    try runner.backfill()
    var open = try #require(try runs(runner).open)
    #expect(open.count == 2 && open.since == 768_304_800_000_000)
    #expect(open.silentForADay == 1 && open.due == 0 && open.closeAfter == nil && !open.suggestsClosing)
    runner.settings.closeAfter = 86_400
    open = try #require(try runs(runner).open)
    #expect(open.due == 1 && open.closeAfter == 86_400)
    runner.settings.closeAfter = 600
    #expect(try runs(runner).open?.due == 2)
    try runner.generate()
    open = try #require(try runs(runner).open)
    #expect(open.count == 0 && open.due == 0 && open.since == nil)
  }

  @Test("shows the newest CEL that is covered now: after a deletion, and while history is made again")
  func newest() throws {
    let (_, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.generate()
    #expect(try status(runner).newest?.id == 20)
    try runner.delete(.dates(from: 768_304_850_000_000, to: nil))
    let newest = try #require(try status(runner).newest)
    #expect(newest.id == 10 && newest.time == 768_304_809_000_000)
    try runner.delete(.all)
    #expect(try status(runner).newest == nil)
    try runner.backfill(to: 4)
    #expect(try status(runner).newest?.id == 4)
  }

  @Test("and explain read times in cel_time_zone, as runs do")
  func timeZone() throws {
    let database = try TestDatabase(.plain)
    try database.insert(CELRow.call(a), plain: true)
    var runner = Runner(database, table: "asterisk.cel")
    // What stands there is 10:00 on a wall in New York, which is 14:00 UTC.
    runner.settings.celTimeZone = "America/New_York"
    try runner.generate()
    #expect(try status(runner).newest?.time == 768_304_809_000_000 + 4 * 3_600_000_000)
    let context = try RunContext(runner.settings, changes: false, interruption: Interruption(), log: quiet)
    defer { context.databases.close() }
    try context.databases.cels.script("SET TimeZone = 'UTC'", purpose: "A test's zone")
    #expect(try ExplainJob(context).run(a).rows[1]?.time == "2024-05-06 14:00:00+00")
  }

  @Test("suggests close_after where a thousand calls have been silent for a day")
  func suggestion() throws {
    var (database, runner) = try wazo(CELRow.call(a))
    _ = try runner.generate()
    try database.run(
      """
      INSERT INTO call_logd_open SELECT 1, 'l' || n, 'l' || n, now() - interval '3 d', now() - interval '2 d', 3 FROM generate_series(1, 1000) n
      """)
    #expect(try runs(runner).open?.suggestsClosing == false)
    try database.run("INSERT INTO call_logd_open VALUES (1, 'x', 'x', now() - interval '3 d', now() - interval '2 d', 3)")
    #expect(try runs(runner).open?.suggestsClosing == true)
    runner.settings.closeAfter = 600
    #expect(try runs(runner).open?.suggestsClosing == false)
  }

  @Test("works on the schema of an earlier version and changes nothing there")
  func olderSchema() throws {
    let (database, runner) = try wazo(CELRow.call(a))
    try runner.generate()
    try database.run(
      """
      DROP TABLE call_logd_run, call_logd_claim, call_logd_open; DROP SEQUENCE call_logd_claim_owner_seq; DROP FUNCTION call_logd_sum;
      DELETE FROM call_logd_migration WHERE name >= 'm005';
      """)
    let seen = try status(runner)
    #expect(seen.runs == nil && seen.missingMigrations.contains("m005_workers"))
    #expect(seen.callLogs == 1 && seen.uncovered.isEmpty && seen.newest?.id == 10)
    #expect(try database.value("to_regclass('call_logd_run') IS NULL") == "true")
    let bare = try TestDatabase(.wazo)
    #expect(try status(Runner(bare)).runs == nil)
    #expect(try bare.value("to_regclass('call_logd_call_log') IS NULL") == "true")
  }

  @Test("works in a database that takes no writes, and for a role with the rights of sql/grants.sql only")
  func leastRights() throws {
    var (database, runner) = try wazo(CELRow.call(a))
    try runner.generate()
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let role = "\(database.name)_status"
    try database.run("CREATE ROLE \(role) LOGIN")
    try PrivateServer.shared.psql(
      "\\set role \(role)\n" + String(contentsOf: root.appendingPathComponent("sql/grants.sql"), encoding: .utf8),
      database: database.name)
    try database.run("ALTER DATABASE \(database.name) SET default_transaction_read_only = on")
    let before = try database.rows("t::text FROM call_logd_run t")
    runner.settings.databases.logs = database.uri.replacing("user=postgres", with: "user=\(role)")
    #expect(try runs(runner).last.map(\.outcome) == [.done])
    #expect(try database.rows("t::text FROM call_logd_run t") == before)
    #expect(try failure { try runner.generate() }.exitReason == .configuration)
  }

  @Test("waits for no run: not for the checkpoint's lock, not for a deletion's gate, not for an uncommitted run")
  func waitsForNobody() throws {
    let (database, runner) = try wazo(CELRow.call(a))
    try runner.generate()
    let other = try database.connect()
    let checkpoint = try #require(
      try Checkpoint.read(try CELTable.find("cel", timeZone: nil, on: other).identity, on: other))
    try other.transaction(purpose: "Holding all that a run holds") {
      try checkpoint.closeGate(on: other)
      _ = try checkpoint.locked(on: other)
      try other.execute("UPDATE call_logd_run SET error = 'x'", purpose: "Holding the run")
      try other.execute("LOCK TABLE cel, call_logd_claim, call_logd_open IN SHARE ROW EXCLUSIVE MODE", purpose: "Holding tables")
      var hasty = runner
      hasty.settings.databases.lockTimeout = 1
      #expect(try runs(hasty).last.map(\.record.error) == [nil])
    }
  }
}
