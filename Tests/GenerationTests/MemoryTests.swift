import CallLogs
import PostgreSQL
import Runs
import Store
import TestSupport
import Testing
import Values

@Suite("From memory as from the database")
struct MemoryTests {
  @Test("the interpreter over all CELs of a file gives the rows that the job stores")
  func sameAsInMemory() throws {
    var random = Seeded()
    let (calls, seed) = (150, random.next())
    let database = try TestDatabase(.wazo)
    try database.simulate(calls: calls, seed: seed)
    // One chunk: over several, a conversation that goes on after its LINKEDID_END is read, and its
    // flaws are counted, more than once.
    let runner = Runner(database)
    let summary = try runner.generate()
    let context = try RunContext(runner.settings, changes: false, interruption: Interruption(), log: quiet)
    defer { context.databases.close() }

    var batch = CELBatch()
    var tally = Tally()
    var record: CELRecord?
    var reader = CSVReader()
    let scratch = TextArena()
    func take(_ fields: [Text], _ line: Int) throws {
      guard record != nil else { return record = try CELRecord(header: fields) { $0 } }
      if let columns = try record?.columns(fields, line: line, arena: scratch, tally: &tally) {
        batch.append(columns, tally: &tally)
      }
    }
    let csv = try TestDatabase.csv(calls: calls, seed: seed)
    try csv.withUnsafeBytes { try reader.read($0, record: take) }
    try reader.finish(record: take)
    var grouping = Grouping()
    grouping.group(batch)
    var interpreter = Interpreter(directory: context.directory, defaultTenant: context.defaultTenant)
    var results = CallLogBatch()
    var unfinished = 0
    for group in grouping.groups.indices {
      if interpreter.interpret(group: group, of: grouping, in: batch, into: &results) == .unfinished {
        unfinished += grouping.groups[group].rows.count
      }
    }
    tally.add(interpreter.takeTally())
    #expect(summary.counters.unfinished == unfinished, "\(random)")
    for flaw in Flaw.allCases { #expect(summary.counters.tally[flaw] == tally[flaw], "\(flaw), \(random)") }
    #expect(results.callLogs.count > 100)
    expectSame(try stored(database), Dump(rows: Set(lines(of: results))), "\(random)")
  }

  private func lines(of results: CallLogBatch) -> [String] {
    func show(_ text: Text) -> String { text.isNull ? "∅" : text.string }
    func show(_ number: Int64?) -> String { number.map(String.init) ?? "∅" }
    var lines: [String] = []
    for log in results.callLogs {
      let texts = [
        log.userField, log.sourceName, log.sourceExten, log.sourceInternalName, log.sourceInternalExten,
        log.sourceInternalContext,
        log.sourceLineIdentity, log.requestedName, log.requestedExten, log.requestedContext, log.requestedInternalExten,
        log.requestedInternalContext, log.destinationName, log.destinationExten, log.destinationInternalExten,
        log.destinationInternalContext, log.destinationLineIdentity,
      ]
      let conversation = log.conversationID.string
      lines.append(
        ([conversation, show(log.date), show(log.dateAnswer), show(log.dateEnd), log.tenant.description, log.direction.rawValue]
          + ["\(log.blocked)", "\(log.reachedVoicemail)"] + texts.map(show)).joined(separator: "|"))
      for participant in results.participants[log.participants] {
        lines.append(
          "\(conversation) \(participant.uuid) \(participant.userUUID) \(participant.lineID.map { "\($0)" } ?? "∅") \(participant.role.rawValue) "
            + "\(participant.tags.map(\.string)) \(participant.answered) \(participant.requested)")
      }
      for detail in results.destinationDetails[log.destinationDetails] {
        lines.append("\(conversation) \(detail.uuid) \(detail.key.string)=\(detail.value.string)")
      }
      for recording in results.recordings[log.recordings] {
        lines.append("\(conversation) \(recording.uuid) \(recording.start) \(recording.end) \(recording.path.string)")
      }
    }
    return lines
  }

  private func stored(_ database: TestDatabase) throws -> Dump {
    func time(_ column: String) -> String {
      "coalesce((extract(epoch FROM \(column)) * 1000000 - 946684800000000)::int8::text, '∅')"
    }
    func text(_ column: String) -> String { "coalesce(\(column), '∅')" }
    let texts = [
      "user_field", "source_name", "source_exten", "source_internal_name", "source_internal_exten", "source_internal_context",
      "source_line_identity", "requested_name", "requested_exten", "requested_context", "requested_internal_exten",
      "requested_internal_context",
      "destination_name", "destination_exten", "destination_internal_exten", "destination_internal_context",
      "destination_line_identity",
    ]
    var lines = try database.rows(
      ([
        "conversation_id", time("date"), time("date_answer"), time("date_end"), "tenant_uuid::text", "direction::text", "blocked",
        "reached_voicemail",
      ]
        + texts.map(text)).joined(separator: ", ") + " FROM call_logd_call_log")
    let join = "x JOIN call_logd_call_log l ON l.id = x.call_log_id"
    for row in try database.admin.query(
      "SELECT conversation_id || ' ' || x.uuid || ' ' || user_uuid || ' ' || coalesce(line_id::text, '∅') || ' ' || role, tags, answered, requested FROM call_logd_call_log_participant \(join)",
      purpose: "Reading participants")
    {
      lines.append("\(row.string(0) ?? "") \(row.strings(1) ?? []) \(row.bool(2) ?? false) \(row.bool(3) ?? false)")
    }
    lines += try database.rows(
      "conversation_id || ' ' || x.uuid || ' ' || destination_details_key || '=' || destination_details_value FROM call_logd_call_log_destination \(join)"
    )
    lines += try database.rows(
      "conversation_id || ' ' || x.uuid || ' ' || \(time("start_time")) || ' ' || \(time("end_time")) || ' ' || path FROM call_logd_recording \(join)"
    )
    return Dump(rows: Set(lines))
  }
}
