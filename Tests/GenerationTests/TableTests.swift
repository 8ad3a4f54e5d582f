import CallLogs
import Generation
import Store
import TestSupport
import Testing

@Suite("CEL tables of all kinds")
struct TableTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"

  private func plain(_ cels: [CELRow]...) throws -> (TestDatabase, Runner) {
    let database = try TestDatabase(.plain)
    for rows in cels { try database.insert(rows, plain: true) }
    return (database, Runner(database, table: "asterisk.cel"))
  }

  @Test("a plain Asterisk's table gives what Wazo's gives")
  func plainAsterisk() throws {
    let (wazoDatabase, wazoRunner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try wazoRunner.backfill()
    var (database, runner) = try plain(CELRow.call(a), CELRow.call(b, at: 100))
    let log = LogRecorder()
    runner.log = log.logger
    runner.settings.chunkSize = 7
    try runner.generate()
    expectSame(try database.contents(), try wazoDatabase.contents())
    #expect(log.warnings.contains { $0.contains("no index on id, uniqueid, linkedid") }, "\(log.warnings)")
    #expect(try runner.generate().chunks == 0)
    #expect(try runner.delete(.all) == 2)
    try runner.generate(.newest(15))
    expectSame(try database.contents(), try wazoDatabase.contents())
  }

  @Test("a user event is read by its name in userdeftype")
  func userEvents() throws {
    var cels = CELRow.call(a)
    cels[1].type = "XIVO_OUTCALL"
    let (database, runner) = try plain(cels)
    try runner.generate()
    #expect(try database.rows("direction FROM call_logd_call_log") == ["outbound"])
  }

  @Test("eventtime without a zone is read in cel_time_zone, and the next run knows its CELs again")
  func timeZone() throws {
    var (database, runner) = try plain(CELRow.call(a))
    runner.settings.celTimeZone = "Europe/Paris"
    try runner.generate()
    #expect(try database.value("(date AT TIME ZONE 'UTC')::text FROM call_logd_call_log") == "2024-05-06 08:00:00")
    #expect(try runner.generate().chunks == 0)
    // The setting is put right later: no reason to think that the table is another one.
    runner.settings.celTimeZone = nil
    #expect(try runner.generate().chunks == 0)
    runner.settings.celTimeZone = "Europe/Nowhere"
    #expect(try failure { try runner.generate() }.exitReason == .configuration)
  }

  @Test("a table that lacks columns that can be done without is read")
  func absentColumns() throws {
    let (database, runner) = try plain(CELRow.call(a), CELRow.call(b, at: 100))
    try database.run(
      "ALTER TABLE asterisk.cel DROP channame, DROP userdeftype, DROP extra, DROP peer, DROP appname, DROP appdata")
    try runner.generate(.newest(5))
    try runner.generate()
    #expect(try database.conversations() == [a, b])
    let context = try runner.context()
    #expect(try context.table.rowsForPeople(linkedids: [a], on: context.databases.cels).count == 10)
    context.databases.close()
    try database.run("ALTER TABLE asterisk.cel DROP linkedid")
    let failure = try failure { try runner.generate() }
    #expect(failure.exitReason == .configuration && failure.message.contains("linkedid"))
  }

  @Test("ids with holes are covered with what surrounds them")
  func sparse() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100), chunkSize: 3)
    try database.run("UPDATE cel SET id = -id; UPDATE cel SET id = 1000000 + id * id * -100")
    try database.run(
      "UPDATE cel SET id = id + 2000000 - 2 * (id - 1000000); SELECT setval('cel_id_seq', (SELECT max(id) FROM cel))")
    // As many chunks as the CELs need, however far apart they are.
    let chunks = try runner.backfill().chunks
    #expect(chunks == 7)
    #expect(try database.conversations() == [a, b])
    try expectWhole(database)
    #expect(
      try database.value("covered = int8multirange(int8range(0, (SELECT max(id) FROM cel) + 1)) FROM call_logd_checkpoint")
        == "true")
  }

  @Test("ids below 0 and beyond 32 bits", arguments: [-40, 4_294_967_290, 9_223_372_036_854_775_780])
  func farIDs(first: Int64) throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100), chunkSize: 6)
    try database.run("ALTER TABLE cel ALTER id TYPE bigint; UPDATE cel SET id = id + \(first) - 1")
    if first > 0 {
      try database.run("ALTER SEQUENCE cel_id_seq AS bigint; SELECT setval('cel_id_seq', (SELECT max(id) FROM cel))")
    }
    try runner.generate(.newest(12))
    try runner.generate()
    #expect(try database.conversations() == [a, b])
    #expect(try database.value("count(*) FROM cel WHERE call_log_id IS NULL") == "0")
    try expectWhole(database)
    #expect(try runner.generate().chunks == 0)
  }

  @Test("a CEL with the greatest id there can be is left out; its call is made from the others", arguments: [6, 20_000])
  func lastID(chunkSize: Int) throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100), chunkSize: chunkSize)
    try database.run("ALTER TABLE cel ALTER id TYPE bigint; UPDATE cel SET id = 9223372036854775807 WHERE id = 2")
    try runner.backfill()
    #expect(try database.conversations() == [a, b])
    #expect(try database.count("call_logd_reach") == 0 && database.count("call_logd_gap") == 0)
    #expect(try runner.delete(.lastDays(100_000)) == 2)
    try runner.backfill()
    #expect(try database.conversations() == [a, b])
    #expect(try database.count("call_logd_reach") == 0)
  }

  @Test("an empty table is no error, whatever is asked for")
  func empty() throws {
    let (database, runner) = try wazo()
    for scope in [Scope.nightly, .newest(5), .days(5), .ids(from: nil, to: nil), .ids(from: 3, to: 9)] {
      let summary = try runner.generate(scope)
      #expect(summary.chunks == 0 && summary.uncovered.isEmpty)
    }
    #expect(try runner.delete(.all) == 0)
    #expect(try runner.delete(.lastDays(3)) == 0)
    try database.insert(CELRow.call(a))
    try runner.generate()
    try database.run("DELETE FROM cel")
    #expect(try runner.generate().chunks == 0)
    #expect(try database.conversations() == [a])
  }

  @Test(
    "a table in an encoding that is not UTF-8 is read; bytes that are no text become U+FFFD", arguments: ["LATIN1", "SQL_ASCII"])
  func encodings(encoding: String) throws {
    let cels = try TestDatabase(encoding: encoding)
    let logs = try TestDatabase(.empty)
    try cels.run(Schemas.wazoCEL)
    try cels.insert(CELRow.call(a, name: "Zoë") + CELRow.call(b, at: 100))
    if encoding == "SQL_ASCII" { try cels.run(#"UPDATE cel SET linkedid = E'171498\xff9700.2' WHERE linkedid = '1714989700.2'"#) }
    let runner = Runner(logs, cels: cels)
    // Two runs, so that each conversation is read by its linkedid, too.
    let first = try runner.backfill(to: 5)
    let second = try runner.backfill(to: 15)
    try runner.backfill()
    #expect(first.counters.isBalanced && second.counters.isBalanced)
    #expect(try logs.rows("source_name FROM call_logd_call_log WHERE conversation_id = '\(a)'") == ["Zoë"])
    if encoding == "LATIN1" { #expect(try logs.conversations() == [a, b]) }
  }

  @Test("call logs in a database that is not UTF-8 are refused in one sentence", arguments: ["LATIN1", "SQL_ASCII"])
  func refusedEncodings(encoding: String) throws {
    let database = try TestDatabase(encoding: encoding)
    try database.run(Schemas.wazoCEL)
    let failure = try failure { try Runner(database).generate() }
    #expect(failure.exitReason == .configuration)
    #expect(
      failure.message.contains(encoding) && failure.message.contains("UTF8") && failure.message.contains("db_uri"),
      "\(failure.message)")
    #expect(!failure.message.contains("\n"))
    #expect(try database.value("to_regclass('call_logd_call_log') IS NULL") == "true")
  }
}
