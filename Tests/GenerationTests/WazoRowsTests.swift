import TestSupport
import Testing

@Suite("What Wazo's own program made before")
struct WazoRowsTests {
  private let a = "1714989600.1"
  private let b = "1714989700.2"

  /// Stores a call log as an older program would have: with id 500, another source name than ours.
  private func storeOld(_ database: TestDatabase, _ conversation: String?, id: Int = 500) throws {
    try database.run(
      """
      INSERT INTO call_logd_tenant VALUES ('\(defaultTenant)') ON CONFLICT DO NOTHING;
      INSERT INTO call_logd_call_log (id, date, date_end, tenant_uuid, source_name, direction, conversation_id)
      VALUES (\(id), '2024-05-06 10:00Z', '2024-05-06 10:00:08Z', '\(defaultTenant)', 'old', 'internal', \(conversation.map { "'\($0)'" } ?? "NULL"));
      """)
  }

  private func old(_ cels: [CELRow]..., link: String, conversation: String?) throws -> (TestDatabase, Runner) {
    let (database, runner) = try wazo(cels.flatMap { $0 })
    _ = try runner.context()
    try storeOld(database, conversation)
    try database.run("UPDATE cel SET call_log_id = 500 WHERE \(link)")
    return (database, runner)
  }

  @Test("a conversation whose CELs all point to a call log stays as it stands", arguments: ["1714989600.1", nil])
  func untouched(conversation: String?) throws {
    let (database, runner) = try old(CELRow.call(a), CELRow.call(b, at: 100), link: "id <= 10", conversation: conversation)
    let before = try database.rows("xmin, to_jsonb(l)::text FROM call_logd_call_log l")
    let summary = try runner.backfill()
    #expect(summary.counters.conversationsKept == 1 && summary.counters.callLogsWritten == 1)
    #expect(try database.rows("xmin, to_jsonb(l)::text FROM call_logd_call_log l WHERE id = 500") == before)
    #expect(try database.conversations().contains(b))
    try expectWhole(database)
  }

  @Test("the same over chunks of any size", arguments: [1, 3, 7])
  func untouchedInChunks(chunkSize: Int) throws {
    var (database, runner) = try old(CELRow.call(a), CELRow.call(b, at: 100), link: "id <= 10", conversation: nil)
    runner.settings.chunkSize = chunkSize
    try runner.backfill()
    #expect(try database.rows("source_name FROM call_logd_call_log ORDER BY id DESC") == ["old", "Ann"])
    try expectWhole(database)
  }

  @Test("one whose CELs point to it in part is remade; the row keeps its id", arguments: ["1714989600.1", nil])
  func partlyLinked(conversation: String?) throws {
    let (database, runner) = try old(CELRow.call(a), link: "id <= 4", conversation: conversation)
    let summary = try runner.backfill()
    #expect(summary.counters.conversationsKept == 0)
    #expect(try database.rows("id, conversation_id, source_name FROM call_logd_call_log") == ["500|\(a)|Ann"])
    #expect(try database.value("count(*) FROM cel WHERE call_log_id = 500") == "10")
  }

  @Test("links to a call log that is nowhere mean nothing: the call is made")
  func danglingLinks() throws {
    let (database, runner) = try old(CELRow.call(a), link: "true", conversation: a)
    try database.run("DELETE FROM call_logd_call_log")
    #expect(try runner.backfill().counters.conversationsKept == 0)
    #expect(try database.conversations() == [a])
    #expect(try database.value("count(*) FROM cel JOIN call_logd_call_log l ON l.id = cel.call_log_id") == "10")
    try expectWhole(database)
  }

  @Test("links to a call log whose id is another call's by now mean nothing")
  func linksToAnother() throws {
    let (database, runner) = try old(CELRow.call(a), link: "true", conversation: "1714989000.7")
    try runner.backfill()
    #expect(try database.conversations() == ["1714989000.7", a])
    #expect(
      try database.value("count(*) FROM cel JOIN call_logd_call_log l ON l.id = cel.call_log_id WHERE l.conversation_id = '\(a)'")
        == "10")
  }

  @Test("a call log that no CEL points to, of the same conversation, is replaced under its id")
  func unlinked() throws {
    let (database, runner) = try old(CELRow.call(a), link: "false", conversation: a)
    try runner.backfill()
    #expect(try database.rows("id, conversation_id, source_name FROM call_logd_call_log") == ["500|\(a)|Ann"])
  }

  @Test("two call logs of one conversation, one without its name, become one")
  func doubled() throws {
    let (database, runner) = try old(CELRow.call(a), link: "id <= 4", conversation: nil)
    try storeOld(database, a, id: 700)
    let summary = try runner.backfill()
    #expect(summary.counters.callLogsRemoved == 1)
    #expect(try database.rows("id, conversation_id, source_name FROM call_logd_call_log") == ["700|\(a)|Ann"])
  }
}
