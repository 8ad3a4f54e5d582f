import Archive
import Archiving
import CallLogs
import Foundation
import TestSupport
import Testing
import Values

@Suite("The recordings' own retention")
struct RecordingRetentionTests {
  private let tenants = (1...4).map { "\($0)0000000-0000-4000-8000-000000000000" }

  /// Call logs of these ages in days with a recording each, for each tenant.
  private func aged(_ ages: [Int]) throws -> (TestDatabase, Runner, AudioPlace) {
    let (database, runner) = try wazo()
    try runner.backfill()
    let audio = try AudioPlace()
    for (number, tenant) in tenants.enumerated() {
      try database.run("INSERT INTO call_logd_tenant VALUES ('\(tenant)')")
      for age in ages {
        let path = try audio.put("\(number)/\(age).wav", age)
        try database.run(
          """
          WITH l AS (INSERT INTO call_logd_call_log (date, tenant_uuid)
            VALUES (now() - interval '\(age * 24) hours' - interval '1 minute', '\(tenant)') RETURNING id)
          INSERT INTO call_logd_recording (start_time, end_time, path, call_log_id) SELECT now(), now(), '\(path)', id FROM l
          """)
      }
    }
    return (database, runner, audio)
  }

  @Test(
    "the tenant's own days, then wazo-purge-db's where nothing else was stored, then the stored default; those of call logs count for nothing"
  )
  func precedence() throws {
    let (database, runner, audio) = try aged([1, 9, 29, 99, 399])
    try database.run(
      "INSERT INTO call_logd_retention (tenant_uuid, cdr_days, recording_days) VALUES ('\(tenants[0])', 1, 10), ('\(tenants[1])', 1, 0), ('\(tenants[2])', 1, NULL)"
    )
    func run(_ days: Retention.Days) throws -> [Int] {
      let summary = try runner.dryPurge(audio) { ($0.kinds, $0.forgetsRecordings, $0.retention) = ([], true, .days(days)) }
      return [summary.recordings?.recordings ?? -1, summary.audio?.removed ?? -1]
    }
    func expect(_ days: Retention.Days, _ count: Int, _ location: SourceLocation = #_sourceLocation) throws {
      #expect(try run(days) == [count, count], sourceLocation: location)
    }
    // 3 of the first tenant, 5 of the second, and of the two others what the rule gives.
    try expect(.init(), 3 + 5 + 2)
    try expect(.init(commandLine: 30), 3 + 5 + 2 * 2)
    try expect(.init(daysToKeep: 5), 3 + 5 + 2 * 4)
    try expect(.init(commandLine: 30, perPlugin: ["recordings": 5, "call-logs": 1, "cel": 1]), 3 + 5 + 2 * 4)
    try expect(.init(commandLine: 30, callLogs: 1, recordings: 365), 3 + 5 + 2 * 2)
    try expect(.init(commandLine: 30, recordings: 5), 3 + 5 + 2 * 4)
    try expect(.init(commandLine: 0), 3 + 5 + 2 * 5)
    // Somebody stored another default: it goes before -d.
    try database.run(
      "INSERT INTO call_logd_config (retention_cdr_days, retention_recording_days, retention_cdr_days_from_file, retention_export_days_from_file, retention_recording_days_from_file) VALUES (1, 5, false, false, false)"
    )
    try expect(.init(commandLine: 30), 3 + 5 + 2 * 4)
    let summary = try runner.purge(audio) {
      ($0.kinds, $0.forgetsRecordings, $0.retention) = ([], true, .days(.init(commandLine: 30)))
    }
    #expect(summary.recordings?.recordings == 16 && summary.audio?.removed == 16)
    #expect(audio.files() == ["nobody's.wav", "0/1.wav", "0/9.wav", "2/1.wav", "3/1.wav"])
    // Nothing but the paths is gone.
    #expect(try database.count("call_logd_call_log") == 20 && database.count("call_logd_recording") == 20)
    #expect(try database.count("call_logd_recording WHERE path IS NOT NULL") == 4)
    #expect(try run(.init(commandLine: 30)) == [0, 0])
  }

  @Test("a tenant restricts it, a date goes before all days, and what goes with its call log is not told twice")
  func restricted() throws {
    let (database, runner, audio) = try aged([1, 9, 29])
    try database.run("INSERT INTO call_logd_retention (tenant_uuid, cdr_days, recording_days) VALUES ('\(tenants[0])', 20, 5)")
    let change: (inout ArchiveJob.Options) -> Void = {
      ($0.forgetsRecordings, $0.retention, $0.tenant) = (true, .days(.init()), UUIDValue("10000000-0000-4000-8000-000000000000"))
    }
    let told = try runner.dryPurge(audio, change)
    let done = try runner.purge(audio, change)
    #expect(told.recordings == done.recordings && told.audio == done.audio)
    #expect(done.tables[0].deleted == 1 && done.recordings?.recordings == 1 && done.audio?.removed == 2)
    #expect(try database.count("call_logd_recording WHERE path IS NULL") == 1)
    try runner.purge(audio) { ($0.kinds, $0.forgetsRecordings) = ([], true) }
    #expect(audio.files() == ["nobody's.wav"])
  }

  @Test("a call log that is made again has no path where its audio was forgotten")
  func madeAgain() throws {
    let audio = try AudioPlace()
    let path = try audio.put("a.wav")
    let (database, runner) = try wazo(CELRow.call("1714989600.1", recording: path))
    try runner.backfill()
    try runner.purge(audio) { ($0.kinds, $0.forgetsRecordings) = ([], true) }
    try runner.regenerate(.ids(from: nil, to: nil))
    #expect(try database.rows("path FROM call_logd_recording") == ["∅"])
    #expect(audio.files() == ["nobody's.wav"])
  }

  @Test("recordings of restored call logs keep their path for a time")
  func restored() throws {
    let (database, runner, audio) = try aged([400, 500])
    try runner.purge(audio) { $0.retention = .days(.init()) }
    try runner.restore(audio.place, kinds: [.callLogs], keepFor: 3600)
    let change: (inout ArchiveJob.Options) -> Void = { ($0.forgetsRecordings, $0.retention) = (true, .days(.init())) }
    let told = try runner.dryPurge(audio, change)
    let summary = try runner.purge(audio, change)
    #expect(summary.recordings?.recordings == 0 && summary.recordings?.keptRestored == 8 && told.recordings == summary.recordings)
    #expect(try database.count("call_logd_recording WHERE path IS NOT NULL") == 8)
    try database.run("UPDATE call_logd_restored SET kept_to = now() - interval '1 second'")
    try runner.purge(audio) { ($0.kinds, $0.forgetsRecordings, $0.retention) = ([], true, .days(.init())) }
    #expect(try database.count("call_logd_recording WHERE path IS NULL") == 8)
  }
}
