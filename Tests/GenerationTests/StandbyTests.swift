import Foundation
import Inspection
import PostgreSQL
import PrivateServer
import Store
import TestSupport
import Testing

@Suite("CELs on a standby")
struct StandbyTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"

  /// Waits until the standby knows everything.
  private func catchUp(_ primary: TestDatabase, _ standby: Connection) throws {
    let position = try primary.value("pg_current_wal_insert_lsn()::text")
    let limit = Date(timeIntervalSinceNow: 60)
    while try standby.query("SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", [.text(position)], purpose: "Waiting").bool(
      0, 0) != true
    {
      try #require(Date() < limit)
      Thread.sleep(forTimeInterval: 0.02)
    }
  }

  @Test("are read there: rows that come late are waited for by time, nothing is linked, all is as on the primary")
  func endToEnd() throws {
    let server = try PrivateServer(settings: ["fsync": "off", "max_connections": "30", "wal_writer_delay": "10ms"])
    defer { server.stop() }
    let primary = try TestDatabase(on: server)
    defer { primary.admin.close() }
    let follower = try server.makeStandby()
    defer { follower.stop() }
    let logs = try TestDatabase(.empty)
    let uri = follower.uri(database: primary.name)
    let standby = try Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)
    defer { standby.close() }
    var rows = CELRow.call(a)
    let held = rows.remove(at: 4)
    try primary.insert(Array(rows[..<4]))
    let writer = try primary.connect()
    defer { writer.close() }
    try writer.script("BEGIN", purpose: "Opening a transaction")
    try primary.insert([held], on: writer)
    try primary.insert(Array(rows[4...]) + CELRow.call(b, at: 100))
    try catchUp(primary, standby)
    let recorder = LogRecorder()
    var runner = Runner(logs)
    runner.log = recorder.logger
    runner.settings.databases.cels = uri
    #expect(try runner.generate().waiting == [5..<6])
    #expect(recorder.infos.contains { $0.contains("standby") } && recorder.warnings.contains { $0.contains("not linked") })
    try writer.script("COMMIT; SELECT nextval('cel_id_seq')", purpose: "Committing")
    try primary.insert([CELRow("HANGUP", 130, uniqueid: b, linkedid: b)])
    try catchUp(primary, standby)
    #expect(try runner.generate().waiting == [21..<22])
    #expect(try differenceFromFreshRun(logs, cels: primary) == "")
    runner.settings.finalAfter = 0
    #expect(try runner.generate().waiting.isEmpty)
    #expect(try logs.coverage() == "{[0,23)}")
    #expect(try primary.value("count(*) FROM cel WHERE call_log_id IS NOT NULL") == "0")
    #expect(try logs.value("count(*) FROM call_logd_link") == "0")
    guard case .timed(let reason) = try StatusJob(runner.settings, interruption: Interruption(), log: quiet).run().lateRule else {
      Issue.record("by locks")
      return
    }
    #expect(reason.contains("standby"))
    #expect(try runner.delete(.all) == 2)
    try runner.backfill()
    #expect(try differenceFromFreshRun(logs, cels: primary) == "")
    // The same table, found on its primary: the same coverage goes on, by locks.
    runner.settings.databases.cels = primary.uri
    #expect(try runner.generate().chunks == 0)
    let table = try CELTable.find("cel", timeZone: nil, on: primary.admin)
    #expect(table.lateRule == .locks)
    // Should its server become a standby while a run goes on, ids wait, for it shows nobody.
    #expect(try table.writers(on: standby).count == 1)
    #expect(try table.writers(on: primary.admin).isEmpty)
  }
}
