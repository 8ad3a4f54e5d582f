import Archive
import Archiving
import Foundation
import PrivateServer
import Runs
import TestSupport
import Testing

@Suite("Archive, purge and restore from the command line")
struct ArchiveCommandTests {
  @Test(
    "killed at every point and at any moment, started again until it is done: each row is once in archive or table, and comes back the same"
  )
  func kills() throws {
    let archived = try Archived()
    let total = [try archived.database.count("call_logd_call_log"), try archived.database.count("cel")]
    var random = Seeded()
    let purge = ["purge", "-d", "0", "--yes", "--part-rows", "60"]
    let points =
      Point.allCases.filter { $0.isOfArchives && !$0.isOfAudio && $0 != .afterRowsCommit && $0 != .afterUndo } + [
        .beforeCommit, .afterCommit,
      ]
    var kills = 0
    for point in points where point != .beforeRestore && point != .afterRestore {
      let passing = Int.random(in: 1...2, using: &random)
      var orders = "\(point.rawValue):\(passing):kill"
      // What brings the remains to an end is killed, too.
      if point == .afterVerify { orders += ",after-undo:1:kill" }
      let outcome = try archived.run(purge, environment: ["WAZO_CALL_LOGS_POINT": orders])
      #expect(outcome.status == 128 + SIGKILL || outcome.status == 0, "\(point): \(outcome.errors)")
      if outcome.status != 0 { kills += 1 }
      if point == .afterFile || point == .beforePurge {
        let again = try archived.run(purge, environment: ["WAZO_CALL_LOGS_POINT": "after-undo:1:kill"])
        #expect(again.status == 128 + SIGKILL, "\(point): nothing was undone; \(again.errors)")
        kills += 1
      }
      // A run that begins nothing brings what is there to an end.
      let settled = try archived.run("purge", "--before", "1990-01-01", "--table", "call-logs")
      #expect(settled.status == 0, "\(settled.errors)")
      let verified = try archived.run("archives", "verify")
      if try archived.hasParts() {
        #expect(verified.status == 0 && verified.errors.isEmpty, "\(point): \(verified.errors)")
      } else {
        expectFailure(verified, 65, "no part of an archive")
      }
      #expect(try archived.union() == total, "\(point)")
    }
    for _ in 0..<6 {
      let running = try archived.database.start(purge, environment: archived.environment)
      Thread.sleep(forTimeInterval: Double.random(in: 0...0.6, using: &random))
      running.send(SIGKILL)
      if try running.finish().status != 0 { kills += 1 }
    }
    #expect(try archived.run(purge).status == 0)
    #expect(kills >= points.count - 3)
    #expect(try archived.union() == total)
    print("archive: \(kills) kills")
    for point in [Point.beforeRestore, .afterRestore, .beforeCommit, .afterCommit] {
      let outcome = try archived.run("restore", environment: ["WAZO_CALL_LOGS_POINT": "\(point.rawValue):2:kill"])
      #expect(outcome.status == 128 + SIGKILL, "\(point): \(outcome.errors)")
    }
    #expect(try archived.run("restore").status == 0)
    #expect(
      try Archived.rows(archived.database).split(separator: "\n").dropLast() == archived.before.split(separator: "\n").dropLast())
    #expect(try archived.database.count("cel") == total[1])
  }

  @Test(
    "SIGTERM while a part is being written: 143, nothing of the part is left, nothing is deleted",
    arguments: ["after-file", "before-verify"])
  func terminated(point: String) throws {
    let archived = try Archived()
    let running = try archived.database.start(
      ["purge", "-d", "0", "--yes"],
      environment: archived.environment.merging(["WAZO_CALL_LOGS_POINT": "\(point):1:wait:3"]) { $1 })
    try wait("for the first file") { try Program.bash("find '\(archived.folder)' -name '*.zst'").text.isEmpty == false }
    running.send(SIGTERM)
    expectFailure(try running.finish(), 143)
    #expect(try Program.bash("find '\(archived.folder)' -type f").text.isEmpty)
    #expect(try Archived.rows(archived.database) == archived.before)
    expectSilence(try archived.run("purge", "-d", "0", "--yes"))
    let status = try Program.run("status", "--offline", environment: ["WAZO_CALL_LOGS_CHECKPOINT_DIR": archived.scratch.path])
    #expect(status.text.contains("purge -d 0 --table call-logs,recordings,cel") && status.text.contains("done"))
  }

  @Test("beside a generate and a regenerate that go on all the time: every call is in the archive or in the table")
  func beside() throws {
    let archived = try Archived()
    let calls = try archived.database.count("call_logd_call_log")
    let others = try [["regenerate", "--chunk-size", "300"], ["generate", "--chunk-size", "300"]].map {
      try archived.database.start($0, environment: ["WAZO_CALL_LOGS_CHECKPOINT_DIR": archived.scratch.path])
    }
    // CELs first, so that what is gone is not made again.
    let purge = try archived.run("purge", "-d", "0", "--yes", "--table", "cel", "--part-rows", "100")
    #expect(purge.status == 0, "\(purge.errors)")
    let logs = try archived.run("purge", "-d", "0", "--yes", "--table", "call-logs", "--part-rows", "20")
    #expect(logs.status == 0, "\(logs.errors)")
    for other in others {
      let outcome = try other.finish()
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    expectSilence(try archived.run("purge", "-d", "0", "--yes", "--part-rows", "100"))
    expectSilence(try archived.run("archives", "verify"))
    // A call log that was remade while CELs went is as it was: each is there once.
    #expect(try archived.union()[0] == calls)
    expectSilence(try archived.run("restore"))
    #expect(try archived.database.count("call_logd_call_log") == calls)
  }

  @Test("psql restores a file as it is: zstdcat | psql COPY")
  func psql() throws {
    let archived = try Archived()
    expectSilence(try archived.run("purge", "-d", "0", "--yes", "--table", "call-logs"))
    #expect(try archived.database.count("call_logd_call_log") == 0)
    for (content, table) in [
      ("call-logs", "call_logd_call_log"), ("participants", "call_logd_call_log_participant"),
      ("destinations", "call_logd_call_log_destination"), ("recordings", "call_logd_recording"),
    ] {
      let outcome = try Program.bash(
        """
        cd '\(archived.folder)' && find call-logs -name '*.\(content).csv.zst' | while read file; do
          zstdcat "$file" | psql -qX -v ON_ERROR_STOP=1 -d '\(archived.database.uri)' \
            -c "COPY \(table) ($(zstdcat "$file" | head -n 1)) FROM STDIN (FORMAT csv, HEADER)" || exit 1
        done
        """)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    #expect(try Archived.rows(archived.database) == archived.before)
  }

  @Test("sha256sum agrees with the manifest")
  func sums() throws {
    let archived = try Archived()
    expectSilence(try archived.run("archive", "-d", "0", "--yes", "--table", "call-logs"))
    let outcome = try Program.bash("cd '\(archived.folder)' && find . -name '*.zst' | xargs sha256sum")
    let sums = Set(outcome.text.split(separator: "\n").map { String($0.prefix(64)) })
    let archive = try ArchiveFolder(archived.folder)
    let told = try archive.contents().parts.flatMap { try archive.manifest(of: $0).files.map(\.sha256) }
    #expect(sums == Set(told) && !told.isEmpty)
  }

  @Test("a full disk: 74, one sentence, every row still there, and no file under its final name")
  func fullDisk() throws {
    let archived = try Archived()
    let folder = archived.scratch.path + "/small"
    // Only where this machine lets the test mount something.
    let mounted = try Program.bash("mkdir -p '\(folder)' && mount -t tmpfs -o size=24k tmpfs '\(folder)'")
    guard mounted.status == 0 else {
      let limited = try Program.bash(
        "ulimit -f 4; trap '' XFSZ; wazo-call-logs purge -d 0 --yes --table call-logs --archive-dir '\(folder)'",
        environment: ["WAZO_CALL_LOGS_DB_URI": archived.database.uri, "WAZO_CALL_LOGS_CHECKPOINT_DIR": archived.scratch.path])
      expectFailure(limited, 74, folder)
      #expect(try Archived.rows(archived.database) == archived.before)
      return
    }
    defer { _ = try? Program.bash("umount '\(folder)'") }
    expectFailure(try archived.run("purge", "-d", "0", "--yes", "--archive-dir", folder), 74, folder, "No space left")
    let files = try Program.bash("find '\(folder)' -type f")
    #expect(try files.text.isEmpty || archived.union().isEmpty == false)
    #expect(!files.text.contains(".tmp"))
    let names = files.text.split(separator: "\n")
    #expect(
      names.count { $0.hasSuffix(".csv.zst") } == 4 * names.count { $0.hasSuffix(".manifest.json") } || names.isEmpty, "\(names)")
    let isEmpty = try ArchiveFolder(folder).contents().parts.isEmpty
    let listing = try ArchiveListing(folder: folder, kinds: ArchiveKind.allCases).run(verifies: !isEmpty)
    #expect(listing.faults.isEmpty && listing.unknown.isEmpty)
    let inFiles = listing.parts.reduce(0) { $0 + ($1.manifest?.rows ?? 0) }
    #expect(try archived.database.count("call_logd_call_log") + inFiles == Int(archived.before.split(separator: "|")[1]))
  }

  @Test("0 days need --yes, negative ones are an error, and what excludes what is told")
  func usage() throws {
    for verb in ["archive", "purge"] {
      expectUsageError(try Program.run(verb, "-d", "0"), "--yes")
      expectUsageError(try Program.run(verb, "--before", "2999-01-01"), "--yes")
      expectUsageError(try Program.run(verb, "-d", "-1"), "0 or more")
      expectUsageError(try Program.run(verb, "-d", "1", "--before", "2025-01-01"), "exclude")
      expectUsageError(try Program.run(verb, "--tenant", "x"), "UUID")
    }
    expectUsageError(try Program.run("archive", "--no-archive"), "no-archive")
    let archived = try Archived(.bare)
    expectFailure(try archived.run("purge", "-d", "1", "--table", "cel", "--tenant", tenant), 64, "CELs have no tenant")
    expectFailure(try archived.run("purge", "-d", "1", "--table", "queue_log"), 64, "call-logs, recordings and cel")
    for verb in [["archive", "-d", "1"], ["restore"], ["archives", "list"]] {
      expectFailure(try archived.run(verb + ["--table", "recordings"]), 64, "no archive of their own")
    }
    expectFailure(try archived.run("purge", "-d", "1", "--recordings-dir", "/"), 64, "--recordings-dir", "folder")
    expectFailure(try archived.run("purge", "-d", "1", "--recordings-dir", "/a/../.."), 64, "--recordings-dir", "folder")
    expectFailure(try archived.run("purge", "-d", "1", "--level", "99"), 64, "--level")
  }

  @Test("a dry run tells the numbers of the real run and changes nothing; wazo-purge-db's settings are understood")
  func dryRun() throws {
    let archived = try Archived()
    let file = archived.scratch.file(
      "purge/config.yml",
      "enabled_plugins:\n  purgers: {cel: true}\ndays_to_keep: 20\ndays_to_keep_per_plugin:\n  cel: 10\n  other: 3\n")
    _ = archived.scratch.file("purge/conf.d/50.yml", "days_to_keep_per_plugin: {cel: 5}\n")
    let environment = ["WAZO_CALL_LOGS_PURGE_CONFIG": file]
    let contents = try archived.database.contents()
    let told = try archived.run("purge", "--dry-run", "--format", "json", environment: environment).json()
    #expect(try archived.database.contents() == contents && !FileManager.default.fileExists(atPath: archived.folder))
    let done = try archived.run("purge", "--format", "json", environment: environment).json()
    func numbers(_ report: [String: Any]) throws -> [String] {
      try (report["tables"] as? [[String: Any]] ?? []).map { table in
        let told = table.filter { ["rows", "deleted", "parts", "kept"].contains($0.key) }
        return String(decoding: try JSONSerialization.data(withJSONObject: told, options: .sortedKeys), as: UTF8.self)
      }
    }
    #expect(try numbers(told) == numbers(done) && numbers(done).count == 2)
    let oldest = "extract(epoch FROM now() - min(%))::int / 86400 FROM"
    #expect(try archived.database.psql("SELECT \(oldest.replacing("%", with: "date")) call_logd_call_log") == "19")
    let cels = try archived.database.psql(
      "SELECT count(*) FROM cel c, call_logd_checkpoint WHERE eventtime < now() - interval '5 days' AND linkedid NOT IN (SELECT linkedid FROM cel WHERE eventtime >= now() - interval '5 days')"
    )
    // Only calls that hang together with newer ones by a channel.
    #expect(try #require(Int(cels)) < 40)
    _ = archived.scratch.file("purge/conf.d/60.yml", "days_to_keep: soon\n")
    expectFailure(try archived.run("purge", environment: environment), 78, "days_to_keep", "60.yml")
  }

  @Test("archives list and verify need no database; a damaged file ends with 65 and is named, a file of nobody's is told")
  func listing() throws {
    let archived = try Archived()
    expectSilence(try archived.run("purge", "-d", "0", "--yes", "--table", "call-logs"))
    let environment = ["WAZO_CALL_LOGS_ARCHIVE_DIR": archived.folder]
    let list = try Running(Program.path, ["archives", "list", "--format", "json"], environment: environment).finish()
    let parts = try #require(list.json()["parts"] as? [[String: Any]])
    #expect(!parts.isEmpty && list.errors.isEmpty)
    expectSilence(try Running(Program.path, ["archives", "verify"], environment: environment).finish())
    let manifest = try #require(parts.first?["manifest"] as? String)
    let file = archived.folder + "/" + manifest.replacing(".manifest.json", with: ".call-logs.csv.zst")
    var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(fileURLWithPath: file))
    _ = archived.scratch.file("archives/call-logs/notes.txt", "mine")
    let outcome = try Running(Program.path, ["archives", "verify"], environment: environment).finish()
    #expect(outcome.status == 65 && outcome.errors.contains(file) && outcome.errors.contains("call-logs/notes.txt"))
    #expect(FileManager.default.fileExists(atPath: archived.folder + "/call-logs/notes.txt"))
    expectFailure(try archived.run("restore"), 65, file)
    #expect(try archived.database.count("call_logd_call_log") == 0)
  }

  @Test("a folder without a part, or none at all, is no archive that could be verified or restored: 65; list warns and goes on")
  func nothing() throws {
    let archived = try Archived(.bare)
    let folder = archived.scratch.path + "/unmounted"
    for isThere in [false, true] {
      if isThere { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false) }
      for verb in [["archives", "verify"], ["restore"], ["restore", "--dry-run"]] {
        expectFailure(try archived.run(verb + ["--archive-dir", folder]), 65, "no part of an archive in \(folder)")
      }
      let list = try archived.run("archives", "list", "--archive-dir", folder)
      #expect(list.status == (isThere ? 0 : 65) && list.errors.contains("no part of an archive in \(folder)"), "\(list.errors)")
    }
  }

  @Test("of many files that belong to no part some are named, and the others are counted")
  func unknown() throws {
    let archived = try Archived()
    expectSilence(try archived.run("archive", "-d", "0", "--yes", "--table", "call-logs"))
    for number in 1...9 { _ = archived.scratch.file("archives/call-logs/notes-\(number).txt", "mine") }
    for verb in ["list", "verify"] {
      let outcome = try archived.run("archives", verb)
      #expect(outcome.status == 0 && outcome.errors.split(separator: "\n").count == 6, "\(outcome.errors)")
      #expect(outcome.errors.contains("notes-5.txt") && outcome.errors.contains("and 4 more"), "\(outcome.errors)")
    }
    let json = try archived.run("archives", "list", "--format", "json").json()
    #expect((json["unknown"] as? [String])?.count == 9)
  }

  @Test("one folder for two databases: 78 before anything is written; restore from it needs --from-other-database")
  func otherDatabase() throws {
    let (archived, other) = (try Archived(), try Archived())
    expectSilence(try other.run("archive", "-d", "0", "--yes", "--table", "call-logs"))
    expectSilence(try archived.run("archive", "-d", "0", "--yes", "--table", "call-logs"))
    for verb in [["archive", "--dry-run"], ["archive"], ["purge"], ["purge", "--dry-run"]] {
      expectFailure(
        try archived.run(verb + ["-d", "0", "--yes", "--archive-dir", other.folder]), 78, other.folder, other.database.name,
        "archive_dir")
    }
    for verb in [["restore"], ["restore", "--dry-run"]] {
      let place = ["--archive-dir", other.folder, "--table", "call-logs"]
      expectFailure(try archived.run(verb + place), 78, "--from-other-database", other.database.name)
      let asked = try archived.run(verb + place + ["--from-other-database"])
      #expect(asked.status == 0 && asked.errors.contains(other.database.name), "\(asked.errors)")
    }
    #expect(try Archived.rows(archived.database) == archived.before)
  }
}
