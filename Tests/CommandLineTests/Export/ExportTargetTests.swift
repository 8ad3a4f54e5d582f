import Foundation
import PrivateServer
import Synchronization
import Testing

@Suite("Where an export goes, and what stops it")
struct ExportTargetTests {
  @Test("a reader that has seen enough: no word, and the status of a closed pipe")
  func closedPipe() throws {
    let exported = try Exported()
    let head = try exported.bash("wazo-call-logs export | head -n 1; echo ${PIPESTATUS[0]}")
    let lines = head.text.split { $0.isNewline }
    #expect(lines.count == 2 && lines.first?.hasPrefix("id,") == true && lines.last == "141" && head.errors.isEmpty)
    let fifo = try exported.bash(
      "mkfifo calls.csv; head -c 10 calls.csv >/dev/null & wazo-call-logs export -o calls.csv; echo $?")
    #expect(fifo.text == "141\n" && fifo.errors.isEmpty)
    // The pipe is still one, and nothing lies beside it.
    #expect(try exported.bash("test -p calls.csv").status == 0 && exported.files() == ["calls.csv"])
  }

  @Test("a full disk: 74, one sentence, no file or the one that was there, and nothing beside it")
  func fullDisk() throws {
    let exported = try Exported()
    expectFailure(try exported.run("--format", "csv", "-o", "/dev/full"), 74, "/dev/full", "No space left")
    let shell = try exported.bash("wazo-call-logs export > /dev/full")
    expectFailure(shell, 74, "standard output", "No space left")
    let small = exported.folder + "/small"
    let mounted = try Program.bash("mkdir '\(small)' && mount -t tmpfs -o size=64k tmpfs '\(small)'")
    if mounted.status == 0 {
      defer { _ = try? Program.bash("umount '\(small)'") }
      expectFailure(try exported.run("-o", small + "/calls.csv"), 74, small + "/calls.csv", "No space left")
      #expect(try FileManager.default.contentsOfDirectory(atPath: small).isEmpty)
      try "old\n".write(toFile: small + "/calls.csv", atomically: false, encoding: .utf8)
      expectFailure(try exported.run("-o", small + "/calls.csv"), 74, small + "/calls.csv", "No space left")
      #expect(try String(contentsOfFile: small + "/calls.csv", encoding: .utf8) == "old\n")
      #expect(try FileManager.default.contentsOfDirectory(atPath: small) == ["calls.csv"])
    } else {
      let limited = try exported.bash("ulimit -f 16; trap '' XFSZ; wazo-call-logs export -o calls.csv")
      expectFailure(limited, 74, "calls.csv")
      #expect(!(try exported.files()).contains("calls.csv"))
    }
  }

  @Test("a file is replaced as a whole, where a symbolic link leads, and who could read it can read it again")
  func replaced() throws {
    let exported = try Exported()
    let outcome = try exported.bash(
      """
      mkdir there && echo old > there/calls.csv && { [ $(id -u) != 0 ] || chown 65534:65533 there/calls.csv; } && chmod 640 there/calls.csv && owner=$(stat -c %u:%g there/calls.csv) && ln -s there/calls.csv link.csv && exec 3< there/calls.csv &&
      wazo-call-logs export -o link.csv && cat <&3 && test -L link.csv && stat -c %a there/calls.csv && [ $(stat -c %u:%g there/calls.csv) = $owner ] && wazo-call-logs export | cmp - link.csv && ls -A . there
      """)
    #expect(outcome.status == 0 && outcome.text == "old\n640\n.:\nlink.csv\nthere\n\nthere:\ncalls.csv\n", "\(outcome)")
    expectFailure(try exported.run("-o", exported.folder + "/none/calls.csv"), 74, "none/calls.csv", "No such file")
    expectFailure(try exported.run("--format", "csv", "-o", exported.folder), 64, "is a folder")
  }

  @Test("SIGTERM: 143 and no file, while the server works and while nobody reads")
  func terminated() throws {
    let exported = try Exported()
    let holder = try exported.database.hold("LOCK TABLE call_logd_call_log")
    let waiting = try exported.database.start(["export", "-o", exported.folder + "/a.csv", "--lock-timeout", "100s"])
    try wait("for the export") {
      try exported.database.count("pg_locks WHERE NOT granted AND relation = 'call_logd_call_log'::regclass") > 0
    }
    waiting.send(SIGTERM)
    expectFailure(try waiting.finish(), 143, "a.csv was not written")
    #expect(try exported.files().isEmpty)
    try holder.end()
    let unread = try exported.bash(
      """
      mkfifo b.csv; sleep 60 < b.csv & reader=$!; wazo-call-logs export -o b.csv & export=$!
      for n in {1..200}; do [ "$(psql -qXAt -d "$WAZO_CALL_LOGS_DB_URI" -c "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'wazo-call-logs' AND query = 'COMMIT'")" = 1 ] && break; sleep 0.05; done
      sleep 0.3; kill -TERM $export; wait $export; status=$?; kill -KILL $reader; exit $status
      """)
    #expect(unread.status == 143 && unread.errors.contains("b.csv was not written"), "\(unread)")
  }

  @Test("at a terminal it shows how far it is and sums up, but never between the lines of the export")
  func terminal() throws {
    let exported = try Exported()
    let file = try exported.bash("script -qec 'wazo-call-logs export -o a.csv.gz' /dev/null < /dev/null")
    #expect(try file.status == 0 && file.text.contains("100 %  \(exported.count()) of \(exported.count()) call logs"))
    #expect(try file.text.contains("\(exported.count()) call logs written to a.csv.gz in "))
    let screen = try exported.bash("script -qec 'wazo-call-logs export' /dev/null < /dev/null")
    // The terminal has put a carriage return before each line feed.
    let lines = screen.text.unicodeScalars.split(separator: "\n").map { String($0.dropLast()) }
    #expect(try screen.status == 0 && lines == exported.run().text.unicodeScalars.split(separator: "\n").map(String.init))
  }

  @Test("memory does not grow with the call logs")
  func memory() throws {
    func peak(_ count: Int, _ arguments: [String]) throws -> Double {
      let database = try TestDatabase()
      expectSilence(try Running(Program.path, ["migrate"], environment: ["WAZO_CALL_LOGS_DB_URI": database.uri]).finish())
      try database.psql(
        """
        INSERT INTO call_logd_tenant VALUES ('\(tenant)');
        INSERT INTO call_logd_call_log (date, tenant_uuid, source_name, source_exten, destination_exten, direction, conversation_id, user_field)
        SELECT '2026-01-01Z'::timestamptz + (n * 7919 % \(count)) * interval '1 s', '\(tenant)', 'Ann ' || n, '101', '102', 'internal', n || '.1', repeat('x', 200)
        FROM generate_series(1, \(count)) n;
        INSERT INTO call_logd_call_log_participant (call_log_id, user_uuid, role, tags) SELECT id, '\(tenant)', 'source', '{sales}' FROM call_logd_call_log
        """)
      let running = try database.start(["export"] + arguments)
      var peak = 0.0
      while running.isRunning {
        peak = max(peak, running.peakMemory ?? 0)
        Thread.sleep(forTimeInterval: 0.005)
      }
      let outcome = try running.finish()
      #expect(outcome.status == 0 && outcome.output.count > count * 200, "\(outcome.errors)")
      return peak
    }
    for format in ["jsonl", "legacy-csv"] {
      let (small, large) = (try peak(4_000, ["--format", format]), try peak(60_000, ["--format", format]))
      print("export to \(format): \(small) MiB for 4,000 call logs, \(large) MiB for 60,000")
      #expect(large <= small + 8)
    }
  }
}
