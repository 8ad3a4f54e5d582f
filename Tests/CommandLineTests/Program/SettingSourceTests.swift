import Foundation
import PrivateServer
import Testing

@Suite("Where settings come from")
struct SettingSourceTests {
  @Test(
    "With nothing set the exit code is 78, and the sentence says what to set",
    arguments: [[], ["status"], ["migrate"], ["backfill"], ["delete", "-A"], ["explain", "1"]])
  func nothing(arguments: [String]) throws {
    // Where Wazo itself is installed, its configuration names a database.
    guard !FileManager.default.fileExists(atPath: "/etc/wazo-call-logd/config.yml") else { return }
    expectFailure(
      try Running(Program.path, arguments).finish(), 78, "db_uri", "WAZO_CALL_LOGS_DB_URI", "--db-uri", "postgresql://", "PGHOST")
  }

  @Test("Option over environment over file; each is said by --debug")
  func precedence() throws {
    let database = try TestDatabase(.bare)
    let folder = try Scratch()
    let wrong = try PrivateServer.shared.uri(database: "no_such_database")
    let good = folder.file("good/config.yml", "db_uri: \(database.uri)\nlog_level: debug\n")
    let bad = folder.file("bad/config.yml", "db_uri: \(wrong)\n")
    let tenantSet = ["WAZO_CALL_LOGS_DEFAULT_TENANT": tenant]

    let byFile = try Program.run("--config", good, environment: tenantSet)
    #expect(byFile.status == 0)
    #expect(byFile.errors.contains("db_uri: \(good), line 1\n"))
    let byEnvironment = try Program.run(
      "-D", "--config", bad, environment: tenantSet.merging(["WAZO_CALL_LOGS_DB_URI": database.uri]) { $1 })
    #expect(byEnvironment.status == 0)
    #expect(byEnvironment.errors.contains("db_uri: environment variable WAZO_CALL_LOGS_DB_URI\n"))
    let byOption = try Program.run(
      "-D", "--db-uri", database.uri, "--config", bad, environment: tenantSet.merging(["WAZO_CALL_LOGS_DB_URI": wrong]) { $1 })
    #expect(byOption.status == 0)
    #expect(byOption.errors.contains("db_uri: option --db-uri\n"))
    expectFailure(try Program.run("--config", bad, environment: tenantSet), 78, "no_such_database", "does not exist", "create it")
  }

  @Test("WAZO_CALL_LOGS_CONFIG names the file as --config does, and conf.d beside it goes before it")
  func configVariable() throws {
    let database = try TestDatabase(.bare)
    let folder = try Scratch()
    let file = folder.file("config.yml", "db_uri: postgresql:///no_such_database\ndefault_tenant: \(tenant)\n")
    _ = folder.file("conf.d/10-database.yml", "db_uri: \(database.uri)\n")
    expectSilence(try Program.run(environment: ["WAZO_CALL_LOGS_CONFIG": file]))
    expectFailure(try Program.run("--config", folder.path + "/absent.yml"), 78, "absent.yml", "--config", "does not exist")
  }

  @Test("libpq's own variables are enough")
  func libpq() throws {
    let database = try TestDatabase(.bare)
    let server = try PrivateServer.shared.environment
    let environment = server.merging(["PGDATABASE": database.name, "WAZO_CALL_LOGS_DEFAULT_TENANT": tenant]) { $1 }
    expectSilence(try Program.run(environment: environment))
    #expect(try database.count("call_logd_checkpoint") == 1)
  }

  @Test("An unknown key is warned about, with the nearest that is known, and the run goes on")
  func unknownKey() throws {
    let database = try TestDatabase(.bare)
    let file = Scratch.shared.file("unknown-\(database.name).yml", "db_uri: \(database.uri)\nchunksize: 5\n")
    let outcome = try Program.run("--config", file, environment: ["WAZO_CALL_LOGS_DEFAULT_TENANT": tenant])
    #expect(outcome.status == 0)
    #expect(outcome.errors == "wazo-call-logs: warning: \(file), line 2: chunksize is not a setting; the nearest is chunk_size\n")
  }

  @Test(
    "A value that cannot be is a usage error on the command line, and configuration in a file",
    arguments: [
      ("chunk_size", "0"), ("chunk_size", "many"), ("default_tenant", "xx"), ("cel_table", "a;b"), ("cel_time_zone", "Mars/Base"),
      ("lock_timeout", "-1s"), ("workers", "0"), ("close_after", "5s"), ("final_after", "31d"), ("log_level", "loud"),
    ])
  func invalidValue(key: String, value: String) throws {
    let option = "--" + key.replacing("_", with: "-")
    expectFailure(try Program.run("\(option)=\(value)"), 64, key, "“\(value)”", "option \(option)", "allowed: ")
    let folder = try Scratch()
    let file = folder.file("config.yml", "\(key): \(value)\n")
    expectFailure(try Program.run("--config", file), 78, key, "“\(value)”", "\(file), line 1", "allowed: ")
  }

  @Test("A broken file is configuration, with its line, and shows no password")
  func brokenFile() throws {
    let folder = try Scratch()
    let file = folder.file("config.yml", "cel_table: cel\ndb_uri: \"postgresql://u:\(Program.secret)@h/d\n  x: [\n")
    expectFailure(try Program.run("--config", file), 78, file, "line")
  }

  @Test("A connection string that cannot be read is no matter of the server, and shows no password")
  func brokenURI() throws {
    expectFailure(try Program.run("--db-uri", "postgresql://u:\(Program.secret)@h:xx/y"), 78, "connection string")
    expectFailure(try Program.run("--db-uri", "\(Program.secret) nonsense"), 64, "db_uri", "postgresql://")
  }

  @Test("Two ways to write one database are one; two databases are two")
  func twoDatabases() throws {
    let cels = try TestDatabase(.wazo)
    expectSilence(try cels.run("--cel-db-uri", cels.uri.replacing("port=5432", with: "port=5432&application_name=x")))
    let logs = try TestDatabase()
    let others = try TestDatabase(.wazo)
    expectSilence(try logs.run("--cel-db-uri", others.uri))
    #expect(try logs.count("call_logd_call_log") == cels.count("call_logd_call_log"))
    #expect(try others.count("cel WHERE call_log_id IS NOT NULL") == cels.count("cel WHERE call_log_id IS NOT NULL"))
    #expect(try logs.psql("SELECT to_regclass('cel') IS NULL") == "t")
  }
}
