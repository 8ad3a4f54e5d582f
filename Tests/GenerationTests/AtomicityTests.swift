import CallLogs
import Generation
import PostgreSQL
import Store
import TestSupport
import Testing
import Values

@Suite("A chunk is one transaction")
struct AtomicityTests {
  private let names = ["1714989600.1", "1714989700.2", "1714989800.3", "1714989900.4", "1714990000.6"]

  /// A database in which the chunk from 26 to 50 does everything at once: makes, remakes, removes,
  /// links, notes and forgets.
  private func prepared() throws -> (TestDatabase, Runner) {
    var announced = CELRow.call(names[3], at: 300)
    announced[1].type = "WAZO_CALL_LOG_DESTINATION"
    announced[1].extra = #"{"extra":"type: group,id: 5,label: Front desk"}"#
    let (database, runner) = try wazo(
      CELRow.call(names[0], recording: "/sounds/1.wav"), CELRow.call(names[1], at: 100), CELRow.call(names[2], at: 200),
      announced,
      [
        CELRow("HANGUP", 30, uniqueid: names[0], linkedid: names[0]),
        CELRow("HANGUP", 130, uniqueid: names[1], linkedid: "1714989750.5"),
      ], CELRow.call(names[4], at: 400))
    // The late rows are there from the start, but their call logs are made without them.
    try database.run(
      """
      UPDATE cel SET linkedid = 'later' || id WHERE id IN (42, 43);
      INSERT INTO userfeatures (id, uuid, tenant_uuid) VALUES (1, 'aaaaaaaa-0000-4000-8000-000000000001', '77777777-7777-4777-8777-777777777777');
      INSERT INTO linefeatures (id, name, context) VALUES (11, 'aaa11', 'inside');
      INSERT INTO user_line VALUES (1, 11, true, true);
      """)
    try runner.backfill(to: 25)
    try database.run(
      """
      UPDATE cel SET linkedid = CASE id WHEN 42 THEN '\(names[0])' ELSE '1714989750.5' END WHERE id IN (42, 43);
      UPDATE call_logd_recording SET path = NULL;
      """)
    return (database, runner)
  }

  private func state(_ database: TestDatabase) throws -> [String] {
    try database.contentsWithIDs().rows.sorted() + database.rows("id, call_log_id FROM cel ORDER BY id")
      + database.rows("covered::text || generation || counters FROM call_logd_checkpoint")
      + database.rows("linkedid FROM call_logd_reach ORDER BY 1")
  }

