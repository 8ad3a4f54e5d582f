import Foundation
import PrivateServer
import TestSupport
import Testing

/// What stops a run before anything is written: each is one sentence with what, where and how to
/// mend it.
@Suite("A server that refuses")
struct RefusalTests {
  private let tenantSet = ["WAZO_CALL_LOGS_DEFAULT_TENANT": tenant]

  @Test(
    "No server is 69",
    arguments: [
      "postgresql:///asterisk?host=/no/such/folder", "postgresql://127.0.0.1:1/asterisk",
      "postgresql://no-such-host.invalid/asterisk",
    ])
  func noServer(uri: String) throws {
    for verb in ["generate", "status", "migrate"] {
      expectFailure(
        try Program.run(verb, "--db-uri", uri, environment: tenantSet), 69, "Connecting failed", "\"asterisk\"",
        "start the server",
        "db_uri")
    }
    let database = try TestDatabase(.bare)
    expectFailure(try database.run("--cel-db-uri", uri), 69, "Connecting failed", "cel_db_uri")
  }

  @Test("A wrong password is 77, no password too; the right one works and is never shown")
  func password() throws {
    let database = try TestDatabase(.wazo)
    let server = try PrivateServer.shared
    let role = "login_\(database.name)"
    try database.psql("CREATE ROLE \(role) LOGIN SUPERUSER PASSWORD '\(Program.secret)'")
    let rules = server.dataDirectory + "/pg_hba.conf"
    let before = try String(contentsOfFile: rules, encoding: .utf8)
    // In place, so that the file stays the server's.
    let file = try #require(FileHandle(forWritingAtPath: rules))
    try file.write(contentsOf: Data("local all \(role) scram-sha-256\n\(before)".utf8))
    try file.close()
    try database.psql("SELECT pg_reload_conf()")
    try wait("for the rule") { try database.count("pg_hba_file_rules WHERE auth_method = 'scram-sha-256'") > 0 }

    let wrong = database.uri(user: role, password: Program.encodedSecret + "x")
    try wait("for the rule to be in force") { try Program.run("status", "--db-uri", wrong).status != 0 }
    for verb in ["generate", "status", "migrate"] {
      for uri in [wrong, database.uri(user: role)] {
        expectFailure(
          try Program.run(verb, "-D", "--db-uri", uri, environment: tenantSet).withoutDebug, 77, role, database.name, "password",
          "pg_hba.conf")
      }
    }
    let right = try Program.run(
      "-D", "--db-uri", database.uri(user: role, password: Program.encodedSecret), environment: tenantSet)
    #expect(right.status == 0)
    #expect(try database.count("call_logd_call_log") > 0)
  }

  @Test("No such database is 78, no such role 77")
  func noDatabase() throws {
    let uri = try PrivateServer.shared.uri(database: "no_such_database")
    expectFailure(try Program.run("--db-uri", uri, environment: tenantSet), 78, "no_such_database", "does not exist", "create it")
    let database = try TestDatabase(.bare)
    expectFailure(
      try Program.run("--db-uri", database.uri(user: "nobody_here"), environment: tenantSet), 77, "nobody_here", "db_uri")
  }

  @Test(
    "No table cel is 78, and the database stays empty", arguments: ["generate", "backfill", "status", "delete -A", "explain 1"])
  func noTable(command: String) throws {
    let database = try TestDatabase()
    let outcome = try database.start(command.split(separator: " ").map(String.init)).finish()
    expectFailure(outcome, 78, "no table cel", database.name, "cel_table", "cel_db_uri")
    #expect(try database.contents().isEmpty)
    expectFailure(try database.run("--cel-table", "asterisk.events"), 78, "no table asterisk.events", "cel_table")
  }

  @Test(
    "A CEL table without a column that must be there is 78", arguments: ["id", "eventtype", "eventtime", "uniqueid", "linkedid"])
  func noColumn(column: String) throws {
    let database = try TestDatabase(.bare)
    try database.psql("ALTER TABLE cel DROP COLUMN \(column)")
    let contents = try database.contents()
    expectFailure(try database.run(), 78, "table cel", database.name, "no column \(column)")
    #expect(try database.contents() == contents)
  }

