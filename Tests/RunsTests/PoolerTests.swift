import Foundation
import PostgreSQL
import PrivateServer
import TestSupport
import Testing

/// PgBouncer in front of the tests' server.
private final class Pooler {
  static let program = ["/usr/sbin/pgbouncer", "/usr/local/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"]
    .first {
      FileManager.default.isExecutableFile(atPath: $0)
    }

  private let process = Process()
  private let folder: URL

  init(_ settings: String) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("pool-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
    let ini = folder.appendingPathComponent("pool.ini")
    try """
    [databases]
    * = host=\(PrivateServer.shared.socketDirectory) port=\(PrivateServer.shared.port) user=postgres
    [pgbouncer]
    listen_addr =
    listen_port = 6432
    unix_socket_dir = \(folder.path)
    auth_type = any
    \(settings)
    """.write(to: ini, atomically: true, encoding: .utf8)
    process.executableURL = URL(fileURLWithPath: Pooler.program ?? "")
    process.arguments = (geteuid() == 0 ? ["-u", "postgres"] : []) + [ini.path]
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    for _ in 0..<500 where !FileManager.default.fileExists(atPath: folder.path + "/.s.PGSQL.6432") {
      Thread.sleep(forTimeInterval: 0.02)
    }
  }

  deinit {
    // Threads of the tests block signals, and what they start inherits that; this one nothing can
    // block.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: folder)
  }

  func uri(_ database: TestDatabase) -> String { "postgresql:///\(database.name)?host=\(folder.path)&port=6432&user=postgres" }
}

@Suite("Behind PgBouncer", .enabled(if: Pooler.program != nil, "needs pgbouncer"))
struct PoolerTests {
  static let sharing = [
    "pool_mode = transaction", "pool_mode = transaction\nserver_round_robin = 1",
    "pool_mode = transaction\ndefault_pool_size = 1",
    "pool_mode = statement",
  ]

  @Test("a pool that shares its sessions is refused with what to set, and nothing is done", arguments: sharing, [0, 3])
  func refused(settings: String, others: Int) throws {
    var (database, runner) = try wazo(CELRow.call("1714989600.1"))
    let pooler = try Pooler(settings)
    // Others have used it before, so that several processes are free.
    let before = try (0..<others).map { _ in try connect(pooler, database) }
    if settings == "pool_mode = transaction" {
      for connection in before { try connection.begin() }
      for connection in before { try connection.roll() }
    }
    runner.settings.databases.logs = pooler.uri(database)
    runner.settings.retryFor = 0
    let failure = try failure { try runner.generate() }
    #expect(failure.exitReason == .configuration, "\(failure.message)")
    #expect(failure.message.contains("db_uri") && failure.message.contains("pool_mode = session"))
    #expect(try database.value("to_regclass('call_logd_checkpoint') IS NULL") == "true")
  }

  @Test("a pool of the CELs' own database is refused, too")
  func cels() throws {
    var (database, runner) = try wazo(CELRow.call("1714989600.1"))
    let logs = try TestDatabase(.empty)
    let pooler = try Pooler("pool_mode = transaction")
    runner.settings.databases.logs = logs.uri
    runner.settings.databases.cels = pooler.uri(database)
    let failure = try failure { try runner.generate() }
    #expect(failure.exitReason == .configuration && failure.message.hasPrefix("cel_db_uri"), "\(failure.message)")
    _ = database
  }

  @Test("a pool that keeps sessions does", arguments: [1, 3])
  func kept(workers: Int) throws {
    var (database, runner) = try wazo(CELRow.call("1714989600.1"), CELRow.call("1714989700.2", at: 100), chunkSize: 4)
    let pooler = try Pooler("pool_mode = session")
    runner.settings.databases.logs = pooler.uri(database)
    runner.settings.workers = workers
    try runner.backfill()
    #expect(try database.conversations() == ["1714989600.1", "1714989700.2"])
    try expectWhole(database)
  }

  private func connect(_ pooler: Pooler, _ database: TestDatabase) throws -> Connection {
    try Connection(ConnectionParameters(uri: pooler.uri(database), applicationName: "tests"), log: quiet)
  }
}

extension Connection {
  fileprivate func begin() throws { try script("BEGIN", purpose: "A test's transaction") }
  fileprivate func roll() throws { try script("ROLLBACK", purpose: "A test's transaction") }
}
