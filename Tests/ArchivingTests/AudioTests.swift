import Archive
import Archiving
import CallLogs
import Foundation
import Inspection
import PostgreSQL
import Runs
import Store
import TestSupport
import Testing
import Values

/// Days of 24 hours after 2024-05-06 00:00 UTC.
func day(_ days: Int) -> Int64 { (1_714_953_600 - 946_684_800 + Int64(days) * 86_400) * 1_000_000 }

@Suite("Audio files go after what names them is forgotten")
struct AudioTests {
  private let calls = (0..<6).map { "17149896\($0)0.\($0 + 1)" }

  /// Six recorded calls, one a day from 2024-05-06 on.
  private func recorded() throws -> (TestDatabase, Runner, AudioPlace) {
    let (database, runner) = try wazo()
    let audio = try AudioPlace()
    for (index, call) in calls.enumerated() {
      let path = try audio.put("t\(index % 2)/monitor/\(index).wav", 10 + index)
      try database.insert(CELRow.call(call, at: Double(index) * 86_400, recording: path))
    }
    try runner.backfill()
    return (database, runner, audio)
  }

  private func waiting(_ database: TestDatabase) throws -> Int { try database.count("call_logd_audio") }

  @Test("a purge removes the files of the call logs that go, and no others; archive removes none", arguments: [true, false])
  func purge(archives: Bool) throws {
    let (database, runner, audio) = try recorded()
    let all = audio.files()
    try runner.archiving(audio.place).archive(runner.options(audio.place, deletes: false, kinds: [.callLogs], .before(day(2))))
    #expect(try audio.files() == all && waiting(database) == 0)
    let summary = try runner.purge(audio) {
      $0.retention = .before(day(4))
      if !archives { $0.folder = nil }
    }
    #expect(audio.files() == ["nobody's.wav", "t0/monitor/4.wav", "t1/monitor/5.wav"])
    #expect(summary.audio?.removed == 4 && summary.audio?.bytes == 10 + 11 + 12 + 13 && summary.audio?.waiting == 0)
    #expect(try waiting(database) == 0 && database.count("call_logd_recording") == 2)
    #expect(try database.value("counters->>'audio_removed' FROM call_logd_run WHERE verb = 'purge'") == "4")
    guard archives else { return }
    // Rows come back as they were archived; audio does not.
    try runner.restore(audio.place, kinds: [.callLogs])
    #expect(try database.count("call_logd_recording WHERE path LIKE '\(audio.folder)/t%'") == 6)
    let again = try runner.purge(audio)
    #expect(again.audio?.missing == 4 && again.audio?.removed == 2 && audio.files() == ["nobody's.wav"])
  }

