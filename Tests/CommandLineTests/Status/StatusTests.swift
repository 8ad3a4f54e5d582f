import Foundation
import Testing

@Suite("status as text and JSON")
struct StatusTests {
  @Test("A run that was killed, one that failed, one at work and one that is done are told apart")
  func runs() throws {
    let database = try TestDatabase(.bare)
    try database.load(.oneCall)
    #expect(try database.run(environment: ["WAZO_CALL_LOGS_POINT": "before-commit:1:kill"]).status == 128 + SIGKILL)
    var text = try database.run("status").text
    #expect(text.contains("Last runs\n  1 generate, begun "))
    #expect(text.contains("\n    died\n"))
    #expect(text.contains("Left by workers that are gone, for the next run to take over\n  ids 0-12, claimed 20"))
    #expect(!text.contains("At work"))
    // What status saw it did not record.
    #expect(try database.psql("SELECT outcome IS NULL FROM call_logd_run") == "t")

    expectFailure(
      try database.run("--retry-for", "0", environment: ["WAZO_CALL_LOGS_POINT": "after-read:1:fail"]), 69, "ordered by a test")
    let holder = try database.hold("LOCK TABLE cel IN SHARE MODE")
    let run = try database.start(["backfill", "--from-id", "1", "--lock-timeout", "1h"])
    try wait("for it to be at work") {
      try database.count("pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
    }
    text = try database.run("status").text
    #expect(text.contains("At work\n  3 backfill --from-id 1 since 20"))
    #expect(text.contains("  ids 1-12, claimed 20") && text.contains(" of run 3\n") && !text.contains("Left by"))
    #expect(text.contains("    failed after ") && text.contains("ordered by a test"))
    let json = try database.run("status", "--format", "json").json()
    let runs = try #require(json["runs"] as? [[String: Any]])
    #expect(runs.map { $0["id"] as? Int } == [3, 2, 1])
    #expect(runs.map { $0["at_work"] as? Bool } == [true, false, false])
    #expect(runs.map { $0["outcome"] as? String } == [nil, "failed", "died"])
    #expect(runs[0]["parameters"] as? String == "--from-id 1" && runs[0]["ended"] is NSNull)
    #expect((runs[1]["error"] as? String)?.contains("ordered by a test") == true)
    let claims = try #require(json["claims"] as? [[String: Any]])
    #expect(claims.map { $0["alive"] as? Bool } == [true] && claims.map { $0["run"] as? Int } == [3])
    #expect(claims.map { $0["from"] as? Int } == [1] && claims.map { $0["to"] as? Int } == [12])
    try holder.end()
    expectSilence(try run.finish())

    text = try database.run("status").text
    #expect(!text.contains("At work") && text.contains("    done in ") && text.contains(": 12 CELs ("))
    #expect(text.contains("/s), 1 call log written"))
  }

  @Test("What was skipped is told by its kind, in words in the text and by its key in JSON; lines keep to 80 columns")
  func flaws() throws {
    let database = try TestDatabase(.bare)
    var file = CELFile()
    file.addCall {
      $0.add("TEA_TIME")
      $0.add("CHAN_START", ["linkedid": ""])
    }
    file.addCall("1772445700.5", ended: false)
    try database.load(file)
    _ = try database.run("backfill")
    let text = try database.run("status").text
    #expect(text.contains("Skipped or mended over all runs\n  1  no linkedid\n  1  unknown event\n"))
    #expect(text.contains("CELs over all runs\n  25  read\n") && text.contains(" in call logs\n"))
    #expect(!text.contains("flaw_") && !text.contains("cels_"))
    #expect(text.contains("Calls still open\n  1 call without LINKEDID_END, the first since 2026-03-02 10:00:15 UTC ("))
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(text)")
    let json = try database.run("status", "--format", "json", "--close-after", "1d").json()
    let counters = try #require(json["counters"] as? [String: Any])
    #expect(counters["flaw_unknown_event"] as? Int == 1 && counters["flaw_empty_linkedid"] as? Int == 1)
    #expect(counters["cels"] as? Int == 25)
    let open = try #require(json["open_calls"] as? [String: Any])
    #expect(open["count"] as? Int == 1 && open["close_after_seconds"] as? Int == 86_400)
    #expect(open["since"] as? String == "2026-03-02T10:00:15.000000+00:00")
    #expect((open["closed_by_next_run"] as? Int) == (open["silent_for_a_day"] as? Int))
  }

  @Test("Where nothing has run there is nothing to show of runs")
  func nothing() throws {
    let database = try TestDatabase(.bare)
    let text = try database.run("status").text
    #expect(!text.contains("runs") && !text.contains("At work") && !text.contains("open"))
    let json = try database.run("status", "--format", "json").json()
    #expect((json["runs"] as? [Any])?.isEmpty == true && (json["claims"] as? [Any])?.isEmpty == true)
    #expect(json["open_calls"] == nil)
  }
}
