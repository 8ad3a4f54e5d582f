import Foundation
import Testing

@Suite("generate and the verbs around it")
struct GenerateTests {
  @Test("Simulated calls become the call logs that were meant, each with its CELs; a second run changes nothing")
  func wazo() throws {
    let simulated = try Template.simulated.get().summary
    let database = try TestDatabase(.wazo)
    let first = try database.run("--format", "json")
    #expect(first.status == 0)
    #expect(first.errors.isEmpty)
    let counts = try first.json()
    #expect(counts["cels"] as? Int == simulated.cels)
    #expect(counts["call_logs_written"] as? Int == simulated.callLogs)
    #expect(counts["uncovered_ids"] as? Int == 0)
    #expect(try database.count("call_logd_call_log") == simulated.callLogs)
    #expect(try database.count("call_logd_call_log_participant") > simulated.callLogs)
    #expect(try database.count("cel WHERE call_log_id IS NOT NULL") == counts["cels_call_log"] as? Int)
    #expect(try database.count("(SELECT DISTINCT tenant_uuid FROM call_logd_call_log) t") == 2)
    let contents = try database.contents()
    let second = try database.run("--format", "json").json()
    #expect(second["cels"] == nil && second["chunks"] as? Int == 0)
    #expect(try database.contents() == contents)
  }

  @Test("A plain Asterisk table gives the same calls, for the default tenant, and is left as it is")
  func plain() throws {
    let database = try TestDatabase(.plain)
    let before = try database.psql("SELECT md5(string_agg(c::text, '' ORDER BY id)) FROM cel c")
    let outcome = try database.run("--format", "json")
    #expect(outcome.status == 0)
    #expect(try outcome.json()["call_logs_written"] as? Int == Template.simulated.get().summary.callLogs)
    #expect(outcome.errors.contains("public.cel has no index on id, uniqueid, linkedid"))
    #expect(try database.psql("SELECT DISTINCT tenant_uuid FROM call_logd_call_log").contains(tenant))
    #expect(try database.psql("SELECT md5(string_agg(c::text, '' ORDER BY id)) FROM cel c") == before)
    let script = try database.run("migrate", "--print").text
    for column in ["id", "uniqueid", "linkedid"] {
      #expect(script.contains("-- CREATE INDEX CONCURRENTLY ON public.cel (\"\(column)\");"))
    }
  }

  @Test("Chunks of any size come to the same", arguments: ["1000", "37"])
  func chunks(size: String) throws {
    let whole = try TestDatabase(.wazo)
    expectSilence(try whole.run())
    let cut = try TestDatabase(.wazo)
    expectSilence(try cut.run("--chunk-size", size))
    #expect(try cut.callLogs() == whole.callLogs())
  }