  @Test(
    "wherever the connection breaks, by either retention: exactly the files of what was forgotten are gone, the list is empty",
    arguments: [Point.afterForget, .beforeUnlink, .afterUnlink, .beforeCommit, .afterCommit, .beforePurge, .afterPurge], 1...3)
  func lostConnection(point: Point, passing: Int) throws {
    for recordings in [false, true] {
      let (database, runner, audio) = try recorded()
      var faulty = runner
      faulty.settings.atPoint = try PointOrders("\(point.rawValue):\(passing):fail").reached
      let summary = try faulty.purge(audio) {
        $0.retention = .before(day(5))
        if recordings { ($0.kinds, $0.forgetsRecordings) = ([], true) }
      }
      #expect(audio.files() == ["nobody's.wav", "t1/monitor/5.wav"], "\(point) \(recordings)")
      #expect(summary.audio?.removed == 5 && summary.audio?.missing == 0, "\(point) \(recordings)")
      #expect(try waiting(database) == 0)
      if recordings { #expect(summary.recordings?.recordings == 5 && summary.recordings?.callLogs == 5, "\(point)") }
      #expect(try database.count("call_logd_recording WHERE path IS NOT NULL") == 1)
      #expect(try database.count("call_logd_recording") == (recordings ? 6 : 1))
    }
  }

  @Test(
    "a failure after the commit leaves the list to the next purge, whatever that purges",
    arguments: [Point.beforeUnlink, .afterUnlink])
  func nextRun(point: Point) throws {
    let (database, runner, audio) = try recorded()
    var faulty = runner
    faulty.settings.retryFor = 0
    faulty.settings.atPoint = Once(point) { throw JobError(.fault, "ordered by a test") }.reached
    #expect(throws: JobError.self) { try faulty.purge(audio) { $0.retention = .before(day(4)) } }
    // The first part, of two call logs, was committed.
    #expect(try waiting(database) == 2 && database.count("call_logd_recording") == 4)
    let context = try runner.context()
    defer { context.databases.close() }
    let status = try StatusJob(runner.settings, interruption: Interruption(), log: quiet).run()
    #expect(status.audio.files == 2 && status.audio.refused == 0 && status.audio.since != nil)
    let summary = try runner.purge(audio) { $0.kinds = [.cel] }
    #expect((summary.audio?.removed ?? 0) + (summary.audio?.missing ?? 0) == 2)
    #expect(try waiting(database) == 0)
    #expect(audio.files() == ["nobody's.wav", "t0/monitor/2.wav", "t0/monitor/4.wav", "t1/monitor/3.wav", "t1/monitor/5.wav"])
  }

  @Test("a file that another recording has stays, however its path is spelt there; it goes with the last of them")
  func shared() throws {
    let (database, runner, audio) = try recorded()
    try database.run(
      "UPDATE call_logd_recording SET path = replace(path, '/t0/monitor/0', '//t0/./monitor/0') WHERE path LIKE '%/0.wav'")
    for index in [2, 5] {
      try database.run(
        "INSERT INTO call_logd_recording (start_time, end_time, path, call_log_id) SELECT now(), now(), '\(audio.folder)/t0/monitor/0.wav', call_log_id FROM call_logd_recording WHERE path LIKE '%/\(index).wav'"
      )
    }
    let told = try runner.dryPurge(audio) { $0.retention = .before(day(5)) }
    let first = try runner.purge(audio) { $0.retention = .before(day(5)) }
    #expect(first.audio == told.audio && first.audio?.named == 2 && first.audio?.removed == 4)
    #expect(audio.files().contains("t0/monitor/0.wav"))
    #expect(try waiting(database) == 0)
    let second = try runner.purge(audio)
    #expect(second.audio?.removed == 2 && audio.files() == ["nobody's.wav"])
  }

  @Test("what leads elsewhere is refused: told once, counted, kept on the list, tried again only with another folder")
  func refused() throws {
    let (database, runner, audio) = try recorded()
    let outside = audio.place.root + "/outside.wav"
    try Data([1]).write(to: URL(fileURLWithPath: outside))
    try FileManager.default.createSymbolicLink(atPath: audio.folder + "/link.wav", withDestinationPath: outside)
    let paths = [outside, audio.folder + "/../outside.wav", "relative.wav", audio.folder + "/link.wav", "/etc/\u{1B}[2Jpasswd"]
    for (index, path) in paths.enumerated() {
      try database.admin.execute(
        "UPDATE call_logd_recording SET path = $1 WHERE path LIKE '%/\(index).wav'", [.text(path)], purpose: "A test's path")
    }
    let recorder = LogRecorder()
    var told = runner
    told.log = recorder.logger
    let preview = try told.dryPurge(audio)
    let summary = try told.purge(audio)
    #expect(summary.audio == preview.audio && summary.audio?.refused == 5 && summary.audio?.removed == 1)
    #expect(recorder.warnings.count { $0.contains("is not removed") } == 5 && recorder.warnings.contains { $0.contains(outside) })
    #expect(!recorder.warnings.contains { $0.contains("\u{1B}") })
    #expect(FileManager.default.fileExists(atPath: outside))
    #expect(audio.files().contains("link.wav"))
    let count = recorder.warnings.count
    let second = try told.purge(audio)
    #expect(second.audio?.refused == 0 && recorder.warnings.count == count)
    let status = try StatusJob(runner.settings, interruption: Interruption(), log: quiet).run()
    #expect(status.audio.refused == 5 && status.audio.files == 0)
    // The folder was set wrongly, it turns out.
    let third = try told.purge(audio) { $0.recordingsFolder = audio.place.root }
    #expect(third.audio?.removed == 1 && third.audio?.refused == 4)
    #expect(!FileManager.default.fileExists(atPath: outside))
    #expect(try waiting(database) == 4)
  }

  @Test("a file that cannot be removed is told with its path and stays on the list; the rest goes")
  func permission() throws {
    let (database, runner, audio) = try recorded()
    let recorder = LogRecorder()
    var told = runner
    told.log = recorder.logger
    // Not even root may remove these.
    let stubborn = ["/proc/sys/kernel/hostname", "/proc/sys/kernel/osrelease"]
    for (index, path) in (stubborn + ["/proc/sys/kernel/no.wav"]).enumerated() {
      try database.run("UPDATE call_logd_recording SET path = '\(path)' WHERE path LIKE '%/\(index).wav'")
    }
    let summary = try told.purge(audio) { $0.recordingsFolder = "/proc/sys/kernel" }
    #expect(summary.audio?.failed == 2 && summary.audio?.missing == 1 && summary.audio?.refused == 3)
    #expect(summary.audio?.waiting == 2)
    for path in stubborn { #expect(recorder.warnings.count { $0.contains("cannot remove \(path): ") } == 1) }
    #expect(try database.count("call_logd_call_log") == 0)
    #expect(try database.count("call_logd_audio WHERE refused_by IS NULL AND error IS NOT NULL") == 2)
    let second = try told.purge(audio) { $0.recordingsFolder = "/proc/sys/kernel" }
    #expect(second.audio?.failed == 2 && second.audio?.refused == 0)
    let status = try StatusJob(runner.settings, interruption: Interruption(), log: quiet).run()
    #expect(status.audio.failed == 2 && status.audio.files == 2)
  }

  @Test(
    "on a machine without the recordings folder, or with nothing mounted there, rows go, files wait and it is told",
    arguments: [true, false])
  func noFolder(exists: Bool) throws {
    let (database, runner, audio) = try recorded()
    let elsewhere = audio.place.root + "/elsewhere"
    try FileManager.default.moveItem(atPath: audio.folder, toPath: elsewhere)
    if exists { try FileManager.default.createDirectory(atPath: audio.folder, withIntermediateDirectories: true) }
    let recorder = LogRecorder()
    var told = runner
    told.log = recorder.logger
    let preview = try told.dryPurge(audio) { $0.retention = .before(day(4)) }
    let summary = try told.purge(audio) { $0.retention = .before(day(4)) }
    #expect(summary.audio == preview.audio && summary.audio?.waiting == 4 && summary.audio?.obstacle != nil)
    #expect(
      recorder.warnings.count == 1
        && recorder.warnings.allSatisfy { $0.contains("4 audio files wait") && $0.contains(audio.folder) })
    #expect(try database.count("call_logd_call_log") == 2 && waiting(database) == 4)
    if exists { try FileManager.default.removeItem(atPath: audio.folder) }
    try FileManager.default.moveItem(atPath: elsewhere, toPath: audio.folder)
    let later = try told.dryPurge(audio) { $0.kinds = [] }
    #expect(try told.purge(audio) { $0.kinds = [] }.audio == later.audio && later.audio?.removed == 4)
    #expect(try waiting(database) == 0 && recorder.warnings.count == 1)
    #expect(audio.files() == ["nobody's.wav", "t0/monitor/4.wav", "t1/monitor/5.wav"])
  }

  @Test("a file on the list that a restored recording has stays")
  func restoredMeanwhile() throws {
    let (database, runner, audio) = try recorded()
    try runner.purge(audio) { $0.recordingsFolder = nil }
    #expect(try waiting(database) == 6)
    try runner.restore(audio.place, kinds: [.callLogs], keepFor: 3600) { $0.filter.to = day(2) }
    let summary = try runner.purge(audio)
    #expect(summary.audio?.named == 2 && summary.audio?.removed == 4)
    #expect(audio.files() == ["nobody's.wav", "t0/monitor/0.wav", "t1/monitor/1.wav"])
    #expect(try waiting(database) == 0)
  }

  @Test(
    "whatever recordings name: a dry run has the real run's numbers, and exactly what nothing names any more goes",
    arguments: 0..<6)
  func property(round: Int) throws {
    var random = Seeded()
    let (database, runner) = try wazo()
    try runner.backfill()
    let audio = try AudioPlace()
    var names: [String] = []
    for number in 0..<12 {
      names.append(number % 4 == 3 ? audio.folder + "/gone\(number).wav" : try audio.put("f\(number % 3)/\(number).wav", number))
    }
    names += ["/etc/none.wav", audio.folder + "/../x.wav", ""]
    for name in names.prefix(4) { names.append(name.replacingOccurrences(of: "/f", with: "//f")) }
    try database.run("INSERT INTO call_logd_tenant VALUES ('\(defaultTenant)'), ('\(defaultTenant.replacing("9", with: "8"))')")
    for number in 0..<25 {
      let tenant = random.oneIn(3) ? defaultTenant.replacing("9", with: "8") : defaultTenant
      try database.run(
        "INSERT INTO call_logd_call_log (id, date, tenant_uuid) VALUES (\(number + 1), timestamptz '2024-05-06Z' + interval '\(Int.random(in: 0..<40, using: &random)) days', '\(tenant)')"
      )
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        try database.admin.execute(
          "INSERT INTO call_logd_recording (start_time, end_time, path, call_log_id) VALUES (now(), now(), $1, $2)",
          [random.oneIn(5) ? .null : .text(names.randomElement(using: &random) ?? ""), .int4(Int32(number + 1))],
          purpose: "A test's recording")
      }
    }
    let all = "DISTINCT regexp_replace(path, '//+', '/', 'g') FROM call_logd_recording WHERE path IS NOT NULL"
    let (files, named) = (audio.files(), Set(try database.rows(all)))
    let archives = random.oneIn(2)
    let parts = Int.random(in: 1...7, using: &random)
    for before in [12, 25, 41] {
      let change: (inout ArchiveJob.Options) -> Void = {
        $0.retention = .before(day(before))
        $0.rows = parts
        $0.forgetsRecordings = before != 25
        if before == 12 { $0.kinds = [] }
        if !archives { $0.folder = nil }
      }
      let told = try runner.dryPurge(audio, change)
      let done = try runner.purge(audio, change)
      #expect(done.audio == told.audio && done.recordings == told.recordings, "\(random)")
      #expect(done.tables.map(\.deleted) == told.tables.map(\.deleted), "\(random)")
      let gone = named.subtracting(try database.rows(all))
      #expect(audio.files() == files.filter { !gone.contains("\(audio.folder)/\($0)") }, "\(random)")
      #expect(try database.count("call_logd_audio WHERE refused_by IS NULL") == 0, "\(random)")
    }
    #expect(try database.count("call_logd_recording") == 0)
  }

  @Test(
    "a file waits once on the list, however often its call log is purged, restored and purged again, and however its path is spelt"
  )
  func waitsOnce() throws {
    let (database, runner, audio) = try recorded()
    for round in 0..<3 {
      try runner.purge(audio) { $0.recordingsFolder = nil }
      #expect(try database.count("call_logd_audio") == 6, "\(round)")
      try runner.restore(audio.place, kinds: [.callLogs])
      // The file is the same.
      if round == 1 { try database.run("UPDATE call_logd_recording SET path = replace(path, '/monitor/', '//monitor/./')") }
    }
    try runner.purge(audio)
    #expect(audio.files() == ["nobody's.wav"])
    #expect(try database.count("call_logd_audio") == 0)
  }
}
