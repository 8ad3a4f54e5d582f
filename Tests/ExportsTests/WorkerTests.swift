import Exports
import Foundation
import Listing
import PostgreSQL
import Recordings
import TestSupport
import Testing
import Values

@Suite("The worker of exports")
struct WorkerTests {
  @Test("makes what it finds at its start and what it is woken for, also after the server ended its session; it stops at once")
  func works() throws {
    let scene = try Scene()
    let waiting = try scene.simpleRequest()
    let uri = scene.database.uri
    let worker = ExportWorker(
      scene.settings,
      connect: { try Connection(ConnectionParameters(uri: uri, applicationName: "exports"), log: quiet) },
      log: scene.recorder.logger
    ) { _ in "" }
    worker.start()
    try waitUntil("the first export is made") { try scene.read(waiting).status == .finished }
    for _ in 0..<3 {
      let uuid = try scene.simpleRequest()
      worker.wake()
      try waitUntil("an export is made") { try scene.read(uuid).status == .finished }
    }
    try scene.database.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'exports'")
    let uuid = try scene.simpleRequest()
    worker.wake()
    try waitUntil("an export is made by a new session") { try scene.read(uuid).status == .finished }
    worker.stop()
    let late = try scene.simpleRequest()
    worker.wake()
    try waitUntil("its session has ended") {
      try scene.database.value("count(*) FROM pg_stat_activity WHERE application_name = 'exports'") == "0"
    }
    #expect(try scene.read(late).status == .pending)
  }

  @Test("needs no rights but those of sql/grants.sql, and neither do requests and recordings")
  func leastRights() throws {
    let scene = try Scene(.wazo)
    // An empty folder would count as a disk that is not mounted.
    try Data().write(to: URL(fileURLWithPath: scene.audio + "/nobody's.wav"))
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../sql/grants.sql")
    let role = "\(scene.database.name)_role"
    try scene.database.run("CREATE ROLE \(role) LOGIN")
    try scene.database.run(String(contentsOf: file, encoding: .utf8).replacing(":\"role\"", with: role))
    try scene.addCallLog(1)
    let uri = scene.database.uri.replacing("user=postgres", with: "user=\(role)")
    let connection = try Connection(ConnectionParameters(uri: uri, applicationName: "tests"), log: quiet)
    defer { connection.close() }
    for number in [100, 101] { try scene.addRecording(number, callLog: 1) }
    try TenantRetention.storeDefaults(RetentionDays(exports: 0), on: connection)
    try TenantRetention.write(RetentionDays(exports: 0), of: Scene.uuid(40), on: connection)
    let request = ExportRequest(CallLogSelection(), visible: .all, tenant: Scene.uuid(41), user: Scene.user)
    let export = try #require(try request.store(on: connection))
    #expect(try scene.steps(on: connection).next().made == export.uuid)
    guard case .opened = try ExportDownload.open(export.uuid, tenants: .all, folders: [scene.settings.folder], on: connection)
    else {
      Issue.record("the file is not there")
      return
    }
    try scene.addCallLog(2)
    try scene.addRecording(102, callLog: 2, path: "/none")
    let failing = try #require(try request.store(on: connection))
    #expect(try scene.steps(on: connection).next().failed == failing.uuid)
    #expect(try Set(scene.steps(on: connection).purge() ?? []) == [export.uuid, failing.uuid])
    for id: Int64 in [1, 2] {
      #expect(try Recordings.delete(ofCallLogs: [id], tenants: .all, folder: scene.audio, on: connection) == .done)
    }
  }

  @Test("waits for a server that is away, and stops meanwhile")
  func away() throws {
    let scene = try Scene()
    let worker = ExportWorker(
      scene.settings, connect: { throw PostgreSQLError(kind: .connection, purpose: "Connecting", message: "away") },
      log: scene.recorder.logger
    ) { _ in "" }
    worker.start()
    try waitUntil("it has tried") { !scene.recorder.warnings.isEmpty }
    worker.stop()
  }
}
