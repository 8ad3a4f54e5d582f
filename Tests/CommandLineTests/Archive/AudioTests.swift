import Foundation
import Runs
import TestSupport
import Testing

@Suite("purge and audio files from the command line")
struct AudioCommandTests {
  /// Expects that exactly the files that recordings have are there, and that none waits.
  private func expectExact(_ archived: Archived, _ what: String, _ location: SourceLocation = #_sourceLocation) throws {
    let wanted = Set(try Archived.paths(archived.database)).union(["\(archived.recordings)/kept.wav"])
    #expect(try archived.audio() == wanted, "\(what)", sourceLocation: location)
    #expect(try archived.database.count("call_logd_audio") == 0, "\(what)", sourceLocation: location)
  }

  /// A database in which every call was recorded.
  private func recorded() throws -> Archived {
    let archived = try Archived()
    let folder = archived.recordings
    try archived.database.psql(
      "INSERT INTO call_logd_recording (start_time, end_time, path, call_log_id) SELECT now(), now(), '\(folder)/' || id % 3 || '/' || id || '.wav', id FROM call_logd_call_log"
    )
    for path in try Archived.paths(archived.database) {
      _ = archived.scratch.file(String(path.dropFirst(archived.scratch.path.count + 1)), "audio of \(path)")
    }
    return archived
  }

  @Test(
    "killed at every point and at any moment: after the next run exactly the audio files of what was purged are gone, the list is empty",
    arguments: ["call-logs", "recordings"])
  func kills(table: String) throws {
    let archived = try recorded()
    let recordings = try archived.audio().count - 1
    #expect(recordings > 100)
    try expectExact(archived, "at first")
    var random = Seeded()
    var kills = 0
    // Part by part, so that there is something left for every point.
    for (round, point) in [Point.afterForget, .beforeUnlink, .afterUnlink, .beforeCommit, .afterCommit, .afterUnlink].enumerated()
    {
      let purge = ["purge", "-d", "0", "--yes", "--table", table, "--part-rows", "20"] + (round % 2 == 0 ? ["--no-archive"] : [])
      let passing = Int.random(in: 1...2, using: &random)
      let outcome = try archived.run(purge, environment: ["WAZO_CALL_LOGS_POINT": "\(point.rawValue):\(passing):kill"])
      if outcome.status == 128 + SIGKILL { kills += 1 } else { #expect(outcome.status == 0, "\(point): \(outcome.errors)") }
      // Nobody's file is touched, and no file that a recording has, whatever the moment.
      #expect(
        try archived.audio().isSuperset(of: try Archived.paths(archived.database) + ["\(archived.recordings)/kept.wav"]),
        "\(point)")
      let next = try archived.run("purge", "--before", "1990-01-01", "--table", "call-logs")
      #expect(next.status == 0 && next.errors.isEmpty, "\(next.errors)")
      try expectExact(archived, "\(point):\(passing)")
    }
    #expect(kills >= 5)
    for _ in 0..<3 {
      let running = try archived.database.start(
        ["purge", "-d", "0", "--yes", "--table", table, "--part-rows", "10"], environment: archived.environment)
      Thread.sleep(forTimeInterval: Double.random(in: 0...0.5, using: &random))
      running.send(SIGKILL)
      _ = try running.finish()
      expectSilence(try archived.run("purge", "--before", "1990-01-01"))
      try expectExact(archived, "at random")
    }
    expectSilence(try archived.run("purge", "-d", "0", "--yes", "--table", table))
    #expect(try archived.audio() == ["\(archived.recordings)/kept.wav"])
    try expectExact(archived, "at last")
  }

  @Test(
    "status tells how many files wait and since when; a dry run tells the real run's numbers; what cannot be removed ends with 74"
  )
  func status() throws {
    let archived = try recorded()
    let count = try archived.audio().count - 1
    let purge = ["purge", "-d", "0", "--yes", "--table", "call-logs,recordings", "--format", "json"]
    let nowhere = ["--recordings-dir", archived.scratch.path + "/nowhere"]
    func audio(_ arguments: [String]) throws -> NSDictionary {
      try #require(archived.run(arguments).json()["audio_files"] as? NSDictionary)
    }
    #expect(try audio(purge + nowhere + ["--dry-run"])["waiting"] as? Int == count)
    let away = try archived.run(purge + nowhere)
    #expect(away.status == 0 && away.errors.contains("\(count) audio files wait") && away.errors.contains("nowhere"))
    let status = try archived.run("status")
    #expect(status.text.contains("Audio files   \(count) to be removed, since 20"), "\(status.text)")
    let waiting = try #require(archived.run("status", "--format", "json").json()["audio_files"] as? [String: Any])
    #expect(waiting["waiting"] as? Int == count && waiting["refused"] as? Int == 0 && waiting["since"] is String)
    let told = try audio(purge + ["--dry-run"])
    #expect(told["removed"] as? Int == count && (told["bytes"] as? Int ?? 0) > 0)
    #expect(try audio(purge) == told)
    #expect(try !archived.run("status").text.contains("Audio files"))

    // Not even root may remove this one.
    try archived.database.psql(
      "INSERT INTO call_logd_audio (path, run_id) VALUES ('/proc/sys/kernel/hostname', 1), ('/proc/sys/kernel/none.wav', 1)")
    let kernel = ["--recordings-dir", "/proc/sys/kernel"]
    let failed = try archived.run(purge + kernel)
    #expect(failed.status == 74 && failed.errors.contains("cannot remove /proc/sys/kernel/hostname: "), "\(failed.errors)")
    #expect(failed.errors.contains("1 audio file could not be removed"))
    #expect(try archived.run("status").text.contains("Audio files   1 to be removed (1 could not be), since 20"))
    let refused = try archived.run(purge)
    #expect(refused.status == 0 && refused.errors.contains("hostname is not removed: it is outside the recordings folder"))
    #expect(try archived.run("status").text.contains("Audio files   1 refused"))
  }
}
