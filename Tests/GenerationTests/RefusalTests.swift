import Store
import TestSupport
import Testing

@Suite("A conversation that cannot be stored")
struct RefusalTests {
  private let names = (1...6).map { "171498960\($0).1" }

  private func six() throws -> (TestDatabase, Runner) {
    let database = try TestDatabase(.wazo)
    for (index, name) in names.enumerated() { try database.insert(CELRow.call(name, at: Double(index) * 100)) }
    return (database, Runner(database))
  }

  /// Makes the server refuse the call logs of a conversation.
  private func refuse(_ database: TestDatabase, _ conversation: String, _ state: String) throws {
    try database.run(
      """
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.conversation_id = '\(conversation)' THEN RAISE EXCEPTION 'not this one' USING ERRCODE = '\(state)'; END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON call_logd_call_log FOR EACH ROW EXECUTE FUNCTION refuse();
      """)
  }

  @Test(
    "is counted, named in the log and covered; all others of its chunk are stored", arguments: ["22023", "23514", "23P01"],
    [1, 20_000])
  func refusedByTheServer(state: String, chunkSize: Int) throws {
    var (database, runner) = try six()
    _ = try runner.context()
    try refuse(database, names[3], state)
    let log = LogRecorder()
    runner.log = log.logger
    runner.settings.chunkSize = chunkSize
    let summary = try runner.backfill()
    #expect(try database.conversations() == names.filter { $0 != names[3] })
    #expect(summary.counters.isBalanced)
    #expect(chunkSize == 1 || summary.counters.refused == 10 && summary.counters.callLog == 50)
    #expect(summary.counters.conversationsRefused == 1)
    #expect(
      log.warnings.contains { $0.contains("refused") && $0.contains(names[3]) && $0.contains("not this one") }, "\(log.warnings)")
    try expectWhole(database)
    #expect(try runner.backfill().chunks == 0)
  }

  @Test("is named with the beginning of its linkedids and how many there are, however long they are")
  func name() throws {
    let long = String(repeating: "9", count: 2000)
    var (_, runner) = try wazo(
      CELRow.call("\(long).1"),
      (10..<40).map { CELRow("LINKEDID_END", 1, uniqueid: "shared", linkedid: "\($0)\(long.prefix(300)).1") })
    let log = LogRecorder()
    runner.log = log.logger
    let summary = try runner.generate()
    #expect(summary.counters.conversationsRefused == 2)
    let warnings = log.warnings.filter { $0.contains("refused conversation") }
    #expect(warnings.count == 2 && warnings.allSatisfy { $0.count < 200 }, "\(warnings)")
    #expect(warnings.contains { $0.contains("… (1 linkedid): ") } && warnings.contains { $0.contains("… (30 linkedids): ") })
  }

  @Test("does not undo what stands beside it when it is refused in its second step")
  func reachingBeyond() throws {
    let (database, runner) = try six()
    _ = try runner.context()
    try refuse(database, names[1], "22023")
    // Cuts calls 2 and 4.
    let first = try runner.backfill(from: 15, to: 35)
    let second = try runner.backfill()
    #expect(try database.conversations() == names.filter { $0 != names[1] })
    #expect(first.counters.conversationsRefused + second.counters.conversationsRefused >= 1)
    #expect(first.counters.isBalanced && second.counters.isBalanced)
    try expectWhole(database)
  }

  @Test("because its linkedid is longer than conversation_id is not cut but refused")
  func longConversation() throws {
    let long = "1714989600." + String(repeating: "1", count: 300)
    let fits = "1714989600." + String(repeating: "é", count: 244)
    let (database, runner) = try wazo(CELRow.call(long), CELRow.call(fits, at: 50), CELRow.call(names[0], at: 100))
    let summary = try runner.backfill()
    #expect(summary.counters.refused == 10 && summary.counters.conversationsRefused == 1 && summary.counters.isBalanced)
    #expect(try database.conversations() == [names[0], fits].sorted())
    try expectWhole(database)
  }

  @Test("does not hold the run up when its linkedid is too long for an index")
  func tooLongToNote() throws {
    let (database, runner) = try wazo(CELRow.call(names[0]))
    try database.run(
      """
      DROP INDEX cel_linkedid_idx;
      INSERT INTO cel (eventtype, eventtime, uniqueid, linkedid)
      SELECT 'HANGUP', eventtime, 'x', (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 400) n) FROM cel, generate_series(1, 2) WHERE id = 5;
      """)
    // The second of its two CELs stays uncovered.
    try runner.backfill(to: 11)
    let summary = try runner.backfill()
    #expect(summary.counters.isBalanced)
    try expectWhole(database)
  }

  @Test("is not what a sequence behind its table is taken for: the run stops before anything is lost")
  func sequenceBehind() throws {
    let (database, runner) = try six()
    try runner.backfill(to: 30)
    try database.run("SELECT setval('call_logd_call_log_id_seq', 1, false)")
    let failure = try failure { try runner.backfill() }
    #expect(failure.exitReason == .configuration)
    #expect(failure.message.contains("call_logd_call_log_id_seq") || failure.message.contains("setval"), "\(failure.message)")
    #expect(try database.conversations().count == 3)
    #expect(try database.coverage() == "{[0,31)}")
    try database.run("SELECT setval('call_logd_call_log_id_seq', 100)")
    try runner.backfill()
    #expect(try database.conversations() == names)
  }

  @Test("is not one whose tenant is deleted during the run: it is entered again")
  func tenantDeleted() throws {
    var (database, runner) = try six()
    try runner.backfill(to: 20)
    runner.prepare = { context in
      context.databases.logs.trace = { purpose, _ in
        if purpose.hasPrefix("Reading CELs") { try? database.run("DELETE FROM call_logd_tenant") }
      }
    }
    let summary = try runner.backfill()
    #expect(summary.counters.refused == 0)
    #expect(try database.conversations() == Array(names[2...]))
  }

  @Test("CELs that are deleted while their chunk is read are no fault of the program's")
  func purgedMeanwhile() throws {
    var (database, runner) = try six()
    // Call 2 reaches beyond the range, so that it is read again under the lock.
    runner.prepare = { context in
      context.databases.logs.trace = { purpose, _ in
        if purpose == "Locking the checkpoint" { try? database.run("DELETE FROM cel WHERE linkedid = '\(names[1])'") }
      }
    }
    let summary = try runner.backfill(from: 1, to: 15)
    #expect(summary.counters.isBalanced)
    #expect(try database.conversations() == [names[0]])
    runner.prepare = { _ in }
    try runner.backfill()
    #expect(try database.conversations() == names.filter { $0 != names[1] })
  }
}
