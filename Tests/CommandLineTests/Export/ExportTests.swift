import Foundation
import PrivateServer
import Synchronization
import Testing

@Suite("Export")
struct ExportTests {
  @Test("CSV holds what the tables hold: PostgreSQL reads it back and finds no difference")
  func csv() throws {
    let exported = try Exported()
    try exported.database.psql(
      #"""
      UPDATE call_logd_call_log SET source_name = E'O''Hara, "Ann"\r\nline; é😀', blocked = (id % 7 = 0) WHERE id % 5 = 0;
      UPDATE call_logd_call_log SET destination_exten = '' WHERE id % 11 = 0;
      INSERT INTO call_logd_recording (uuid, start_time, end_time, path, call_log_id)
      SELECT gen_random_uuid(), date + n * interval '1 s', date + n * interval '1.5 s', CASE WHEN n < 3 THEN 'x' END, id
      FROM call_logd_call_log, generate_series(1, 4) n WHERE id % 10 = 1;
      """#)
    expectSilence(try exported.run("-o", exported.folder + "/all.csv"))
    let outcome = try exported.bash(
      #"""
      columns=$(head -n 1 all.csv | tr -d '\r') && [[ $columns == *,recording_4_filename* ]] &&
      columns='"'$(sed 's/,/" text,"/g' <<< "$columns")'" text' &&
      psql -qX -v ON_ERROR_STOP=1 -d "$WAZO_CALL_LOGS_DB_URI" -c "CREATE TABLE exported ($columns)" \
        -c "\copy exported FROM all.csv (FORMAT csv, HEADER)"
      """#)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try exported.database.count("exported") == exported.count() && exported.count() > 100)
    func iso(_ column: String) -> String {
      "to_char(\(column) AT TIME ZONE 'UTC', CASE WHEN extract(microseconds FROM \(column))::int % 1000000 = 0 THEN 'YYYY-MM-DD\"T\"HH24:MI:SS' ELSE 'YYYY-MM-DD\"T\"HH24:MI:SS.US' END) || '+00:00'"
    }
    let recording = (1...5).map { number in
      """
      (SELECT concat_ws('|', uuid, \(iso("start_time")), \(iso("end_time")), CASE WHEN path IS NULL THEN 'True' ELSE 'False' END,
          to_char(start_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24_MI_SS"UTC"') || '-' || l.id || '-' || uuid || '.wav')
       FROM call_logd_recording r WHERE r.call_log_id = l.id ORDER BY start_time, uuid OFFSET \(number - 1) LIMIT 1)
      """
    }
    let width = try #require(
      Int(
        try exported.database.psql(
          "SELECT max(n) FROM (SELECT count(*) n FROM call_logd_recording r JOIN call_logd_call_log l ON l.id = call_log_id WHERE l.blocked IS NOT TRUE GROUP BY l.id) c"
        )))
    #expect((4...5).contains(width))
    let expected = """
      SELECT id::text, tenant_uuid::text, CASE WHEN date_answer IS NULL THEN 'False' ELSE 'True' END, \(iso("date")), \(iso("date_answer")), \(iso("date_end")),
        nullif(destination_exten, ''), nullif(destination_name, ''), nullif(destination_internal_exten, ''), nullif(destination_internal_context, ''),
        d.user_uuid::text, d.line_id::text, CASE WHEN date_answer <= date_end THEN floor(extract(epoch FROM date_end - date_answer)) WHEN date_answer > date_end THEN 0 END::text,
        direction::text, CASE WHEN blocked THEN 'blocked' WHEN date_answer IS NOT NULL THEN 'answered' WHEN reached_voicemail THEN 'voicemail' ELSE 'unknown' END,
        nullif(requested_name, ''), nullif(requested_exten, ''), nullif(requested_context, ''), nullif(requested_internal_exten, ''),
        nullif(requested_internal_context, ''),
        (SELECT user_uuid::text FROM call_logd_call_log_participant WHERE call_log_id = l.id AND requested ORDER BY uuid LIMIT 1),
        nullif(source_exten, ''), nullif(source_name, ''), nullif(source_internal_name, ''), nullif(source_internal_exten, ''),
        nullif(source_internal_context, ''), s.user_uuid::text, s.line_id::text,
        (SELECT string_agg(tag, ';' ORDER BY tag COLLATE "C") FROM (SELECT DISTINCT unnest(tags) AS tag FROM call_logd_call_log_participant WHERE call_log_id = l.id) t),
        \(recording[..<width].joined(separator: ", "))
      FROM call_logd_call_log l
      LEFT JOIN LATERAL (SELECT * FROM call_logd_call_log_participant WHERE call_log_id = l.id AND role = 'source' ORDER BY uuid LIMIT 1) s ON true
      LEFT JOIN LATERAL (SELECT * FROM call_logd_call_log_participant WHERE call_log_id = l.id AND role = 'destination'
        ORDER BY answered DESC, user_uuid DESC, uuid LIMIT 1) d ON true
      WHERE blocked IS NOT TRUE
      """
    let plain = """
      id, tenant_uuid, answered, start, answer, "end", destination_extension, destination_name, destination_internal_extension,
      destination_internal_context, destination_user_uuid, destination_line_id, duration, call_direction, call_status, requested_name,
      requested_extension, requested_context, requested_internal_extension, requested_internal_context, requested_user_uuid, source_extension,
      source_name, source_internal_name, source_internal_extension, source_internal_context, source_user_uuid, source_line_id, tags
      """
    let recordings = (1...width).map { number in
      "nullif(concat_ws('|', "
        + ["uuid", "start_time", "end_time", "deleted", "filename"].map { "recording_\(number)_\($0)" }.joined(separator: ", ")
        + "), '')"
    }
    let found = "SELECT \(plain), \(recordings.joined(separator: ", ")) FROM exported"
    let missing = try exported.database.psql("(\(expected)) EXCEPT (\(found)) ORDER BY 1 LIMIT 2")
    let wrong = try exported.database.psql("(\(found)) EXCEPT (\(expected)) ORDER BY 1 LIMIT 2")
    #expect(missing == "" && wrong == "", "\(missing)\n\(wrong)")
    // Every line ends with CRLF, and the first call comes first.
    #expect(try exported.bash("tail -c 2 all.csv | od -An -tx1").text.contains("0d 0a"))
    let dates = try exported.database.psql("SELECT id FROM call_logd_call_log WHERE blocked IS NOT TRUE ORDER BY date, id")
    let order = try exported.bash("wazo-call-logs export --format jsonl | grep -o '^{\"id\":[0-9]*' | cut -d: -f2")
    #expect(order.text.split(separator: "\n") == dates.split(separator: "\n"))
    let newest = try exported.bash(
      "wazo-call-logs export --format jsonl --newest-first | grep -o '^{\"id\":[0-9]*' | cut -d: -f2 | tac")
    #expect(newest.text == order.text)
  }

  @Test("jsonl is an object to a line; a file's name says format and compression, and holds the same")
  func names() throws {
    let exported = try Exported()
    let jsonl = try exported.run("--format", "jsonl")
    let objects = try jsonl.objects()
    #expect(try objects.count == exported.count() && jsonl.errors.isEmpty)
    for object in objects {
      #expect((object["destination_details"] as? [String: Any])?["type"] is String && object["tags"] is [String])
    }
    let csv = try exported.run()
    #expect(csv.text.hasPrefix("id,tenant_uuid,answered,") && csv.output != jsonl.output)
    #expect(try exported.run("-o", "-").output == csv.output)
    for (name, reader, expected) in [
      ("a.csv", "cat", csv), ("a.csv.zst", "zstdcat", csv), ("A.CSV.GZ", "zcat", csv), ("a.jsonl", "cat", jsonl),
      ("a.jsonl.gz", "zcat", jsonl), ("a.ndjson.zst", "zstdcat", jsonl),
    ] {
      expectSilence(try exported.run("--output", exported.folder + "/" + name))
      let read = try exported.bash("\(reader) \(name)")
      #expect(read.status == 0 && read.output == expected.output, "\(name)")
      #expect(try exported.bash("stat -c %a \(name)").text == "600\n")
    }
    expectSilence(try exported.run("--format", "jsonl", "-o", exported.folder + "/odd.txt.gz"))
    #expect(try exported.bash("zcat odd.txt.gz").output == jsonl.output)
    let zipped = try exported.bash("stat -c %s a.csv a.csv.zst A.CSV.GZ").text.split(separator: "\n").compactMap { Int($0) }
    #expect(zipped.count == 3 && zipped[1] < zipped[0] / 2 && zipped[2] < zipped[0] / 2)
    #expect(try exported.files().count == 7)
  }

  @Test("the older guide's CSV is in local time and rounds to the nearest second")
  func legacy() throws {
    let exported = try Exported()
    try exported.database.psql(
      """
      UPDATE call_logd_call_log SET date = '2025-07-01 22:30:00.25Z', date_answer = '2025-07-01 22:30:10Z', date_end = '2025-07-01 22:30:12.5Z',
        source_name = NULL, source_exten = '101', destination_exten = '102', user_field = 'a,b', conversation_id = 'x', blocked = false
      WHERE id = (SELECT min(id) FROM call_logd_call_log);
      """)
    let one = try exported.run(
      "--format", "legacy-csv", "--conversation", "x", environment: ["TZ": "Europe/Paris"])
    #expect(one.text == "Call Date,Caller,Called,Period,user Field\r\n2025-07-02T00:30:00.250000, (101),102,2,\"a,b\"\r\n")
    let day = { (date: String) in
      try exported.run("--format", "legacy-csv", "--from", date, "--to", date, environment: ["TZ": "Europe/Paris"]).text
    }
    // The dates of the range are those of the same clocks.
    #expect(try day("2025-07-02") == one.text)
    #expect(try day("2025-07-01") == "Call Date,Caller,Called,Period,user Field\r\n")
    let all = try exported.run("--format", "legacy-csv").text
    let dates = all.split(separator: "\r\n").dropFirst().map { $0.prefix(19) }
    #expect(try dates == dates.sorted() && dates.count == exported.count())
  }

  @Test("what is selected is what the tables say; what cannot be is a usage error")
  func filters() throws {
    let exported = try Exported()
    func lines(_ arguments: String...) throws -> Int {
      let outcome = try exported.database.start(["export", "--format", "jsonl"] + arguments).finish()
      #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
      return outcome.text.split(separator: "\n").count
    }
    try exported.database.psql("UPDATE call_logd_call_log SET blocked = true WHERE id % 9 = 0")
    let all = try exported.database.count("call_logd_call_log")
    #expect(try lines("--call-status", "any") == all)
    #expect(try lines("--call-status", "blocked") == all - exported.count())
    #expect(try lines() == exported.count())
    let answered = try exported.count("date_answer IS NOT NULL")
    #expect(try lines("--call-status", "answered") == answered && answered > 10)
    #expect(try lines("--call-status", "answered", "--call-status", "blocked") == answered + all - exported.count())
    #expect(try lines("--call-direction", "inbound") == exported.count("direction = 'inbound'"))
    let user = try exported.database.psql("SELECT user_uuid FROM call_logd_call_log_participant WHERE role = 'source' LIMIT 1")
    #expect(try lines("--user-uuid", user) > 0 && lines("--user-uuid", user) < exported.count())
    let tag = try exported.database.psql("SELECT tags[1] FROM call_logd_call_log_participant WHERE tags <> '{}' LIMIT 1")
    let tagged = try exported.count(
      "EXISTS (SELECT FROM call_logd_call_log_participant WHERE call_log_id = l.id AND '\(tag)' = ANY(tags))")
    #expect(try lines("--tag", tag) == tagged && tagged > 0)
    #expect(try lines("--tag", tag, "--tag", "no such tag") == 0)
    let number = try exported.database.psql(
      "SELECT source_exten FROM call_logd_call_log WHERE source_exten ~ '^[0-9]{3,}$' LIMIT 1")
    #expect(try lines("--number", number) == exported.count("'\(number)' IN (source_exten, destination_exten)"))
    #expect(
      try lines("--number", "_\(number.suffix(2))")
        == exported.count("(source_exten LIKE '%\(number.suffix(2))' OR destination_exten LIKE '%\(number.suffix(2))')"))
    let own = try exported.database.psql("SELECT tenant_uuid FROM call_logd_call_log LIMIT 1")
    #expect(try lines("--tenant", own.uppercased()) == exported.count("tenant_uuid = '\(own)'"))
    #expect(try lines("--from", "2999-01-01") == 0)
    #expect(try exported.run("--from", "2999-01-01").text.split(separator: "\r\n").count == 1)

    expectFailure(
      try exported.run("--tenant", "00000000-0000-0000-0000-000000000001"), 64, "no tenant 00000000-0000-0000-0000-000000000001",
      own)
    expectUsageError(try exported.run("--tenant", "x"), "--tenant", "UUID")
    expectUsageError(try exported.run("--user-uuid", "x"), "--user-uuid", "UUID")
    expectUsageError(try exported.run("--number", "1_2"), "--number")
    expectUsageError(try exported.run("--call-status", "busy"), "answered, blocked, voicemail, unknown or any")
    expectUsageError(try exported.run("--call-direction", "up"), "inbound, internal or outbound")
    expectUsageError(try exported.run("--from", "2025-02-30"), "--from")
    expectUsageError(try exported.run("--format", "xml"), "xml")
    expectUsageError(try exported.run("-o", exported.folder + "/calls.txt"), "calls.txt", "--format")
    expectUsageError(try exported.run("--format", "jsonl", "--spreadsheet-safe"), "CSV only")
    #expect(try exported.files().isEmpty)
  }

  @Test("--spreadsheet-safe disarms what callers bring along, and only then")
  func spreadsheet() throws {
    let exported = try Exported()
    try exported.database.psql(
      """
      UPDATE call_logd_call_log SET source_name = '=HYPERLINK("http://x")', source_exten = '+33123456789', user_field = '@x', conversation_id = 'x', blocked = false
      WHERE id = (SELECT min(id) FROM call_logd_call_log)
      """)
    let plain = try exported.run("--conversation", "x").text
    #expect(plain.contains(#","=HYPERLINK(""http://x"")","#) && plain.contains(",+33123456789,"))
    let safe = try exported.run("--conversation", "x", "--spreadsheet-safe").text
    #expect(safe.contains(#","'=HYPERLINK(""http://x"")","#) && safe.contains(",'+33123456789,"))
    // Semicolons have their cells quoted, too.
    #expect(
      safe.replacing("'=", with: "=").replacing("'+", with: "+").replacing("\"", with: "") == plain.replacing("\"", with: ""))
    let legacy = try exported.run("--conversation", "x", "--spreadsheet-safe", "--format", "legacy-csv").text
    #expect(legacy.contains(#","'=HYPERLINK(""http://x"") (+33123456789)","#) && legacy.contains(",'@x\r\n"))
  }

  @Test("it takes neither CELs nor more rights than to read; where there are no call logs it says so")
  func little() throws {
    let exported = try Exported()
    let name = "reader_\(exported.database.name)"
    try exported.database.psql(
      """
      DROP TABLE cel CASCADE; CREATE ROLE \(name) LOGIN;
      ALTER ROLE \(name) SET default_transaction_read_only = on;
      GRANT SELECT ON call_logd_tenant, call_logd_call_log, call_logd_call_log_participant, call_logd_call_log_destination, call_logd_recording TO \(name)
      """)
    let before = try exported.database.contents()
    let outcome = try exported.run(environment: [
      "WAZO_CALL_LOGS_DB_URI": exported.database.uri(user: name), "WAZO_CALL_LOGS_CEL_DB_URI": "postgresql://127.0.0.1:1/none",
    ])
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    #expect(outcome.text.split(separator: "\r\n").count == (try exported.count()) + 1)
    #expect(try exported.database.contents() == before)
    try exported.database.psql("DROP OWNED BY \(name); DROP ROLE \(name)")
    expectFailure(try TestDatabase(.bare).run("export"), 78, "no call logs", "wazo-call-logs generate")
    expectFailure(try Program.run("export", "--db-uri", "postgresql://127.0.0.1:1/none"), 69, "127.0.0.1")
  }
}
