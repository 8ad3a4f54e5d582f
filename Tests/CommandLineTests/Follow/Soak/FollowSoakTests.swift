import Foundation
import TestSupport
import Testing

@Suite("A day with followers")
struct FollowSoakTests {
  @Test(
    "writers, followers that are killed and frozen, nightly runs, purges, deletions, a service that is killed and its readers at once: the tables are as undisturbed, and the stream had every call log, in order"
  )
  func day() throws {
    let environment = ProcessInfo.processInfo.environment
    var random = Seeded("A day with followers", variable: "FOLLOW_SEED")
    let started = Date()
    let day = try SoakDay(SoakDay.Plan(environment), seed: random.next())
    expectSilence(try day.database.run("migrate"))
    let tokens = try Scratch()
    let token = try RunningService.makeToken(in: tokens)
    let readers = (0..<3).map { _ in StreamReader(token: token) }
    let isDone = Locked(false)
    let seeds = (0..<20).map { _ in random.next() }

    // The stream begins with the first follower's first call log.
    let listening = Thread.inBackground(
      readers.enumerated().map { number, reader in
        { day.listen(seeds[10 + number], reader) { isDone.with { $0 } } }
      })
    let serving = Thread.inBackground([{ try day.serve(seeds[0], tokens) }])
    try wait("for the service") { day.url.with { $0 != nil } || serving.hasEnded }
    day.begin()
    let writers = (0..<SoakDay.writers).map { number in { @Sendable in try day.write(number, seeds[4 + number]) } }
    let others: [@Sendable () throws -> Void] = [
      { try day.follow(seeds[1]) }, { try day.follow(seeds[2]) }, { try day.work(seeds[3]) },
      { try day.look(seeds[9], token: token) },
    ]
    let errors = atOnce(writers + others) + serving.wait()
    let seconds = Date().timeIntervalSince(started)
    let how =
      "\(random), \(day.plan), \(day.cels) CELs; \(day.happened.with { $0.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" } }.joined(separator: ", "))"
    print("soak-follow: \(how); \(Int(seconds)) s")
    #expect(errors.isEmpty, "\(errors); \(how)")

    try day.finish()
    let service = try #require(day.service.with { $0 }, "\(how)")
    let expected = try day.served(service, token)
    for reader in readers {
      // Beside a release's programs, those of the tests are slow.
      for _ in 0..<600 where !reader.has(expected) { Thread.sleep(forTimeInterval: 0.5) }
    }
    isDone.with { $0 = true }
    _ = listening.wait()
    for reader in readers { day.expectRight(reader.found, expected, how) }
    #expect(!service.log.contains("has a gap"))
    try service.stop()
    try day.expectRight(how)
    print("soak-follow: \(expected.count) call logs right after \(Int(Date().timeIntervalSince(started))) s")
  }
}

extension SoakDay {
  /// Brings back what was purged, and covers what was deleted.
  func finish() throws {
    let archive = folder.path + "/archives"
    if FileManager.default.fileExists(atPath: archive) {
      // What a killed purge left behind.
      for words in [["purge", "--table", "cel", "--before", "2000-01-01"], ["restore"]] {
        let outcome = try database.start(words + ["--archive-dir", archive], environment: environment()).finish(
          within: SoakDay.limit)
        guard outcome.status == 0 else { throw Failed("\(words[0]) ended with \(outcome.status): \(outcome.errors)") }
      }
    }
    for _ in 0..<2 {
      let outcome = try database.start(["backfill"], environment: environment()).finish(within: SoakDay.limit)
      guard outcome.status == 0 else { throw Failed("backfill ended with \(outcome.status): \(outcome.errors)") }
    }
  }

  /// What the API shows at the end: the content of each call log.
  func served(_ service: RunningService, _ token: String) throws -> [Int64: Int] {
    let (status, body) = try service.ask("/cdr?recurse=true&limit=0", token: token)
    #expect(status == 200)
    return body.withUnsafeBytes { bytes in
      var contents: [Int64: Int] = [:]
      let (start, end) = (bytes.place(of: "{\"id\":") ?? 0, bytes.place(of: "],\"total\":") ?? 0)
      guard start < end else { return contents }
      let items = UnsafeRawBufferPointer(rebasing: bytes[start..<end]).pieces(separatedBy: "},{\"id\":")
      for (number, item) in items.enumerated() {
        // What separates them belongs to them.
        let text = (number > 0 ? "{\"id\":" : "") + String(decoding: item, as: UTF8.self) + (number < items.count - 1 ? "}" : "")
        let id = Int64(text.dropFirst(6).prefix { $0.isNumber }) ?? -1
        contents[id] = Array(text.utf8).withUnsafeBytes { StreamReader.mark($0) }
      }
      return contents
    }
  }

  /// Expects that a reader of the stream got every call log as it is at the end, and each call's in
  /// order.
  func expectRight(_ found: StreamReader.State, _ expected: [Int64: Int], _ how: String) {
    let lost = expected.keys.filter { found.contents[$0] == nil }.sorted()
    #expect(lost.isEmpty, "\(lost.count) call logs never came: \(lost.prefix(5)); \(how)")
    let old = expected.keys.filter { found.contents[$0] != nil && found.contents[$0] != expected[$0] }.sorted()
    #expect(old.isEmpty, "\(old.count) call logs came last in an older state: \(old.prefix(5)); \(how)")
    #expect(found.disorder.isEmpty, "\(found.disorder.count): \(found.disorder.prefix(5)); \(how)")
    #expect(found.gaps == 0, "\(how)")
    print(
      "soak-follow: a reader got \(found.events) events of \(found.contents.count) call logs on \(found.connections) connections")
  }

  /// Expects what one run over all CELs makes.
  func expectRight(_ how: String) throws {
    #expect(try database.count("cel") == cels, "\(how)")
    #expect(
      try database.count("cel c WHERE NOT EXISTS (SELECT FROM call_logd_checkpoint WHERE covered @> c.id::int8)") == 0, "\(how)")
    for table in ["claim", "gap", "link", "reach", "follower"] {
      #expect(try database.count("call_logd_\(table)") == 0, "\(table), \(how)")
    }
    let found = try database.callLogs()
    for verb in [["delete", "-A"], ["backfill"]] {
      let outcome = try database.start(verb, environment: environment()).finish(within: SoakDay.limit)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    #expect(try database.callLogs() == found, "\(how)")
  }
}

extension Thread {
  /// Work on threads of its own.
  final class Background: Sendable {
    private let errors = Locked<[any Error]>([])
    private let left: Locked<Int>

    fileprivate init(_ bodies: [@Sendable () throws -> Void]) {
      left = Locked(bodies.count)
      for body in bodies {
        Thread.detachNewThread { [self] in
          do { try body() } catch { errors.with { $0.append(error) } }
          left.with { $0 -= 1 }
        }
      }
    }

    var hasEnded: Bool { left.with { $0 == 0 } }

    /// Waits for all, and gives what they threw.
    func wait() -> [any Error] {
      while !hasEnded { Thread.sleep(forTimeInterval: 0.02) }
      return errors.with { $0 }
    }
  }

  static func inBackground(_ bodies: [@Sendable () throws -> Void]) -> Background { Background(bodies) }
}
