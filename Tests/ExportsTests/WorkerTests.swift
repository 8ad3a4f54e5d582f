import Exports
import PostgreSQL
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
    #expect(try scene.database.value("count(*) FROM pg_stat_activity WHERE application_name = 'exports'") == "0")
    #expect(try scene.read(late).status == .pending)
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
