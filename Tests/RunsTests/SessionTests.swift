import PostgreSQL
import TestSupport
import Testing

@testable import Runs

@Suite("Sessions")
struct SessionDurabilityTests {
  @Test(
    "commit durably, whatever the role or the database has set; remote_apply stays",
    arguments: ["off", "local", "on", "remote_apply"])
  func durable(setting: String) throws {
    let database = try TestDatabase(.wazo)
    try database.run("ALTER DATABASE \(database.name) SET synchronous_commit = \(setting)")
    let context = try Runner(database).context()
    defer { context.databases.close() }
    func expect(_ databases: Databases) throws {
      for connection in [databases.logs, databases.side, databases.cels] {
        let found = try connection.query("SELECT current_setting('synchronous_commit')", purpose: "Looking").string(0, 0)
        #expect(found == (setting == "remote_apply" ? setting : "on"))
      }
    }
    try expect(context.databases)
    try context.databases.reconnect()
    try expect(context.databases)
  }
}
