import PostgreSQL
import TestSupport
import Testing

@Suite("Links from CELs to call logs")
struct LinkTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"

  /// CELs in one database, call logs in another.
  private func two(_ cels: [CELRow]...) throws -> (cels: TestDatabase, logs: TestDatabase, Runner) {
    let (source, target) = (try TestDatabase(.wazo), try TestDatabase(.empty))
    for rows in cels { try source.insert(rows) }
    return (source, target, Runner(target, cels: source))
  }

  @Test("are made in the commit that makes the call log, and not without being asked for")
  func oneDatabase() throws {
    let (database, runner) = try wazo(CELRow.call(a), CELRow.chat("1714989601.3"))
    try runner.backfill()
    #expect(try database.value("count(*) FROM cel WHERE call_log_id = \(database.id(of: a)) AND linkedid = '\(a)'") == "10")
    #expect(
      try database.value(
        "count(DISTINCT xmin) FROM (SELECT xmin::text FROM cel WHERE call_log_id IS NOT NULL UNION SELECT xmin::text FROM call_logd_call_log) both_of_them(xmin)"
      ) == "1")
    var (other, unlinked) = try wazo(CELRow.call(a))
    unlinked.settings.linksCELs = false
    try unlinked.backfill()
    #expect(try other.conversations() == [a])
    #expect(try other.value("count(*) FROM cel WHERE call_log_id IS NOT NULL") == "0")
  }

  @Test("are recorded and worked off where the CELs are in another database")
  func twoDatabases() throws {
    let (cels, logs, runner) = try two(CELRow.call(a), CELRow.call(b, at: 100))
    try runner.backfill()
    #expect(try logs.conversations() == [a, b])
    #expect(
      try cels.rows("call_log_id, count(*) FROM cel GROUP BY 1 ORDER BY 1").map { $0.split(separator: "|").first ?? "" }
        == [try logs.id(of: a)[...], try logs.id(of: b)[...]].sorted())
    #expect(try logs.value("count(*) FROM call_logd_link") == "0")
    #expect(try cels.value("to_regclass('call_logd_call_log') IS NULL") == "true")
    #expect(try runner.delete(.all) == 2)
    #expect(try cels.value("count(*) FROM cel WHERE call_log_id IS NOT NULL") == "0")
    try runner.generate()
    #expect(try cels.value("count(*) FROM cel WHERE call_log_id IS NULL") == "0")
  }

  @Test("that were cut off between the commit and the other database are made by the next run")
  func cutOff() throws {
    var (cels, logs, runner) = try two(CELRow.call(a), CELRow.call(b, at: 100))
    runner.settings.retryFor = 0
    runner.prepare = { context in
      let pid = context.databases.cels.backendProcessID
      context.databases.cels.trace = { purpose, _ in
        guard purpose.hasPrefix("Linking") else { return }
        _ = try? cels.value("pg_terminate_backend(\(pid), 5000)")
      }
    }
    #expect(try failure { try runner.backfill() }.exitReason == .unavailable)
    #expect(try logs.conversations() == [a, b])
    #expect(try cels.value("count(*) FROM cel WHERE call_log_id IS NOT NULL") == "0")
    #expect(try logs.value("sum(cardinality(cel_ids)) FROM call_logd_link") == "20")
    runner.prepare = { _ in }
    let next = try runner.backfill()
    #expect(next.chunks == 0)
    #expect(try cels.value("count(*) FROM cel WHERE call_log_id IS NULL") == "0")
    #expect(try logs.value("count(*) FROM call_logd_link") == "0")
  }

  @Test("that the role may not make end the run with 77 before anything is written; without links it goes on")
  func noRight() throws {
    var (cels, logs, runner) = try two(CELRow.call(a))
    try cels.run("CREATE ROLE \(cels.name)_reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO \(cels.name)_reader")
    runner.settings.databases.cels = cels.uri.replacing("user=postgres", with: "user=\(cels.name)_reader")
    let refused = try failure { try runner.backfill() }
    #expect(refused.exitReason == .permission && refused.message.contains("GRANT UPDATE (call_log_id)"))
    #expect(try logs.value("count(*) FROM pg_class WHERE relname LIKE 'call_logd%'") == "0")
    runner.settings.linksCELs = false
    try runner.backfill()
    #expect(try logs.conversations() == [a])
    #expect(try cels.value("count(*) FROM cel WHERE call_log_id IS NOT NULL") == "0")
  }

  @Test("to a database that refuses them end the run with 77 and wait for a run that links")
  func refused() throws {
    var (cels, logs, runner) = try two(CELRow.call(a))
    try cels.run(
      """
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '42501'; END$$;
      CREATE TRIGGER refuse BEFORE UPDATE ON cel FOR EACH STATEMENT EXECUTE FUNCTION refuse()
      """)
    #expect(try failure { try runner.backfill() }.exitReason == .permission)
    #expect(try logs.conversations() == [a])
    #expect(try logs.value("count(*) FROM call_logd_link") == "1")
    runner.settings.linksCELs = false
    try cels.insert(CELRow.call(b, at: 100))
    try runner.generate()
    #expect(try logs.conversations() == [a, b])
    // They wait for a run that links.
    #expect(try logs.value("count(*) FROM call_logd_link") == "1")
    runner.settings.linksCELs = nil
    try cels.run("DROP TRIGGER refuse ON cel")
    try runner.generate()
    #expect(try logs.value("count(*) FROM call_logd_link") == "0")
    #expect(try cels.value("count(*) FROM cel WHERE call_log_id IS NOT NULL") == "10")
  }

  @Test("two ways to write one database are one database")
  func sameDatabase() throws {
    var (database, runner) = try wazo(CELRow.call(a))
    runner.settings.databases.cels = database.uri + "&application_name=other"
    let context = try runner.context()
    #expect(context.databases.isOne)
    context.databases.close()
    try runner.backfill()
    #expect(try database.value("count(*) FROM cel WHERE call_log_id IS NULL") == "0")
  }
}
