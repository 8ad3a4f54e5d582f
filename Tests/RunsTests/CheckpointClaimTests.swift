import CallLogs
import Foundation
import PostgreSQL
import TestSupport
import Testing

@testable import Store

@Suite("What is claimed to be done, and by whom")
struct CheckpointClaimTests {
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

  @Test(
    "where none of the CELs is left by which the table is recognised, others that count as done stop the run; a purge may take them"
  )
  func witnesses() throws {
    for purges in [false, true] {
      let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
      try runner.generate()
      let known = try database.value("array_to_string(witness_id || witness_ids, ',') FROM call_logd_checkpoint")
      #expect(known == "20,14,7,1")
      // Between the two calls.
      if purges { try runner.purge(ArchivePlace(), kinds: [.cel], .before((1_714_989_600 - 946_684_800 + 50) * 1_000_000)) }
      try database.run("DELETE FROM cel WHERE id IN (\(known))")
      if purges {
        #expect(try database.count("cel") == 8 && runner.generate().chunks == 0)
      } else {
        let found = try failure { try runner.generate() }
        #expect(found.exitReason == .configuration && found.message.contains("none of the CELs 20, 14, 7, 1"), "\(found.message)")
      }
    }
  }
}
