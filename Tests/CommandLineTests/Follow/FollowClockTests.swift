import Foundation
import TestSupport
import Testing

/// Wall clocks that go wrong: every look at one shows an hour more or less than the one before.
@Suite("A follower and the wall clock", .enabled(if: WrongClock.isPossible, "needs a C compiler"))
struct FollowClockTests {
  @Test(
    "makes the same call logs in the same time while the clock jumps, through lost connections, too", arguments: [3600, -3600])
  func jumps(seconds: Int) throws {
    let database = try TestDatabase(.bare)
    expectSilence(try database.run("migrate"))
    let folder = try Scratch()
    let clock = try WrongClock(seconds: seconds)
    let actual = Date().timeIntervalSince1970
    let shown = try #require(
      Double(Program.bash("date +%s", environment: clock.environment).text.trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(abs(shown - actual) > 1800)
    var environment = clock.environment
    environment["WAZO_CALL_LOGS_CHECKPOINT_DIR"] = folder.path
    let follower = try database.start(["follow"], environment: environment)
    try wait("for it to lead") { try database.leader() != 0 }
    for number in 1...6 {
      if number.isMultiple(of: 2) {
        try database.psql(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'wazo-call-logs'"
        )
      }
      try database.addCalls("1772445\(600 + number).\(number)")
      try database.waitForCallLogs(number)
    }
    follower.send(SIGTERM)
    let outcome = try follower.finish()
    #expect(outcome.status == 143)
    #expect(!outcome.errors.contains("gave up"), "\(outcome.errors)")
    // The program did see the wrong time.
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("generate-") }
    let mirror = try String(contentsOfFile: folder.path + "/" + #require(files.first), encoding: .utf8)
    let written = try #require(mirror.firstMatch(of: /"written" : "(.*?)"/)).1
    let time = try Date(String(written), strategy: .iso8601)
    #expect(abs(time.timeIntervalSinceNow) > 1800, "\(mirror)")
    try database.expectAsUndisturbed()
  }
}

/// A library that a program loads before all others, and whose clock jumps with each look.
struct WrongClock {
  let environment: [String: String]
  private let folder: Scratch

  static let isPossible = Mounts.bash("command -v cc >/dev/null && ldconfig -p | grep -q libc.so.6")

  private static let source = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <stdatomic.h>
    #include <stdlib.h>
    #include <sys/time.h>
    #include <time.h>
    static _Atomic long looks;
    static long jump(void) {
      const char *text = getenv("CLOCK_JUMP");
      return text ? (atomic_fetch_add(&looks, 1) % 100000 + 1) * atol(text) : 0;
    }
    int clock_gettime(clockid_t clock, struct timespec *time) {
      int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
      int result = real(clock, time);
      if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += jump();
      return result;
    }
    int gettimeofday(struct timeval *time, void *zone) {
      int (*real)(struct timeval *, void *) = dlsym(RTLD_NEXT, "gettimeofday");
      int result = real(time, zone);
      if (result == 0) time->tv_sec += jump();
      return result;
    }
    time_t time(time_t *out) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      if (out) *out = now.tv_sec;
      return now.tv_sec;
    }

    """

  init(seconds: Int) throws {
    folder = try Scratch()
    let (source, library) = (folder.file("clock.c", WrongClock.source), folder.path + "/clock.so")
    guard Mounts.bash("cc -shared -fPIC -O1 -o '\(library)' '\(source)' -ldl") else { throw CocoaError(.executableLoad) }
    environment = ["LD_PRELOAD": library, "CLOCK_JUMP": "\(seconds)"]
  }
}