  @Test("Runs that are started at once wait for each other, and come to what one comes to")
  func twoAtOnce() throws {
    let alone = try TestDatabase(.wazo)
    expectSilence(try alone.run())
    let database = try TestDatabase(.wazo)
    let runs = try [["--chunk-size", "100"], ["backfill", "--chunk-size", "70"], ["-c", "4000", "--chunk-size", "90"]].map {
      try database.start($0)
    }
    for run in runs {
      let outcome = try run.finish()
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    #expect(try database.callLogs() == alone.callLogs())
  }

  @Test("--no-link-cels leaves the CELs alone")
  func unlinked() throws {
    let database = try TestDatabase(.wazo)
    expectSilence(try database.run("--no-link-cels"))
    #expect(try database.count("cel WHERE call_log_id IS NOT NULL") == 0)
    #expect(try database.count("call_logd_call_log") == Template.simulated.get().summary.callLogs)
  }

  @Test("status tells before, half way and after what is covered, in words and as JSON")
  func status() throws {
    let database = try TestDatabase(.wazo)
    let cels = try Template.simulated.get().summary.cels
    let before = try database.run("status")
    #expect(before.status == 0)
    #expect(before.text.contains("CEL table     public.cel\nCEL ids       1 to \(cels)\n"))
    #expect(before.text.contains("Covered       nothing yet"))
    #expect(try database.run("status", "--format", "json").json()["covered"] as? [Int] == [])
    expectSilence(try database.run("backfill", "--from-id", "1001", "--to-id", "2000"))
    let half = try database.run("status", "--format", "json").json()
    #expect(half["covered"] as? [[String: Int]] == [["from": 1001, "to": 2000]])
    #expect(half["uncovered"] as? [[String: Int]] == [["from": 1, "to": 1000], ["from": 2001, "to": cels]])
    #expect(half["uncovered_cels"] as? Int == cels - 1000)
    #expect(try database.run("status").text.contains("in ids 1-1000, 2001-\(cels)"))
    expectSilence(try database.run("backfill"))
    let after = try database.run("status", "--format", "json").json()
    #expect(after["uncovered_cels"] as? Int == 0)
    #expect(after["call_logs"] as? Int == (try Template.simulated.get().summary.callLogs))
    #expect(try database.run("status").text.contains("Not covered   nothing"))
  }

  @Test("backfill takes ids and nothing else, and what it leaves is named")
  func backfill() throws {
    let database = try TestDatabase(.wazo)
    let outcome = try database.run("backfill", "--to-id", "500", "--format", "json").json()
    #expect(outcome["cels"] as? Int == 500)
    #expect(try database.psql("SELECT covered FROM call_logd_checkpoint") == "{[0,501)}")
    expectSilence(try database.run("backfill", "--from-id", "900000"))
    expectSilence(try database.run("backfill", "--from-id", "-5", "--to-id", "0"))
    #expect(try database.psql("SELECT covered FROM call_logd_checkpoint") == "{[0,501)}")
    expectSilence(try database.run("backfill"))
    #expect(try database.count("call_logd_call_log") == Template.simulated.get().summary.callLogs)
  }

  @Test("explain by linkedid and by call log id tell the same; what is not there is 65")
  func explain() throws {
    let database = try TestDatabase(.bare)
    var file = CELFile.oneCall
    file.addCall("1772445700.1", ended: false)
    try database.load(file)
    expectSilence(try database.run())
    let id = try database.psql("SELECT id FROM call_logd_call_log")
    let byLinkedid = try database.run("explain", "1772445600.1")
    #expect(byLinkedid.status == 0)
    #expect(try database.run("explain", id).text == byLinkedid.text)
    for part in [
      "CHAN_START", "PJSIP/bob-00000002", "The conversation gives a call log.", "Stored as call log \(id).",
      "\"requested_exten\" : \"1002\"",
    ] {
      #expect(byLinkedid.text.contains(part))
    }
    let unfinished = try database.run("explain", "1772445700.1")
    #expect(unfinished.text.contains("No call log: LINKEDID_END is missing for 1772445700.1."))
    #expect(unfinished.text.contains("None is stored."))
    for unknown in ["1772445600.999", "999", "x'y"] {
      expectFailure(try database.run("explain", unknown), 65, "no CEL with linkedid \(unknown)")
    }
  }

  @Test("A call that close_after closed is said to be closed, by the run and by explain, and not to be nothing")
  func closed() throws {
    let database = try TestDatabase(.bare)
    var file = CELFile.oneCall
    file.addCall("1772445700.1", ended: false)
    try database.load(file)
    expectSilence(try database.run())
    let run = try Program.bash(
      "script -qec 'wazo-call-logs --close-after 1h' /dev/null < /dev/null",
      environment: ["WAZO_CALL_LOGS_DB_URI": database.uri, "WAZO_CALL_LOGS_DEFAULT_TENANT": tenant])
    #expect(
      run.text.contains("1 call log written, of calls that never ended (close_after).") && !run.text.contains("Nothing to do"))
    let id = try database.psql("SELECT id FROM call_logd_call_log WHERE conversation_id = '1772445700.1'")
    for arguments in [["explain", "1772445700.1", "--close-after", "1h"], ["explain", id]] {
      let text = try database.start(arguments).finish().text
      #expect(!text.contains("No call log") && !text.contains("once it is there"), "\(text)")
      #expect(
        text.contains("LINKEDID_END is missing for 1772445700.1") && text.contains("close_after closed") == (arguments.count == 2)
      )
      #expect(text.contains("Stored as call log \(id)."))
    }
  }

  @Test("regenerate says in a line what came of it, also where nobody watches")
  func regenerate() throws {
    let database = try TestDatabase(.bare)
    try database.load(.oneCall)
    let none = try TestDatabase(.bare).run("regenerate")
    #expect(none.status == 0 && none.text == "Nothing to do: there are no CELs there.\n")
    expectSilence(try database.run())
    let all = try database.run("regenerate")
    #expect(all.status == 0 && all.errors.isEmpty)
    #expect(all.text.hasPrefix("12 CELs covered in ") && all.text.hasSuffix(" s: 1 call log written.\n"))
    #expect(try database.run("regenerate", "--conversation", "1772445600.1").text == "1 call log written.\n")
    try database.psql("DELETE FROM cel WHERE id <= 2; UPDATE cel SET call_log_id = NULL")
    #expect(try database.run("regenerate").text.contains("0 call logs written, 1 conversation left as they stand"))
    #expect(
      try database.run("regenerate", "--conversation", "1772445600.1").text
        == "The call log is left as it stands: the first of its CELs are gone.\n")
  }

  @Test("migrate makes the tables in an empty database, once; --print shows them as SQL that psql takes")
  func migrate() throws {
    let database = try TestDatabase()
    expectSilence(try database.run("migrate"))
    let contents = try database.contents()
    expectSilence(try database.run("migrate"))
    #expect(try database.contents() == contents)
    #expect(contents.contains("call_logd_call_log|") && contents.contains("call_logd_checkpoint|"))

    let byHand = try TestDatabase()
    let script = try byHand.run("migrate", "--print")
    #expect(script.status == 0 && script.errors.isEmpty)
    #expect(try byHand.contents().isEmpty)
    try byHand.psql(script.text)
    #expect(try byHand.run("migrate", "--print").text == "-- Nothing to do: the schema is up to date.\n")
    let terminal = try Program.bash(
      "script -qec 'wazo-call-logs migrate' /dev/null", environment: ["WAZO_CALL_LOGS_DB_URI": byHand.uri])
    #expect(terminal.status == 0)
    #expect(terminal.text.contains("The schema is up to date."))
    // A dump's order and comments aside, both ways lead to the same tables.
    let columns =
      "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
    #expect(try byHand.psql(columns) == database.psql(columns))
  }

  @Test("A table that was emptied and filled anew stops the run, until --rebase")
  func rebase() throws {
    let database = try TestDatabase(.wazo)
    expectSilence(try database.run())
    try database.psql("TRUNCATE cel RESTART IDENTITY")
    try database.load(.oneCall)
    for verb in ["generate", "backfill"] {
      expectFailure(try database.run(verb), 78, "public.cel", "truncated", "--rebase")
    }
    expectSilence(try database.run("--rebase"))
    #expect(try database.count("call_logd_call_log WHERE conversation_id = '1772445600.1'") == 1)
  }

  @Test(
    "Output that cannot be written ends with 74",
    arguments: ["status", "generate --format json", "migrate --print", "explain 1772445600.1"])
  func output(command: String) throws {
    let database = try TestDatabase(.bare)
    try database.load(.oneCall)
    let environment = ["WAZO_CALL_LOGS_DB_URI": database.uri, "WAZO_CALL_LOGS_DEFAULT_TENANT": tenant]
    // Only what has run can be explained.
    if command.hasPrefix("explain") { expectSilence(try database.run()) }
    expectFailure(
      try Program.bash("wazo-call-logs \(command) > /dev/full", environment: environment), 74, "standard output", "No space left")
  }
}