  @Test("An older Wazo's table of call logs is 78")
  func olderWazo() throws {
    let database = try TestDatabase(.bare)
    expectSilence(try database.run("migrate"))
    try database.psql("ALTER TABLE call_logd_call_log DROP COLUMN blocked")
    expectFailure(try database.run(), 78, "call_logd_call_log", "lacks blocked", "Wazo")
  }

  @Test("Without a default tenant among several, 78 says which there are")
  func noTenant() throws {
    let database = try TestDatabase(.wazo)
    let known = try database.psql("SELECT uuid FROM tenant ORDER BY uuid").split(separator: "\n")
    let outcome = try database.run(environment: ["WAZO_CALL_LOGS_DEFAULT_TENANT": ""])
    expectFailure(outcome, 78, "--default-tenant", "there are \(known.count)", String(known[0]))
    #expect(try database.psql("SELECT count(*) FROM pg_class WHERE relname LIKE 'call_logd%'") == "0")
  }

  @Test("A role without rights is 77 and is told which; with those of grants.sql it can do the nightly run")
  func permission() throws {
    let database = try TestDatabase(.wazo)
    let role = "weak_\(database.name)"
    try database.psql("CREATE ROLE \(role) LOGIN")
    let uri = database.uri(user: role)
    expectFailure(
      try Program.run("--db-uri", uri, environment: tenantSet), 77, role, "permission denied for table cel", "grants.sql")
    expectFailure(try Program.run("status", "--db-uri", uri), 77, role, "permission denied for table cel", "grants.sql")
    #expect(try database.psql("SELECT to_regclass('call_logd_migration') IS NULL") == "t")
    expectSilence(try database.run("migrate"))
    expectFailure(
      try Program.run("--db-uri", uri, environment: tenantSet), 77, "permission denied for table cel", "grants.sql")
    try database.psql(
      "GRANT SELECT ON cel, tenant, userfeatures, linefeatures, endpoint_sip, user_line, line_extension, extensions, context, voicemail TO \(role); GRANT UPDATE (call_log_id) ON cel TO \(role)"
    )
    expectFailure(
      try Program.run("--db-uri", uri, environment: tenantSet), 77, "permission denied for table call_logd_migration",
      "grants.sql")
    let grants = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../sql/grants.sql")
    try database.psql("\\set role \(role)\n" + String(contentsOf: grants, encoding: .utf8))
    for arguments in [["generate"], ["delete", "-d", "5"], ["generate"]] {
      expectSilence(
        try Running(Program.path, arguments, environment: tenantSet.merging(["WAZO_CALL_LOGS_DB_URI": uri]) { $1 }).finish())
    }
    #expect(try database.count("call_logd_call_log") == Template.simulated.get().summary.callLogs)
    #expect(try Program.run("status", "--db-uri", uri).status == 0)
  }

  @Test("SQL_ASCII and LATIN1 are 78 for call logs, and stay empty; CELs may be there", arguments: ["SQL_ASCII", "LATIN1"])
  func encoding(name: String) throws {
    let database = "encoding_\(name.lowercased())"
    try PrivateServer.shared.psql("CREATE DATABASE \(database) ENCODING '\(name)' LOCALE 'C' TEMPLATE template0")
    try PrivateServer.shared.psql(
      "SET client_encoding = 'UTF8';\n" + wazoTables + CELFile.oneCall.copy.replacing("Alice", with: "Al\u{E9}x"),
      database: database)
    let uri = try PrivateServer.shared.uri(database: database)
    for verb in ["generate", "migrate"] {
      expectFailure(try Program.run(verb, "--db-uri", uri, environment: tenantSet), 78, database, name, "UTF8", "cel_db_uri")
    }
    #expect(try PrivateServer.shared.psql("SELECT to_regclass('call_logd_migration') IS NULL", database: database).hasPrefix("t"))
    let logs = try TestDatabase()
    expectSilence(try logs.run("--cel-db-uri", uri))
    #expect(try logs.psql("SELECT source_name FROM call_logd_call_log") == "Al\u{E9}x")
  }

