import CallLogs
import Foundation
import Inspection
import PostgreSQL
import PrivateServer
import Runs
import Store
import TestSupport
import Testing
import Values

@Suite("Before a run")
struct SetupTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"

  @Test("the default tenant is the setting, else the only known one, else the run ends with 78 before anything is there")
  func defaultTenants() throws {
    let one = "11111111-1111-4111-8111-111111111111"
    let two = "22222222-2222-4222-8222-222222222222"
    var (database, runner) = try wazo(CELRow.call(a))
    runner.settings.defaultTenant = nil
    let none = try failure { try runner.generate() }
    #expect(none.exitReason == .configuration && none.message.contains("--default-tenant"))
    #expect(try database.value("count(*) FROM pg_class WHERE relname LIKE 'call_logd%'") == "0")
    _ = try MigrateJob(runner.settings, interruption: Interruption(), log: quiet).run { _ in }
    // Known from call logs that exist.
    try database.run("INSERT INTO call_logd_tenant VALUES ('\(one)')")
    #expect(try runner.context().defaultTenant.description == one)
    // The directory knows better.
    try database.run("INSERT INTO tenant VALUES ('\(two)')")
    #expect(try runner.context().defaultTenant.description == two)
    try database.run("INSERT INTO tenant VALUES ('\(one)')")
    let several = try failure { try runner.generate() }
    #expect(several.exitReason == .configuration && several.message.contains(one) && several.message.contains(two))
    var contents = DirectoryContents()
    contents.defaultTenant = one
    runner.settings.directory = .contents(contents)
    #expect(try runner.context().defaultTenant.description == one)
    runner.settings.defaultTenant = UUIDValue(defaultTenant)
    try runner.generate()
    #expect(try database.rows("tenant_uuid::text FROM call_logd_call_log") == [defaultTenant])
    #expect(try database.value("count(*) FROM call_logd_tenant WHERE uuid = '\(defaultTenant)'") == "1")
  }

  @Test("the directory is Wazo's where it is there, or a file's, or nobody")
  func directories() throws {
    var (database, runner) = try wazo(CELRow.call(a))
    try database.run(
      """
      INSERT INTO userfeatures (id, uuid, tenant_uuid, userfield) VALUES (1, 'aaaaaaaa-0000-4000-8000-000000000001', '77777777-7777-4777-8777-777777777777', 'x, y');
      INSERT INTO linefeatures (id, name, context) VALUES (11, 'aaa11', 'inside');
      INSERT INTO user_line VALUES (1, 11, true, true);
      """)
    try runner.generate()
    #expect(try database.rows("tenant_uuid::text FROM call_logd_call_log") == ["77777777-7777-4777-8777-777777777777"])
    #expect(try database.rows("line_id, tags::text FROM call_logd_call_log_participant") == ["11|{x,y}"])
    try runner.delete(.all)
    runner.settings.directory = .none
    try runner.generate()
    #expect(try database.rows("tenant_uuid::text FROM call_logd_call_log") == [defaultTenant])
    let plain = try TestDatabase(.plain)
    var other = Runner(plain, table: "asterisk.cel")
    other.settings.directory = .wazo
    #expect(try failure { try other.generate() }.exitReason == .configuration)
  }

  @Test("a table or column that is missing, a wrong database: one sentence and 78, nothing written")
  func missing() throws {
    let database = try TestDatabase(.empty)
    let table = try failure { try Runner(database).generate() }
    #expect(table.exitReason == .configuration && table.message.contains("cel_table") && !table.message.contains("\n"))
    #expect(try database.value("count(*) FROM pg_class WHERE relname LIKE 'call_logd%'") == "0")
    try database.run("CREATE TABLE cel (eventtype text, eventtime timestamptz, uniqueid text, linkedid text)")
    #expect(try failure { try Runner(database).generate() }.message.contains("column id"))
    var nowhere = Runner(database)
    nowhere.settings.databases.logs = try PrivateServer.shared.uri(database: "no_such_database")
    #expect(try failure { try nowhere.generate() }.exitReason == .configuration)
    nowhere.settings.databases.logs = "postgresql:///x?host=/nonexistent&user=postgres"
    #expect(try failure { try nowhere.generate() }.exitReason == .unavailable)
    nowhere.settings.databases.logs = database.uri.replacing("user=postgres", with: "user=nobody_of_that_name")
    #expect(try failure { try nowhere.generate() }.exitReason == .permission)
  }

  @Test("a table that was truncated or restored stops the run until --rebase")
  func rebase() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.generate()
    try database.run("TRUNCATE cel RESTART IDENTITY")
    #expect(try failure { try runner.generate() }.message.contains("--rebase"))
    try database.insert(CELRow.call("1714999999.7", at: 9000))
    // Fewer than there were.
    let fewer = try failure { try runner.generate() }
    #expect(fewer.exitReason == .configuration && fewer.message.contains("--rebase"))
    // As many: the covered row is another one now.
    try database.insert(CELRow.call("1715000000.8", at: 9100) + CELRow.call("1715000001.9", at: 9200))
    #expect(try failure { try runner.generate() }.message.contains("--rebase"))
    #expect(try database.conversations() == [a, b])
    try runner.generate(start: .anew)
    #expect(try database.conversations() == [a, b, "1714999999.7", "1715000000.8", "1715000001.9"])
    try expectWhole(database)
    // Rows that were purged are nothing to stop for, nor is a truncation that leaves the sequence.
    try database.run("DELETE FROM cel WHERE id > 5")
    #expect(try runner.generate().chunks == 0)
    try database.run("TRUNCATE cel")
    #expect(try runner.generate().chunks == 0)
  }

  @Test("each SQLSTATE ends the program with its code")
  func exitCodes() {
    let codes: [(String, Int32)] = [
      ("42501", 77), ("28P01", 77), ("28000", 77), ("42P01", 78), ("42703", 78), ("3D000", 78), ("3F000", 78), ("25006", 78),
      ("0A000", 78),
      ("40001", 75), ("40P01", 75), ("55P03", 75), ("57014", 75), ("08006", 69), ("57P01", 69), ("57P03", 69), ("53300", 69),
      ("53100", 74), ("53200", 74), ("58030", 74), ("XX000", 70), ("23505", 70),
    ]
    for (state, code) in codes {
      let error = PostgreSQLError(kind: .statement, sqlState: SQLState(rawValue: state), purpose: "Testing", message: "no")
      #expect(Failure(error).exitReason.rawValue == code, "\(state)")
    }
    let kinds: [(PostgreSQLError.Kind, Int32)] = [
      (.connectionLost, 69), (.commitUnknown, 69), (.cancelled, 130), (.protocol, 70), (.connection, 69),
    ]
    for (kind, code) in kinds {
      #expect(Failure(PostgreSQLError(kind: kind, purpose: "Testing", message: "no")).exitReason.rawValue == code, "\(kind)")
    }
    #expect(Failure(StoreError(.busy, "")).exitReason == .busy)
    #expect(Failure(StoreError(.wentBack, "")).exitReason == .configuration)
    #expect(Failure(JobError(.badInput, "")).exitReason.rawValue == 65)
    let interruption = Interruption()
    interruption.request()
    #expect(Failure(StoreError(.busy, ""), interruption: interruption).exitReason == .interrupted)
    #expect(Failure(JobError(.fault, ""), interruption: interruption).exitReason == .fault)
  }

  /// A role with what sql/grants.sql gives, without the lines that start with `without`.
  private func grant(_ database: TestDatabase, without: String? = nil) throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let sql = try String(contentsOf: root.appendingPathComponent("sql/grants.sql"), encoding: .utf8)
    let role = "\(database.name)_role"
    let lines = sql.split(separator: "\n").filter { line in without.map { !line.hasPrefix($0) } ?? true }
    try database.run("CREATE ROLE \(role) LOGIN")
    try PrivateServer.shared.psql("\\set role \(role)\n" + lines.joined(separator: "\n"), database: database.name)
    return database.uri.replacing("user=postgres", with: "user=\(role)")
  }

  @Test("a role with the rights of sql/grants.sql can run everything")
  func leastRights() throws {
    // The second call is made first. The first one takes its recording's uuid then.
    let path =
      "/var/lib/wazo/sounds/tenants/6a1f2c3d-0b1c-4d5e-8f90-123456789abc/monitor/7b2f2c3d-0b1c-4d5e-8f90-123456789abc.wav"
    var (database, runner) = try wazo(
      CELRow.call(a, recording: path), CELRow.call(b, at: 100, recording: path), chunkSize: 7)
    _ = try MigrateJob(runner.settings, interruption: Interruption(), log: quiet).run { _ in }
    runner.settings.databases.logs = try grant(database)
    try runner.generate(.newest(5))
    try runner.generate()
    #expect(try database.conversations() == [a, b])
    try database.insert([CELRow("HANGUP", 30, uniqueid: a, linkedid: a)])
    try runner.generate(.days(100_000))
    #expect(try runner.delete(.lastDays(100_000)) == 2)
    try runner.backfill()
    try database.run("DELETE FROM cel WHERE id > 11")
    try runner.generate()
    #expect(try runner.delete(.all) == 2)
    try runner.generate(start: .anew)
    #expect(try database.conversations() == [a])
    #expect(try StatusJob(runner.settings, interruption: Interruption(), log: quiet).run().callLogs == 1)
    let place = try ArchivePlace()
    #expect(try runner.purge(place).map(\.deleted) == [1, 11])
    #expect(try runner.restore(place).map(\.restored) == [1, 11])
    #expect(try runner.restore(place).map(\.existing) == [1, 11])
    let audio = try AudioPlace()
    let recordings = try runner.purge(audio) { ($0.kinds, $0.forgetsRecordings) = ([], true) }
    #expect(recordings.recordings?.recordings == 1 && recordings.audio?.named == 1 && recordings.audio?.refused == 1)
    let plain = try TestDatabase(.wazo)
    var poor = Runner(plain)
    poor.settings.databases.logs = plain.uri.replacing("user=postgres", with: "user=\(database.name)_role")
    #expect(try failure { try poor.generate() }.exitReason == .permission)
  }

  @Test("without links no right to change CELs is needed")
  func withoutUpdate() throws {
    var (database, runner) = try wazo(CELRow.call(a), CELRow.call(b, at: 100))
    _ = try MigrateJob(runner.settings, interruption: Interruption(), log: quiet).run { _ in }
    runner.settings.databases.logs = try grant(database, without: "GRANT UPDATE (call_log_id)")
    #expect(try failure { try runner.generate() }.exitReason == .permission)
    #expect(try database.conversations() == [])
    runner.settings.linksCELs = false
    try runner.generate()
    #expect(try database.conversations() == [a, b])
    #expect(try runner.delete(.lastDays(100_000)) == 2)
    #expect(try runner.delete(.all) == 0)
  }
}
