import Foundation
import PostgreSQL
import PrivateServer
import TestSupport
import Testing

@testable import CallLogs
@testable import Store

@Suite("What is claimed to be done")
struct ClaimedTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"
  private let c = "1714989800.3"

  /// Another database with what a dump of this one has.
  private func restored(_ database: TestDatabase) throws -> TestDatabase {
    let copy = try TestDatabase(.empty)
    let dump = FileManager.default.temporaryDirectory.appendingPathComponent("dump-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: dump) }
    try run("pg_dump", "-f", dump, "-d", database.uri)
    try run("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", dump, "-d", copy.uri)
    return copy
  }

  private func run(_ program: String, _ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(program)")
  }

  @Test("the call logs' database comes back from a dump, the CELs have their own: what was made since is made again")
  func callLogsBack() throws {
    let (cels, logs) = (try TestDatabase(.wazo), try TestDatabase(.empty))
    try cels.insert(CELRow.call(a))
    try Runner(logs, cels: cels).generate()
    let old = try restored(logs)
    try cels.insert(CELRow.call(b, at: 100) + CELRow.call(c, at: 200))
    try Runner(logs, cels: cels).generate()
    let before = try logs.contents()
    // Ids of call logs are given out anew, and others may take those that CELs point to.
    try cels.insert(CELRow.call("1714989900.4", at: 300))
    let recorder = LogRecorder()
    var runner = Runner(old, cels: cels, chunkSize: 11)
    runner.log = recorder.logger
    let summary = try runner.generate()
    #expect(summary.counters.callLogsWritten == 3 && summary.counters.conversationsKept == 0)
    #expect(summary.counters.tally[.voidLink] > 0, "it is noticed")
    #expect(try old.conversations() == [a, b, c, "1714989900.4"])
    #expect(try before.rows.isSubset(of: old.contents().rows))
    let ids = Set(try old.rows("id, conversation_id FROM call_logd_call_log"))
    #expect(Set(try cels.rows("DISTINCT call_log_id, linkedid FROM cel")) == ids)
  }

  @Test("call logs that somebody deleted are made again only by regenerate, while their CELs stay covered")
  func deletedByHand() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.generate()
    try database.run("DELETE FROM call_logd_call_log WHERE conversation_id = '\(a)'")
    #expect(try runner.generate().chunks == 0)
    try runner.regenerate(.ids(from: nil, to: nil))
    #expect(try database.conversations() == [a, b])
  }

  @Test(
    "a database that was dumped and restored under another name: 78 and nothing changed, then adopt or rebase",
    arguments: [true, false])
  func copied(adopts: Bool) throws {
    var (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100), CELRow.call(c, at: 200))
    runner.settings.linksCELs = false
    try runner.generate()
    let place = try ArchivePlace()
    try runner.purge(place, kinds: [.callLogs], .before(-1_000_000_000_000_000))
    try database.run("DELETE FROM call_logd_call_log WHERE conversation_id = '\(b)'")
    let copy = try restored(database)
    var other = Runner(copy)
    other.settings.linksCELs = false
    let before = try copy.rowsOfAll()
    let state = "to_jsonb(p)::text FROM call_logd_checkpoint p"
    let known = try copy.rows(state)
    for verb in 0..<4 {
      let found = try failure {
        switch verb {
        case 0: try other.generate()
        case 1: try other.backfill()
        case 2: try other.regenerate(.ids(from: nil, to: nil))
        default: try other.delete(.all)
        }
      }
      #expect(found.exitReason == .configuration && found.message.contains("--adopt") && found.message.contains("--rebase"))
    }
    #expect(
      try copy.rows(state) == known && copy.rows("id FROM call_logd_run").count == database.rows("id FROM call_logd_run").count)
    expectSame(try copy.rowsOfAll(), before)
    if adopts {
      #expect(try other.generate(start: .adopting).chunks == 0)
      expectSame(try copy.rowsOfAll(), before)
      #expect(try copy.rows("id FROM call_logd_checkpoint").count == 1)
      #expect(try failure { try other.generate(start: .adopting) }.message.contains("nothing to adopt"))
    } else {
      try other.generate(start: .anew)
      #expect(try copy.conversations() == [a, b, c])
      #expect(try copy.rows("id FROM call_logd_checkpoint").count == 2)
    }
    try copy.insert(CELRow.call("1714990000.5", at: 400))
    try other.generate()
    #expect(try copy.conversations().contains("1714990000.5"))
  }

  @Test("a checkpoint whose CELs are not those of the table is not adopted")
  func otherCELs() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.generate()
    let copy = try restored(database)
    try copy.run("UPDATE cel SET eventtime = eventtime + interval '1 s'")
    let found = try failure { try Runner(copy).generate(start: .adopting) }
    #expect(found.exitReason == .configuration && found.message.contains("no checkpoint that could be adopted"))
  }

  @Test("what is adopted has its archives: they are its own, and purged calls stay purged")
  func adoptedArchives() throws {
    var (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    runner.settings.linksCELs = false
    try runner.generate()
    let place = try ArchivePlace()
    try runner.purge(place, kinds: [.callLogs])
    let copy = try restored(database)
    var other = Runner(copy)
    other.settings.linksCELs = false
    try other.generate(start: .adopting)
    #expect(try other.backfill().chunks == 0 && copy.conversations() == [])
    #expect(try other.restore(place, kinds: [.callLogs]).map(\.restored) == [2])
    #expect(try other.purge(place, kinds: [.callLogs]).map(\.deleted) == [2])
  }

  @Test("a table that is made anew under its name, beside the old one, has a checkpoint of its own")
  func renamed() throws {
    let (database, runner) = try wazo(CELRow.call(a))
    try runner.generate()
    try database.run("ALTER TABLE cel RENAME TO old_cel; CREATE TABLE cel (LIKE old_cel INCLUDING ALL)")
    try runner.generate()
    #expect(try database.value("count(*) FROM call_logd_checkpoint") == "2")
    // Dropped and made anew, nothing tells that these are other CELs.
    try database.run("DROP TABLE cel; CREATE TABLE cel (LIKE old_cel INCLUDING ALL); INSERT INTO cel SELECT * FROM old_cel")
    try database.run(
      "DELETE FROM call_logd_checkpoint WHERE covered = '{}'; ALTER TABLE old_cel RENAME TO gone; DROP TABLE gone CASCADE")
    #expect(try failure { try runner.generate() }.exitReason == .configuration)
  }

  // MARK: Purged calls

  @Test(
    "purged call logs stay purged, with and without links, whatever else is deleted and made again", arguments: [true, false])
  func purged(links: Bool) throws {
    var (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100), CELRow.call(c, at: 200))
    runner.settings.linksCELs = links
    try runner.backfill()
    let place = try ArchivePlace()
    // Noon and a hundred and fifty seconds: a and b.
    try runner.purge(place, kinds: [.callLogs], .before((1_714_989_600 - 946_684_800 + 150) * 1_000_000))
    #expect(try database.conversations() == [c])
    try runner.delete(.dates(from: nil, to: nil))
    try runner.backfill()
    #expect(try database.conversations() == [c])
    try runner.delete(.all)
    #expect(try runner.backfill().counters.conversationsPurged == 2)
    #expect(try database.conversations() == [c])
    // A late CEL of a purged call brings nothing back either.
    try database.insert([CELRow("HANGUP", 30, uniqueid: a, linkedid: a)])
    try runner.generate()
    #expect(try database.conversations() == [c])
    try runner.generate(start: .anew)
    #expect(try database.conversations() == [c])
    // Asked for, it comes, and stays.
    try runner.regenerate(conversation: a)
    #expect(try database.conversations() == [a, c])
    try runner.delete(.all)
    try runner.backfill()
    #expect(try database.conversations() == [a, c])
    #expect(try runner.restore(place, kinds: [.callLogs]).map(\.restored) == [1])
    try runner.delete(.all)
    try runner.backfill()
    #expect(try database.conversations() == [a, b, c])
  }

  // MARK: Restored CELs

  @Test(
    "CELs that come back without their call logs are uncovered in the same commit, and made", arguments: [true, false],
    [true, false])
  func restoredCELs(links: Bool, isApart: Bool) throws {
    let (cels, logs) = (try TestDatabase(.wazo), isApart ? try TestDatabase(.empty) : nil)
    try cels.insert(CELRow.call(a) + CELRow.call(b, at: 100) + CELRow.call(c, at: 200))
    var runner = logs.map { Runner($0, cels: cels) } ?? Runner(cels)
    let database = runner.database
    runner.settings.linksCELs = links
    try runner.backfill()
    let place = try ArchivePlace()
    try runner.purge(place, kinds: [.cel], rows: 10)
    try database.run("DELETE FROM call_logd_call_log WHERE conversation_id = '\(b)'")
    #expect(try runner.restore(place, kinds: [.cel]).map(\.restored) == [30])
    #expect(try database.coverage() == "{[0,11),[21,31)}")
    #expect(try runner.generate().counters.cels == 10)
    #expect(try database.conversations() == [a, b, c])
    try runner.purge(place, kinds: [.cel])
    try runner.delete(.all)
    try runner.backfill()
    try runner.restore(place, kinds: [.cel])
    try runner.backfill()
    #expect(try database.conversations() == [a, b, c])
    try expectWhole(database, cels: cels)
  }

  private func expectWhole(_ database: TestDatabase, cels: TestDatabase) throws {
    let coverage = try database.coverage()
    #expect(try cels.value("count(*) FROM cel WHERE NOT int8multirange '\(coverage)' @> id::int8") == "0")
    #expect(try database.value("count(*) FROM call_logd_reach") == "0" && database.value("count(*) FROM call_logd_gap") == "0")
  }

  @Test("calls that stood open before a purge are open again after a restore, and closed by close_after")
  func openCalls() throws {
    var (database, runner) = try wazo(CELRow.call(a), Array(CELRow.call(b, at: 100).dropLast()))
    try runner.generate()
    let place = try ArchivePlace()
    try runner.purge(place, kinds: [.cel])
    #expect(try database.count("call_logd_open") == 0)
    try runner.restore(place, kinds: [.cel])
    try runner.generate()
    #expect(try database.rows("linkedid FROM call_logd_open") == [b])
    runner.settings.closeAfter = 3600
    try runner.generate()
    #expect(try database.conversations() == [a, b])
  }

  @Test("a new database that is filled from the archive of CELs alone makes every call log, though the CELs point to some")
  func rebuilt() throws {
    let (_, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.backfill()
    let place = try ArchivePlace()
    try runner.archiving(place).archive(runner.options(place, deletes: false, kinds: [.cel]))
    let fresh = try TestDatabase(.wazo)
    let other = Runner(fresh)
    try other.restore(place, kinds: [.cel])
    try other.backfill()
    #expect(try fresh.conversations() == [a, b])
    #expect(
      try fresh.value(
        "count(*) FROM cel JOIN call_logd_call_log l ON l.id = cel.call_log_id AND l.conversation_id = cel.linkedid") == "20")
  }

  @Test("while Asterisk writes, a restore moves the sequence first and waits for who may have an id below")
  func beside() throws {
    let (_, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.backfill()
    let place = try ArchivePlace()
    try runner.archiving(place).archive(runner.options(place, deletes: false, kinds: [.cel]))
    let fresh = try TestDatabase(.wazo)
    var other = Runner(fresh)
    other.settings.retryFor = 0.5
    let asterisk = try fresh.connect()
    try asterisk.script("BEGIN", purpose: "Writing")
    try fresh.insert(Array(CELRow.call(c, at: 500).prefix(3)), on: asterisk)
    let busy = try failure { try other.restore(place, kinds: [.cel]) }
    #expect(busy.exitReason == .busy && busy.message.contains("process \(asterisk.backendProcessID)"))
    #expect(try fresh.count("cel") == 0)
    try asterisk.script("COMMIT", purpose: "Writing")
    try fresh.insert(Array(CELRow.call(c, at: 500).dropFirst(3)), on: asterisk)
    #expect(try fresh.rows("id FROM cel ORDER BY id") == ["1", "2", "3"] + (21...27).map(String.init))
    #expect(try other.restore(place, kinds: [.cel]).map(\.restored) == [17])
    try other.backfill()
    #expect(try fresh.conversations().contains(c))
  }

  // MARK: Purges of calls that are not whole

  @Test("a purge takes no call of which a part may still be committed")
  func halfCommitted() throws {
    let database = try TestDatabase(.wazo)
    let writer = try database.connect()
    let rows = CELRow.call(a)
    try writer.script("BEGIN", purpose: "Opening a transaction")
    try database.insert(Array(rows[..<4]), on: writer)
    try database.insert(Array(rows[4...]) + CELRow.call(b, at: 100))
    var runner = Runner(database)
    runner.settings.patience = 0.05
    #expect(try runner.generate().waiting == [1..<5])
    let place = try ArchivePlace()
    let summary = try runner.purge(place, kinds: [.cel])
    #expect(summary.map(\.deleted) == [10] && summary.map(\.kept.uncovered) == [6])
    try writer.script("COMMIT", purpose: "Committing")
    try runner.generate()
    #expect(try database.conversations() == [a, b])
    #expect(try runner.purge(place, kinds: [.cel]).map(\.deleted) == [10])
  }

  @Test("nor a call with CELs around an id that waits, nor one that is noted to have CELs that are not covered")
  func around() throws {
    let database = try TestDatabase(.wazo)
    let writer = try database.connect()
    var rows = CELRow.call(a)
    let middle = rows.remove(at: 5)
    try database.insert(Array(rows[..<5]))
    try writer.script("BEGIN", purpose: "Opening a transaction")
    try database.insert([middle], on: writer)
    try database.insert(Array(rows[5...]))
    var runner = Runner(database)
    runner.settings.patience = 0.05
    #expect(try runner.generate().waiting == [6..<7])
    #expect(try database.conversations() == [a], "it looks whole")
    let place = try ArchivePlace()
    #expect(try runner.purge(place, kinds: [.cel]).map(\.deleted) == [0])
    try writer.script("COMMIT", purpose: "Committing")
    try runner.generate()
    try database.run("INSERT INTO call_logd_reach SELECT id, '\(a)' FROM call_logd_checkpoint")
    #expect(try runner.purge(place, kinds: [.cel]).map(\.deleted) == [0])
    try database.run("DELETE FROM call_logd_reach")
    #expect(try runner.purge(place, kinds: [.cel]).map(\.deleted) == [10])
  }

  // MARK: Clocks, and other tables

  @Test("regenerate corrects clocks that were read wrongly, later or earlier", arguments: ["America/Toronto", "Asia/Tokyo"])
  func clocks(zone: String) throws {
    let database = try TestDatabase(.plain)
    try database.insert(CELRow.call(a) + CELRow.call(b, at: 100), plain: true)
    var runner = Runner(database, table: "asterisk.cel")
    try runner.generate()
    let wrong = try database.rows("date::text FROM call_logd_call_log ORDER BY date")
    runner.settings.celTimeZone = zone
    let summary = try runner.regenerate(.ids(from: nil, to: nil))
    #expect(summary.counters.callLogsWritten == 2 && summary.counters.conversationsKept == 0)
    let right = try database.rows("date::text FROM call_logd_call_log ORDER BY date")
    #expect(wrong != right && right.count == 2)
    try runner.delete(.all)
    try runner.backfill()
    #expect(try database.rows("date::text FROM call_logd_call_log ORDER BY date") == right)
  }

  @Test("a call whose first CELs are gone stays as it stands, is counted so, and regenerate by the clock spares it")
  func partlyGone() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.generate()
    try database.run("DELETE FROM cel WHERE id <= 3")
    let before = try database.contentsWithIDs()
    let summary = try runner.regenerate(.ids(from: nil, to: nil))
    #expect(summary.counters.conversationsPartlyGone == 1 && summary.counters.conversationsKept == 1)
    expectSame(try database.contentsWithIDs(), before)
  }

  @Test("two CEL tables with one linkedid for two calls: the call log that is there stays, and it is told")
  func twoTables() throws {
    let database = try TestDatabase(.wazo)
    try database.insert(CELRow.call(a))
    try database.run(
      "CREATE TABLE other (LIKE cel INCLUDING ALL); CREATE SEQUENCE other_seq; ALTER TABLE other ALTER id SET DEFAULT nextval('other_seq')"
    )
    try database.run(
      "INSERT INTO other SELECT * FROM cel; UPDATE other SET eventtime = eventtime + interval '350 ms' * id, cid_name = 'Zoe'; SELECT setval('other_seq', 10)"
    )
    try Runner(database).generate()
    let before = try database.contentsWithIDs()
    let summary = try Runner(database, table: "other").generate(start: .anew)
    #expect(summary.counters.tally[.linkedidOfOtherTable] == 1 && summary.counters.conversationsKept == 1)
    expectSame(try database.contentsWithIDs(), before)
    // One table's own calls are remade as ever.
    try Runner(database).regenerate(.ids(from: nil, to: nil))
    expectSame(try database.contentsWithIDs(), before)
  }

  // MARK: The first run

  @Test("the first bare run takes the newest 20,000 CELs; backfill takes the rest")
  func firstRun() throws {
    let database = try TestDatabase(.wazo)
    try database.simulate(calls: 1500, seed: 7)
    let cels = try database.count("cel")
    #expect(cels > 20_000)
    let runner = Runner(database)
    let first = try runner.generate().counters
    // SIP chats do not count.
    #expect(first.cels - first.chat == 20_000)
    #expect(
      try database.value("count(*) FROM cel, call_logd_checkpoint WHERE NOT covered @> cel.id::int8") == "\(cels - first.cels)")
    try runner.backfill()
    #expect(try database.value("count(*) FROM cel, call_logd_checkpoint WHERE NOT covered @> cel.id::int8") == "0")
  }
}