  @Test("A database that takes no writes is 78; what only reads works there")
  func readOnly() throws {
    let database = try TestDatabase(.wazo)
    try PrivateServer.shared.psql("ALTER DATABASE \(database.name) SET default_transaction_read_only = on")
    expectFailure(try database.run(), 78, database.name, "read-only", "standby", "db_uri")
    expectFailure(try database.run("migrate"), 78, "read-only")
    #expect(try database.run("status").status == 0)
    try PrivateServer.shared.psql("ALTER DATABASE \(database.name) RESET default_transaction_read_only")
    expectSilence(try database.run("--chunk-size", "1000"))
    try PrivateServer.shared.psql("ALTER DATABASE \(database.name) SET default_transaction_read_only = on")
    expectFailure(try database.run(), 78, "read-only")
    expectFailure(try database.run("delete", "-A"), 78, "read-only")
    #expect(try database.run("status").status == 0)
    let some = try database.psql("SELECT min(conversation_id) FROM call_logd_call_log")
    #expect(try database.run("explain", some).status == 0)
  }

  @Test("A statement_timeout for people's queries does not stop the job")
  func statementTimeout() throws {
    let database = try TestDatabase(.bare)
    try database.load(.oneCall)
    expectSilence(try database.run("migrate"))
    try PrivateServer.shared.psql("ALTER DATABASE \(database.name) SET statement_timeout = '500ms'")
    let holder = try Running(
      "/usr/bin/env",
      [
        "psql", "-Xq", "-d", database.uri, "-c", "SET statement_timeout = 0", "-c",
        "BEGIN; LOCK TABLE cel IN SHARE MODE; SELECT pg_sleep(1.5)",
      ])
    try wait("for the lock") { try database.count("pg_locks WHERE mode = 'ShareLock' AND relation = 'cel'::regclass") > 0 }
    expectSilence(try database.run())
    #expect(try holder.finish().status == 0)
    #expect(try database.count("call_logd_call_log") == 1)
  }

  @Test(
    "A full disk at the server is 74, with what was committed and nothing else",
    .enabled(if: Mounts.areAllowed, "needs root that may mount"))
  func diskFull() throws {
    let database = try TestDatabase(.wazo)
    expectSilence(try database.run("migrate"))
    let folder = try PrivateServer.shared.socketDirectory + "/tiny"
    let mounted = try Program.bash(
      "mkdir \(folder) && mount -t tmpfs -o size=64k,mode=777 tmpfs \(folder) && mkdir -m 777 \(folder)/data && chown postgres: \(folder)/data"
    )
    try #require(mounted.status == 0, "\(mounted.errors)")
    defer { _ = try? Program.bash("umount \(folder)") }
    try database.psql("CREATE TABLESPACE tiny LOCATION '\(folder)/data'")
    try database.psql("ALTER TABLE call_logd_call_log SET TABLESPACE tiny")
    expectFailure(try database.run("--chunk-size", "500"), 74, database.name, "No space left on device", "make room")
    #expect(
      try database.count("cel WHERE call_log_id IS NOT NULL AND call_log_id NOT IN (SELECT id FROM call_logd_call_log)") == 0)
    #expect(
      try database.count(
        "call_logd_call_log l, call_logd_checkpoint k WHERE NOT k.covered @> (SELECT max(id)::bigint FROM cel WHERE call_log_id = l.id)"
      ) == 0)
    try database.psql("ALTER TABLE call_logd_call_log SET TABLESPACE pg_default")
    expectSilence(try database.run())
    let undisturbed = try TestDatabase(.wazo)
    expectSilence(try undisturbed.run())
    #expect(try database.callLogs() == undisturbed.callLogs())
    try database.psql("DROP TABLESPACE tiny")
  }
}

extension Outcome {
  /// The same without what --debug adds.
  var withoutDebug: Outcome {
    var copy = self
    copy.errors = errors.split(separator: "\n").filter { !$0.contains(": debug: ") }.map { $0 + "\n" }.joined()
    return copy
  }
}