  @Test("cut at any of its statements it leaves nothing, and the next run does it all")
  func cutAnywhere() throws {
    let (reference, all) = try prepared()
    try all.backfill(to: 50)
    let (database, _) = try prepared()
    let before = try state(database)
    var purposes: [String] = []
    var statement = 0
    while true {
      var runner = Runner(database)
      runner.settings.retryFor = 0
      var number = 0
      var hit: String?
      runner.prepare = { context in
        let pid = context.databases.logs.backendProcessID
        var begun = false
        context.databases.logs.trace = { purpose, sql in
          if sql.hasPrefix("BEGIN") { begun = true }
          guard begun else { return }
          if number == statement {
            hit = "\(purpose): \(sql.prefix(60))"
            _ = try? database.value("pg_terminate_backend(\(pid), 5000)")
          }
          number += 1
        }
      }
      do {
        try runner.backfill(to: 50)
        // No statement of that number in the transaction and after: the run went through.
        if hit == nil { break }
        Issue.record("the run went through although its connection was cut at statement \(statement), \(hit ?? "")")
        break
      } catch let error as PostgreSQLError {
        #expect(error.kind == .connectionLost || error.kind == .commitUnknown, "\(error)")
      }
      purposes.append(hit ?? "")
      // What comes after the commit only reads.
      if try state(database) != before {
        #expect(
          hit?.hasPrefix("Giving claims up") == true,
          "something is visible after a cut at statement \(statement), \(hit ?? "")")
        break
      }
      statement += 1
    }
    try Runner(database).backfill(to: 50)
    expectSame(try database.contents(), try reference.contents())
    expectSame(try database.links(), try reference.links())
    #expect(try database.conversations() == [names[0], names[2], names[3]])
    let cuts = purposes.joined(separator: "\n")
    for kind in [
      "BEGIN", "Reading CELs from", "Looking up conversations that reach", "Looking up conversations that have", "SAVEPOINT",
      "Looking up stored call logs",
      "Taking", "Storing 1 call logs", "participants", "destination details", "recordings", "Linking", "RELEASE",
      "Locking the checkpoint",
      "that reach beyond the chunk", "Reading the linkedids", "Looking up deleted recordings", "Deleting 2 call logs", "Noting",
      "Forgetting",
      "Covering the CELs", "COMMIT",
    ] {
      #expect(cuts.contains(kind), "no cut at \(kind) among\n\(cuts)")
    }
    print("cut at \(statement) statements")
  }

  @Test("a deadlock or a lock that cannot be had is tried again, and nothing is counted twice")
  func retried() throws {
    var (database, runner) = try wazo(CELRow.call(names[0]), [CELRow("NO_SUCH_EVENT", 5, uniqueid: names[0], linkedid: names[0])])
    _ = try runner.context()
    try database.run(
      """
      CREATE SEQUENCE tries;
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('tries') < 3 THEN RAISE EXCEPTION 'again' USING ERRCODE = '40P01'; END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER fail BEFORE INSERT ON call_logd_call_log FOR EACH ROW EXECUTE FUNCTION fail();
      UPDATE cel SET extra = '{' WHERE eventtype = 'BRIDGE_ENTER';
      """)
    let summary = try runner.backfill()
    #expect(try database.conversations() == [names[0]])
    #expect(summary.counters.tally[.unknownEvent] == 1)
    #expect(summary.counters.tally[.malformedJSON] == 2)
    runner.settings.retryFor = 0
    try database.run("SELECT setval('tries', 1, false)")
    try database.insert(CELRow.call(names[1], at: 100))
    #expect(try failure { try runner.backfill() }.exitReason == .busy)
    #expect(try database.conversations() == [names[0]])
  }

  @Test("an interruption leaves what is committed and nothing else")
  func interrupted() throws {
    let (database, runner) = try wazo(CELRow.call(names[0]), CELRow.call(names[1], at: 100), chunkSize: 10)
    let context = try runner.context()
    let error = #expect(throws: JobError.self) { try GenerateJob(context) { _ in context.interruption.request() }.run(.nightly) }
    #expect(error?.exitReason.rawValue == 130)
    context.databases.close()
    #expect(try database.conversations() == [names[0]])
    #expect(try database.coverage() == "{[0,11)}")
    try runner.generate()
    #expect(try database.conversations() == [names[0], names[1]])
  }

  @Test("every CEL is in exactly one class, summed over all runs too")
  func counters() throws {
    var random = Seeded()
    let database = try TestDatabase(.wazo)
    try database.simulate(calls: 60, seed: random.next())
    try database.roughen(&random)
    // Chats are left out before their linkedid is looked at.
    try database.run("UPDATE cel SET linkedid = '' WHERE id = (SELECT min(id) FROM cel WHERE channame NOT LIKE 'Message/%')")
    var runner = Runner(database, chunkSize: 77)
    var read = 0
    for count in [100, 50, 300] {
      let summary = try runner.generate(.newest(count))
      #expect(summary.counters.isBalanced, "\(random)")
      read += summary.counters.cels
    }
    runner.settings.chunkSize = 10
    read += try runner.backfill().counters.cels
    #expect(try database.value("count(*) FROM cel") == "\(read)")
    func sum(_ keys: String) throws -> Int {
      Int(try database.value("sum(value::int8)::int8 FROM call_logd_checkpoint, jsonb_each_text(counters) WHERE key ~ '\(keys)'"))
        ?? -1
    }
    #expect(try sum("^cels$") == read)
    #expect(try sum("^cels_") == read)
    #expect(try sum("^flaw_empty_linkedid$") == 1, "\(random)")
    #expect(try sum("^call_logs_written$") - sum("^call_logs_removed$") >= database.conversations().count)
  }
}
