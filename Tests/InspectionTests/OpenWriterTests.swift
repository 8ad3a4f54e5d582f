import Foundation
import Inspection
import PostgreSQL
import Store
import TestSupport
import Testing

@Suite("Who makes ids wait")
struct OpenWriterTests {
  private let a = "1714989600.1"

  private func status(_ runner: Runner) throws -> StatusJob.Status {
    try StatusJob(runner.settings, interruption: Interruption(), log: quiet).run()
  }

  @Test("is named in the log, once a run, and in status: a process, or the name of a prepared transaction")
  func named() throws {
    let database = try TestDatabase(.wazo)
    let (one, two) = (try database.connect(), try database.connect())
    let name = "z\(database.name)"
    try one.script("BEGIN; SELECT 1", purpose: "Opening a transaction")
    try database.insert(CELRow.call(a), on: one)
    try database.insert(Array(CELRow.call("1714989700.2", at: 100).prefix(2)))
    try two.script("BEGIN; SAVEPOINT s", purpose: "Opening a transaction")
    try database.insert(Array(CELRow.call("1714989700.2", at: 100).dropFirst(2)), on: two)
    try two.script("RELEASE s; PREPARE TRANSACTION '\(name)'", purpose: "Preparing")
    try database.insert(CELRow.call("1714989800.3", at: 200))
    let recorder = LogRecorder()
    var runner = Runner(database, chunkSize: 8)
    runner.settings.patience = 0.05
    runner.log = recorder.logger
    #expect(try runner.generate().waiting == [1..<11, 13..<21])
    let names = recorder.infos.filter { $0.contains("may still commit") }
    #expect(names.count == 2, "\(names)")
    #expect(names.contains { $0.contains("process \(one.backendProcessID) (user postgres, application tests") }, "\(names)")
    #expect(names.contains { $0.contains("prepared transaction '\(name)' (user postgres") }, "\(names)")
    #expect(recorder.warnings == [])
    // Nobody of these few seconds is worth a line yet.
    Thread.sleep(forTimeInterval: 6)
    let status = try status(runner)
    #expect(status.lateRule == .locks && status.gaps.map(\.ids) == [1..<11, 13..<21])
    #expect(status.gaps.allSatisfy { $0.age >= 5.9 })
    #expect(status.writers.map(\.processID) == [Int64(one.backendProcessID), nil])
    #expect(status.writers.map(\.preparedAs) == [nil, name])
    #expect(status.writers.allSatisfy { ($0.age ?? 0) >= 5 && $0.since != nil && $0.user == "postgres" })
    try database.run("ROLLBACK PREPARED '\(name)'")
    try one.script("COMMIT", purpose: "Committing")
    try runner.generate()
    #expect(try self.status(runner).writers.isEmpty)
    try expectWhole(database)
  }

  @Test("is named by what the role may see; whom ids have waited for longer than a minute is a warning, one a run")
  func poorRole() throws {
    let database = try TestDatabase(.wazo)
    var runner = Runner(database, chunkSize: 5)
    runner.settings.patience = 0.02
    try runner.generate()
    let role = "\(database.name)_poor"
    try database.run(
      "CREATE ROLE \(role) LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO \(role); GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO \(role)"
    )
    defer { try? database.run("DROP OWNED BY \(role); DROP ROLE \(role)") }
    runner.settings.databases.logs = database.uri.replacing("user=postgres", with: "user=\(role)")
    let writer = try database.connect()
    try writer.script("BEGIN", purpose: "Opening a transaction")
    try database.insert(CELRow.call(a), on: writer)
    try database.insert(CELRow.call("1714989800.3", at: 200))
    for isOld in [false, true] {
      if isOld { try database.run("UPDATE call_logd_gap SET first_missing = first_missing - interval '2 min'") }
      let recorder = LogRecorder()
      runner.log = recorder.logger
      try runner.generate()
      #expect(recorder.warnings.count == (isOld ? 1 : 0), "\(recorder.warnings)")
      let lines = isOld ? recorder.warnings : recorder.infos
      #expect(lines.contains { $0.contains("process \(writer.backendProcessID) (user postgres") }, "\(lines)")
    }
    let status = try status(runner)
    #expect(status.writers.map(\.processID) == [Int64(writer.backendProcessID)])
    #expect(status.writers.map(\.since) == [nil])
    #expect((status.gaps.first?.age ?? 0) > 100)
  }
}
