import Foundation
import PrivateServer
import Testing

@Suite("The private server")
struct PrivateServerTests {
  let folder = "/tmp/private-server-test-\(UUID().uuidString.prefix(8))"

  func isAlive(_ pid: Int32) -> Bool {
    let state = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)
    return state?.hasPrefix("postgres") ?? false
  }

  @Test("it has a database cluster in UTF-8, its settings, and a socket only")
  func start() throws {
    let server = try PrivateServer(settings: ["fsync": "off", "work_mem": "5MB", "log_line_prefix": "it's %p "])
    defer { server.stop() }
    let answers = try server.psql(
      "SHOW server_encoding; SHOW work_mem; SHOW listen_addresses; SHOW log_line_prefix; SELECT current_user")
    #expect(answers == "UTF8\n5MB\n\nit's %p \npostgres\n")
    #expect(server.uri(database: "a b/c").hasPrefix("postgresql:///a%20b%2Fc?host=%2Ftmp%2F"))
    #expect(server.environment["PGHOST"] == server.socketDirectory)
  }

  @Test("databases are made, copied and removed, whatever their names")
  func databases() throws {
    let server = try PrivateServer.shared
    let name = "it's a \"name\" \(UUID())"
    try server.createDatabase(name)
    try server.psql("CREATE TABLE t AS SELECT 7 AS n", database: name)
    try server.createDatabase(name + " 2", template: name)
    #expect(try server.psql("TABLE t", database: name + " 2") == "7\n")
    try server.dropDatabase(name)
    try server.dropDatabase(name)
    #expect(throws: PrivateServerError.self) { try server.psql("TABLE t", database: name) }
  }

  @Test("psql stops at the first error and says what it is")
  func psqlError() throws {
    let server = try PrivateServer.shared
    let error = #expect(throws: PrivateServerError.self) { try server.psql("SELECT 1 / 0; CREATE DATABASE never") }
    #expect(error?.description.contains("division by zero") == true)
    #expect(try server.psql("SELECT count(*) FROM pg_database WHERE datname = 'never'") == "0\n")
  }

  @Test("stopping ends the process and removes a temporary folder; the last reference going does the same")
  func stop() throws {
    let server = try PrivateServer(settings: ["fsync": "off"])
    let pid = try #require(server.pid)
    #expect(isAlive(pid))
    server.stop()
    server.stop()
    #expect(!isAlive(pid) && server.pid == nil && !FileManager.default.fileExists(atPath: server.socketDirectory))

    var dropped: PrivateServer? = try PrivateServer(settings: ["fsync": "off"])
    let (other, directory) = (try #require(dropped?.pid), dropped?.socketDirectory ?? "")
    dropped = nil
    #expect(!isAlive(other) && !FileManager.default.fileExists(atPath: directory))
  }

  @Test("a folder keeps its data over restarts of either kind, and is used by one server at a time")
  func keeps() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let first = try PrivateServer(directory: folder)
    try first.psql("CREATE TABLE kept (n int)")
    let pid = try #require(first.pid)
    let error = #expect(throws: PrivateServerError.self) { try PrivateServer(directory: folder) }
    #expect(error?.description.contains("process id \(pid) ") == true)
    try first.restart()
    try first.restart(mode: .immediate)
    #expect(first.pid != pid && !isAlive(pid))
    #expect(try first.psql("INSERT INTO kept VALUES (1); TABLE kept") == "1\n")
    first.stop()

    let second = try PrivateServer(directory: folder)
    #expect(try second.psql("TABLE kept") == "1\n")
    second.stop()
    #expect(FileManager.default.fileExists(atPath: second.dataDirectory))
  }

  @Test("what a crash left behind does not keep the server from starting")
  func crash() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let first = try PrivateServer(directory: folder)
    first.stop()
    // The number of a process that lives and is no server: this one's.
    let pidFile = first.dataDirectory + "/postmaster.pid"
    try "\(getpid())\n\(first.dataDirectory)\n".write(toFile: pidFile, atomically: false, encoding: .utf8)
    // And a data folder that was only half made.
    try FileManager.default.createDirectory(atPath: first.dataDirectory + ".new", withIntermediateDirectories: true)
    let second = try PrivateServer(directory: folder)
    #expect(try second.psql("SELECT 1") == "1\n")
    second.stop()
  }

  @Test("a server that cannot start says why, with the end of its log")
  func cannotStart() throws {
    let error = #expect(throws: PrivateServerError.self) { try PrivateServer(settings: ["no_such_setting": "1"]) }
    #expect(error?.description.contains("no_such_setting") == true)
    let long = "/tmp/" + String(repeating: "long", count: 30)
    #expect(throws: PrivateServerError.self) { try PrivateServer(directory: long) }
    try? FileManager.default.removeItem(atPath: long)
  }

  @Test("the server outlives neither a process that exits nor one that is killed", arguments: [SIGKILL, 0])
  func orphans(signal: Int32) async throws {
    let note = folder + ".pid"
    defer { try? FileManager.default.removeItem(atPath: note) }
    await #expect(processExitsWith: signal == 0 ? .exitCode(0) : .signal(signal)) {
      [note = note as String, signal = signal as Int32] in
      let server = try PrivateServer(settings: ["fsync": "off"])
      try "\(server.pid ?? 0) \(server.socketDirectory)".write(toFile: note, atomically: true, encoding: .utf8)
      if signal == 0 { exit(0) }
      kill(getpid(), signal)
      sleep(60)
    }
    let words = try String(contentsOfFile: note, encoding: .utf8).split(separator: " ")
    let pid = try #require(Int32(words[0]))
    for _ in 0..<3000 where isAlive(pid) { try await Task.sleep(for: .milliseconds(10)) }
    #expect(pid > 0 && !isAlive(pid))
    #expect(signal != 0 || !FileManager.default.fileExists(atPath: String(words[1])))
    try? FileManager.default.removeItem(atPath: String(words[1]))
  }
}
